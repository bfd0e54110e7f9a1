using TokenFactory.Catalog;

namespace TokenFactory.Cli.Verbs;

/// <summary>A model's shape in words.</summary>
internal static class ModelWords
{
    public static string Kind(AttentionGroup group) => group switch
    {
        GroupedQueryAttention { WindowTokens: not null } => "window",
        GroupedQueryAttention gqa when gqa.KvHeads == gqa.Heads => "MHA",
        GroupedQueryAttention { KvHeads: 1 } => "MQA",
        GroupedQueryAttention => "GQA",
        LatentAttention { Indexer: not null } => "MLA sparse",
        LatentAttention => "MLA",
        CompressedAttention { Compresses: false } => "window",
        CompressedAttention { Indexer: not null } compressed => $"{compressed.CompressRatio}:1 compressed sparse",
        CompressedAttention compressed => $"{compressed.CompressRatio}:1 compressed",
        GatedDeltaAttention => "gated delta",
        KimiDeltaAttention => "Kimi delta",
        Mamba2 => "Mamba-2",
        _ => group.GetType().Name,
    };

    public static string Sizes(ModelShape model)
    {
        var active = model.ActiveParameters == model.TotalParameters
            ? "all active"
            : $"{model.ActiveParameters / 1e9:0.0} B active per token";
        var experts = string.Concat(model.FeedForward.OfType<MixtureOfExperts>().Select(Experts));
        var attention = string.Join(", ", model.Attention.Select(group => $"{group.Layers} {Kind(group)}"));
        return $"{model.Name}: {model.TotalParameters / 1e9:0.0} B parameters, {active}; {attention} layers{experts}; "
            + $"{model.KvBytesPerToken(2):N0} bytes of KV cache per token at 16 bit.";
    }

    private static string Experts(MixtureOfExperts moe)
    {
        var shared = moe.SharedIntermediate > 0 ? " beside a shared one" : "";
        return $", {moe.Experts} experts of which {moe.TopK} are chosen{shared} in {moe.Layers} layers";
    }

    /// <summary>Computed against published counts, or null where nothing is published.</summary>
    public static string? AgainstPublished(ModelShape model)
    {
        if (model.Published is not { } published)
            return null;
        var parts = new List<string>();
        if (published.TotalParametersBillion is { } total)
        {
            var computed = model.TotalParameters / 1e9;
            parts.Add($"total {computed:0.00} B computed, {total.Value} B published ({Difference(computed, total.Value)})");
        }

        if (published.ActiveParametersBillion is { } active)
        {
            var computed = model.ActiveParametersCounting(published.ActiveCounts) / 1e9;
            parts.Add($"active {computed:0.00} B computed, {active.Value} B published ({Difference(computed, active.Value)})");
        }

        return parts.Count == 0 ? null : string.Join("; ", parts) + ".";
    }

    private static string Difference(double computed, double published) => Output.Spell.Change((computed / published) - 1);
}
