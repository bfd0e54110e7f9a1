using TokenFactory.Catalog;
using TokenFactory.Performance.Kernels;

namespace TokenFactory.Performance;

/// <summary>How long parts of a GPU would be busy with a step at full speed, in seconds: what its power follows.</summary>
/// <param name="Arithmetic">Matrix units, padded tiles included.</param>
/// <param name="Weights">Memory, reading weights.</param>
/// <param name="Cache">Memory, reading the KV cache and states.</param>
public readonly record struct GpuBusy(double Arithmetic, double Weights, double Cache)
{
    /// <summary>These and others times a weight.</summary>
    public GpuBusy Plus(GpuBusy other, double weight = 1) =>
        new(Arithmetic + (weight * other.Arithmetic), Weights + (weight * other.Weights), Cache + (weight * other.Cache));

    /// <summary>All times a weight.</summary>
    public GpuBusy Times(double weight) => new(Arithmetic * weight, Weights * weight, Cache * weight);
}

/// <summary>What a data sheet promises for one format.</summary>
/// <param name="SecondsPerFlop">Seconds per operation.</param>
/// <param name="SecondsPerWeight">Seconds per weight read.</param>
internal readonly record struct FullSpeed(double SecondsPerFlop, double SecondsPerWeight)
{
    /// <summary>Rows of a tile: matrix units compute whole tiles, filled or not.</summary>
    public const double TileRows = 128;

    /// <summary>The data sheet's speed of a format on an accelerator.</summary>
    public static FullSpeed Of(Accelerator gpu, NumberFormat format) => new(
        1 / NumberFormats.Peak(gpu, format),
        format.BytesPerWeight() / (gpu.MemoryBandwidth?.Value.Value ?? 1e12));
}
