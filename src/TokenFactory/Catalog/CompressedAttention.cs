namespace TokenFactory.Catalog;

/// <summary>
/// Attention over a compressed context (DeepSeek-V4, technical report of 2026-04): all query heads share one head that is key and
/// value at once. Every <paramref name="CompressRatio"/> tokens leave one entry in the cache, a learned weighted mean of them; the
/// latest tokens are attended to uncompressed beside the entries. Queries come from a low rank, the output goes through one per group.
/// </summary>
/// <param name="Layers">Layers of this kind.</param>
/// <param name="Heads">Query heads.</param>
/// <param name="HeadDim">Elements of a query head, and of the one head that is key and value.</param>
/// <param name="QueryLoraRank">Rank of the compressed query.</param>
/// <param name="OutputLoraRank">Rank of the output projection of one group of heads.</param>
/// <param name="OutputGroups">Groups of heads whose outputs are projected apart; divides <paramref name="Heads"/>.</param>
/// <param name="WindowTokens">How many of the latest tokens a query sees uncompressed.</param>
/// <param name="CompressRatio">
/// Tokens per entry of the cache; divides <paramref name="HeadDim"/>. 1 where nothing is compressed: the layer sees its window only.
/// </param>
/// <param name="Indexer">
/// Picks the entries that are attended to, its top k counted in entries; its own keys are compressed alike. Null where all entries
/// are attended to. Layers with an indexer compress with overlap: an entry is made from its own tokens and those of the entry before.
/// </param>
public sealed record CompressedAttention(
    int Layers,
    int Heads,
    int HeadDim,
    int QueryLoraRank,
    int OutputLoraRank,
    int OutputGroups,
    int WindowTokens,
    int CompressRatio = 1,
    SparseIndexer? Indexer = null)
    : AttentionGroup(Layers)
{
    /// <summary>Whether older tokens are seen through compressed entries; if not, the layer sees its window only.</summary>
    public bool Compresses => CompressRatio > 1;

    /// <summary>Spans of tokens that one entry is made from: 2 where entries overlap, else 1.</summary>
    public int Spans => Indexer is null ? 1 : 2;

    /// <inheritdoc/>
    public override long CacheElementsPerToken => HeadDim / CompressRatio;

    /// <inheritdoc/>
    public override long IndexBytesPerToken => IndexBytes(Indexer) / CompressRatio;

    /// <inheritdoc/>
    public override int? VisibleTokens => Compresses ? null : WindowTokens;

    /// <summary>Entries that one query attends to after a context of that length, the uncompressed ones of its window included.</summary>
    /// <param name="contextTokens">Length of the context in tokens.</param>
    public long EntriesAttended(long contextTokens)
    {
        var entries = Compresses ? contextTokens / CompressRatio : 0;
        return Math.Min(entries, Indexer?.TopKTokens ?? entries) + Math.Min(contextTokens, WindowTokens);
    }

    /// <inheritdoc/>
    public override long WindowElements(long contextTokens) => HeadDim * Math.Min(contextTokens, WindowTokens);

    /// <inheritdoc/>
    public override long BufferElements => Compresses ? Buffer(HeadDim) + Buffer(Indexer?.HeadDim ?? 0) : 0;

    /// <summary>Values and their scores, for every token of the spans that the next entry is made from, one part per span.</summary>
    private long Buffer(long width) => 2 * (Spans * CompressRatio) * (Spans * width);
}
