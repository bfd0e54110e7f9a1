using TokenFactory.Engine;
using TokenFactory.Fleet;
using TokenFactory.Units;

namespace TokenFactory.Simulation;

/// <summary>How a request ended.</summary>
internal enum Ending
{
    Completed,
    Rejected,
    Shed,
    Expired,
    Failed,
}

/// <summary>Counts of requests of a class, a tenant, a pool, a replica, or all of them; their number does not grow with requests.</summary>
/// <param name="name">What it counts.</param>
/// <param name="serviceClass">The class where it is one.</param>
internal sealed class Tally(string name, ServiceClass? serviceClass = null)
{
    private const int Stretches = 60;

    private readonly long[] _ended = new long[5];
    private readonly TimeHistogram _ttft = new();
    private readonly TimeHistogram _tpot = new();
    private readonly TimeHistogram _whole = new();
    private readonly TimeHistogram _wait = new();
    private long _arrived;
    private long _prompt;
    private long _cached;
    private long _output;
    private long _kept;
    private long _preemptions;
    private long _retries;
    private double _usd;
    private double _joules;

    public void Arrive() => _arrived++;

    public void End(Journey journey, Ending outcome, bool kept, Instant at)
    {
        _ended[(int)outcome]++;
        _preemptions += journey.Preemptions;
        _retries += Math.Max(0, journey.Attempts - 1);
        (_usd, _joules) = (_usd + journey.UsageUsd, _joules + journey.Joules);
        if (outcome != Ending.Completed)
            return;
        _kept += kept ? 1 : 0;
        _prompt += journey.Request.PromptTokens;
        _cached += Math.Min(journey.CachedTokens, journey.Request.PromptTokens);
        _output += journey.Tokens;
        var arrival = journey.Request.Arrival;
        _ttft.Add(journey.FirstToken!.Value - arrival);
        _whole.Add(at - arrival);
        _wait.Add(journey.FirstSent!.Value - arrival);
        if (journey.Tokens > 1)
            _tpot.Add(new Duration((at - journey.FirstToken.Value).Nanoseconds / (journey.Tokens - 1)));
    }

    public RequestReport Report(long waiting, long running) => new()
    {
        Name = name,
        Class = serviceClass,
        Requests = new RequestCounts(
            _arrived > 0 ? _arrived : _ended.Sum() + waiting + running,
            _ended[(int)Ending.Completed],
            _ended[(int)Ending.Rejected],
            _ended[(int)Ending.Shed],
            _ended[(int)Ending.Expired],
            _ended[(int)Ending.Failed],
            waiting,
            running),
        PromptTokens = _prompt,
        CachedTokens = _cached,
        OutputTokens = _output,
        Kept = _kept,
        Ttft = Of(_ttft),
        Tpot = Of(_tpot),
        EndToEnd = Of(_whole),
        GatewayWait = Of(_wait),
        Preemptions = _preemptions,
        Retries = _retries,
        UsageUsd = _usd,
        StepJoules = _joules,
        TtftHistogram = _ttft.Stretches(Stretches),
        TpotHistogram = _tpot.Stretches(Stretches),
    };

    public static Spread Of(TimeHistogram times) => new(
        times.Count, times.Mean, times.Percentile(0.5), times.Percentile(0.9), times.Percentile(0.95), times.Percentile(0.99), times.Max);
}
