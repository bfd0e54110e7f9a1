using TokenFactory.Performance.Calibration;

namespace TokenFactory.Performance.SteadyState;

/// <summary>Times that requests must keep, each by a share of them. What is null is not asked for.</summary>
public sealed record LatencyTargets
{
    /// <summary>Nothing is asked for: as many tokens as the replica makes.</summary>
    public static LatencyTargets None { get; } = new();

    /// <summary>Time to the first token in seconds.</summary>
    public double? Ttft { get; init; }

    /// <summary>Share of requests that keep it: one of <see cref="Percentiles.Known"/>.</summary>
    public double TtftShare { get; init; } = 0.95;

    /// <summary>Mean time per output token after the first in seconds.</summary>
    public double? Tpot { get; init; }

    /// <summary>Share of requests that keep it.</summary>
    public double TpotShare { get; init; } = 0.95;

    /// <summary>Time from sending to the last token in seconds.</summary>
    public double? EndToEnd { get; init; }

    /// <summary>Share of requests that keep it.</summary>
    public double EndToEndShare { get; init; } = 0.95;

    /// <summary>Whether anything is asked for.</summary>
    public bool Any => (Ttft ?? Tpot ?? EndToEnd) is not null;
}

/// <summary>What keeps a replica from serving more requests.</summary>
public enum RateBound
{
    /// <summary>It makes no more tokens: the GPUs' speed.</summary>
    Speed,

    /// <summary>Its memory holds no more sequences.</summary>
    Memory,

    /// <summary>More would break the promise on first tokens.</summary>
    Ttft,

    /// <summary>More would break the promise on the time per output token.</summary>
    Tpot,

    /// <summary>More would break the promise on whole answers.</summary>
    EndToEnd,

    /// <summary>The model or one request does not fit.</summary>
    Misfit,
}

/// <summary>The most that a replica serves within its promises.</summary>
/// <param name="RequestsPerSecond">Requests per second; 0 where the promises cannot be kept even for a lone request.</param>
/// <param name="Bound">What keeps it from more.</param>
/// <param name="At">What it does at that rate; where the rate is 0, what it does for a lone request.</param>
public sealed record RateLimit(double RequestsPerSecond, RateBound Bound, Prediction At)
{
    /// <summary>Share of the highest rate that a plan counts on: nearer to it queues know no bound.</summary>
    public const double Fullest = 0.95;

    private const int Steps = 12;
    private const double Least = 0.02;

    /// <summary>Whether the promises can be kept at all.</summary>
    public bool Possible => RequestsPerSecond > 0;

    /// <summary>The most requests per second that replicas serve which do prompts and answers, arriving of their own accord.</summary>
    /// <param name="prepared">One replica under an open loop; its rate is not looked at.</param>
    /// <param name="calibration">What measurements taught.</param>
    /// <param name="targets">What must be kept.</param>
    public static RateLimit Of(Prepared prepared, CalibrationSet calibration, LatencyTargets targets)
    {
        if (Predictor.Misfit(prepared) is { } misfit)
            return new RateLimit(0, RateBound.Misfit, misfit);
        var eye = new Lens(prepared, calibration, prepared.Decode.Deployment.Clock);
        var room = eye.Capacity();
        var most = Predictor.Saturating(eye, room).RequestsPerSecond;
        return Search(
            room,
            inFlight => Predictor.Open(eye, inFlight),
            answer => answer.RequestsPerSecond > most * Fullest ? Full(answer) : Broken(answer, prepared, targets));
    }

    /// <summary>More requests per second than a replica ever serves, whatever is promised: cheap, for pruning.</summary>
    /// <param name="prepared">One replica under an open loop.</param>
    /// <param name="calibration">What measurements taught.</param>
    public static double Ceiling(Prepared prepared, CalibrationSet calibration)
    {
        if (Predictor.Misfit(prepared) is not null)
            return 0;
        var eye = new Lens(prepared, calibration, prepared.Decode.Deployment.Clock);
        return Predictor.Saturating(eye, eye.Capacity()).RequestsPerSecond * Fullest;
    }

    /// <summary>The most answers per second that a replica generates whose prompts are computed elsewhere.</summary>
    /// <param name="prepared">One replica as prefill and decode pool of itself.</param>
    /// <param name="calibration">What measurements taught.</param>
    /// <param name="targets">What must be kept; only the time per output token is looked at.</param>
    public static RateLimit OfAnswers(Prepared prepared, CalibrationSet calibration, LatencyTargets targets)
    {
        if (Predictor.Misfit(prepared) is { } misfit)
            return new RateLimit(0, RateBound.Misfit, misfit);
        var eye = new Lens(prepared, calibration, prepared.Decode.Deployment.Clock);
        var room = eye.Capacity() * Fullest;
        return Search(
            room,
            inFlight => PoolPrediction.Answers(eye, inFlight),
            answer => Broken(answer, prepared, targets with { Ttft = null, EndToEnd = null }));
    }

    /// <summary>The most prompts per second that a replica computes and hands on.</summary>
    /// <param name="prepared">One replica as prefill and decode pool of itself.</param>
    /// <param name="calibration">What measurements taught.</param>
    /// <param name="targets">What must be kept; only the time to the first token is looked at.</param>
    public static RateLimit OfPrompts(Prepared prepared, CalibrationSet calibration, LatencyTargets targets)
    {
        if (Predictor.Misfit(prepared) is { } misfit)
            return new RateLimit(0, RateBound.Misfit, misfit);
        var eye = new Lens(prepared, calibration, prepared.Prefill.Deployment.Clock);
        return Search(
            Fullest,
            busy => PoolPrediction.Prompts(eye, busy),
            answer => Broken(answer, prepared, targets with { Tpot = null, EndToEnd = null }));
    }

    /// <summary>The highest load between next to nothing and the most that breaks nothing; times grow with the load.</summary>
    private static RateLimit Search(double most, Func<double, Prediction> at, Func<Prediction, RateBound?> broken)
    {
        var (low, high) = (Math.Min(Least, most / 2), most);
        var alone = at(low);
        if (broken(alone) is { } never)
            return new RateLimit(0, never, alone);
        var top = at(high);
        if (broken(top) is not { } bound)
            return new RateLimit(top.RequestsPerSecond, RateBound.Memory, top);
        var best = alone;
        for (var i = 0; i < Steps; i++)
        {
            var middle = Math.Sqrt(low * high);
            var answer = at(middle);
            if (broken(answer) is { } why)
                (high, bound) = (middle, why);
            else
                (low, best) = (middle, answer);
        }

        return new RateLimit(best.RequestsPerSecond, bound, best);
    }

    private static RateBound Full(Prediction answer) =>
        answer.Running >= answer.Capacity * Fullest ? RateBound.Memory : RateBound.Speed;

    private static RateBound? Broken(Prediction answer, Prepared prepared, LatencyTargets targets)
    {
        var each = Percentiles.OfTokenTime(answer, prepared);
        if (targets.Tpot is { } tpot && each.At(targets.TpotShare) > tpot)
            return RateBound.Tpot;
        if ((targets.Ttft ?? targets.EndToEnd) is null)
            return null;
        var first = Percentiles.OfFirstToken(answer, Arrival.OpenLoop);
        if (targets.Ttft is { } ttft && first.At(targets.TtftShare) > ttft)
            return RateBound.Ttft;
        var whole = Percentiles.OfAnswer(answer, first, each, prepared.Scenario.Load.OutputTokens);
        return targets.EndToEnd is { } end && whole.At(targets.EndToEndShare) > end ? RateBound.EndToEnd : null;
    }
}
