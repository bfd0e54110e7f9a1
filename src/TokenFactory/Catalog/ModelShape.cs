namespace TokenFactory.Catalog;

/// <summary>
/// The shape of a language model: what its weights weigh, what a token computes and what a token of context occupies follow from it.
/// Of a multimodal model it is the text part.
/// </summary>
public sealed record ModelShape
{
    /// <summary>The name of the entry, "llama-3.1-70b".</summary>
    public required string Key { get; init; }

    /// <summary>The name that people use, "Llama 3.1 70B".</summary>
    public required string Name { get; init; }

    /// <summary>Other names: repositories, short forms. No two models share one.</summary>
    public IReadOnlyList<string> Aliases { get; init; } = [];

    /// <summary>The architecture as configurations call it, "qwen3_moe".</summary>
    public required string Family { get; init; }

    /// <summary>
    /// Layers as the configuration counts them: each attention with its feed-forward part, or each block alone where they
    /// alternate (nemotron_h).
    /// </summary>
    public required int Layers { get; init; }

    /// <summary>Elements that represent one token between layers.</summary>
    public required Sourced<double> HiddenSize { get; init; }

    /// <summary>Rows of the embedding matrix.</summary>
    public required Sourced<double> Vocabulary { get; init; }

    /// <summary>The longest context the configuration allows, in tokens; null where it is not known.</summary>
    public Sourced<double>? MaxContextTokens { get; init; }

    /// <summary>Input embedding and output head are one matrix.</summary>
    public bool TiedEmbeddings { get; init; }

    /// <summary>A second norm follows every attention and feed-forward layer (Gemma 2 and later).</summary>
    public bool PostNorms { get; init; }

    /// <summary>
    /// Parallel copies of the hidden state that run from layer to layer and are mixed before and after each (hyper-connections,
    /// arXiv:2512.24880; DeepSeek-V4 has 4); 1 for the plain residual.
    /// </summary>
    public int ResidualStreams { get; init; } = 1;

    /// <summary>The layers that mix tokens, by kind, in the order in which the kinds first occur.</summary>
    public required IReadOnlyList<AttentionGroup> Attention { get; init; }

    /// <summary>The feed-forward layers, by kind, in the order in which the kinds first occur.</summary>
    public required IReadOnlyList<FeedForwardGroup> FeedForward { get; init; }

    /// <summary>
    /// Multi-token prediction layers that the checkpoint adds for speculative decoding; 0 for none. No total contains them.
    /// </summary>
    public int PredictionLayers { get; init; }

    /// <summary>What the publisher says the counts are; null where nothing is on record.</summary>
    public PublishedCounts? Published { get; init; }

    /// <summary>How most weights are stored: "bf16", "fp16", "fp8", "mxfp4", "nvfp4", "int4"; null where it is not known.</summary>
    public string? CheckpointPrecision { get; init; }

    /// <summary>What a reader should know about the entry.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Where the sizes of the layers come from.</summary>
    public required Provenance From { get; init; }

    /// <summary>Hidden size as a count.</summary>
    public long Hidden => (long)HiddenSize.Value;

    /// <summary>All weights that must be held, prediction layers and vision towers left out.</summary>
    public long TotalParameters => ModelParameters.Total(this);

    /// <summary>
    /// The weights that take part in computing one token, input embedding and output head included.
    /// A published count may leave them out: compare it with <see cref="ActiveParametersCounting"/>.
    /// </summary>
    public long ActiveParameters => ModelParameters.Active(this);

    /// <summary>The active weights under a publisher's convention, which <see cref="PublishedCounts.ActiveCounts"/> states.</summary>
    public long ActiveParametersCounting(CountedEmbeddings counted) => ModelParameters.Active(this, counted);

    /// <summary>
    /// Bytes that each further token of context occupies, over the layers that see all of it, index keys of a sparse attention included.
    /// Windowed layers stop growing and linear layers never grow: <see cref="WindowBytes"/> and <see cref="StateBytes"/>.
    /// </summary>
    /// <param name="bytesPerElement">2 for a 16-bit cache, 1 for FP8.</param>
    public long KvBytesPerToken(int bytesPerElement) =>
        Attention.Where(group => group.VisibleTokens is null)
            .Sum(group => group.Layers * ((group.CacheElementsPerToken * bytesPerElement) + group.IndexBytesPerToken));

    /// <summary>
    /// Bytes that the windows of one sequence occupy, those beside a compressed context included: as many tokens as the window
    /// holds, or as the context has.
    /// </summary>
    /// <param name="contextTokens">Length of the sequence in tokens.</param>
    /// <param name="bytesPerElement">2 for a 16-bit cache, 1 for FP8.</param>
    public long WindowBytes(long contextTokens, int bytesPerElement) =>
        Attention.Sum(group => group.Layers * group.WindowElements(contextTokens) * bytesPerElement);

    /// <summary>Bytes of one sequence that wait to be compressed (DeepSeek-V4), whatever its length.</summary>
    /// <param name="bytesPerBuffer">Bytes per element; the reference keeps FP32.</param>
    public long BufferBytes(int bytesPerBuffer = 4) => Attention.Sum(group => group.Layers * group.BufferElements * bytesPerBuffer);

    /// <summary>Bytes of the linear and state space layers' state of one sequence, whatever its length.</summary>
    /// <param name="bytesPerState">Bytes per element of the recurrent state; engines keep it in FP32.</param>
    /// <param name="bytesPerElement">Bytes per element of the convolutions' memory.</param>
    public long StateBytes(int bytesPerState = 4, int bytesPerElement = 2) =>
        Attention.Sum(group => group.Layers * ((group.StateElements * bytesPerState) + (group.ConvolutionElements * bytesPerElement)));

    /// <summary>Bytes that one sequence of that length occupies in all: what grows, what is windowed and what is constant.</summary>
    /// <param name="contextTokens">Length of the sequence in tokens.</param>
    /// <param name="bytesPerElement">2 for a 16-bit cache, 1 for FP8.</param>
    public long SequenceBytes(long contextTokens, int bytesPerElement) =>
        (contextTokens * KvBytesPerToken(bytesPerElement)) + WindowBytes(contextTokens, bytesPerElement) + StateBytes() + BufferBytes();
}

/// <summary>How many parameters the publisher says the model has.</summary>
/// <param name="TotalParametersBillion">In all, in 1e9; null where no figure is precise enough to be compared.</param>
/// <param name="ActiveParametersBillion">
/// Per token, in 1e9; null for a dense model, or where no figure is precise enough to be compared.
/// </param>
/// <param name="ActiveCounts">Which embeddings the active figure contains.</param>
public sealed record PublishedCounts(
    Sourced<double>? TotalParametersBillion, Sourced<double>? ActiveParametersBillion, CountedEmbeddings ActiveCounts);
