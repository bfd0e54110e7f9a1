using System.Text.Json;

namespace TokenFactory.Catalog;

/// <summary>What a config.json gave.</summary>
/// <param name="Model">The shape; null when <paramref name="Mistakes"/> holds anything.</param>
/// <param name="Mistakes">Why no shape could be made.</param>
/// <param name="NotUnderstood">What was assumed or left out and may matter for size or speed.</param>
public sealed record HuggingFaceReading(ModelShape? Model, IReadOnlyList<Mistake> Mistakes, IReadOnlyList<string> NotUnderstood);

/// <summary>
/// Makes a shape from the config.json that comes with a checkpoint, by what its keys say and, where files leave keys out, by
/// what the Hugging Face transformers library assumes for that architecture.
/// </summary>
public static class HuggingFaceConfig
{
    /// <summary>More layers than any model has: what is above it is a slip of the pen, and would be walked one by one.</summary>
    private const int MostLayers = 10_000;

    /// <summary>Architectures whose rules are known; any other is read by the same keys, and said so.</summary>
    private static readonly HashSet<string> Known = new(
        [
            "llama", "llama4", "llama4_text", "mistral", "mistral3", "mixtral", "qwen2", "qwen2_moe", "qwen3", "qwen3_moe",
            "qwen3_next", "qwen3_vl", "qwen3_vl_text", "qwen3_vl_moe", "qwen3_vl_moe_text", "qwen3_5", "qwen3_5_text",
            "qwen3_5_moe", "qwen3_5_moe_text", "gemma", "gemma2", "gemma3", "gemma3_text", "gemma4", "gemma4_text", "phi3",
            "deepseek_v2", "deepseek_v3", "deepseek_v32", "deepseek_v4", "kimi_k2", "kimi_k25", "kimi_linear", "glm4", "glm4_moe",
            "glm4_moe_lite", "glm_moe_dsa", "minimax_m2", "minimax_m3", "minimax_m3_vl", "gpt_oss", "nemotron_h",
        ],
        StringComparer.Ordinal);

    /// <summary>Architectures whose input and output embeddings are one matrix unless the file says otherwise.</summary>
    private static readonly HashSet<string> Tied = new(
        ["gemma", "gemma2", "gemma3", "gemma3_text", "gemma4", "gemma4_text", "cohere", "cohere2", "gpt2", "bloom", "falcon", "starcoder2"],
        StringComparer.Ordinal);

    /// <summary>Reads a config.json.</summary>
    /// <param name="json">Its text.</param>
    /// <param name="key">The name of the new entry; messages call the file by it.</param>
    /// <param name="source">Where the file comes from.</param>
    public static HuggingFaceReading Read(string json, string key, Source source)
    {
        var mistakes = new List<Mistake>();
        if (HuggingFaceKeys.Open(json, key, mistakes) is not { } keys)
            return new HuggingFaceReading(null, mistakes, []);
        var notes = new List<string>();
        var model = Shape(keys, key, Provenance.Of(source), notes);
        notes.AddRange(keys.NotRead());
        return new HuggingFaceReading(
            mistakes.Count == 0 ? model : null,
            [.. mistakes.Distinct()],
            [.. notes.Distinct(StringComparer.Ordinal)]);
    }

    private static ModelShape Shape(HuggingFaceKeys keys, string key, Provenance from, List<string> notes)
    {
        var family = keys.Text("model_type") ?? "";
        if (!Known.Contains(family))
            notes.Add($"architecture '{family}' is not known: read like a Llama with the keys it has");
        var layers = Layers(keys);
        var hidden = keys.Needed("hidden_size", "n_embd", "d_model");
        var vocabulary = family is "gemma3" or "gemma3_text" && !keys.Has("vocab_size") ? 262_208 : keys.Needed("vocab_size");
        var context = keys.Whole("max_position_embeddings", "n_positions", "max_sequence_length", "seq_length")
            ?? (family is "gemma3" or "gemma3_text" ? 131_072 : null);
        var attention = new AttentionStack(keys, family, layers, hidden, context, notes).Groups();
        var feedForward = new FeedForwardStack(keys, family, layers).Groups();
        if (keys.Mistakes.Count == 0 && ModelReader.WrongLayers(layers, attention, feedForward) is { } wrong)
            keys.Refuse("num_hidden_layers", wrong, "Give one entry per layer in the keys that list layers");
        return new ModelShape
        {
            Key = key,
            Name = key,
            Family = family,
            Layers = layers,
            HiddenSize = new Sourced<double>(hidden, from),
            Vocabulary = new Sourced<double>(vocabulary, from),
            MaxContextTokens = context is { } known ? new Sourced<double>(known, from) : null,
            TiedEmbeddings = TiedEmbeddings(keys, family, notes),
            PostNorms = family.StartsWith("gemma", StringComparison.Ordinal) && family != "gemma",
            Attention = attention,
            FeedForward = feedForward,
            ResidualStreams = keys.Whole("hc_mult") ?? 1,
            PredictionLayers = PredictionLayers(keys),
            CheckpointPrecision = Precision(keys, notes),
            From = from,
        };
    }

    private static int Layers(HuggingFaceKeys keys)
    {
        var layers = keys.Texts("layers_block_type") is { Count: > 0 } blocks && !keys.Has("num_hidden_layers")
            ? blocks.Count
            : keys.Needed("num_hidden_layers", "n_layer", "n_layers", "num_layers");
        if (layers <= MostLayers)
            return layers;
        keys.Refuse("num_hidden_layers", $"is {layers}", $"Give at most {MostLayers}");
        return 1;
    }

    private static bool TiedEmbeddings(HuggingFaceKeys keys, string family, List<string> notes)
    {
        if (keys.Flag("tie_word_embeddings") is { } said)
            return said;
        if (!Known.Contains(family) && !Tied.Contains(family))
            notes.Add("'tie_word_embeddings' is absent: an output head of its own is assumed");
        return Tied.Contains(family);
    }

    private static int PredictionLayers(HuggingFaceKeys keys)
    {
        var layers = keys.WholeOrZero("num_nextn_predict_layers", "mtp_num_hidden_layers", "num_mtp_modules") ?? 0;
        return keys.Flag("use_mtp") == false ? 0 : layers;
    }

    /// <summary>How most weights are stored: by the quantisation, else by the data type.</summary>
    private static string? Precision(HuggingFaceKeys keys, List<string> notes)
    {
        var experts = keys.Text("expert_dtype") == "fp4"; // DeepSeek-V4: experts in MXFP4, all else as the file says.
        if (keys.Object("quantization_config") is { } quantization)
        {
            var precision = Quantized(quantization);
            if (precision is null)
                notes.Add("'quantization_config' is not understood: the precision of the weights is not known");
            return experts && precision == "fp8" ? "mxfp4" : precision;
        }

        return experts ? "mxfp4" : keys.Text("torch_dtype", "dtype") switch
        {
            "bfloat16" => "bf16",
            "float16" => "fp16",
            "float32" => "fp32",
            _ => null,
        };
    }

    private static string? Quantized(JsonElement quantization)
    {
        var method = Member(quantization, "quant_method").ToLowerInvariant();
        var algorithm = Member(quantization, "quant_algo").ToLowerInvariant();
        return (method, algorithm) switch
        {
            (_, "nvfp4") => "nvfp4",
            (_, "fp8") => "fp8",
            ("fp8" or "fbgemm_fp8", _) => "fp8",
            ("mxfp4", _) => "mxfp4",
            ("awq" or "gptq", _) => quantization.TryGetProperty("bits", out var bits) ? $"int{bits}" : "int4",
            ("compressed-tensors", _) when Member(quantization, "format").StartsWith("mxfp4", StringComparison.Ordinal) => "mxfp4",
            ("compressed-tensors", _) => CompressedTensors(quantization),
            _ => null,
        };
    }

    private static string? CompressedTensors(JsonElement quantization)
    {
        if (!quantization.TryGetProperty("config_groups", out var groups) || groups.ValueKind != JsonValueKind.Object)
            return null;
        foreach (var group in groups.EnumerateObject().Select(property => property.Value))
        {
            if (group.ValueKind != JsonValueKind.Object
                || !group.TryGetProperty("weights", out var weights)
                || weights.ValueKind != JsonValueKind.Object)
            {
                continue;
            }

            var given = weights.TryGetProperty("num_bits", out var number) && number.ValueKind == JsonValueKind.Number;
            var bits = given && number.TryGetInt32(out var whole) ? whole : 0;
            return (Member(weights, "type"), bits) switch
            {
                ("float", 8) => "fp8",
                ("float", 4) => "nvfp4",
                ("int", > 0) => $"int{bits}",
                _ => null,
            };
        }

        return null;
    }

    private static string Member(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
}
