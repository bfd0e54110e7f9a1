using System.Text.Json;

namespace TokenFactory.Catalog;

/// <summary>
/// The attention that a config.json describes: each layer's kind by the keys that list or imply it, then alike layers as one group.
/// </summary>
internal sealed class AttentionStack(HuggingFaceKeys keys, string family, int layers, int hidden, int? context, List<string> notes)
{
    private enum Mixing
    {
        Full,
        Sparse,
        Window,
        Linear,
        StateSpace,
    }

    /// <summary>The groups, in the order in which their kinds first occur.</summary>
    public IReadOnlyList<AttentionGroup> Groups() =>
        HuggingFaceCompressed.Groups(keys, layers)
        ?? [.. Mixings().GroupBy(mixing => mixing).Select(alike => Layer(alike.Key) with { Layers = alike.Count() })];

    private AttentionGroup Layer(Mixing mixing) => mixing switch
    {
        Mixing.Linear => Linear(),
        Mixing.StateSpace => new Mamba2(
            1,
            keys.Needed("mamba_num_heads"),
            keys.Needed("mamba_head_dim"),
            keys.Needed("ssm_state_size"),
            keys.Needed("n_groups"),
            keys.Whole("conv_kernel") ?? 4),
        Mixing.Full when keys.Has("kv_lora_rank") => Latent(),
        _ => GroupedQuery(mixing),
    };

    // ---- which layers mix how ----

    private IEnumerable<Mixing> Mixings()
    {
        if (BlockPattern.Of(keys) is { } blocks)
            return blocks.Where(block => block is "M" or "*").Select(block => block == "M" ? Mixing.StateSpace : Mixing.Full);
        if (keys.Texts("layer_types") is { } types)
        {
            keys.Has("full_attention_interval", "sliding_window", "sliding_window_pattern", "use_sliding_window");
            return types.Select(Named);
        }

        if (keys.Object("linear_attn_config") is { } linear && Listed(linear, "kda_layers") is { } delta)
            return PerLayer(i => delta.Contains(i + 1) ? Mixing.Linear : Mixing.Full);
        if (keys.Whole("full_attention_interval") is { } interval)
            return PerLayer(i => (i + 1) % interval == 0 ? Mixing.Full : Mixing.Linear);
        if (keys.Object("sparse_attention_config") is { } sparse && Listed(sparse, "sparse_attention_freq") is { } flags)
            return PerLayer(i => i < flags.Count && flags[i] != 0 ? Mixing.Sparse : Mixing.Full);
        return Windowed();
    }

    private Mixing Named(string type)
    {
        if (type is "full_attention" or "attention")
            return Mixing.Full;
        if (type is "sliding_attention" or "chunked_attention")
            return Window() is null ? Mixing.Full : Mixing.Window;
        if (type == "linear_attention")
            return Mixing.Linear;
        if (type is "mamba" or "mamba2")
            return Mixing.StateSpace;
        notes.Add($"layer type '{type}' is not known: taken as full attention");
        return Mixing.Full;
    }

    private IEnumerable<Mixing> Windowed()
    {
        var unpositioned = keys.Wholes("no_rope_layers");
        var period = keys.Whole("sliding_window_pattern", "_sliding_window_pattern");
        if (Window() is null)
            return PerLayer(_ => Mixing.Full);
        if (family.StartsWith("llama4", StringComparison.Ordinal))
        {
            var listed = unpositioned is { Count: > 0 } ? unpositioned : [.. Enumerable.Range(1, layers).Select(i => i % 4)];
            return PerLayer(i => i < listed.Count && listed[i] == 0 ? Mixing.Full : Mixing.Window);
        }

        var full = period ?? (family switch
        {
            "gemma2" or "gpt_oss" => 2,
            "gemma3" or "gemma3_text" or "gemma4" or "gemma4_text" => 6,
            "cohere2" => 4,
            _ => null,
        });
        if (full is { } every)
            return PerLayer(i => (i + 1) % every == 0 ? Mixing.Full : Mixing.Window);
        var first = family.StartsWith("qwen", StringComparison.Ordinal) ? keys.WholeOrZero("max_window_layers") ?? 0 : 0;
        return PerLayer(i => i >= first ? Mixing.Window : Mixing.Full);
    }

    /// <summary>The window in tokens; null where there is none, where it is switched off, or where it is as long as the context.</summary>
    private int? Window()
    {
        var off = keys.Flag("use_sliding_window") is { } said ? !said : family.StartsWith("qwen", StringComparison.Ordinal);
        var window = family.StartsWith("llama4", StringComparison.Ordinal)
            ? keys.Whole("attention_chunk_size")
            : keys.Whole("sliding_window") ?? (family is "gemma2" or "gemma3" or "gemma3_text" ? 4096 : null);
        return off || window >= context ? null : window;
    }

    // ---- the kinds of attention ----

    private GroupedQueryAttention GroupedQuery(Mixing mixing)
    {
        var globally = mixing == Mixing.Full && family.StartsWith("gemma4", StringComparison.Ordinal);
        var heads = keys.Needed("num_attention_heads", "n_head", "n_heads");
        var keysShared = globally && keys.Flag("attention_k_eq_v") == true;
        var pairs = (keysShared ? keys.Whole("num_global_key_value_heads") : null)
            ?? keys.Whole("num_key_value_heads", "num_kv_heads", "n_head_kv")
            ?? (keys.Flag("multi_query") == true ? 1 : heads);
        var width = (globally ? keys.Whole("global_head_dim") : null) ?? keys.Whole("head_dim", "attention_head_dim") ?? EvenWidth(heads);
        if (heads % pairs != 0)
        {
            keys.Refuse(
                "num_key_value_heads", $"is {pairs}, which does not divide {heads} heads", "Give a divisor of 'num_attention_heads'");
        }

        var bias = keys.Flag("attention_bias") ?? keys.Flag("qkv_bias") ?? family is "qwen2" or "qwen2_moe" or "gpt_oss";
        return new GroupedQueryAttention(
            1,
            heads,
            pairs,
            width,
            keys.Whole("v_head_dim") ?? width,
            mixing == Mixing.Window ? Window() : null,
            OutputGate: keys.Flag("attn_output_gate")
                ?? keys.Flag("attention_output_gate")
                ?? family.StartsWith("qwen3_next", StringComparison.Ordinal),
            Bias: bias,
            OutputBias: bias && family is "gpt_oss" or "llama",
            QkNorm: NormsQueries(),
            Sinks: family == "gpt_oss",
            ValueIsKey: keysShared,
            Indexer: mixing == Mixing.Sparse ? BlockIndexer() : null);
    }

    private bool NormsQueries()
    {
        var said = keys.Flag("use_qk_norm");
        if (family.StartsWith("llama4", StringComparison.Ordinal))
            return false; // Normalised without weights.
        return said ?? (family.StartsWith("qwen3", StringComparison.Ordinal) || family.StartsWith("gemma3", StringComparison.Ordinal)
            || family.StartsWith("gemma4", StringComparison.Ordinal));
    }

    private int EvenWidth(int heads)
    {
        if (family is "gemma3" or "gemma3_text" or "gemma2")
            return 256;
        if (keys.Mistakes.Count == 0 && hidden % heads != 0)
            keys.Refuse("hidden_size", $"is {hidden}, which {heads} heads do not divide, and 'head_dim' is missing", "Add 'head_dim'");
        return Math.Max(1, hidden / heads);
    }

    private LatentAttention Latent()
    {
        keys.Has("head_dim", "num_key_value_heads"); // What they say follows from the ranks and dimensions below.
        return new LatentAttention(
            1,
            keys.Needed("num_attention_heads"),
            keys.Whole("q_lora_rank"),
            keys.Needed("kv_lora_rank"),
            keys.Needed("qk_nope_head_dim"),
            keys.Needed("qk_rope_head_dim"),
            keys.Needed("v_head_dim"),
            Indexer(),
            OutputGate: keys.Flag("mla_use_output_gate") == true);
    }

    private SparseIndexer? Indexer()
    {
        var sparse = family is "deepseek_v32" or "glm_moe_dsa";
        if (!sparse && !keys.Has("index_topk"))
            return null;
        if (!keys.Has("index_topk"))
            notes.Add("'index_topk' is absent: the architecture's own indexer is assumed");
        var heads = keys.Whole("index_n_heads") ?? (family == "glm_moe_dsa" ? 32 : 64);
        return new SparseIndexer(heads, keys.Whole("index_head_dim") ?? 128, keys.Whole("index_topk") ?? 2048);
    }

    private SparseIndexer? BlockIndexer() => keys.Object("sparse_attention_config") is { } sparse
        ? new SparseIndexer(
            Inner(sparse, "sparse_num_index_heads"),
            Inner(sparse, "sparse_index_dim"),
            Inner(sparse, "sparse_topk_blocks") * Inner(sparse, "sparse_block_size"))
        : null;

    private AttentionGroup Linear()
    {
        if (keys.Object("linear_attn_config") is { } linear)
        {
            return new KimiDeltaAttention(
                1,
                Inner(linear, "num_heads"),
                Inner(linear, "head_dim"),
                Inner(linear, "short_conv_kernel_size"),
                linear.TryGetProperty("use_full_rank_gate", out var full) && full.ValueKind == JsonValueKind.True);
        }

        return new GatedDeltaAttention(
            1,
            keys.Needed("linear_num_key_heads"),
            keys.Needed("linear_key_head_dim"),
            keys.Needed("linear_num_value_heads"),
            keys.Needed("linear_value_head_dim"),
            keys.Whole("linear_conv_kernel_dim") ?? 4);
    }

    private int Inner(JsonElement owner, string name)
    {
        if (owner.TryGetProperty(name, out var value)
            && value.ValueKind == JsonValueKind.Number
            && value.TryGetInt32(out var number)
            && number > 0)
        {
            return number;
        }

        keys.Refuse(name, "is missing or not a whole number above zero", "Add it");
        return 1;
    }

    private static IReadOnlyList<int>? Listed(JsonElement owner, string name) =>
        owner.TryGetProperty(name, out var list) ? HuggingFaceKeys.WholesOf(list) : null;

    private IEnumerable<Mixing> PerLayer(Func<int, Mixing> kind) => Enumerable.Range(0, layers).Select(kind);
}
