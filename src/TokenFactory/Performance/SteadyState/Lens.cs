using TokenFactory.Performance.Calibration;

namespace TokenFactory.Performance.SteadyState;

/// <summary>A prepared scenario seen through a calibration: times of tokens and first tokens at a number of requests in flight.</summary>
internal sealed class Lens
{
    private const double BytesPerCacheTransfer = 0.8;

    private readonly Prepared _p;
    private readonly CalibrationSet _calibration;
    private readonly StepTime _decode;
    private readonly StepTime _prefill;
    private readonly StepPower _power;
    private readonly double _firstTokenCorrection;

    public Lens(Prepared p, CalibrationSet calibration, double? clock = null)
    {
        (_p, _calibration) = (p, calibration);
        _decode = new StepTime(p.Decode, calibration, p.Traits, clock);
        _prefill = ReferenceEquals(p.Prefill, p.Decode) ? _decode : new StepTime(p.Prefill, calibration, p.Traits, clock);
        _power = new StepPower(p.Decode.Deployment, calibration, p.Traits, clock);
        _firstTokenCorrection = calibration.FirstTokenTimes.Factor(p.Traits);
    }

    public Prepared Prepared => _p;

    public Load Load => _p.Scenario.Load;

    public double Replicas => _p.Scenario.Decode.Replicas;

    public double Rate(Arrival arrival) =>
        _calibration.RateOf(Rates.Key(arrival, Load)) * (arrival == Arrival.Offline ? _calibration.Offline.Factor(_p.Traits) : 1);

    public double Capacity() => StepMix.Room(_p.Decode.Deployment, Load);

    /// <summary>Mix of steps, uncalibrated terms per token, and seconds per token.</summary>
    public (StepMix Mix, StepTerms Terms, double Seconds) Token(double inFlight, bool decodeOnly = false)
    {
        var mix = StepMix.Of(_p.Decode.Deployment, Load, inFlight, _p.Policy, decodeOnly);
        var terms = mix.TokenTerms(_p.Decode, _p.Policy);
        return (mix, terms, _decode.Seconds(terms));
    }

    /// <summary>Uncalibrated terms and seconds per token of a mix of steps.</summary>
    public (StepTerms Terms, double Seconds) Token(StepMix mix)
    {
        var terms = mix.TokenTerms(_p.Decode, _p.Policy);
        return (terms, _decode.Seconds(terms));
    }

    /// <summary>Requests per second of one replica whose places are always taken.</summary>
    public double Held(StepMix mix) =>
        mix.Running / (mix.Steps * mix.TokensPerStep * Token(mix.Whole()).Seconds);

    /// <summary>Seconds that a prompt's own steps take, had its group nothing else to do.</summary>
    public double Alone()
    {
        var fresh = Load.FreshTokens;
        return PrefillStep().Seconds * Math.Max(1, fresh / _p.Prefill.Deployment.TokenBudget);
    }

    /// <summary>A step with one chunk of one prompt, on every group of a prefill pool, and how long it takes.</summary>
    public (StepShape Shape, double Seconds) PrefillStep()
    {
        var fresh = Load.FreshTokens;
        var d = _p.Prefill.Deployment;
        var chunk = Math.Min(fresh, d.TokenBudget);
        var mean = Load.PromptContext;
        var others = _p.Scenario.Prefill is null ? 0 : chunk * (d.AttentionGroups - 1);
        var shape = new StepShape(0, 0, chunk, chunk * mean, 1, others);
        return (shape, _prefill.Seconds(shape));
    }

    /// <summary>Prompts per second of one lane: whole steps of prompts, several short ones in one.</summary>
    public double PromptsPerSecond()
    {
        var fresh = Load.FreshTokens;
        var d = _p.Prefill.Deployment;
        var mean = Load.PromptContext;
        double budget = Math.Max(d.TokenBudget, 1);
        var full = new StepShape(0, 0, budget, budget * mean, Math.Max(1, budget / fresh), budget * (d.AttentionGroups - 1));
        return Math.Max(budget / fresh / _prefill.Seconds(full), 1 / Alone());
    }

    /// <summary>What the first token waits for, in seconds before calibration.</summary>
    public FirstTokenTerms FirstToken(StepMix mix, double tpot, double inFlight)
    {
        var groups = _p.Decode.Deployment.AttentionGroups;
        var alone = Alone();
        var own = _p.Policy == PrefillPolicy.Mixed
            ? _decode.Seconds(mix.Prefill) * mix.ChunksPerPrompt
            : alone;
        var terms = Common();
        terms[FirstTokenTerm.Own] = own;
        terms[FirstTokenTerm.Alone] = alone;
        terms[FirstTokenTerm.Step] = tpot * mix.TokensPerStep * mix.Others;
        terms[FirstTokenTerm.Crowd] = alone * Math.Max(0, (inFlight / groups) - 1) / 2 / Load.RequestsPerClient;
        if (Load.Arrival == Arrival.ClosedLoop)
            terms[FirstTokenTerm.Queue] = Queueing.Wait(alone, Math.Min(mix.Utilisation, Queueing.Fullest), 1);
        terms[FirstTokenTerm.Clients] = inFlight * 1e-3;
        terms[FirstTokenTerm.Memory] = Math.Max(0, inFlight - mix.Capacity) / mix.Capacity * Load.OutputTokens * tpot;
        return terms;
    }

    /// <summary>
    /// Seconds that a prompt of an open loop waits for those before it: the steps' room for prompts is the server, which short prompts
    /// share. Not fitted: closed loops, which most measurements are, do not show it.
    /// </summary>
    public double Wait(FirstTokenTerms first, double requestsPerSecond)
    {
        var fresh = Load.FreshTokens;
        var own = first[FirstTokenTerm.Own];
        var lanes = Replicas * _p.Decode.Deployment.AttentionGroups;
        var busy = requestsPerSecond / lanes * own * Math.Min(1, fresh / _p.Prefill.Deployment.TokenBudget);
        return Queueing.Wait(own, Math.Min(busy, Queueing.Fullest), Load.ArrivalVariability);
    }

    /// <summary>The same for a batch whose prompts are computed together, timed at the engine without a server before it.</summary>
    public FirstTokenTerms BatchFirstToken(double batch)
    {
        var tokens = batch * Load.InputTokens;
        var terms = default(FirstTokenTerms);
        var shape = new StepShape(0, 0, tokens, tokens * Load.InputTokens / 2, batch);
        terms[FirstTokenTerm.Own] = _prefill.Seconds(shape);
        return terms;
    }

    /// <summary>What does not depend on the load in flight.</summary>
    public FirstTokenTerms Common()
    {
        var terms = default(FirstTokenTerms);
        terms[FirstTokenTerm.Fixed] = 10e-3;
        terms[FirstTokenTerm.Tokens] = Load.InputTokens * 10e-6;
        return terms;
    }

    public double Ttft(FirstTokenTerms terms) => terms.Dot(_calibration.FirstTokensOf(_p.Traits)) * _firstTokenCorrection;

    /// <summary>Seconds to move a prompt's KV cache between pools, each GPU over its own link.</summary>
    public double Transfer()
    {
        var d = _p.Decode.Deployment;
        var link = d.Gpu.ScaleOut?.Value.Value ?? d.Gpu.ScaleUp?.Value.Value ?? 25e9;
        return new KvCapacity(_p.Prefill.Deployment).BytesPerSequence(Load.InputTokens) / (link * BytesPerCacheTransfer);
    }

    /// <summary>Watts of one GPU that only computes prompts: during a step, and over time where it idles between.</summary>
    /// <param name="busy">Share of the time, 0 to 1.</param>
    public (double Step, double Mean) PrefillWatts(double busy)
    {
        var (shape, seconds) = PrefillStep();
        var step = _power.Watts(_p.Prefill, shape, seconds);
        return (step, _power.Idle + (busy * (step - _power.Idle)));
    }

    public Prediction Answer(StepMix mix, StepTerms terms, double tpot, FirstTokenTerms first, double ttft, double requests)
    {
        var load = Load;
        var whole = mix.Whole();
        var (all, seconds) = Token(whole);
        var watts = _power.Watts(whole.TokenBusy(_p.Decode, _p.Policy), all, seconds, whole.Occupancy(_p.Policy));
        return new Prediction
        {
            Fits = true,
            Ttft = ttft,
            Tpot = tpot,
            EndToEnd = ttft + ((load.OutputTokens - 1) * tpot),
            RequestsPerSecond = requests,
            OutputTokensPerSecond = requests * load.OutputTokens,
            TotalTokensPerSecond = requests * (load.InputTokens + load.OutputTokens),
            WattsPerGpu = Idling(watts, mix.Running),
            StepWatts = watts,
            Gpus = _p.Scenario.Gpus,
            Running = mix.Running,
            Capacity = mix.Capacity,
            TokenTime = _decode.Parts(terms),
            FirstTokenTime = first.Scaled(_calibration.FirstTokensOf(_p.Traits), _firstTokenCorrection),
            PrefillShare = mix.PrefillShare,
            Correction = _decode.Correction,
        };
    }

    /// <summary>The same prediction at a rate of requests that the load dictates.</summary>
    public Prediction Served(Prediction at, double requests) => at with
    {
        RequestsPerSecond = requests,
        OutputTokensPerSecond = requests * Load.OutputTokens,
        TotalTokensPerSecond = requests * (Load.InputTokens + Load.OutputTokens),
    };

    /// <summary>Watts of a replica that has a request only part of the time.</summary>
    private double Idling(double watts, double running) => running < 1 ? _power.Idle + (running * (watts - _power.Idle)) : watts;
}
