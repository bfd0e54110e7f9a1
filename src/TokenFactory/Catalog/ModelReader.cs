namespace TokenFactory.Catalog;

/// <summary>
/// Reads an entry of catalog/models. Every number in it has a source; what is missing, misspelt or contradictory becomes a mistake.
/// </summary>
public static class ModelReader
{
    /// <summary>Reads one entry and refuses keys it does not know.</summary>
    /// <returns>Null, with the mistakes noted, when no shape can be made of it.</returns>
    public static ModelShape? Read(EntryReader entry)
    {
        var before = entry.Mistakes.Count;
        var attention = new List<AttentionGroup>();
        var feedForward = new List<FeedForwardGroup>();
        foreach (var group in entry.Objects("attention"))
            AddIfRead(attention, Attention(group));
        foreach (var group in entry.Objects("feed_forward"))
            AddIfRead(feedForward, FeedForward(group));

        var layers = WholeSourced(entry, "layers");
        var model = new ModelShape
        {
            Key = entry.Text("key"),
            Name = entry.Text("name"),
            Aliases = entry.Texts("aliases"),
            Family = entry.Text("family"),
            Layers = (int)layers.Value,
            HiddenSize = WholeSourced(entry, "hidden_size"),
            Vocabulary = WholeSourced(entry, "vocabulary"),
            MaxContextTokens = entry.Has("max_context_tokens") ? WholeSourced(entry, "max_context_tokens") : null,
            TiedEmbeddings = entry.Flag("tied_embeddings"),
            PostNorms = entry.Flag("post_norms"),
            ResidualStreams = WholeOrNone(entry, "residual_streams") ?? 1,
            Attention = attention,
            FeedForward = feedForward,
            PredictionLayers = WholeOrNone(entry, "prediction_layers", atLeast: 0) ?? 0,
            Published = entry.Object("published") is { } published ? Published(published) : null,
            CheckpointPrecision = entry.TextOrNone("checkpoint_precision"),
            Notes = entry.Texts("notes"),
            From = layers.From,
        };
        entry.RefuseUnknownKeys();
        if (entry.Mistakes.Count == before && WrongLayers((int)layers.Value, attention, feedForward) is { } wrong)
            entry.Note("layers", wrong, "Let each of 'attention' and 'feed_forward' add up to it, or both together where blocks alternate");
        return entry.Mistakes.Count == before ? model : null;
    }

    /// <summary>What is wrong with how the groups add up to the model's layers, or null.</summary>
    internal static string? WrongLayers(int layers, IReadOnlyList<AttentionGroup> attention, IReadOnlyList<FeedForwardGroup> feedForward)
    {
        var mixing = attention.Sum(group => (long)group.Layers);
        var feeding = feedForward.Sum(group => (long)group.Layers);
        return (mixing == layers && feeding == layers) || mixing + feeding == layers
            ? null
            : $"is {layers}, but there are {mixing} attention and {feeding} feed-forward layers";
    }

    /// <summary>The name of a convention in files.</summary>
    internal static string Spell(CountedEmbeddings counted) => counted switch
    {
        CountedEmbeddings.WithoutInput => "without-input-embedding",
        CountedEmbeddings.None => "without-embeddings",
        _ => "all",
    };

    private static void AddIfRead<T>(List<T> list, T? item)
        where T : class
    {
        if (item is not null)
            list.Add(item);
    }

    private static AttentionGroup? Attention(EntryReader group)
    {
        var kind = group.Text("kind");
        var layers = Whole(group, "layers");
        AttentionGroup? read = kind switch
        {
            "grouped-query" => GroupedQuery(group, layers),
            "latent" => Latent(group, layers),
            "compressed" => Compressed(group, layers),
            "gated-delta" => new GatedDeltaAttention(
                layers,
                Whole(group, "key_heads"),
                Whole(group, "key_dim"),
                Whole(group, "value_heads"),
                Whole(group, "value_dim"),
                Whole(group, "conv_kernel")),
            "kimi-delta" => new KimiDeltaAttention(
                layers, Whole(group, "heads"), Whole(group, "head_dim"), Whole(group, "conv_kernel"), group.Flag("full_rank_gate")),
            "mamba2" => new Mamba2(
                layers,
                Whole(group, "heads"),
                Whole(group, "head_dim"),
                Whole(group, "state_size"),
                Whole(group, "groups"),
                Whole(group, "conv_kernel")),
            _ => null,
        };
        if (read is null)
            group.Note("kind", $"is '{kind}'", "Write grouped-query, latent, compressed, gated-delta, kimi-delta or mamba2");
        else
            group.RefuseUnknownKeys();
        return read;
    }

    private static GroupedQueryAttention GroupedQuery(EntryReader group, int layers)
    {
        var (heads, shared, width) = (Whole(group, "heads"), Whole(group, "kv_heads"), Whole(group, "head_dim"));
        if (heads % shared != 0)
            group.Note("kv_heads", $"is {shared}, which does not divide {heads} heads", "Give a divisor of 'heads'");
        return new GroupedQueryAttention(
            layers,
            heads,
            shared,
            width,
            WholeOrNone(group, "value_head_dim") ?? width,
            WholeOrNone(group, "window_tokens"),
            group.Flag("output_gate"),
            group.Flag("bias"),
            group.Flag("output_bias"),
            group.Flag("qk_norm"),
            group.Flag("sinks"),
            group.Flag("value_is_key"),
            group.Object("indexer") is { } indexer ? Indexer(indexer) : null);
    }

    private static LatentAttention Latent(EntryReader group, int layers) => new(
        layers,
        Whole(group, "heads"),
        WholeOrNone(group, "query_lora_rank"),
        Whole(group, "kv_lora_rank"),
        Whole(group, "qk_nope_dim"),
        Whole(group, "qk_rope_dim"),
        Whole(group, "value_head_dim"),
        group.Object("indexer") is { } indexer ? Indexer(indexer) : null,
        group.Flag("output_gate"));

    private static CompressedAttention Compressed(EntryReader group, int layers)
    {
        var (heads, width, ratio) = (Whole(group, "heads"), Whole(group, "head_dim"), WholeOrNone(group, "compress_ratio") ?? 1);
        var groups = Whole(group, "output_groups");
        if (width % ratio != 0)
            group.Note("compress_ratio", $"is {ratio}, which does not divide a head of {width}", "Give a divisor of 'head_dim'");
        if (heads % groups != 0)
            group.Note("output_groups", $"is {groups}, which does not divide {heads} heads", "Give a divisor of 'heads'");
        if (ratio == 1 && group.Has("indexer"))
            group.Note("indexer", "is given, but nothing is compressed", "Give 'compress_ratio', or leave the indexer out");
        return new CompressedAttention(
            layers,
            heads,
            width,
            Whole(group, "query_lora_rank"),
            Whole(group, "output_lora_rank"),
            groups,
            Whole(group, "window_tokens"),
            ratio,
            group.Object("indexer") is { } indexer ? Indexer(indexer) : null);
    }

    private static SparseIndexer Indexer(EntryReader indexer)
    {
        var read = new SparseIndexer(Whole(indexer, "heads"), Whole(indexer, "head_dim"), Whole(indexer, "top_k_tokens"));
        indexer.RefuseUnknownKeys();
        return read;
    }

    private static FeedForwardGroup? FeedForward(EntryReader group)
    {
        var kind = group.Text("kind");
        var layers = Whole(group, "layers");
        FeedForwardGroup? read = kind switch
        {
            "dense" => new DenseFeedForward(layers, Whole(group, "intermediate"), group.Flag("gated", absent: true), group.Flag("bias")),
            "experts" => Experts(group, layers),
            _ => null,
        };
        if (read is null)
            group.Note("kind", $"is '{kind}'", "Write dense or experts");
        else
            group.RefuseUnknownKeys();
        return read;
    }

    private static MixtureOfExperts Experts(EntryReader group, int layers)
    {
        var (experts, chosen) = (Whole(group, "experts"), Whole(group, "top_k"));
        if (chosen > experts)
            group.Note("top_k", $"is {chosen} of {experts} experts", "Give at most 'experts'");
        return new MixtureOfExperts(
            layers,
            experts,
            chosen,
            Whole(group, "intermediate"),
            WholeOrNone(group, "shared_intermediate", atLeast: 0) ?? 0,
            group.Flag("gated", absent: true),
            group.Flag("bias"),
            group.Flag("router_bias"),
            WholeOrNone(group, "latent_size"));
    }

    private static PublishedCounts Published(EntryReader entry)
    {
        var text = entry.TextOrNone("active_counts") ?? "all";
        CountedEmbeddings? counted = text switch
        {
            "all" => CountedEmbeddings.All,
            "without-input-embedding" => CountedEmbeddings.WithoutInput,
            "without-embeddings" => CountedEmbeddings.None,
            _ => null,
        };
        if (counted is null)
            entry.Note("active_counts", $"is '{text}'", "Write all, without-input-embedding or without-embeddings");
        var read = new PublishedCounts(
            entry.NumberOrNone("total_parameters_billion"),
            entry.NumberOrNone("active_parameters_billion"),
            counted ?? CountedEmbeddings.All);
        entry.RefuseUnknownKeys();
        return read;
    }

    private static int Whole(EntryReader entry, string key) => (int)WholeSourced(entry, key).Value;

    private static Sourced<double> WholeSourced(EntryReader entry, string key)
    {
        var number = entry.Number(key);
        return Checked(entry, key, number) ?? number.Select(_ => 1.0);
    }

    private static int? WholeOrNone(EntryReader entry, string key, double atLeast = 1) =>
        entry.NumberOrNone(key, atLeast) is { } number ? (int?)Checked(entry, key, number)?.Value : null;

    private static Sourced<double>? Checked(EntryReader entry, string key, Sourced<double> number)
    {
        if (number.Value == Math.Floor(number.Value) && number.Value <= int.MaxValue)
            return number;
        entry.Note(key, $"is {number.Value}", "Give a whole number");
        return null;
    }
}
