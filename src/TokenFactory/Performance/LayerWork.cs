using TokenFactory.Catalog;
using TokenFactory.Performance.Kernels;

namespace TokenFactory.Performance;

/// <summary>One matrix that tokens pass in each of several layers, as work of one GPU.</summary>
/// <param name="Layers">Layers that hold it.</param>
/// <param name="Columns">Outputs on this GPU.</param>
/// <param name="Rows">Inputs on this GPU.</param>
/// <param name="Kernel">Its kernel.</param>
/// <param name="Full">What its arithmetic and its weights take at full speed.</param>
internal readonly record struct GemmWork(double Layers, double Columns, double Rows, GemmConstants Kernel, FullSpeed Full)
{
    /// <summary>What one layer keeps busy of the GPU, in seconds at full speed.</summary>
    /// <param name="tokens">Tokens that pass.</param>
    public GpuBusy Busy(double tokens) => tokens > 0
        ? new GpuBusy(
            2 * Math.Max(tokens, FullSpeed.TileRows) * Columns * Rows * Full.SecondsPerFlop, Columns * Rows * Full.SecondsPerWeight, 0)
        : default;

    /// <summary>Seconds of one layer.</summary>
    /// <param name="tokens">Tokens that pass.</param>
    public double Seconds(double tokens) => Kernel.Seconds(tokens, Columns, Rows);

    /// <summary>All matrices of a model but the experts' and the output head, split as the deployment splits them.</summary>
    public static IEnumerable<GemmWork> Of(Deployment d, KernelSet kernels)
    {
        var attention = kernels.Gemm(d.Precision.Attention).Value;
        var dense = kernels.Gemm(d.Precision.Dense).Value;
        var (fullAttention, fullDense) = (FullSpeed.Of(d.Gpu, d.Precision.Attention), FullSpeed.Of(d.Gpu, d.Precision.Dense));
        var tp = (double)d.Parallelism.Tensor;
        double hidden = d.Model.Hidden;
        foreach (var group in d.Model.Attention)
        {
            foreach (var (columns, rows) in Matrices(group, hidden, tp))
                yield return new GemmWork(group.Layers, columns, rows, attention, fullAttention);
        }

        foreach (var group in d.Model.FeedForward)
        {
            var (width, gated) = group switch
            {
                DenseFeedForward part => (part.Intermediate, part.Gated),
                MixtureOfExperts mix => (mix.SharedIntermediate, mix.Gated),
                _ => (0, false),
            };
            if (width > 0)
            {
                yield return new GemmWork(group.Layers, (gated ? 2 : 1) * width / tp, hidden, dense, fullDense);
                yield return new GemmWork(group.Layers, hidden, width / tp, dense, fullDense);
            }

            if (group is MixtureOfExperts { LatentSize: { } latent })
            {
                yield return new GemmWork(group.Layers, latent, hidden, dense, fullDense);
                yield return new GemmWork(group.Layers, hidden, latent, dense, fullDense);
            }
        }
    }

    /// <summary>Weights of one attention layer on one GPU: heads are split, low-rank projections are held by all.</summary>
    public static double WeightsPerGpu(AttentionGroup group, long hidden, int tensor)
    {
        var whole = Matrices(group, hidden, 1).Sum(matrix => matrix.Columns * matrix.Rows);
        var rest = ModelParameters.PerLayer(group, hidden) - whole;
        return Matrices(group, hidden, tensor).Sum(matrix => matrix.Columns * matrix.Rows) + (Math.Max(0, rest) / tensor);
    }

    private static IEnumerable<(double Columns, double Rows)> Matrices(AttentionGroup group, double hidden, double tp) => group switch
    {
        GroupedQueryAttention gqa =>
        [
            ((gqa.Heads * gqa.HeadDim * (gqa.OutputGate ? 2 : 1) / tp)
                + (Math.Max(1, gqa.KvHeads / tp) * (gqa.HeadDim + gqa.ValueHeadDim)), hidden),
            (hidden, gqa.Heads * gqa.ValueHeadDim / tp),
        ],
        LatentAttention { QueryLoraRank: { } rank } mla =>
        [
            (rank + mla.KvLoraRank + mla.QkRopeDim, hidden),
            (mla.Heads * (mla.QkNopeDim + mla.QkRopeDim) / tp, rank),
            (mla.Heads * (mla.QkNopeDim + mla.ValueHeadDim) / tp, mla.KvLoraRank),
            (hidden, mla.Heads * mla.ValueHeadDim / tp),
        ],
        LatentAttention mla =>
        [
            ((mla.Heads * (mla.QkNopeDim + mla.QkRopeDim) / tp) + mla.KvLoraRank + mla.QkRopeDim, hidden),
            (mla.Heads * (mla.QkNopeDim + mla.ValueHeadDim) / tp, mla.KvLoraRank),
            (hidden, mla.Heads * mla.ValueHeadDim / tp),
        ],
        CompressedAttention c =>
        [
            (c.QueryLoraRank + c.HeadDim, hidden),
            (c.Heads * c.HeadDim / tp, c.QueryLoraRank),
            (c.OutputLoraRank * c.OutputGroups / tp, (double)c.Heads * c.HeadDim / c.OutputGroups),
            (hidden, c.OutputLoraRank * c.OutputGroups / tp),
        ],
        GatedDeltaAttention delta =>
        [
            ((delta.Channels + (delta.ValueHeads * delta.ValueDim)) / tp, hidden),
            (hidden, delta.ValueHeads * delta.ValueDim / tp),
        ],
        KimiDeltaAttention kimi =>
        [
            (3 * kimi.Heads * kimi.HeadDim / tp, hidden),
            (2 * kimi.Heads * kimi.HeadDim / tp, kimi.HeadDim),
            (hidden, kimi.Heads * kimi.HeadDim / tp),
        ],
        Mamba2 mamba =>
        [
            ((mamba.Channels + (mamba.Heads * mamba.HeadDim)) / tp, hidden),
            (hidden, mamba.Heads * mamba.HeadDim / tp),
        ],
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}

/// <summary>The routed experts of several layers as work of the busiest GPU.</summary>
/// <param name="Layers">Layers.</param>
/// <param name="Experts">Experts of a layer.</param>
/// <param name="TopK">Experts that a token goes to.</param>
/// <param name="Ranks">GPUs that the experts are spread over.</param>
/// <param name="Hidden">Width of what enters them.</param>
/// <param name="Intermediate">Width of an expert on this GPU.</param>
/// <param name="Matrices">Matrices of an expert.</param>
/// <param name="Dispatched">Tokens are sent to their experts' GPUs; else every GPU sees every token.</param>
/// <param name="Kernel">Their kernel.</param>
/// <param name="Full">What their arithmetic and their weights take at full speed.</param>
internal readonly record struct ExpertsWork(
    double Layers,
    double Experts,
    double TopK,
    double Ranks,
    double Hidden,
    double Intermediate,
    double Matrices,
    bool Dispatched,
    ExpertsConstants Kernel,
    FullSpeed Full)
{
    /// <summary>Logarithm of the probability that one token misses an expert.</summary>
    private double LogMiss { get; } = Math.Log(1 - (TopK / Experts));

    /// <summary>Standard deviations by which the highest of so many normally distributed numbers lies above their mean.</summary>
    private double Extreme { get; } = Ranks > 1 ? Math.Sqrt(2 * Math.Log(Ranks)) - (0.6 / Math.Sqrt(Math.Log(Ranks))) : 0;

    /// <summary>What one layer keeps busy of a GPU on average, in seconds at full speed.</summary>
    /// <param name="tokens">Tokens of all attention groups.</param>
    public GpuBusy Busy(double tokens)
    {
        if (!(tokens > 0))
            return default;
        var pairs = Share(tokens);
        var hit = Hit(pairs);
        var weights = Matrices * Hidden * Intermediate;
        return new GpuBusy(
            2 * Math.Max(pairs, hit * FullSpeed.TileRows) * weights * Full.SecondsPerFlop, hit * weights * Full.SecondsPerWeight, 0);
    }

    /// <summary>The experts of one kind of layer.</summary>
    public static ExpertsWork Of(MixtureOfExperts mix, Deployment d, KernelSet kernels) => new(
        mix.Layers,
        mix.Experts,
        mix.TopK,
        d.Parallelism.Expert,
        mix.LatentSize ?? d.Model.Hidden,
        (double)mix.Intermediate / d.Parallelism.ExpertSlices,
        mix.Gated ? 3 : 2,
        d.Parallelism.AttentionData > 1,
        kernels.Experts(d.Precision.Experts).Value,
        FullSpeed.Of(d.Gpu, d.Precision.Experts));

    /// <summary>Seconds of one layer.</summary>
    /// <param name="tokens">Tokens of all attention groups.</param>
    public double Seconds(double tokens)
    {
        if (!(tokens > 0))
            return 0;
        var pairs = Busiest(tokens);
        return Kernel.Seconds(pairs, Hit(pairs), Hidden, Intermediate, Dispatched ? pairs : tokens * TopK, Matrices);
    }

    /// <summary>
    /// (Token, expert) pairs of the busiest GPU: tokens fall on experts by chance, and the others wait for the GPU that most fall on. With
    /// few tokens that is far more than its share, where slices of every expert would share evenly.
    /// </summary>
    private double Busiest(double tokens)
    {
        var share = Share(tokens);
        return share + (Extreme * Math.Sqrt(share * (1 - (1 / Ranks))));
    }

    /// <summary>Pairs of a GPU on average.</summary>
    private double Share(double tokens) => tokens * TopK / Ranks;

    /// <summary>Distinct experts that so many pairs of a GPU go to.</summary>
    private double Hit(double pairs) => Experts / Ranks * (1 - Math.Exp(pairs * Ranks / TopK * LogMiss));
}
