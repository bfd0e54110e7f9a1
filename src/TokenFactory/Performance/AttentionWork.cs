using TokenFactory.Catalog;
using TokenFactory.Performance.Kernels;

namespace TokenFactory.Performance;

/// <summary>The layers of one kind of attention as work of one GPU: what a key costs, and how many keys a query sees.</summary>
internal readonly record struct AttentionWork
{
    private const double BytesPerState = 4;

    /// <summary>Operations per state element and prefilled token of chunked linear attention: into the chunk, across it, out.</summary>
    private const double FlopsPerStateElement = 6;

    private AttentionConstants Kernel { get; init; }

    private double Heads { get; init; }

    private double HeadDim { get; init; }

    private double BytesPerKey { get; init; }

    private double FlopsPerKey { get; init; }

    private double StateBytes { get; init; }

    private double StateElements { get; init; }

    /// <summary>Tiles per sequence that a decode kernel works on: one per key-value head, one for a latent.</summary>
    private double Tiles { get; init; }

    private double IndexBytes { get; init; }

    private double IndexFlops { get; init; }

    /// <summary>Most keys that a query sees beside its window.</summary>
    private double MostKeys { get; init; }

    /// <summary>Tokens that one key stands for.</summary>
    private double TokensPerKey { get; init; }

    /// <summary>Latest tokens that are seen uncompressed besides; 0 for none.</summary>
    private double Window { get; init; }

    /// <summary>Layers of this kind.</summary>
    public int Layers { get; private init; }

    /// <summary>Layers that keep one latent per token.</summary>
    public int LatentLayers { get; private init; }

    /// <summary>Layers that keep a state instead of a cache.</summary>
    public int LinearLayers { get; private init; }

    /// <summary>Layers whose indexer picks the keys.</summary>
    public int SparseLayers { get; private init; }

    /// <summary>The work of a kind of layer on one GPU of a deployment.</summary>
    public static AttentionWork Of(AttentionGroup group, Deployment d, KernelSet kernels)
    {
        var cache = d.Precision.KvCache;
        var element = (double)cache.BytesPerCacheElement();
        var tp = (double)d.Parallelism.Tensor;
        var work = new AttentionWork { Layers = group.Layers, MostKeys = double.PositiveInfinity, TokensPerKey = 1, Tiles = 1 };
        return group switch
        {
            GroupedQueryAttention gqa => Sparse(
                work with
                {
                    Kernel = kernels.Attention(cache).Value,
                    Heads = Math.Max(1, gqa.Heads / tp),
                    HeadDim = (gqa.HeadDim + gqa.ValueHeadDim) / 2.0,
                    BytesPerKey = Math.Max(1, gqa.KvHeads / tp) * (gqa.HeadDim + gqa.ValueHeadDim) * element,
                    FlopsPerKey = Math.Max(1, gqa.Heads / tp) * 2 * (gqa.HeadDim + gqa.ValueHeadDim),
                    Tiles = Math.Max(1, gqa.KvHeads / tp),
                    MostKeys = gqa.WindowTokens ?? double.PositiveInfinity,
                },
                gqa.Indexer),
            LatentAttention mla => Sparse(
                work with
                {
                    Kernel = kernels.Latent(cache).Value.Kernel,
                    Heads = Math.Max(1, mla.Heads / tp),
                    HeadDim = (mla.QkNopeDim + mla.QkRopeDim + mla.ValueHeadDim) / 2.0,
                    BytesPerKey = (mla.KvLoraRank + mla.QkRopeDim) * element,
                    FlopsPerKey = Math.Max(1, mla.Heads / tp) * 2 * ((2 * mla.KvLoraRank) + mla.QkRopeDim),
                    LatentLayers = group.Layers,
                },
                mla.Indexer),
            CompressedAttention compressed => Sparse(
                work with
                {
                    Kernel = kernels.Latent(cache).Value.Kernel,
                    Heads = Math.Max(1, compressed.Heads / tp),
                    HeadDim = compressed.HeadDim,
                    BytesPerKey = compressed.HeadDim * element,
                    FlopsPerKey = Math.Max(1, compressed.Heads / tp) * 4 * compressed.HeadDim,
                    MostKeys = compressed.Compresses ? double.PositiveInfinity : 0,
                    TokensPerKey = compressed.CompressRatio,
                    Window = compressed.WindowTokens,
                    LatentLayers = group.Layers,
                },
                compressed.Indexer),
            _ => work with
            {
                Kernel = kernels.Attention(NumberFormat.Bf16).Value,
                StateElements = group.StateElements / tp,
                StateBytes = 2 * BytesPerState * group.StateElements / tp,
                LinearLayers = group.Layers,
            },
        };
    }

    /// <summary>Seconds of one layer for the decoding sequences.</summary>
    /// <param name="sequences">Sequences.</param>
    /// <param name="context">Mean context in tokens.</param>
    /// <param name="queries">Tokens of each that are computed together: 1, or the draft and one more.</param>
    public double DecodeSeconds(double sequences, double context, double queries)
    {
        var keys = Keys(context);
        var bytes = sequences * ((keys * BytesPerKey) + StateBytes + (context / TokensPerKey * IndexBytes));
        var flops = sequences * queries * ((keys * FlopsPerKey) + (context / TokensPerKey * IndexFlops));
        return Kernel.DecodeSeconds(bytes, flops, StateElements > 0 ? 0 : keys, sequences * Tiles);
    }

    /// <summary>What one layer keeps busy of the GPU, in seconds at full speed.</summary>
    /// <param name="shape">The step.</param>
    /// <param name="queries">Tokens of each decoding sequence that are computed together.</param>
    /// <param name="full">The data sheet's 16-bit speed.</param>
    public GpuBusy Busy(in StepShape shape, double queries, FullSpeed full)
    {
        var (context, prompt) = (shape.DecodeContext, shape.PrefillContext);
        var bytes = shape.DecodeSequences * ((Keys(context) * BytesPerKey) + StateBytes + (context / TokensPerKey * IndexBytes));
        var flops = (shape.DecodeSequences * queries * Keys(context) * FlopsPerKey)
            + (shape.PrefillTokens * ((4 * Heads * HeadDim * Keys(prompt)) + (FlopsPerStateElement * StateElements)));
        return new GpuBusy(flops * full.SecondsPerFlop, 0, bytes * full.SecondsPerWeight / NumberFormat.Bf16.BytesPerWeight());
    }

    /// <summary>Seconds of one layer for the prompt chunks of a step.</summary>
    /// <param name="tokens">Prompt tokens, summed over chunks.</param>
    /// <param name="context">Mean tokens that one of them attends to.</param>
    public double PrefillSeconds(double tokens, double context)
    {
        if (!(tokens > 0))
            return 0;
        if (StateElements > 0)
            return Kernel.PrefillFloorSeconds + (Kernel.PrefillSecondsPerFlop * FlopsPerStateElement * StateElements * tokens);
        var keys = Keys(context);
        var index = Kernel.PrefillSecondsPerFlop * tokens * context / TokensPerKey * IndexFlops;
        return Kernel.PrefillSeconds(Heads, HeadDim, tokens, tokens * keys, 2 * keys) + index;
    }

    /// <summary>Keys that the queries of one layer pick from, over all queries; 0 where they see all.</summary>
    /// <param name="queries">Tokens that pick.</param>
    /// <param name="context">Mean context of one in tokens.</param>
    public double Candidates(double queries, double context) => SparseLayers > 0 ? queries * context / TokensPerKey : 0;

    private double Keys(double context) => Math.Min(context / TokensPerKey, MostKeys) + Math.Min(context, Window);

    private static AttentionWork Sparse(AttentionWork work, SparseIndexer? indexer) => indexer is null
        ? work
        : work with
        {
            MostKeys = Math.Min(work.MostKeys, indexer.TopKTokens),
            IndexBytes = indexer.HeadDim,
            IndexFlops = 2.0 * indexer.Heads * indexer.HeadDim,
            SparseLayers = work.Layers,
        };
}
