using TokenFactory.Catalog;

namespace TokenFactory.Performance.Kernels;

/// <summary>What a number format costs in bytes, on which units it computes, and how it is written in the tables of kernels.</summary>
public static class NumberFormats
{
    /// <summary>8-bit weights multiplied in 16 bits: what a GPU without 8-bit units does.</summary>
    internal const string EightBitWeights = "w8a16";

    private static readonly string[] Written = ["fp32", "bf16", "fp8", "fp8-block", "int8", "int4", "mxfp4", "nvfp4"];

    /// <summary>How the format is written in files: "fp8-block".</summary>
    public static string Write(NumberFormat format) => Written[(int)format];

    /// <summary>Bytes of one stored weight with its share of the scales: 0.5625 for NVFP4 (4 bits and one FP8 scale per 16).</summary>
    public static double WeightBytes(NumberFormat format) => format switch
    {
        NumberFormat.Fp32 => 4,
        NumberFormat.Bf16 => 2,
        NumberFormat.Int4 => 0.5 + (2.0 / 128),
        NumberFormat.Mxfp4 => 0.5 + (1.0 / 32),
        NumberFormat.Nvfp4 => 0.5 + (1.0 / 16),
        _ => 1,
    };

    /// <summary>Whether the accelerator multiplies in this format; else it widens the weights to 16 bits first.</summary>
    public static bool HasUnits(Accelerator gpu, NumberFormat format) => format switch
    {
        NumberFormat.Fp8 or NumberFormat.Fp8Block => HasEightBits(gpu),
        NumberFormat.Mxfp4 or NumberFormat.Nvfp4 => gpu.Fp4 is not null,
        NumberFormat.Int8 => gpu.Int8 is { } int8 && int8.Value.Value >= SixteenBitPeak(gpu),
        NumberFormat.Int4 => false,
        _ => true,
    };

    /// <summary>
    /// Dense rate at which the accelerator multiplies numbers stored in this format, in operations per second: that of the format's units,
    /// or of the 16-bit units where it has none; half of FP4's where the data sheet of a GPU with FP4 units does not say FP8's, as on
    /// Blackwell. Zero where it names no rate at all.
    /// </summary>
    public static double Peak(Accelerator gpu, NumberFormat format)
    {
        var peak = HasUnits(gpu, format)
            ? format switch
            {
                NumberFormat.Fp8 or NumberFormat.Fp8Block => gpu.Fp8?.Value.Value ?? (gpu.Fp4?.Value.Value / 2),
                NumberFormat.Mxfp4 or NumberFormat.Nvfp4 => gpu.Fp4?.Value.Value,
                NumberFormat.Int8 => gpu.Int8?.Value.Value,
                _ => null,
            }
            : null;
        return peak ?? SixteenBitPeak(gpu);
    }

    /// <summary>The precisions of the tables whose constants fit the format on this GPU, best first.</summary>
    internal static IReadOnlyList<string> Precisions(Accelerator gpu, NumberFormat format)
    {
        var native = HasUnits(gpu, format);
        return format switch
        {
            NumberFormat.Fp8 => native ? ["fp8", "fp8-block", "bf16"] : [EightBitWeights, "fp8", "int4", "bf16"],
            NumberFormat.Fp8Block => native ? ["fp8-block", "fp8", "bf16"] : [EightBitWeights, "fp8-block", "fp8", "int4", "bf16"],
            NumberFormat.Int8 => native ? ["int8", "fp8", "bf16"] : [EightBitWeights, "int4", "bf16"],
            NumberFormat.Int4 => ["int4", EightBitWeights, "bf16"],
            NumberFormat.Mxfp4 => native ? ["mxfp4", "nvfp4", "bf16"] : ["mxfp4", "int4", EightBitWeights, "bf16"],
            NumberFormat.Nvfp4 => native ? ["nvfp4", "mxfp4", "bf16"] : ["int4", "mxfp4", EightBitWeights, "bf16"],
            _ => ["bf16"],
        };
    }

    /// <summary>Whether a precision of the tables is multiplied in its own units on this GPU.</summary>
    internal static bool IsNative(Accelerator gpu, string precision) => precision switch
    {
        "fp8" or "fp8-block" => HasEightBits(gpu),
        "mxfp4" or "nvfp4" => gpu.Fp4 is not null,
        "int8" => HasUnits(gpu, NumberFormat.Int8),
        _ => false,
    };

    /// <summary>Whether the precision of the tables is this format as this GPU computes it, and not merely a stand-in.</summary>
    internal static bool IsExact(string precision, Accelerator gpu, NumberFormat format) =>
        precision == Written[(int)(format == NumberFormat.Fp32 ? NumberFormat.Bf16 : format)]
        || (precision == EightBitWeights && !HasUnits(gpu, format));

    /// <summary>The format that a precision of the tables stands for on this GPU; null where it means none.</summary>
    internal static NumberFormat? Read(string precision, Accelerator gpu)
    {
        if (precision == EightBitWeights)
            return HasUnits(gpu, NumberFormat.Fp8) ? null : NumberFormat.Fp8;
        var at = Array.IndexOf(Written, precision);
        return at < 0 ? null : (NumberFormat)at;
    }

    /// <summary>Whether the tables know the precision.</summary>
    internal static bool IsPrecision(string text) => text == EightBitWeights || (text != "fp32" && Written.Contains(text));

    private static bool HasEightBits(Accelerator gpu) => gpu.Fp8 is not null || gpu.Fp4 is not null;

    /// <summary>The 16-bit rate; where the data sheet is silent, half of FP8's or a quarter of FP4's, as on Blackwell.</summary>
    private static double SixteenBitPeak(Accelerator gpu) =>
        gpu.Bf16?.Value.Value ?? (gpu.Fp8?.Value.Value / 2) ?? (gpu.Fp4?.Value.Value / 4) ?? 0;
}
