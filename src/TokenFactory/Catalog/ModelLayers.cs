namespace TokenFactory.Catalog;

/// <summary>
/// Layers of a model that mix tokens in the same way. The kinds are a closed set of sealed records: grouped-query,
/// latent, compressed, gated delta, Kimi delta and Mamba-2. All sizes are counts of elements unless the name says otherwise.
/// </summary>
public abstract record AttentionGroup
{
    private protected AttentionGroup(int layers) => Layers = layers;

    /// <summary>How many layers of the model are of this kind.</summary>
    public int Layers { get; init; }

    /// <summary>Elements that one token in view leaves in one layer's cache; 0 where the layer holds a bounded state instead.</summary>
    public virtual long CacheElementsPerToken => 0;

    /// <summary>
    /// Bytes that one token leaves in one layer's index of a sparse attention: index keys in FP8 with one FP32 scale per
    /// 128 of them, as vLLM stores them whatever the precision of the cache. 0 without an indexer.
    /// </summary>
    public virtual long IndexBytesPerToken => 0;

    private protected static long IndexBytes(SparseIndexer? indexer) =>
        indexer is null ? 0 : indexer.HeadDim + (4 * ((indexer.HeadDim + 127) / 128));

    /// <summary>
    /// Elements of the recurrent state that one sequence holds in one layer, whatever its length; 0 for softmax attention.
    /// </summary>
    public virtual long StateElements => 0;

    /// <summary>Elements of the short convolution's memory that one sequence holds in one layer; 0 for softmax attention.</summary>
    public virtual long ConvolutionElements => 0;

    /// <summary>How many of the latest tokens a query sees; null for all of them, be it through compressed entries.</summary>
    public virtual int? VisibleTokens => null;

    /// <summary>
    /// Elements that one sequence holds in one layer's window: all it holds where a query sees the window only, and what it holds
    /// beside the compressed entries where it sees both. 0 without a window.
    /// </summary>
    /// <param name="contextTokens">Length of the sequence in tokens.</param>
    public virtual long WindowElements(long contextTokens) =>
        VisibleTokens is { } window ? CacheElementsPerToken * Math.Min(contextTokens, window) : 0;

    /// <summary>
    /// Elements that one sequence holds in one layer until they make the next compressed entry. A token writes its own part
    /// of them; only making an entry reads them all. 0 where nothing is compressed.
    /// </summary>
    public virtual long BufferElements => 0;
}

/// <summary>
/// Softmax attention whose query heads share key and value heads: MHA where both counts are equal, MQA where there is one.
/// </summary>
/// <param name="Layers">Layers of this kind.</param>
/// <param name="Heads">Query heads.</param>
/// <param name="KvHeads">Key and value heads; divides <paramref name="Heads"/>.</param>
/// <param name="HeadDim">Elements of a query or key head.</param>
/// <param name="ValueHeadDim">Elements of a value head.</param>
/// <param name="WindowTokens">
/// A query sees this many latest tokens (sliding window, or the chunk of chunked attention); null for all.
/// </param>
/// <param name="OutputGate">The query projection also makes a gate for the output (Qwen3-Next), so it is twice as wide.</param>
/// <param name="Bias">The query, key and value projections have a bias.</param>
/// <param name="OutputBias">The output projection has a bias.</param>
/// <param name="QkNorm">Queries and keys are normalised, one weight per element of a head.</param>
/// <param name="Sinks">One learned attention sink per query head (gpt-oss).</param>
/// <param name="ValueIsKey">No value projection: the key's serves for both (Gemma 4, global layers). The cache still holds both.</param>
/// <param name="Indexer">Picks the tokens that are attended to (MiniMax-M3 block-sparse attention); null where all are.</param>
public sealed record GroupedQueryAttention(
    int Layers,
    int Heads,
    int KvHeads,
    int HeadDim,
    int ValueHeadDim,
    int? WindowTokens = null,
    bool OutputGate = false,
    bool Bias = false,
    bool OutputBias = false,
    bool QkNorm = false,
    bool Sinks = false,
    bool ValueIsKey = false,
    SparseIndexer? Indexer = null)
    : AttentionGroup(Layers)
{
    /// <inheritdoc/>
    public override long CacheElementsPerToken => (long)KvHeads * (HeadDim + ValueHeadDim);

    /// <inheritdoc/>
    public override int? VisibleTokens => WindowTokens;

    /// <inheritdoc/>
    public override long IndexBytesPerToken => IndexBytes(Indexer);
}

/// <summary>
/// Multi-head latent attention (DeepSeek-V2, arXiv:2405.04434): the cache holds one compressed latent and one rotary key per token.
/// </summary>
/// <param name="Layers">Layers of this kind.</param>
/// <param name="Heads">Query heads.</param>
/// <param name="QueryLoraRank">Rank of the compressed query; null where the query is projected directly.</param>
/// <param name="KvLoraRank">Rank of the latent that keys and values are made from.</param>
/// <param name="QkNopeDim">Elements of a query or key head without rotary position.</param>
/// <param name="QkRopeDim">Elements of a query or key head with rotary position; the key's are shared by all heads.</param>
/// <param name="ValueHeadDim">Elements of a value head.</param>
/// <param name="Indexer">Picks the tokens that are attended to (DeepSeek sparse attention); null where all are.</param>
/// <param name="OutputGate">A further projection makes a gate for the output (Kimi K3).</param>
public sealed record LatentAttention(
    int Layers,
    int Heads,
    int? QueryLoraRank,
    int KvLoraRank,
    int QkNopeDim,
    int QkRopeDim,
    int ValueHeadDim,
    SparseIndexer? Indexer = null,
    bool OutputGate = false)
    : AttentionGroup(Layers)
{
    /// <inheritdoc/>
    public override long CacheElementsPerToken => KvLoraRank + QkRopeDim;

    /// <inheritdoc/>
    public override long IndexBytesPerToken => IndexBytes(Indexer);
}

/// <summary>
/// The indexer of a sparse attention: cheap heads that score every token, of which the best, or the best blocks, are attended to.
/// Over a compressed context it scores entries in place of tokens.
/// </summary>
/// <param name="Heads">Index heads.</param>
/// <param name="HeadDim">Elements of an index head; the index key is shared by all heads.</param>
/// <param name="TopKTokens">How many tokens, or compressed entries, a query attends to, those of all chosen blocks together.</param>
public sealed record SparseIndexer(int Heads, int HeadDim, int TopKTokens);

/// <summary>Gated delta rule, a linear attention (Qwen3-Next, Qwen3.5): a matrix state per value head instead of a cache.</summary>
/// <param name="Layers">Layers of this kind.</param>
/// <param name="KeyHeads">Query and key heads.</param>
/// <param name="KeyDim">Elements of a query or key head.</param>
/// <param name="ValueHeads">Value heads.</param>
/// <param name="ValueDim">Elements of a value head.</param>
/// <param name="ConvKernel">Taps of the causal convolution over queries, keys and values.</param>
public sealed record GatedDeltaAttention(int Layers, int KeyHeads, int KeyDim, int ValueHeads, int ValueDim, int ConvKernel)
    : AttentionGroup(Layers)
{
    /// <summary>Channels that the convolution runs over: queries, keys and values.</summary>
    public long Channels => (2L * KeyHeads * KeyDim) + ((long)ValueHeads * ValueDim);

    /// <inheritdoc/>
    public override long StateElements => (long)ValueHeads * KeyDim * ValueDim;

    /// <inheritdoc/>
    public override long ConvolutionElements => Channels * (ConvKernel - 1);
}

/// <summary>Kimi delta attention (Kimi Linear, arXiv:2510.26692): a gated delta rule with a decay per channel, of low rank.</summary>
/// <param name="Layers">Layers of this kind.</param>
/// <param name="Heads">Heads of queries, keys and values alike.</param>
/// <param name="HeadDim">Elements of a head, and the rank of decay and gate.</param>
/// <param name="ConvKernel">Taps of the causal convolutions.</param>
/// <param name="FullRankGate">The gate of the output is one projection rather than two of low rank (Kimi K3).</param>
public sealed record KimiDeltaAttention(int Layers, int Heads, int HeadDim, int ConvKernel, bool FullRankGate = false)
    : AttentionGroup(Layers)
{
    /// <inheritdoc/>
    public override long StateElements => (long)Heads * HeadDim * HeadDim;

    /// <inheritdoc/>
    public override long ConvolutionElements => 3L * Heads * HeadDim * (ConvKernel - 1);
}

/// <summary>Mamba-2 state space layer (arXiv:2405.21060).</summary>
/// <param name="Layers">Layers of this kind.</param>
/// <param name="Heads">Heads.</param>
/// <param name="HeadDim">Channels of a head.</param>
/// <param name="StateSize">State elements per channel.</param>
/// <param name="Groups">Groups that share the input and output matrices B and C.</param>
/// <param name="ConvKernel">Taps of the causal convolution.</param>
public sealed record Mamba2(int Layers, int Heads, int HeadDim, int StateSize, int Groups, int ConvKernel)
    : AttentionGroup(Layers)
{
    /// <summary>Channels that the convolution runs over: the input and the matrices B and C.</summary>
    public long Channels => ((long)Heads * HeadDim) + (2L * Groups * StateSize);

    /// <inheritdoc/>
    public override long StateElements => (long)Heads * HeadDim * StateSize;

    /// <inheritdoc/>
    public override long ConvolutionElements => Channels * (ConvKernel - 1);
}

/// <summary>Layers of a model whose feed-forward part is alike: dense, or a mixture of experts. A closed set.</summary>
public abstract record FeedForwardGroup
{
    private protected FeedForwardGroup(int layers) => Layers = layers;

    /// <summary>How many layers of the model are of this kind.</summary>
    public int Layers { get; init; }
}

/// <summary>One network that every token passes.</summary>
/// <param name="Layers">Layers of this kind.</param>
/// <param name="Intermediate">Its width.</param>
/// <param name="Gated">Three matrices (gate, up, down) rather than two (up, down).</param>
/// <param name="Bias">The matrices have biases.</param>
public sealed record DenseFeedForward(int Layers, int Intermediate, bool Gated = true, bool Bias = false)
    : FeedForwardGroup(Layers);

/// <summary>A router sends every token through a few of many expert networks, and through the shared one.</summary>
/// <param name="Layers">Layers of this kind.</param>
/// <param name="Experts">Routed experts.</param>
/// <param name="TopK">Routed experts that a token passes.</param>
/// <param name="Intermediate">Width of a routed expert.</param>
/// <param name="SharedIntermediate">Width of what every token passes beside them, all shared experts together; 0 for none.</param>
/// <param name="Gated">Three matrices (gate, up, down) per expert rather than two (up, down).</param>
/// <param name="Bias">The routed experts' matrices have biases (gpt-oss).</param>
/// <param name="RouterBias">The router has one bias per expert.</param>
/// <param name="LatentSize">
/// Routed experts work on tokens projected to this size and back (Nemotron 3 Super); null for the hidden size.
/// </param>
public sealed record MixtureOfExperts(
    int Layers,
    int Experts,
    int TopK,
    int Intermediate,
    int SharedIntermediate = 0,
    bool Gated = true,
    bool Bias = false,
    bool RouterBias = false,
    int? LatentSize = null)
    : FeedForwardGroup(Layers);
