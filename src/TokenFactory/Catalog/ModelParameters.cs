using System.Diagnostics;

namespace TokenFactory.Catalog;

/// <summary>Which embedding matrices a count of parameters contains: publishers differ.</summary>
public enum CountedEmbeddings
{
    /// <summary>The input embedding and the output head; one matrix where they are tied. Written "all".</summary>
    All,

    /// <summary>The output head alone (gpt-oss). A tied matrix is the output head. Written "without-input-embedding".</summary>
    WithoutInput,

    /// <summary>Neither. Written "without-embeddings".</summary>
    None,
}

/// <summary>
/// Counts the weights of a model from its shape: every matrix, bias and norm of the text model. Prediction (MTP) layers, vision
/// towers and quantisation scales are not counted.
/// </summary>
public static class ModelParameters
{
    /// <summary>All weights that must be held.</summary>
    public static long Total(ModelShape model) =>
        Embeddings(model, CountedEmbeddings.All) + Norms(model) + Residuals(model)
        + model.Attention.Sum(group => group.Layers * PerLayer(group, model.Hidden))
        + model.FeedForward.Sum(group => group.Layers * Held(group, model.Hidden));

    /// <summary>The weights that take part in computing one token.</summary>
    /// <param name="model">The shape.</param>
    /// <param name="counted">Which embedding matrices to count, to compare with a published figure.</param>
    public static long Active(ModelShape model, CountedEmbeddings counted = CountedEmbeddings.All) =>
        Embeddings(model, counted) + Norms(model) + Residuals(model)
        + model.Attention.Sum(group => group.Layers * PerLayer(group, model.Hidden))
        + model.FeedForward.Sum(group => group.Layers * Passed(group, model.Hidden));

    /// <summary>The weights of the embedding matrices that are counted.</summary>
    public static long Embeddings(ModelShape model, CountedEmbeddings counted)
    {
        var matrix = (long)model.Vocabulary.Value * model.Hidden;
        return counted switch
        {
            CountedEmbeddings.None => 0,
            CountedEmbeddings.WithoutInput => matrix,
            CountedEmbeddings.All => model.TiedEmbeddings ? matrix : 2 * matrix,
            _ => throw new UnreachableException(),
        };
    }

    /// <summary>The weights of one attention layer, without its norm.</summary>
    /// <param name="group">The kind of layer.</param>
    /// <param name="hidden">Hidden size of the model.</param>
    public static long PerLayer(AttentionGroup group, long hidden) => group switch
    {
        GroupedQueryAttention gqa => GroupedQuery(gqa, hidden),
        LatentAttention mla => Latent(mla, hidden),
        CompressedAttention compressed => Compressed(compressed, hidden),
        GatedDeltaAttention delta => GatedDelta(delta, hidden),
        KimiDeltaAttention kimi => KimiDelta(kimi, hidden),
        Mamba2 mamba => StateSpace(mamba, hidden),
        _ => throw new UnreachableException(),
    };

    /// <summary>The weights of one feed-forward layer, without its norm: all experts.</summary>
    /// <param name="group">The kind of layer.</param>
    /// <param name="hidden">Hidden size of the model.</param>
    public static long Held(FeedForwardGroup group, long hidden) => group switch
    {
        DenseFeedForward dense => Network(hidden, dense.Intermediate, dense.Gated, dense.Bias),
        MixtureOfExperts experts => (experts.Experts * PerExpert(experts, hidden)) + BesideExperts(experts, hidden),
        _ => throw new UnreachableException(),
    };

    /// <summary>The weights of one feed-forward layer that one token passes: the router's choice, and what every token passes.</summary>
    /// <param name="group">The kind of layer.</param>
    /// <param name="hidden">Hidden size of the model.</param>
    public static long Passed(FeedForwardGroup group, long hidden) => group switch
    {
        DenseFeedForward => Held(group, hidden),
        MixtureOfExperts experts => (experts.TopK * PerExpert(experts, hidden)) + BesideExperts(experts, hidden),
        _ => throw new UnreachableException(),
    };

    /// <summary>The weights of one routed expert.</summary>
    /// <param name="experts">The mixture.</param>
    /// <param name="hidden">Hidden size of the model.</param>
    public static long PerExpert(MixtureOfExperts experts, long hidden) =>
        Network(experts.LatentSize ?? hidden, experts.Intermediate, experts.Gated, experts.Bias);

    private static long BesideExperts(MixtureOfExperts experts, long hidden)
    {
        var router = (hidden * experts.Experts) + (experts.RouterBias ? experts.Experts : 0);
        var projections = 2 * hidden * (experts.LatentSize ?? 0);
        return router + projections + Network(hidden, experts.SharedIntermediate, experts.Gated, bias: false);
    }

    private static long Network(long width, long intermediate, bool gated, bool bias)
    {
        var inward = gated ? 2 : 1;
        return ((inward + 1) * width * intermediate) + (bias ? (inward * intermediate) + width : 0);
    }

    /// <summary>
    /// One norm before every attention and every feed-forward layer, a second behind it where the model has one, and the last.
    /// </summary>
    private static long Norms(ModelShape model)
    {
        var normed = model.Attention.Sum(group => (long)group.Layers) + model.FeedForward.Sum(group => (long)group.Layers);
        return model.Hidden * ((model.PostNorms ? 2 * normed : normed) + 1);
    }

    /// <summary>
    /// Hyper-connections: before every attention and feed-forward layer a projection of all streams to weights for taking, adding
    /// and mixing them, with biases and three scales; before the head one that takes them together.
    /// </summary>
    private static long Residuals(ModelShape model)
    {
        long streams = model.ResidualStreams;
        if (streams == 1)
            return 0;
        var mixed = model.Attention.Sum(group => (long)group.Layers) + model.FeedForward.Sum(group => (long)group.Layers);
        var width = streams * model.Hidden;
        var weights = (2 + streams) * streams;
        return (mixed * ((weights * width) + weights + 3)) + (streams * width) + streams + 1;
    }

    private static long GroupedQuery(GroupedQueryAttention gqa, long hidden)
    {
        var query = (long)gqa.Heads * gqa.HeadDim * (gqa.OutputGate ? 2 : 1);
        var key = (long)gqa.KvHeads * gqa.HeadDim;
        var value = gqa.ValueIsKey ? 0 : (long)gqa.KvHeads * gqa.ValueHeadDim;
        var inward = query + key + value;
        return (hidden * inward) + (gqa.Bias ? inward : 0)
            + ((long)gqa.Heads * gqa.ValueHeadDim * hidden) + (gqa.OutputBias ? hidden : 0)
            + (gqa.QkNorm ? 2 * gqa.HeadDim : 0) + (gqa.Sinks ? gqa.Heads : 0)
            + (gqa.Indexer is { } indexer ? Index(indexer, hidden, hidden) : 0);
    }

    private static long Latent(LatentAttention mla, long hidden)
    {
        var queries = (long)mla.Heads * (mla.QkNopeDim + mla.QkRopeDim);
        var query = mla.QueryLoraRank is { } rank ? (hidden * rank) + rank + (rank * queries) : hidden * queries;
        var latent = (hidden * (mla.KvLoraRank + mla.QkRopeDim)) + mla.KvLoraRank;
        var keysAndValues = (long)mla.KvLoraRank * mla.Heads * (mla.QkNopeDim + mla.ValueHeadDim);
        var output = (long)mla.Heads * mla.ValueHeadDim * hidden;
        var index = mla.Indexer is { } indexer ? Index(indexer, mla.QueryLoraRank ?? hidden, hidden) + (hidden * indexer.Heads) : 0;
        return query + latent + keysAndValues + output + index + (mla.OutputGate ? output : 0);
    }

    /// <summary>Query of low rank, key that is value, norms, a sink per head; output of low rank per group; compressor; indexer.</summary>
    private static long Compressed(CompressedAttention layer, long hidden)
    {
        var queries = (long)layer.Heads * layer.HeadDim;
        var query = (hidden * layer.QueryLoraRank) + layer.QueryLoraRank + (layer.QueryLoraRank * queries);
        var key = (hidden * layer.HeadDim) + layer.HeadDim;
        var output = (queries * layer.OutputLoraRank) + ((long)layer.OutputGroups * layer.OutputLoraRank * hidden);
        var compressor = layer.Compresses ? Compressor(layer, layer.HeadDim, hidden) : 0;
        var index = layer.Indexer is { } indexer
            ? ((long)layer.QueryLoraRank * indexer.Heads * indexer.HeadDim) + (hidden * indexer.Heads)
                + Compressor(layer, indexer.HeadDim, hidden)
            : 0;
        return query + key + layer.Heads + output + compressor + index;
    }

    /// <summary>Projections to values and scores, one part per span; a bias of the scores per place in the entry; norm.</summary>
    private static long Compressor(CompressedAttention layer, long width, long hidden)
    {
        var wide = layer.Spans * width;
        return (2 * hidden * wide) + (layer.CompressRatio * wide) + width;
    }

    /// <summary>Index queries and one index key, with norms; a latent attention adds one weight per index head.</summary>
    private static long Index(SparseIndexer indexer, long query, long hidden) =>
        (query * indexer.Heads * indexer.HeadDim) + (hidden * indexer.HeadDim) + (2 * indexer.HeadDim);

    /// <summary>Projections of query, key, value and gate; of beta and decay; convolution; decay and step biases; norm; output.</summary>
    private static long GatedDelta(GatedDeltaAttention delta, long hidden)
    {
        var values = (long)delta.ValueHeads * delta.ValueDim;
        return (hidden * (delta.Channels + values)) + (hidden * 2 * delta.ValueHeads)
            + (delta.Channels * delta.ConvKernel) + (2L * delta.ValueHeads) + delta.ValueDim + (values * hidden);
    }

    /// <summary>Query, key and value with convolutions; low-rank decay and gate; beta; decay biases; norm; output.</summary>
    private static long KimiDelta(KimiDeltaAttention kimi, long hidden)
    {
        var width = (long)kimi.Heads * kimi.HeadDim;
        var decay = (hidden * kimi.HeadDim) + (kimi.HeadDim * width);
        var gate = kimi.FullRankGate ? hidden * width : decay;
        return (3 * width * (hidden + kimi.ConvKernel)) + decay + gate + (hidden * kimi.Heads)
            + width + kimi.Heads + kimi.HeadDim + (width * hidden);
    }

    /// <summary>Input projection (gate, input, B, C, step); convolution with bias; decay, skip and step per head; norm; output.</summary>
    private static long StateSpace(Mamba2 mamba, long hidden)
    {
        var inner = (long)mamba.Heads * mamba.HeadDim;
        return (hidden * (inner + mamba.Channels + mamba.Heads)) + (mamba.Channels * (mamba.ConvKernel + 1))
            + (3L * mamba.Heads) + inner + (inner * hidden);
    }
}
