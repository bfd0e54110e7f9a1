using TokenFactory.Catalog;

namespace TokenFactory.Performance;

/// <summary>How a model can be spread over GPUs.</summary>
public static class Spreading
{
    /// <summary>Most GPUs per attention group that are tried where the user names none.</summary>
    public const int MostTensor = 64;

    /// <summary>Whether any layer chooses among experts.</summary>
    public static bool IsMixture(ModelShape model) => model.FeedForward.OfType<MixtureOfExperts>().Any();

    /// <summary>Experts of a layer; 0 for a dense model.</summary>
    public static int Experts(ModelShape model) =>
        model.FeedForward.OfType<MixtureOfExperts>().Select(mix => mix.Experts).DefaultIfEmpty().Max();

    /// <summary>Why so many GPUs cannot share an attention layer of the model; null where they can.</summary>
    public static string? Undivided(ModelShape model, int tensor)
    {
        foreach (var group in model.Attention)
        {
            var (heads, cached) = Heads(group);
            if (heads % tensor != 0)
                return $"does not divide the {heads} heads of {model.Key}";
            if (cached > 0 && cached % tensor != 0 && tensor % cached != 0)
                return $"does not divide, nor is a multiple of, the {cached} key-value heads of {model.Key}";
        }

        return null;
    }

    /// <summary>The powers of two that can share an attention layer of the model, ascending.</summary>
    public static IEnumerable<int> Tensors(ModelShape model)
    {
        for (var tensor = 1; tensor <= MostTensor; tensor *= 2)
        {
            if (Undivided(model, tensor) is null)
                yield return tensor;
        }
    }

    private static (int Heads, int Cached) Heads(AttentionGroup group) => group switch
    {
        GroupedQueryAttention gqa => (gqa.Heads, gqa.KvHeads),
        LatentAttention mla => (mla.Heads, 0),
        CompressedAttention compressed => (compressed.Heads, 0),
        GatedDeltaAttention delta => (delta.ValueHeads, 0),
        KimiDeltaAttention kimi => (kimi.Heads, 0),
        Mamba2 mamba => (mamba.Heads, 0),
        _ => (0, 0),
    };
}
