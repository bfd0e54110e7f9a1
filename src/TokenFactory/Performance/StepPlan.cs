using TokenFactory.Catalog;
using TokenFactory.Performance.Kernels;

namespace TokenFactory.Performance;

/// <summary>
/// A deployment laid out as kernels of one GPU, built once (of a pipeline, of one GPU of each stage in turn); then every
/// <see cref="StepShape"/> costs a few dozen multiplications and no allocation. Times are those of the kernel model;
/// <see cref="StepTime"/> applies what calibration found.
/// </summary>
public sealed class StepPlan
{
    private const double BytesPerActivation = 2;

    private readonly GemmWork[] _gemms;
    private readonly AttentionWork[] _attention;
    private readonly ExpertsWork[] _experts;
    private readonly GemmWork _head;
    private readonly CollectiveCurve _reduce;
    private readonly Exchange _exchange;
    private readonly CollectiveCurve _send;
    private readonly int _stages;
    private readonly double _hidden;
    private readonly double _reduces;
    private readonly double _dispatches;
    private readonly int _groups;
    private readonly StepTerms _fixed;
    private readonly StepTerms _fixedPrefill;

    /// <summary>Lays a deployment out.</summary>
    /// <param name="deployment">The deployment.</param>
    /// <param name="kernels">Kernel constants of its accelerator.</param>
    public StepPlan(Deployment deployment, KernelSet kernels)
    {
        Deployment = deployment;
        var (model, spread) = (deployment.Model, deployment.Parallelism);
        _hidden = model.Hidden;
        _groups = spread.AttentionData;
        _gemms = [.. GemmWork.Of(deployment, kernels)];
        _attention = [.. model.Attention.Select(group => AttentionWork.Of(group, deployment, kernels))];
        _experts = [.. model.FeedForward.OfType<MixtureOfExperts>().Select(group => ExpertsWork.Of(group, deployment, kernels))];
        _head = new GemmWork(
            1,
            model.Vocabulary.Value / spread.Tensor,
            model.Hidden,
            kernels.Gemm(PrecisionPlan.Embeddings).Value,
            FullSpeed.Of(deployment.Gpu, PrecisionPlan.Embeddings));
        _reduce = kernels.Collectives.Value.Curve(CollectiveOperator.AllReduce, spread.Tensor);
        var experts = (double)model.FeedForward.OfType<MixtureOfExperts>().Sum(group => group.Layers);
        _reduces = spread.Tensor > 1 ? Mixers(model) + Mixtures(model) - (_groups > 1 ? experts : 0) : 0;
        _stages = spread.Pipeline;
        _send = kernels.Collectives.Value.Curve(CollectiveOperator.AllGather, 2);
        _dispatches = _groups > 1 ? experts : 0;
        var topK = model.FeedForward.OfType<MixtureOfExperts>().Select(group => group.TopK).DefaultIfEmpty(1).Max();
        _exchange = new Exchange(kernels.Dispatch.Value, spread.StageGpus, topK);
        (_fixed, _fixedPrefill) = Fixed(model.Layers, experts);
    }

    /// <summary>What was laid out.</summary>
    public Deployment Deployment { get; }

    /// <summary>The terms of a step on the busiest attention group.</summary>
    /// <param name="shape">What it computes.</param>
    public StepTerms Terms(in StepShape shape)
    {
        var verify = 1.0 + (Deployment.Speculation?.DraftTokens ?? 0);
        var decode = shape.DecodeSequences * verify;
        var others = shape.OtherGroupsSequences * verify;
        var alone = Tokens(decode, decode + others);
        var terms = _fixed;
        if (shape.DecodeSequences > 0)
        {
            terms[StepTerm.DecodeGemm] = alone.Gemm;
            terms[StepTerm.DecodeExperts] = alone.Experts;
            terms[StepTerm.DecodeReduce] = alone.Reduce;
            terms[StepTerm.DecodeDispatch] = alone.Dispatch;
            terms[StepTerm.DecodeAttention] = DecodeAttention(shape.DecodeSequences, shape.DecodeContext, verify);
            if (Deployment.Speculation is { } speculation)
                AddDraft(shape.DecodeSequences, shape.OtherGroupsSequences, speculation.DraftTokens, ref terms);
        }

        terms[StepTerm.Head] += _head.Seconds(decode + shape.PrefillChunks);
        terms[StepTerm.Sequences] = shape.DecodeSequences * 1e-5;
        if (shape.PrefillTokens > 0)
            AddPrefill(shape, decode, others + shape.OtherGroupsTokens, shape.DecodeSequences > 0 ? alone : default, ref terms);
        return terms;
    }

    /// <summary>How long parts of the busiest GPU would be busy with a step at full speed.</summary>
    /// <param name="shape">What the step computes.</param>
    public GpuBusy Busy(in StepShape shape)
    {
        var verify = 1.0 + (Deployment.Speculation?.DraftTokens ?? 0);
        var tokens = (shape.DecodeSequences * verify) + shape.PrefillTokens;
        var busy = _head.Busy((shape.DecodeSequences * verify) + shape.PrefillChunks);
        foreach (var work in _gemms)
            busy = busy.Plus(work.Busy(tokens), work.Layers);
        foreach (var work in _experts)
            busy = busy.Plus(work.Busy(tokens + (shape.OtherGroupsSequences * verify) + shape.OtherGroupsTokens), work.Layers);
        foreach (var work in _attention)
            busy = busy.Plus(work.Busy(shape, verify, _head.Full), work.Layers);
        return busy;
    }

    private void AddPrefill(in StepShape shape, double decode, double others, in Layered alone, ref StepTerms terms)
    {
        var tokens = decode + shape.PrefillTokens;
        var all = Tokens(tokens, tokens + others);
        terms[StepTerm.PrefillGemm] = Math.Max(0, all.Gemm - alone.Gemm);
        terms[StepTerm.PrefillExperts] = Math.Max(0, all.Experts - alone.Experts);
        terms[StepTerm.PrefillReduce] = Math.Max(0, all.Reduce - alone.Reduce);
        terms[StepTerm.PrefillDispatch] = Math.Max(0, all.Dispatch - alone.Dispatch);
        double attention = 0;
        foreach (var work in _attention)
            attention += work.Layers * work.PrefillSeconds(shape.PrefillTokens, shape.PrefillContext);
        terms[StepTerm.PrefillAttention] = attention;
        terms[StepTerm.PrefillSelection] = Selection(shape);
        terms = terms.Plus(_fixedPrefill);
    }

    /// <summary>Drafting: each token of the draft passes one more layer, the mean of the model's, and the output head.</summary>
    private void AddDraft(double sequences, double others, int tokens, ref StepTerms terms)
    {
        var layer = Tokens(sequences, sequences + others);
        var share = tokens / (double)Deployment.Model.Layers;
        terms[StepTerm.DecodeGemm] += share * layer.Gemm;
        terms[StepTerm.DecodeExperts] += share * layer.Experts;
        terms[StepTerm.DecodeReduce] += share * layer.Reduce;
        terms[StepTerm.Head] += tokens * _head.Seconds(sequences);
    }

    private double DecodeAttention(double sequences, double context, double verify)
    {
        double seconds = 0;
        foreach (var work in _attention)
            seconds += work.Layers * work.DecodeSeconds(sequences, context, verify);
        return seconds;
    }

    private double Selection(in StepShape shape)
    {
        const double bytesPerCandidate = 160;
        double candidates = 0;
        foreach (var work in _attention)
            candidates += work.Layers * work.Candidates(shape.PrefillTokens, shape.PrefillContext);
        return candidates * bytesPerCandidate * _head.Full.SecondsPerWeight / NumberFormat.Bf16.BytesPerWeight();
    }

    /// <summary>What depends on the tokens of a step alone.</summary>
    private Layered Tokens(double tokens, double groupTokens)
    {
        double gemm = 0, experts = 0;
        foreach (var work in _gemms)
            gemm += work.Layers * work.Seconds(tokens);
        foreach (var work in _experts)
            experts += work.Layers * work.Seconds(groupTokens);
        var bytes = tokens * _hidden * BytesPerActivation;
        var reduce = (_reduces > 0 ? _reduces * _reduce.Seconds(bytes) : 0) + ((_stages - 1) * _send.Seconds(bytes));
        var dispatch = _dispatches > 0 ? _dispatches * _exchange.Seconds(tokens, _hidden) : 0;
        return new Layered(gemm, experts, reduce, dispatch);
    }

    private (StepTerms Always, StepTerms Prefill) Fixed(double layers, double experts)
    {
        const double ten = 1e-5;
        var terms = default(StepTerms);
        terms[StepTerm.Layers] = layers * ten;
        terms[StepTerm.ExpertLayers] = experts * ten;
        terms[StepTerm.LatentLayers] = _attention.Sum(work => work.LatentLayers) * ten;
        terms[StepTerm.LinearLayers] = _attention.Sum(work => work.LinearLayers) * ten;
        terms[StepTerm.SparseLayers] = _attention.Sum(work => work.SparseLayers) * ten;
        terms[StepTerm.ReducedLayers] = _reduces > 0 ? layers * ten : 0;
        terms[StepTerm.DispatchedLayers] = _dispatches * ten;
        terms[StepTerm.Step] = 1e-3;
        var prefill = default(StepTerms);
        prefill[StepTerm.PrefillLayers] = layers * ten;
        prefill[StepTerm.PrefillStep] = 1e-3;
        return (terms, prefill);
    }

    private static double Mixers(ModelShape model) => model.Attention.Sum(group => (double)group.Layers);

    private static double Mixtures(ModelShape model) => model.FeedForward.Sum(group => (double)group.Layers);

    /// <summary>Tokens to their experts and back, by the faster of the two kinds of kernels.</summary>
    private readonly struct Exchange(DispatchConstants constants, int ranks, int topK)
    {
        private readonly DispatchCurve _out = constants.Dispatch(DispatchMode.LowLatency, ranks, topK);
        private readonly DispatchCurve _back = constants.Combine(DispatchMode.LowLatency, ranks, topK);
        private readonly DispatchCurve _manyOut = constants.Dispatch(DispatchMode.Normal, ranks, topK);
        private readonly DispatchCurve _manyBack = constants.Combine(DispatchMode.Normal, ranks, topK);

        public double Seconds(double tokens, double hidden) => Math.Min(
            _out.Seconds(tokens, hidden) + _back.Seconds(tokens, hidden),
            _manyOut.Seconds(tokens, hidden) + _manyBack.Seconds(tokens, hidden));
    }

    private readonly record struct Layered(double Gemm, double Experts, double Reduce, double Dispatch);
}
