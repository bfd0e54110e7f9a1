namespace TokenFactory.Catalog;

/// <summary>The attention of a config.json that lists how much each layer compresses its context (DeepSeek-V4).</summary>
internal static class HuggingFaceCompressed
{
    /// <summary>The ratio of the layers that have an indexer: the reference implementation knows no other sign of them.</summary>
    private const int Indexed = 4;

    /// <summary>The groups, in the order in which their ratios first occur; null for all other architectures.</summary>
    /// <param name="keys">The keys of the file.</param>
    /// <param name="layers">Layers of the model; the list may go on with its prediction layers.</param>
    public static IReadOnlyList<AttentionGroup>? Groups(HuggingFaceKeys keys, int layers)
    {
        if (keys.Wholes("compress_ratios") is not { } ratios)
            return null;
        keys.Has("num_key_value_heads", "qk_rope_head_dim"); // One head; its rotary part changes no size.
        return [.. ratios.Take(layers).GroupBy(ratio => Math.Max(1, ratio)).Select(alike => Layer(keys, alike.Key, alike.Count()))];
    }

    private static CompressedAttention Layer(HuggingFaceKeys keys, int ratio, int layers)
    {
        var (heads, width, groups) = (keys.Needed("num_attention_heads"), keys.Needed("head_dim"), keys.Needed("o_groups"));
        if (width % ratio != 0)
            keys.Refuse("compress_ratios", $"holds {ratio}, which does not divide a head of {width}", "Give divisors of 'head_dim'");
        if (heads % groups != 0)
            keys.Refuse("o_groups", $"is {groups}, which does not divide {heads} heads", "Give a divisor of 'num_attention_heads'");
        return new CompressedAttention(
            layers,
            heads,
            width,
            keys.Needed("q_lora_rank"),
            keys.Needed("o_lora_rank"),
            groups,
            keys.Needed("sliding_window"),
            ratio,
            ratio == Indexed
                ? new SparseIndexer(keys.Needed("index_n_heads"), keys.Needed("index_head_dim"), keys.Needed("index_topk"))
                : null);
    }
}
