using TokenFactory.Catalog;

namespace TokenFactory.Performance;

/// <summary>
/// Which part of a model is held in which format. Published checkpoints quantise the routed experts first: a "4-bit" mixture of
/// experts keeps its attention and shared parts in more bits, and every model its embeddings and output head in 16.
/// </summary>
/// <param name="Attention">Projections of attention layers.</param>
/// <param name="Dense">Dense feed-forward layers and shared experts.</param>
/// <param name="Experts">Routed experts.</param>
/// <param name="KvCache">The KV cache.</param>
public sealed record PrecisionPlan(NumberFormat Attention, NumberFormat Dense, NumberFormat Experts, NumberFormat KvCache)
{
    /// <summary>Embeddings, output head and norms.</summary>
    public const NumberFormat Embeddings = NumberFormat.Bf16;

    /// <summary>
    /// What a deployment labelled "fp8" or "nvfp4" holds, judged by the model: the label as it stands for a dense model; for a mixture
    /// of experts, FP8 means block FP8 throughout (DeepSeek's recipe, which others follow), and four bits mean four-bit experts
    /// beside attention and shared parts in the checkpoint's own wider format. DeepSeek V4 is published with four-bit experts and FP8
    /// beside them, so that "fp8" means just that.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="weights">The label.</param>
    /// <param name="kvCache">
    /// Format of the KV cache; null for FP8 where weights have 8 bits or fewer in floating point, and 16 bits otherwise.
    /// </param>
    public static PrecisionPlan For(ModelShape model, NumberFormat weights, NumberFormat? kvCache = null)
    {
        var cache = kvCache ?? (weights is NumberFormat.Bf16 or NumberFormat.Fp32 or NumberFormat.Int4 or NumberFormat.Int8
            ? NumberFormat.Bf16
            : NumberFormat.Fp8);
        if (!model.FeedForward.OfType<MixtureOfExperts>().Any())
            return new PrecisionPlan(weights, weights, weights, cache);
        var own = model.CheckpointPrecision is { } word ? NumberFormatWords.Parse(word) : null;
        var mixed = own is { } published && published.IsFourBit() && model.Family.StartsWith("deepseek_v4", StringComparison.Ordinal);
        if (weights is NumberFormat.Fp8 or NumberFormat.Fp8Block && mixed)
            return new PrecisionPlan(NumberFormat.Fp8Block, NumberFormat.Fp8Block, own!.Value, cache);
        if (weights is NumberFormat.Fp8 or NumberFormat.Fp8Block)
            return new PrecisionPlan(NumberFormat.Fp8Block, NumberFormat.Fp8Block, NumberFormat.Fp8Block, cache);
        if (!weights.IsFourBit())
            return new PrecisionPlan(weights, weights, weights, cache);
        var beside = mixed ? NumberFormat.Fp8Block : NumberFormat.Bf16;
        return new PrecisionPlan(beside, beside, weights, cache);
    }
}
