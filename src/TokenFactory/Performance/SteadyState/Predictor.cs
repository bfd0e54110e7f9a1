using TokenFactory.Performance.Calibration;
using TokenFactory.Performance.Kernels;

namespace TokenFactory.Performance.SteadyState;

/// <summary>A scenario laid out as kernels, ready to be predicted under any calibration.</summary>
/// <param name="Scenario">What it is.</param>
/// <param name="Decode">The replicas, or the decode pool.</param>
/// <param name="Prefill">What computes prompts: the prefill pool, or the same replicas.</param>
public sealed record Prepared(Scenario Scenario, StepPlan Decode, StepPlan Prefill)
{
    /// <summary>Traits of the deployment.</summary>
    public Traits Traits { get; } = Traits.Of(Scenario.Decode.Deployment, Scenario.Prefill is not null);

    /// <summary>How the engine combines prompts and generation.</summary>
    public PrefillPolicy Policy { get; } = PolicyOf(Scenario.Decode.Deployment.Engine);

    /// <summary>Requests at once on one replica of a closed loop or a batch.</summary>
    public double InFlight => (Scenario.Load.Concurrency ?? 1) / Scenario.Decode.Replicas;

    /// <summary>Lays a scenario out.</summary>
    /// <param name="scenario">What it is.</param>
    /// <param name="kernels">Constants of its accelerator's kernels.</param>
    public static Prepared Of(Scenario scenario, KernelSet kernels)
    {
        var decode = new StepPlan(scenario.Decode.Deployment, kernels);
        var prefill = scenario.Prefill is { } pool ? new StepPlan(pool.Deployment, kernels) : decode;
        return new Prepared(scenario, decode, prefill);
    }

    /// <summary>How an engine combines prompts and generation by default.</summary>
    public static PrefillPolicy PolicyOf(string engine) => engine == "sglang" ? PrefillPolicy.Separate : PrefillPolicy.Mixed;
}

/// <summary>Predicts what a deployment does under a load, in closed form.</summary>
/// <param name="calibration">What measurements taught.</param>
public sealed class Predictor(CalibrationSet calibration)
{
    private const int Iterations = 40;
    private const int CapIterations = 12;

    /// <summary>
    /// Share of the highest rate up to which the batch is looked for. Above it the batch grows faster than the model can tell: a rate
    /// nearer to the limit is answered with the times at this share of it.
    /// </summary>
    private const double Knee = 0.95;

    /// <summary>The prediction.</summary>
    public Prediction Predict(Prepared p)
    {
        var memory = Misfit(p);
        if (memory is not null)
            return memory;
        var d = p.Decode.Deployment;
        var answer = At(p, d.Clock);
        if (d.PowerCap is not { } cap || d.Gpu.Tdp is null || !(answer.StepWatts >= cap.Value))
            return answer;

        // The highest clock at which no step draws more than the cap, or the fewest pauses where the lowest clock does.
        var (low, high) = (Throttle.LongestPauses, d.Clock);
        for (var i = 0; i < CapIterations; i++)
        {
            var middle = (low + high) / 2;
            if (At(p, middle).StepWatts >= cap.Value)
                high = middle;
            else
                low = middle;
        }

        return At(p, low) with { Clock = low };
    }

    private Prediction At(Prepared p, double clock)
    {
        var eye = new Lens(p, calibration, clock);
        return p.Scenario switch
        {
            { Prefill: not null } => PoolPrediction.Of(eye),
            { Load.Arrival: Arrival.Offline } => Offline(eye),
            { Load.Arrival: Arrival.StaticBatch or Arrival.PrefillOnly } => Batch(eye),
            { Load.Arrival: Arrival.OpenLoop } => OpenLoop(eye),
            _ => ClosedLoop(eye, p.InFlight),
        };
    }

    /// <summary>The answer where the model or one request does not fit; null where it does.</summary>
    internal static Prediction? Misfit(Prepared p)
    {
        var longest = p.Scenario.Load.InputTokens + p.Scenario.Load.OutputTokens;
        foreach (var deployment in new[] { p.Decode.Deployment, p.Prefill.Deployment })
        {
            var capacity = new KvCapacity(deployment);
            if (!capacity.Fits(longest))
                return new Prediction { Fits = false, MissingGibibytes = capacity.MissingGibibytes(longest), Gpus = p.Scenario.Gpus };
        }

        return null;
    }

    /// <summary>What a replica does that always has as many requests as its memory holds.</summary>
    internal static Prediction Saturating(Lens eye, double room) => ClosedLoop(eye, room);

    /// <summary>What a replica does at the rate of an open loop that keeps so many requests in flight.</summary>
    internal static Prediction Open(Lens eye, double inFlight) =>
        Waiting(eye, ClosedLoop(eye, Math.Max(inFlight, 1e-6)), inFlight);

    private static Prediction ClosedLoop(Lens eye, double inFlight)
    {
        var (mix, terms, tpot) = eye.Token(inFlight);
        var first = eye.FirstToken(mix, tpot, inFlight);
        var ttft = eye.Ttft(first);
        var endToEnd = ttft + ((eye.Load.OutputTokens - 1) * tpot);
        var requests = inFlight * eye.Replicas / endToEnd;
        double room = 0;
        if (inFlight > mix.Running && Held(eye, mix, first, tpot) is var held && requests > held)
        {
            requests = held;
            room = (inFlight * eye.Replicas / held) - endToEnd;
        }

        var answer = eye.Answer(mix, terms, tpot, first, ttft + room, requests * eye.Rate(Arrival.ClosedLoop));
        var waits = answer.FirstTokenTime;
        waits[FirstTokenTerm.Memory] += room;
        return answer with { FirstTokenTime = waits };
    }

    /// <summary>Requests per second of all replicas where others wait for those that run.</summary>
    private static double Held(Lens eye, StepMix mix, FirstTokenTerms first, double tpot)
    {
        var held = eye.Held(mix) * eye.Replicas;
        if (mix.Running < mix.Capacity)
            return held;

        // A place in the memory is taken from the prompt's first step to the last token.
        first[FirstTokenTerm.Memory] = 0;
        return Math.Min(held, mix.Running * eye.Replicas / (eye.Ttft(first) + ((eye.Load.OutputTokens - 1) * tpot)));
    }

    /// <summary>The answer with the wait that arrivals of their own accord add to first tokens.</summary>
    private static Prediction Waiting(Lens eye, Prediction answer, double inFlight)
    {
        var (mix, _, tpot) = eye.Token(Math.Max(inFlight, 1e-6));
        var wait = eye.Wait(eye.FirstToken(mix, tpot, inFlight), answer.RequestsPerSecond);
        var place = Queueing.WaitForPlace(
            answer.EndToEnd, mix.Capacity, Math.Min(inFlight / mix.Capacity, Queueing.Fullest), eye.Load.ArrivalVariability);
        var waits = answer.FirstTokenTime;
        waits[FirstTokenTerm.Queue] += wait;
        waits[FirstTokenTerm.Memory] += place;
        return answer with { Ttft = answer.Ttft + wait + place, EndToEnd = answer.EndToEnd + wait + place, FirstTokenTime = waits };
    }

    private static Prediction Offline(Lens eye)
    {
        var capacity = eye.Capacity();
        var (mix, terms, tpot) = eye.Token(capacity);
        var first = eye.FirstToken(mix, tpot, capacity);
        var requests = eye.Held(mix) * eye.Replicas * eye.Rate(Arrival.Offline);
        return eye.Answer(mix, terms, tpot, first, eye.Ttft(first), requests);
    }

    private static Prediction Batch(Lens eye)
    {
        var batch = eye.Prepared.InFlight;
        var (mix, terms, tpot) = eye.Token(batch, decodeOnly: true);
        var first = eye.BatchFirstToken(batch);
        var ttft = first[FirstTokenTerm.Own];
        var decodes = eye.Load.Arrival == Arrival.StaticBatch ? eye.Load.OutputTokens - 1 : 0;
        var requests = batch * eye.Replicas / (ttft + (decodes * tpot)) * eye.Rate(Arrival.StaticBatch);
        return eye.Answer(mix, terms, decodes > 0 ? tpot : 0, first, ttft, requests);
    }

    private static Prediction OpenLoop(Lens eye)
    {
        var asked = eye.Load.RequestsPerSecond ?? 0;
        var capacity = eye.Capacity();
        var most = Answer(capacity).RequestsPerSecond;
        var wanted = Math.Min(asked, most * Knee);
        var (low, high) = (0.0, Math.Min(capacity, 1e-3));
        while (high < capacity && Answer(high).RequestsPerSecond < wanted)
            (low, high) = (high, Math.Min(capacity, high * 2));
        for (var i = 0; i < Iterations; i++)
        {
            var middle = (low + high) / 2;
            if (Answer(middle).RequestsPerSecond < wanted)
                low = middle;
            else
                high = middle;
        }

        var served = eye.Served(Answer(high), Math.Min(asked, most)) with
        {
            Saturated = asked > most,
            NearLimit = asked > most * Knee,
        };
        return Waiting(eye, served, high);

        Prediction Answer(double inFlight) => ClosedLoop(eye, Math.Max(inFlight, 1e-6));
    }
}
