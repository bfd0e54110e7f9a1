using TokenFactory.Catalog;

namespace TokenFactory.Performance;

/// <summary>What fills the memory of one GPU of a replica, in bytes, and what is left for the KV cache.</summary>
/// <param name="Memory">Memory of the GPU as its driver reports it.</param>
/// <param name="Usable">What the engine may take of it.</param>
/// <param name="AttentionWeights">Weights of the attention layers.</param>
/// <param name="FeedForwardWeights">Weights of dense feed-forward layers, shared experts and routers.</param>
/// <param name="ExpertWeights">Weights of routed experts.</param>
/// <param name="EmbeddingWeights">Embeddings, output head, norms, prediction layers.</param>
/// <param name="Activations">Intermediate results of a full step, and captured graphs.</param>
/// <param name="Reserve">What the driver, the communication library and the engine hold besides.</param>
public readonly record struct MemoryBreakdown(
    double Memory,
    double Usable,
    double AttentionWeights,
    double FeedForwardWeights,
    double ExpertWeights,
    double EmbeddingWeights,
    double Activations,
    double Reserve)
{
    /// <summary>All weights.</summary>
    public double Weights => AttentionWeights + FeedForwardWeights + ExpertWeights + EmbeddingWeights;

    /// <summary>What is left for the KV cache; negative where the weights alone do not fit.</summary>
    public double Free => Usable - Weights - Activations - Reserve;
}

/// <summary>The memory that the KV cache of an attention group has, in blocks.</summary>
/// <param name="Blocks">Blocks that fit.</param>
/// <param name="FixedBlocks">Blocks that a sequence takes whatever its length: windows and states.</param>
/// <param name="Grows">Whether it takes more blocks as it grows.</param>
/// <param name="BlockBytes">Bytes of a block on each GPU of the group.</param>
public readonly record struct PagedCache(long Blocks, int FixedBlocks, bool Grows, double BlockBytes);

/// <summary>Whether a model fits, and how many requests fit beside it.</summary>
public sealed class KvCapacity
{
    /// <summary>Tokens per block of a paged cache in vLLM.</summary>
    public const int BlockTokens = 16;

    private const double GraphBytes = 1.0 * Gibibyte;
    private const double ReserveAlone = 0.15 * Gibibyte;
    private const double ReserveTogether = 0.6 * Gibibyte;
    private const double Gibibyte = 1024.0 * 1024 * 1024;

    /// <summary>Buffers of hidden size that live at once in a step: residual, normed input, query, output and their copies.</summary>
    private const double HiddenBuffers = 8;

    private readonly Deployment _deployment;

    /// <summary>Computes the memory of one GPU.</summary>
    /// <exception cref="ArgumentException">The accelerator's memory is not known.</exception>
    public KvCapacity(Deployment deployment)
    {
        _deployment = deployment;
        Memory = Fill(deployment);
    }

    /// <summary>What fills one GPU.</summary>
    public MemoryBreakdown Memory { get; }

    /// <summary>
    /// Bytes of the GPU's memory as the driver reports them. Data sheets say "80 GB" where the driver reports 80 GiB; the catalog's
    /// usable figures are the driver's.
    /// </summary>
    /// <exception cref="ArgumentException">The accelerator's memory is not known.</exception>
    public static double MemoryBytes(Accelerator gpu) =>
        (gpu.UsableMemoryGigabytes ?? gpu.MemoryGigabytes)?.Value * Gibibyte
        ?? throw new ArgumentException($"The catalog does not know the memory of {gpu.Name}; add memory_gb to its entry", nameof(gpu));

    /// <summary>Bytes that one sequence occupies on each GPU of its attention group: the busiest pipeline stage counts.</summary>
    /// <param name="contextTokens">Length of the sequence in tokens.</param>
    /// <param name="sharedPrefixTokens">Leading tokens whose blocks are shared with other sequences and counted elsewhere.</param>
    public double BytesPerSequence(double contextTokens, double sharedPrefixTokens = 0)
    {
        var element = _deployment.Precision.KvCache.BytesPerCacheElement();
        double bytes = 0;
        foreach (var group in _deployment.Model.Attention)
        {
            var growing = group.VisibleTokens is null ? Math.Max(0, contextTokens - sharedPrefixTokens) : 0;
            var cache = (((group.CacheElementsPerToken * element) + group.IndexBytesPerToken) * growing)
                + (group.WindowElements((long)contextTokens) * element);
            var state = ((group.StateElements + group.BufferElements) * 4.0) + (group.ConvolutionElements * 2.0);
            bytes += group.Layers * (cache + state) / Shards(group, _deployment.Parallelism.Tensor);
        }

        return bytes * BusiestStage(_deployment);
    }

    /// <summary>
    /// Blocks of the paged cache that fit on each GPU, of the layers whose cache grows; 0 where nothing is left for them, and as many as
    /// one likes where no cache grows. Windows and states of sequences come out of the same memory.
    /// </summary>
    public long Blocks => GrowingBytesPerToken() is > 0 and var token
        ? (long)Math.Max(0, Memory.Free / (token * BlockTokens))
        : long.MaxValue;

    /// <summary>The memory of one attention group as blocks that sequences take.</summary>
    /// <param name="blockTokens">Tokens per block.</param>
    public PagedCache Paged(int blockTokens)
    {
        const double far = 1L << 40; // beyond every window
        var growing = GrowingBytesPerToken();
        var still = BytesPerSequence(far) - (growing * far);
        var block = growing > 0 ? growing * blockTokens : Math.Max(1, still);
        var whole = growing > 0 ? still / block : 1;
        const double rounding = 1e-3; // the difference of two large numbers
        return new PagedCache((long)Math.Max(0, Memory.Free / block), (int)Math.Ceiling(whole - rounding), growing > 0, block);
    }

    private double GrowingBytesPerToken()
    {
        var element = _deployment.Precision.KvCache.BytesPerCacheElement();
        double bytes = 0;
        foreach (var group in _deployment.Model.Attention.Where(group => group.VisibleTokens is null))
        {
            var token = (group.CacheElementsPerToken * element) + group.IndexBytesPerToken;
            bytes += group.Layers * (double)token / Shards(group, _deployment.Parallelism.Tensor) * BusiestStage(_deployment);
        }

        return bytes;
    }

    /// <summary>Sequences of that length that the replica holds at once over all its attention groups; 0 where it does not fit.</summary>
    /// <param name="contextTokens">Mean length of a sequence while it runs, in tokens.</param>
    /// <param name="sharedPrefixTokens">Leading tokens that all of them share.</param>
    public double Sequences(double contextTokens, double sharedPrefixTokens = 0)
    {
        var shared = sharedPrefixTokens > 0 ? BytesPerSequence(sharedPrefixTokens) : 0;
        var each = BytesPerSequence(contextTokens, sharedPrefixTokens);
        var bySequence = each > 0 ? Math.Max(0, Memory.Free - shared) / each : double.PositiveInfinity;
        return Math.Min(bySequence * _deployment.AttentionGroups, _deployment.MaxSequences ?? double.PositiveInfinity);
    }

    /// <summary>Whether the weights fit and one sequence of that length beside them.</summary>
    /// <param name="contextTokens">Length in tokens.</param>
    public bool Fits(double contextTokens) => Memory.Free >= BytesPerSequence(contextTokens);

    /// <summary>GiB that are missing on each GPU for one sequence of that length; 0 where it fits.</summary>
    /// <param name="contextTokens">Length in tokens.</param>
    public double MissingGibibytes(double contextTokens) =>
        Math.Max(0, BytesPerSequence(contextTokens) - Memory.Free) / Gibibyte;

    /// <summary>GPUs that split the cache of a layer: key and value heads divide, one latent is held by all.</summary>
    private static int Shards(AttentionGroup group, int tensor) => group switch
    {
        GroupedQueryAttention gqa => Math.Min(tensor, gqa.KvHeads),
        GatedDeltaAttention delta => Math.Min(tensor, delta.ValueHeads),
        KimiDeltaAttention kimi => Math.Min(tensor, kimi.Heads),
        Mamba2 mamba => Math.Min(tensor, mamba.Heads),
        _ => 1,
    };

    /// <summary>The largest share of the layers that a pipeline stage holds.</summary>
    private static double BusiestStage(Deployment d)
    {
        var (layers, stages) = (d.Model.Layers, d.Parallelism.Pipeline);
        return (double)((layers + stages - 1) / stages) / layers;
    }

    private static MemoryBreakdown Fill(Deployment d)
    {
        var (model, plan, spread) = (d.Model, d.Precision, d.Parallelism);
        double attention = 0, dense = 0, experts = 0, width = 0;
        foreach (var group in model.Attention)
            attention += group.Layers * GemmWork.WeightsPerGpu(group, model.Hidden, spread.Tensor) * plan.Attention.BytesPerWeight();
        foreach (var group in model.FeedForward)
        {
            var held = (double)ModelParameters.Held(group, model.Hidden);
            var routed = group is MixtureOfExperts mix ? mix.Experts * (double)ModelParameters.PerExpert(mix, model.Hidden) : 0;
            dense += group.Layers * (held - routed) * plan.Dense.BytesPerWeight() / spread.Tensor;
            experts += group.Layers * routed * plan.Experts.BytesPerWeight() / spread.StageGpus;
            width = Math.Max(width, Width(group) / spread.Tensor);
        }

        var vocabulary = ModelParameters.Embeddings(model, CountedEmbeddings.All);
        var embeddings = vocabulary * PrecisionPlan.Embeddings.BytesPerWeight() / spread.Tensor;
        var tokens = Math.Min(d.TokenBudget, Deployment.DefaultTokenBudget * 2);
        var activations = GraphBytes + (tokens * 2.0 * ((HiddenBuffers * model.Hidden) + (3 * width)));
        var memory = MemoryBytes(d.Gpu);
        var stage = BusiestStage(d);
        return new MemoryBreakdown(
            memory,
            memory * d.MemoryUtilisation,
            attention * stage,
            dense * stage,
            experts * stage,
            embeddings / Math.Min(2, spread.Pipeline),
            activations,
            spread.Gpus > 1 ? ReserveTogether : ReserveAlone);
    }

    private static double Width(FeedForwardGroup group) => group switch
    {
        DenseFeedForward dense => dense.Intermediate,
        MixtureOfExperts experts => (experts.TopK * (double)experts.Intermediate) + experts.SharedIntermediate,
        _ => 0,
    };
}
