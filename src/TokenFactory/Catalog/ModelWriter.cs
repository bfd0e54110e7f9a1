using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace TokenFactory.Catalog;

/// <summary>Writes a shape as an entry of catalog/models that <see cref="ModelReader"/> reads back to the same content.</summary>
public static class ModelWriter
{
    private static readonly JsonWriterOptions Layout = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The text of the entry, with the sources it names; what has its default is left out.</summary>
    public static string Write(ModelShape model)
    {
        var sources = new SourceTable();
        var entry = new JsonObject
        {
            ["key"] = model.Key,
            ["name"] = model.Name,
            ["aliases"] = Texts(model.Aliases),
            ["family"] = model.Family,
            ["from"] = sources.IdOf(model.From),
            ["layers"] = model.Layers,
            ["hidden_size"] = Number(model.HiddenSize, model.From, sources),
            ["vocabulary"] = Number(model.Vocabulary, model.From, sources),
        };
        if (model.MaxContextTokens is { } context)
            entry["max_context_tokens"] = Number(context, model.From, sources);
        AddFlags(entry, ("tied_embeddings", model.TiedEmbeddings), ("post_norms", model.PostNorms));
        if (model.ResidualStreams > 1)
            entry["residual_streams"] = model.ResidualStreams;
        if (model.PredictionLayers > 0)
            entry["prediction_layers"] = model.PredictionLayers;
        if (model.CheckpointPrecision is not null)
            entry["checkpoint_precision"] = model.CheckpointPrecision;
        entry["attention"] = new JsonArray([.. model.Attention.Select(Attention)]);
        entry["feed_forward"] = new JsonArray([.. model.FeedForward.Select(FeedForward)]);
        if (model.Published is { } published)
            entry["published"] = Published(published, model.From, sources);
        if (model.Notes.Count > 0)
            entry["notes"] = Texts(model.Notes);
        entry["sources"] = sources.ToJson();
        return Print(entry);
    }

    private static JsonObject Attention(AttentionGroup group) => group switch
    {
        GroupedQueryAttention gqa => GroupedQuery(gqa),
        LatentAttention mla => Latent(mla),
        CompressedAttention compressed => Compressed(compressed),
        GatedDeltaAttention delta => Sizes(
            "gated-delta",
            ("layers", delta.Layers),
            ("key_heads", delta.KeyHeads),
            ("key_dim", delta.KeyDim),
            ("value_heads", delta.ValueHeads),
            ("value_dim", delta.ValueDim),
            ("conv_kernel", delta.ConvKernel)),
        KimiDeltaAttention kimi => KimiDelta(kimi),
        Mamba2 mamba => Sizes(
            "mamba2",
            ("layers", mamba.Layers),
            ("heads", mamba.Heads),
            ("head_dim", mamba.HeadDim),
            ("state_size", mamba.StateSize),
            ("groups", mamba.Groups),
            ("conv_kernel", mamba.ConvKernel)),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private static JsonObject GroupedQuery(GroupedQueryAttention gqa)
    {
        var entry = Sizes(
            "grouped-query",
            ("layers", gqa.Layers),
            ("heads", gqa.Heads),
            ("kv_heads", gqa.KvHeads),
            ("head_dim", gqa.HeadDim),
            ("value_head_dim", gqa.ValueHeadDim == gqa.HeadDim ? null : gqa.ValueHeadDim),
            ("window_tokens", gqa.WindowTokens));
        AddFlags(
            entry,
            ("output_gate", gqa.OutputGate),
            ("bias", gqa.Bias),
            ("output_bias", gqa.OutputBias),
            ("qk_norm", gqa.QkNorm),
            ("sinks", gqa.Sinks),
            ("value_is_key", gqa.ValueIsKey));
        AddIndexer(entry, gqa.Indexer);
        return entry;
    }

    private static JsonObject Latent(LatentAttention mla)
    {
        var entry = Sizes(
            "latent",
            ("layers", mla.Layers),
            ("heads", mla.Heads),
            ("query_lora_rank", mla.QueryLoraRank),
            ("kv_lora_rank", mla.KvLoraRank),
            ("qk_nope_dim", mla.QkNopeDim),
            ("qk_rope_dim", mla.QkRopeDim),
            ("value_head_dim", mla.ValueHeadDim));
        AddFlags(entry, ("output_gate", mla.OutputGate));
        AddIndexer(entry, mla.Indexer);
        return entry;
    }

    private static JsonObject KimiDelta(KimiDeltaAttention kimi)
    {
        var entry = Sizes(
            "kimi-delta", ("layers", kimi.Layers), ("heads", kimi.Heads), ("head_dim", kimi.HeadDim), ("conv_kernel", kimi.ConvKernel));
        AddFlags(entry, ("full_rank_gate", kimi.FullRankGate));
        return entry;
    }

    private static JsonObject Compressed(CompressedAttention compressed)
    {
        var entry = Sizes(
            "compressed",
            ("layers", compressed.Layers),
            ("heads", compressed.Heads),
            ("head_dim", compressed.HeadDim),
            ("query_lora_rank", compressed.QueryLoraRank),
            ("output_lora_rank", compressed.OutputLoraRank),
            ("output_groups", compressed.OutputGroups),
            ("window_tokens", compressed.WindowTokens),
            ("compress_ratio", compressed.Compresses ? compressed.CompressRatio : null));
        AddIndexer(entry, compressed.Indexer);
        return entry;
    }

    private static void AddIndexer(JsonObject entry, SparseIndexer? indexer)
    {
        if (indexer is not null)
        {
            entry["indexer"] = new JsonObject
            {
                ["heads"] = indexer.Heads,
                ["head_dim"] = indexer.HeadDim,
                ["top_k_tokens"] = indexer.TopKTokens,
            };
        }
    }

    private static JsonObject FeedForward(FeedForwardGroup group)
    {
        if (group is DenseFeedForward dense)
        {
            var entry = Sizes("dense", ("layers", dense.Layers), ("intermediate", dense.Intermediate));
            AddGated(entry, dense.Gated);
            AddFlags(entry, ("bias", dense.Bias));
            return entry;
        }

        var experts = (MixtureOfExperts)group;
        var mixture = Sizes(
            "experts",
            ("layers", experts.Layers),
            ("experts", experts.Experts),
            ("top_k", experts.TopK),
            ("intermediate", experts.Intermediate),
            ("shared_intermediate", experts.SharedIntermediate == 0 ? null : experts.SharedIntermediate),
            ("latent_size", experts.LatentSize));
        AddGated(mixture, experts.Gated);
        AddFlags(mixture, ("bias", experts.Bias), ("router_bias", experts.RouterBias));
        return mixture;
    }

    private static JsonObject Published(PublishedCounts published, Provenance enclosing, SourceTable sources)
    {
        var entry = new JsonObject();
        if (published.TotalParametersBillion is { } total)
            entry["total_parameters_billion"] = Number(total, enclosing, sources);
        if (published.ActiveParametersBillion is { } active)
            entry["active_parameters_billion"] = Number(active, enclosing, sources);
        if (published.ActiveCounts != CountedEmbeddings.All || published.ActiveParametersBillion is not null)
            entry["active_counts"] = ModelReader.Spell(published.ActiveCounts);
        return entry;
    }

    private static JsonObject Sizes(string kind, params ReadOnlySpan<(string Key, int? Value)> sizes)
    {
        var entry = new JsonObject { ["kind"] = kind };
        foreach (var (key, value) in sizes)
        {
            if (value is { } known)
                entry[key] = known;
        }

        return entry;
    }

    private static void AddFlags(JsonObject entry, params ReadOnlySpan<(string Key, bool Value)> flags)
    {
        foreach (var (key, value) in flags)
        {
            if (value)
                entry[key] = true;
        }
    }

    private static void AddGated(JsonObject entry, bool gated)
    {
        if (!gated)
            entry["gated"] = false;
    }

    private static JsonArray Texts(IReadOnlyList<string> texts) => new([.. texts.Select(text => JsonValue.Create(text))]);

    /// <summary>Plain where the entry's own source says it and there is no note; else an object with the source.</summary>
    private static JsonNode Number(Sourced<double> number, Provenance enclosing, SourceTable sources)
    {
        if (number.Note is null && number.From.Sources[0] == enclosing.Sources[0])
            return JsonValue.Create(number.Value);
        var entry = new JsonObject { ["value"] = number.Value, ["from"] = sources.IdOf(number.From) };
        if (number.Note is not null)
            entry["note"] = number.Note;
        return entry;
    }

    private static string Print(JsonObject entry)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, Layout))
            entry.WriteTo(writer);
        return System.Text.Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    /// <summary>The sources of one entry, each under a short name: "config" for the first, "source-2" and on for others.</summary>
    private sealed class SourceTable
    {
        private readonly List<Source> _sources = [];

        /// <summary>The name of the first source of a number; an entry of the catalog has one per number.</summary>
        public string IdOf(Provenance from)
        {
            var at = _sources.IndexOf(from.Sources[0]);
            if (at < 0)
            {
                at = _sources.Count;
                _sources.Add(from.Sources[0]);
            }

            return Name(at);
        }

        public JsonObject ToJson()
        {
            var table = new JsonObject();
            for (var i = 0; i < _sources.Count; i++)
            {
                table[Name(i)] = new JsonObject
                {
                    ["source"] = _sources[i].Text,
                    ["date"] = _sources[i].Date.Text,
                    ["kind"] = _sources[i].Kind.ToString().ToLowerInvariant(),
                };
            }

            return table;
        }

        private static string Name(int at) => at == 0 ? "config" : $"source-{at + 1}";
    }
}
