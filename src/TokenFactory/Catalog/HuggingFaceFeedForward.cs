namespace TokenFactory.Catalog;

/// <summary>The feed-forward layers that a config.json describes: which are mixtures of experts, and of what.</summary>
internal sealed class FeedForwardStack(HuggingFaceKeys keys, string family, int layers)
{
    /// <summary>Architectures whose feed-forward part has two matrices.</summary>
    private static readonly HashSet<string> TwoMatrices = new(
        ["gpt2", "gptj", "gpt_neox", "bloom", "falcon", "starcoder2", "opt", "phi", "nemotron", "nemotron_h"], StringComparer.Ordinal);

    /// <summary>Architectures whose router adds a learned bias per expert, though their files need not say so.</summary>
    private static readonly HashSet<string> BiasedRouters = new(
        [
            "deepseek_v3", "deepseek_v32", "deepseek_v4", "kimi_k2", "kimi_k25", "kimi_linear", "glm4_moe", "glm4_moe_lite", "glm_moe_dsa",
            "gpt_oss", "nemotron_h", "minimax_m2", "minimax_m3", "minimax_m3_vl",
        ],
        StringComparer.Ordinal);

    /// <summary>The groups, in the order in which their kinds first occur.</summary>
    public IReadOnlyList<FeedForwardGroup> Groups() =>
        [.. Mixtures().GroupBy(mixture => mixture).Select(alike => Layer(alike.Key) with { Layers = alike.Count() })];

    /// <summary>Per feed-forward layer whether it is a mixture of experts.</summary>
    private IEnumerable<bool> Mixtures()
    {
        if (BlockPattern.Of(keys) is { } blocks)
            return blocks.Where(block => block is "-" or "E").Select(block => block == "E");
        if (Experts() is null || (family.StartsWith("gemma4", StringComparison.Ordinal) && keys.Flag("enable_moe_block") != true))
            return PerLayer(_ => false);
        if (keys.Texts("mlp_layer_types") is { } types)
            return types.Select(type => type is "sparse" or "moe");
        var listed = keys.Wholes("moe_layers");
        var every = keys.Whole("interleave_moe_layer_step");
        if (listed is { Count: > 0 })
            return PerLayer(listed.Contains);
        if (every is { } step)
            return PerLayer(i => (i + 1) % step == 0);
        var dense = keys.WholeOrZero("first_k_dense_replace") ?? 0;
        var spacing = keys.Whole("decoder_sparse_step") ?? 1;
        return PerLayer(IsMixture(dense, keys.Wholes("moe_layer_freq"), keys.Wholes("mlp_only_layers"), spacing));
    }

    private Func<int, bool> IsMixture(int dense, IReadOnlyList<int>? flags, IReadOnlyList<int>? excepted, int step)
    {
        var period = flags is null ? keys.Whole("moe_layer_freq") ?? 1 : 1;
        return i => i >= dense
            && i % period == 0
            && (flags is null || (i < flags.Count && flags[i] != 0))
            && excepted?.Contains(i) != true
            && (i + 1) % step == 0;
    }

    private int? Experts() =>
        keys.WholeOrZero("num_experts", "n_routed_experts", "num_local_experts") is > 0 and var experts ? experts : null;

    private FeedForwardGroup Layer(bool mixture) =>
        mixture
            ? Mixture()
            : new DenseFeedForward(1, DenseWidth(), Gated: !TwoMatrices.Contains(family), Bias: keys.Flag("mlp_bias") ?? false);

    /// <summary>Under a key of its own where "intermediate_size" is the experts' width (Llama 4, MiniMax-M3).</summary>
    private int DenseWidth() =>
        keys.Whole("intermediate_size_mlp", "dense_intermediate_size") ?? keys.Needed("intermediate_size", "ffn_hidden_size", "n_inner");

    private MixtureOfExperts Mixture()
    {
        var experts = Experts() ?? keys.Needed("num_experts", "n_routed_experts", "num_local_experts");
        var chosen = keys.Needed("num_experts_per_tok", "num_experts_per_token", "experts_per_token", "top_k_experts", "moe_top_k");
        if (chosen > experts)
            keys.Refuse("num_experts_per_tok", $"is {chosen} of {experts} experts", "Give at most the number of experts");
        var width = keys.Needed("moe_intermediate_size", "expert_intermediate_size", "intermediate_size");
        var ownWidth = keys.Has("moe_intermediate_size", "expert_intermediate_size");
        if (ownWidth)
            keys.Has("intermediate_size", "intermediate_size_mlp");
        return new MixtureOfExperts(
            1,
            experts,
            chosen,
            width,
            SharedWidth(width),
            Gated: !TwoMatrices.Contains(family),
            Bias: family == "gpt_oss",
            RouterBias: RouterBias(),
            LatentSize: keys.Whole("moe_latent_size", "routed_expert_hidden_size"));
    }

    /// <summary>Width of the shared experts together: as a key says it, or their number times their width.</summary>
    private int SharedWidth(int width)
    {
        var number = keys.WholeOrZero("n_shared_experts", "num_shared_experts");
        var each = keys.WholeOrZero(
            "moe_shared_expert_intermediate_size", "shared_expert_intermediate_size", "shared_intermediate_size");
        if (each is not null)
            return each.Value * (number ?? 1);
        if (family.StartsWith("llama4", StringComparison.Ordinal))
            return width;
        return family.StartsWith("gemma4", StringComparison.Ordinal) ? keys.Needed("intermediate_size") : (number ?? 0) * width;
    }

    private bool RouterBias()
    {
        var said = keys.Flag("use_routing_bias");
        return said ?? (keys.Text("topk_method") == "noaux_tc" || BiasedRouters.Contains(family));
    }

    private IEnumerable<bool> PerLayer(Func<int, bool> mixture) => Enumerable.Range(0, layers).Select(mixture);
}

/// <summary>The blocks of an architecture that has one part per layer (Nemotron-H).</summary>
internal static class BlockPattern
{
    /// <summary>One letter per layer: M state space, * attention, - dense, E experts; null for all other architectures.</summary>
    public static IReadOnlyList<string>? Of(HuggingFaceKeys keys)
    {
        if (keys.Texts("layers_block_type") is { } names && names.Any(name => name is "mamba" or "mlp" or "moe"))
            return [.. names.Select(name => name switch { "mamba" => "M", "attention" => "*", "mlp" => "-", "moe" => "E", _ => name })];
        if (keys.Text("hybrid_override_pattern") is not { } pattern)
            return null;
        var odd = pattern.Where(block => !"M*-E".Contains(block, StringComparison.Ordinal)).Distinct().ToArray();
        if (odd.Length > 0)
        {
            keys.Refuse(
                "hybrid_override_pattern",
                $"has blocks '{string.Concat(odd)}'",
                "Use M (Mamba), * (attention), - (dense) and E (experts)");
        }

        return [.. pattern.Select(block => block.ToString())];
    }
}
