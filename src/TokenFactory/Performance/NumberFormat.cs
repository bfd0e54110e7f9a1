namespace TokenFactory.Performance;

/// <summary>How numbers are stored and multiplied: of weights, of the KV cache, of activations.</summary>
public enum NumberFormat
{
    /// <summary>32-bit floating point. Written "fp32".</summary>
    Fp32,

    /// <summary>16-bit floating point, BF16 or FP16. Written "bf16".</summary>
    Bf16,

    /// <summary>8-bit floating point with one scale per tensor or channel. Written "fp8".</summary>
    Fp8,

    /// <summary>8-bit floating point with one FP32 scale per 128 x 128 block of weights. Written "fp8-block".</summary>
    Fp8Block,

    /// <summary>8-bit integer with one scale per channel. Written "int8".</summary>
    Int8,

    /// <summary>4-bit integer weights with one 16-bit scale per 128 (AWQ, GPTQ); computes in 16 bits. Written "int4".</summary>
    Int4,

    /// <summary>4-bit floating point with one 8-bit scale per 32. Written "mxfp4".</summary>
    Mxfp4,

    /// <summary>4-bit floating point with one FP8 scale per 16. Written "nvfp4".</summary>
    Nvfp4,
}
