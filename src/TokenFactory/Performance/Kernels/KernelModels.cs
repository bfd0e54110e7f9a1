using TokenFactory.Catalog;

namespace TokenFactory.Performance.Kernels;

/// <summary>From shares of a data sheet to seconds: constants in the order of <see cref="KernelColumn"/>, on one GPU.</summary>
internal static class KernelModels
{
    private const double Micro = 1e-6;
    private const double Nano = 1e-9;

    /// <summary>Matrix products.</summary>
    public static GemmConstants Gemm(Accelerator gpu, NumberFormat format, IReadOnlyList<double> row) => new(
        row[(int)KernelColumn.FloorMicroseconds] * Micro,
        PerFlop(gpu, format, row),
        row[(int)KernelColumn.HalfRows],
        row[(int)KernelColumn.HalfDepth],
        PerByte(gpu, row),
        row[(int)KernelColumn.HalfColumns],
        NumberFormats.WeightBytes(format),
        row[(int)KernelColumn.ActivationBytes] / Bandwidth(gpu));

    /// <summary>Routed experts.</summary>
    public static ExpertsConstants Experts(Accelerator gpu, NumberFormat format, IReadOnlyList<double> row) => new(
        row[(int)KernelColumn.FloorMicroseconds] * Micro,
        PerFlop(gpu, format, row),
        row[(int)KernelColumn.HalfRows],
        PerByte(gpu, row),
        NumberFormats.WeightBytes(format),
        row[(int)KernelColumn.ActivationBytes] / Bandwidth(gpu),
        row[(int)KernelColumn.InputBytes] / Bandwidth(gpu),
        row[(int)KernelColumn.Imbalance]);

    /// <summary>Attention of either kind.</summary>
    public static AttentionConstants Attention(
        Accelerator gpu, NumberFormat format, IReadOnlyList<double> prefill, IReadOnlyList<double> decode) => new(
        prefill[(int)KernelColumn.FloorMicroseconds] * Micro,
        PerFlop(gpu, format, prefill),
        prefill[(int)KernelColumn.HalfRows],
        prefill[(int)KernelColumn.ChainMicroseconds] * Micro / 1024,
        decode[(int)KernelColumn.FloorMicroseconds] * Micro,
        PerByte(gpu, decode),
        PerFlop(gpu, format, decode),
        decode[(int)KernelColumn.ChainMicroseconds] * Micro / 1024,
        decode[(int)KernelColumn.TileNanoseconds] * Nano);

    private static double PerFlop(Accelerator gpu, NumberFormat format, IReadOnlyList<double> row) =>
        1 / (NumberFormats.Peak(gpu, format) * (format == NumberFormat.Fp32 ? 0.5 : 1) * row[(int)KernelColumn.ComputeEfficiency]);

    private static double PerByte(Accelerator gpu, IReadOnlyList<double> row) =>
        1 / (Bandwidth(gpu) * row[(int)KernelColumn.StreamEfficiency]);

    private static double Bandwidth(Accelerator gpu) => gpu.MemoryBandwidth?.Value.Value ?? double.NaN;
}
