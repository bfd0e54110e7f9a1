using TokenFactory.Catalog;
using TokenFactory.Performance.Kernels;

namespace TokenFactory.Performance;

/// <summary>How number formats are written, and how the words of others map to them.</summary>
public static class NumberFormatWords
{
    /// <summary>Bytes of one element of a KV cache in this format: 2 for 16 bits, 1 for FP8 and INT8.</summary>
    public static int BytesPerCacheElement(this NumberFormat format) => format switch
    {
        NumberFormat.Fp32 => 4,
        NumberFormat.Bf16 => 2,
        _ => 1,
    };

    /// <summary>Bytes that one weight occupies with its share of the scales.</summary>
    public static double BytesPerWeight(this NumberFormat format) => NumberFormats.WeightBytes(format);

    /// <summary>Whether weights take four bits each.</summary>
    public static bool IsFourBit(this NumberFormat format) => format is NumberFormat.Int4 or NumberFormat.Mxfp4 or NumberFormat.Nvfp4;

    /// <summary>As it is written in files and on the command line.</summary>
    public static string Word(this NumberFormat format) => NumberFormats.Write(format);

    /// <summary>All words, for messages.</summary>
    public static string Words => string.Join(", ", Enum.GetValues<NumberFormat>().Select(Word));

    /// <summary>
    /// Reads a format as people and published measurements write it; null where it is none. "fp4" alone says only four bits of
    /// floating point: NVFP4 on NVIDIA, MXFP4 elsewhere.
    /// </summary>
    /// <param name="text">The word.</param>
    /// <param name="gpu">Decides between the two FP4 formats; null for NVFP4.</param>
    public static NumberFormat? Parse(string text, Accelerator? gpu = null) => text.Trim().ToLowerInvariant() switch
    {
        "fp32" or "float32" => NumberFormat.Fp32,
        "bf16" or "fp16" or "bfloat16" or "float16" or "bf16/fp16" or "half" => NumberFormat.Bf16,
        "fp8" or "e4m3" => NumberFormat.Fp8,
        "fp8-block" or "fp8_block" => NumberFormat.Fp8Block,
        "int8" or "w8a8" => NumberFormat.Int8,
        "int4" or "awq" or "gptq" or "uint4" or "w4a16" => NumberFormat.Int4,
        "mxfp4" => NumberFormat.Mxfp4,
        "nvfp4" => NumberFormat.Nvfp4,
        "fp4" => gpu is null || gpu.Vendor == "NVIDIA" ? NumberFormat.Nvfp4 : NumberFormat.Mxfp4,
        _ => null,
    };
}
