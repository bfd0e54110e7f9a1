using TokenFactory.Catalog;
using TokenFactory.Performance;
using TokenFactory.Performance.Calibration;
using TokenFactory.Performance.Kernels;
using TokenFactory.Performance.Measured;
using TokenFactory.Performance.SteadyState;

namespace TokenFactory.Cli.Verbs;

/// <summary>A deployment to be tried under loads.</summary>
/// <param name="Gpu">Key of the accelerator.</param>
/// <param name="Weights">Format of the weights.</param>
/// <param name="Spread">How a replica is spread over GPUs.</param>
/// <param name="Engine">Key of the engine.</param>
internal sealed record Bid(string Gpu, NumberFormat Weights, Parallelism Spread, string Engine = "vllm")
{
    /// <summary>Replicas; those of the decode pool where there is a prefill pool.</summary>
    public int Replicas { get; init; } = 1;

    /// <summary>A prefill pool: how a worker of it is spread, and how many there are.</summary>
    public (Parallelism Spread, int Workers)? Prefill { get; init; }

    /// <summary>Multi-token prediction is on.</summary>
    public bool Speculates { get; init; }

    /// <summary>As a table writes it.</summary>
    public override string ToString()
    {
        var decode = $"{(Replicas > 1 ? $"{Replicas} x " : "")}{Spread}";
        var where = Prefill is { } pool ? $"prefill {pool.Workers} x {pool.Spread}, decode {decode}" : decode;
        return $"{where}, {Weights.Word()}{(Speculates ? ", MTP" : "")}";
    }
}

/// <summary>Tries deployments of one model in the performance model.</summary>
internal sealed class ClaimBench
{
    private readonly CatalogContents _catalog;
    private readonly KernelTable _kernels;
    private readonly Predictor _predictor;
    private readonly ModelShape _model;
    private readonly Dictionary<(Bid, double, double, double), Prediction> _known = [];
    private readonly Dictionary<(Bid, double), double> _room = [];

    /// <summary>A bench for a model.</summary>
    public ClaimBench(CatalogContents catalog, KernelTable kernels, CalibrationSet set, string model)
    {
        (_catalog, _kernels, _predictor) = (catalog, kernels, new Predictor(set));
        _model = catalog.ModelNames.Find(model) ?? throw new InvalidOperationException($"the catalog has no {model}");
    }

    /// <summary>
    /// What a closed loop of so many clients gets; those that the memory has no room for wait outside and change nothing.
    /// </summary>
    /// <param name="bid">The deployment.</param>
    /// <param name="clients">Requests in flight over all of it.</param>
    /// <param name="input">Prompt length in tokens.</param>
    /// <param name="output">Generated length in tokens.</param>
    public Prediction Run(Bid bid, double clients, double input, double output)
    {
        var room = Math.Max(1, Holds(bid, input + (output / 2))) * bid.Replicas;
        var asked = (bid, Math.Min(clients, room), input, output);
        if (!_known.TryGetValue(asked, out var prediction))
            _known.Add(asked, prediction = _predictor.Predict(Laid(bid, asked.Item2, input, output)));
        return prediction;
    }

    /// <summary>Requests of a length that the memory of one replica holds at once.</summary>
    public double Holds(Bid bid, double tokens)
    {
        if (_room.TryGetValue((bid, tokens), out var known))
            return known;
        var capacity = new KvCapacity(Replica(bid, bid.Spread));
        return _room[(bid, tokens)] = capacity.Fits(tokens) ? Math.Floor(capacity.Sequences(tokens)) : 0;
    }

    /// <summary>
    /// The most output tokens per second and GPU of any bid and concurrency that keeps the promises; null where none does.
    /// </summary>
    /// <param name="bids">Deployments to choose from.</param>
    /// <param name="input">Prompt length in tokens.</param>
    /// <param name="output">Generated length in tokens.</param>
    /// <param name="tpot">Longest time per output token in seconds.</param>
    /// <param name="ttft">Longest mean time to the first token in seconds.</param>
    public (Bid Bid, double Clients, Prediction Prediction)? Best(
        IEnumerable<Bid> bids, double input, double output, double tpot, double ttft)
    {
        (Bid Bid, double Clients, Prediction Prediction)? best = null;
        foreach (var bid in bids)
        {
            var room = Holds(bid, input + (output / 2)) * bid.Replicas;
            for (var clients = 1.0; clients <= room; clients *= 2)
            {
                var prediction = Run(bid, clients, input, output);
                var kept = prediction.Fits && prediction.Tpot <= tpot && prediction.Ttft <= ttft;
                if (kept && (best is null || PerGpu(prediction) > PerGpu(best.Value.Prediction)))
                    best = (bid, clients, prediction);
            }
        }

        return best;
    }

    /// <summary>Watts per GPU at the site's meter.</summary>
    public double AtTheMeter((Bid Bid, double Clients, Prediction Prediction) best) =>
        WallPower.Ladder(Gpu(best.Bid), best.Prediction.WattsPerGpu, _catalog.Site).Facility.Value.Watts.Value;

    /// <summary>Output tokens per second and GPU.</summary>
    public static double PerGpu(Prediction prediction) => prediction.OutputTokensPerSecond / prediction.Gpus;

    private Prepared Laid(Bid bid, double clients, double input, double output)
    {
        var decode = new Pool(Replica(bid, bid.Spread), bid.Replicas);
        Pool? prefill = bid.Prefill is { } pool ? new Pool(Replica(bid, pool.Spread), pool.Workers) : null;
        var load = new Load { Arrival = Arrival.ClosedLoop, InputTokens = input, OutputTokens = output, Concurrency = clients };
        var scenario = new Scenario(decode, prefill, load, decode.Gpus + (prefill?.Gpus ?? 0));
        var kernels = _kernels.For(decode.Deployment.Gpu) ?? throw new InvalidOperationException($"no kernels for {bid.Gpu}");
        return Prepared.Of(scenario, kernels);
    }

    private Accelerator Gpu(Bid bid) =>
        _catalog.AcceleratorNames.Find(bid.Gpu) ?? throw new InvalidOperationException($"the catalog has no {bid.Gpu}");

    private Deployment Replica(Bid bid, Parallelism spread) => new()
    {
        Model = _model,
        Gpu = Gpu(bid),
        Engine = bid.Engine,
        Weights = bid.Weights,
        Precision = PrecisionPlan.For(_model, bid.Weights),
        Parallelism = spread,
        Speculation = bid.Speculates
            ? new SpeculativeDecoding(PointInterpreter.DefaultDraft, PointInterpreter.DefaultAcceptance)
            : null,
    };
}
