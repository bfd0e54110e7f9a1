using System.Text.Json;

namespace TokenFactory.Catalog;

/// <summary>
/// The keys of a Hugging Face config.json: finds a value under any of its spellings, remembers what was asked for, gathers
/// mistakes. Where a multimodal config nests its text model, the nested keys come first and the outer ones fill in.
/// A key whose value is null counts as absent, as it does for the library that writes these files.
/// </summary>
internal sealed class HuggingFaceKeys
{
    private static readonly string[] TextParts = ["text_config", "llm_config", "language_config"];
    private static readonly string[] OtherParts =
        ["vision_config", "audio_config", "thinker_config", "talker_config", "vision_tower_config"];

    /// <summary>
    /// Keys that change neither the size nor the speed of the text model: tokens, training, rotary positions, precision of
    /// rarely used parts, scaling factors, and what other keys already say. Anything else that is not read is reported.
    /// </summary>
    private static readonly HashSet<string> Harmless = new(
        [
            "_attn_implementation", "_name_or_path", "add_cross_attention", "architectures", "attention_chunk_size",
            "attn_implementation", "attn_logit_softcapping", "attn_scale", "attn_temperature_tuning", "auto_map",
            "cache_implementation", "chunk_size", "classifier_dropout", "cross_attention_hidden_size", "disable_qat", "dtype",
            "embd_pdrop", "ep_size", "expand", "final_logit_softcapping", "floor_scale", "for_llm_compressor",
            "gradient_checkpointing", "hc_eps", "hc_sinkhorn_iters", "hidden_act", "hidden_activation", "hidden_dropout", "id2label",
            "indexer_rope_interleave", "initial_context_length", "initializer_range", "interleave_moe_layer_step", "is_decoder",
            "is_encoder_decoder", "label2id", "language_model_only", "latent_moe_use_norm", "layer_norm_eps", "layer_norm_epsilon",
            "layernorm_epsilon", "mamba_hidden_act", "mamba_proj_bias", "mamba_ssm_cache_dtype", "mamba_ssm_dtype",
            "max_window_layers", "mla_use_nope", "mlp_hidden_act", "mm_tokens_per_image", "model_type", "moe_renormalize",
            "moe_router_activation_func", "mrope_section", "mtp_transformer_layers", "mtp_use_dedicated_embeddings", "n_group",
            "nope_layer_interval", "norm_eps", "norm_topk_prob", "norm_topk_probs", "norm_type", "num_expert_group",
            "num_experts_per_group", "num_hash_layers", "num_logits_to_keep", "original_max_position_embeddings",
            "output_attentions", "output_gate_type", "output_hidden_states", "output_router_logits", "partial_rotary_factor",
            "pretraining_tp", "qk_head_dim", "qk_norm_type", "query_pre_attn_scalar", "rescale_prenorm_residual",
            "residual_in_fp32", "return_dict", "rms_norm_eps", "rotary_dim", "routed_scaling_factor", "router_jitter_noise",
            "router_type", "scoring_func", "seq_aux", "swiglu_limit", "time_step_floor", "time_step_limit", "time_step_max",
            "time_step_min", "time_step_rank", "tokenizer_class", "topk_group", "topk_method", "torch_dtype",
            "transformers_version", "unsloth_fixed", "use_bidirectional_attention", "use_cache", "use_conv_bias", "use_gemma_norm",
            "use_grouped_topk", "use_mamba_kernels", "vocab_size_per_layer_input",
        ],
        StringComparer.Ordinal);

    private static readonly string[] HarmlessEndings =
    [
        "_token_id", "_token_index", "_dropout", "_pdrop", "_coef", "_loss", "_dropout_prob", "_init", "_std", "_gain", "_alpha", "_beta",
        "_type_id",
    ];

    private readonly JsonElement _outer;
    private readonly JsonElement _text;
    private readonly HashSet<string> _read = new(StringComparer.Ordinal);

    private HuggingFaceKeys(JsonElement outer, string where, List<Mistake> mistakes)
    {
        _outer = outer;
        TextPart = TextParts.FirstOrDefault(part => outer.TryGetProperty(part, out var inner) && inner.ValueKind == JsonValueKind.Object);
        _text = TextPart is null ? outer : outer.GetProperty(TextPart);
        Where = where;
        Mistakes = mistakes;
    }

    /// <summary>The name of the file, for messages.</summary>
    public string Where { get; }

    /// <summary>Where mistakes go.</summary>
    public List<Mistake> Mistakes { get; }

    /// <summary>The key under which a multimodal config nests its text model; null where the config is of a text model.</summary>
    public string? TextPart { get; }

    /// <summary>Opens the text of a config.json; null, with the mistake noted, where it is not a JSON object.</summary>
    public static HuggingFaceKeys? Open(string json, string where, List<Mistake> mistakes)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip });
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                return new HuggingFaceKeys(document.RootElement.Clone(), where, mistakes);
            mistakes.Add(new Mistake(where, $"holds a JSON {document.RootElement.ValueKind}", "Give the model's config.json"));
        }
        catch (JsonException bad)
        {
            mistakes.Add(new Mistake($"{where}:{bad.LineNumber + 1}", "not JSON", "Mend the syntax near this line"));
        }

        return null;
    }

    /// <summary>Whether one of the keys is there and not null.</summary>
    public bool Has(params ReadOnlySpan<string> names) => Find(names) is not null;

    /// <summary>The first whole number above zero among the keys, or null; anything else there is a mistake.</summary>
    public int? Whole(params ReadOnlySpan<string> names) => WholeFrom(1, names);

    /// <summary>The first whole number of zero or more among the keys, or null; anything else there is a mistake.</summary>
    public int? WholeOrZero(params ReadOnlySpan<string> names) => WholeFrom(0, names);

    /// <summary>A whole number above zero that must be there under one of the keys; 1, with the mistake noted, where it is not.</summary>
    public int Needed(params ReadOnlySpan<string> names)
    {
        if (Find(names) is null)
            Refuse(names[0], "is missing", names.Length == 1 ? "Add it" : $"Add it, or one of: {string.Join(", ", names[1..])}");
        return Whole(names) ?? 1;
    }

    /// <summary>true or false, or null where the key is absent.</summary>
    public bool? Flag(string name)
    {
        if (Find(name) is not { } found)
            return null;
        if (found.Value.ValueKind is JsonValueKind.True or JsonValueKind.False)
            return found.Value.GetBoolean();
        Refuse(name, $"is {found.Value.GetRawText()}", "Give true or false");
        return null;
    }

    /// <summary>A text, or null where the key is absent or holds something else.</summary>
    public string? Text(params ReadOnlySpan<string> names) =>
        Find(names) is { Value.ValueKind: JsonValueKind.String } found ? found.Value.GetString() : null;

    /// <summary>A list of texts, or null where the key is absent or holds something else.</summary>
    public IReadOnlyList<string>? Texts(string name) =>
        Find(name) is { Value.ValueKind: JsonValueKind.Array } found
            && found.Value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String)
            ? [.. found.Value.EnumerateArray().Select(item => item.GetString()!)]
            : null;

    /// <summary>A list of whole numbers, or null where the key is absent or holds something else.</summary>
    public IReadOnlyList<int>? Wholes(string name) => Find(name) is { } found ? WholesOf(found.Value) : null;

    /// <summary>An object, or null where the key is absent or holds something else.</summary>
    public JsonElement? Object(string name) => Find(name) is { Value.ValueKind: JsonValueKind.Object } found ? found.Value : null;

    /// <summary>The whole numbers of a list, or null where it is none.</summary>
    public static IReadOnlyList<int>? WholesOf(JsonElement list) =>
        list.ValueKind == JsonValueKind.Array
            && list.EnumerateArray().All(item => item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out _))
            ? [.. list.EnumerateArray().Select(item => item.GetInt32())]
            : null;

    /// <summary>Notes a mistake about a key.</summary>
    public void Refuse(string key, string what, string remedy) => Mistakes.Add(new Mistake(Where, $"'{key}' {what}", remedy));

    /// <summary>The keys that say something and that nobody asked for, harmless ones left out.</summary>
    public IEnumerable<string> NotRead()
    {
        if (TextPart is not null)
            yield return $"only the text part, '{TextPart}', is read";
        var present = OtherParts
            .Where(part => _outer.TryGetProperty(part, out var found) && found.ValueKind == JsonValueKind.Object);
        foreach (var part in present)
            yield return $"'{part}' is left out: its weights and work are not counted";
        var unread = _text.EnumerateObject().Concat(TextPart is null ? [] : _outer.EnumerateObject());
        foreach (var name in unread.Where(IsOdd).Select(property => property.Name).Distinct(StringComparer.Ordinal))
            yield return $"'{name}' is not interpreted";
    }

    private bool IsOdd(JsonProperty property) =>
        Means(property.Value)
        && !_read.Contains(property.Name)
        && !Harmless.Contains(property.Name)
        && !OtherParts.Contains(property.Name, StringComparer.Ordinal)
        && !TextParts.Contains(property.Name, StringComparer.Ordinal)
        && !property.Name.Contains("rope", StringComparison.Ordinal)
        && !HarmlessEndings.Any(ending => property.Name.EndsWith(ending, StringComparison.Ordinal));

    /// <summary>Null, false, zero and empty lists switch nothing on.</summary>
    private static bool Means(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.False => false,
        JsonValueKind.Array => value.GetArrayLength() > 0,
        JsonValueKind.Number => value.GetDouble() != 0,
        _ => true,
    };

    private (string Name, JsonElement Value)? Find(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
            _read.Add(name);
        foreach (var part in TextPart is null ? [_text] : new[] { _text, _outer })
        {
            foreach (var name in names)
            {
                if (part.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null)
                    return (name, value);
            }
        }

        return null;
    }

    private int? WholeFrom(int least, ReadOnlySpan<string> names)
    {
        if (Find(names) is not { } found)
            return null;
        if (found.Value.ValueKind == JsonValueKind.Number && found.Value.GetDouble() is var number
            && number == Math.Floor(number) && number >= least && number <= int.MaxValue)
            return (int)number;
        var remedy = least > 0 ? "Give a whole number above zero" : "Give a whole number of zero or more";
        Refuse(found.Name, $"is {found.Value.GetRawText()}", remedy);
        return null;
    }
}
