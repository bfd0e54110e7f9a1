using TokenFactory.Engine;
using TokenFactory.Fleet;
using TokenFactory.Units;
using TokenFactory.Workload;

namespace TokenFactory.Simulation;

/// <summary>A replica's machines: ordered, paid, powered, and in time running an engine.</summary>
internal sealed class Host(int index, int pool, PoolPlan plan, Instant ordered, ulong seed)
{
    private ReplicaMeter _meter;
    private TimeHistogram _gaps = new();
    private Instant _looked;

    public int Index { get; } = index;

    public int Pool { get; } = pool;

    public PoolPlan Plan { get; } = plan;

    public Instant Ordered { get; } = ordered;

    /// <summary>Its engine; null before it is ready and after it is gone.</summary>
    public Replica? Engine { get; private set; }

    public ReplicaPhase Phase { get; set; }

    /// <summary>Times as long that its steps take.</summary>
    public double Slowness => Slow.Aggregate(1.0, (product, slow) => product * slow.Factor);

    public Instant? Ready { get; private set; }

    public Instant? Gone { get; private set; }

    /// <summary>Slow spells that it is in.</summary>
    public List<Slowdown> Slow { get; } = [];

    /// <summary>Shares of the KV blocks that requests held, each times how long it was seen to be so.</summary>
    public double KvHeldSeconds { get; private set; }

    /// <summary>Whether another was ordered in its place.</summary>
    public bool Replaced { get; set; }

    /// <summary>Requests sent here and not ended.</summary>
    public HashSet<Journey> Journeys { get; } = [];

    public string Name { get; } = $"{plan.Facts.Name}-{index}";

    public Tally Tally { get; } = new($"{plan.Facts.Name}-{index}");

    /// <summary>Its fate.</summary>
    public Draws Fate { get; } = new(seed, "fate", index);

    /// <summary>Whether it has nothing more to do: nobody is on the way, in its engine, or fetches a prompt that it computed.</summary>
    public bool Done => Journeys.Count == 0 && Engine is null or { Count: 0 };

    /// <summary>It takes requests from now on.</summary>
    public void Open(Replica engine, Instant now) => (Engine, Phase, Ready, _looked) = (engine, ReplicaPhase.Ready, now, now);

    /// <summary>Somebody sees how full it is: so it is taken to have been since the last look.</summary>
    public void Look(ReplicaLoad load, Instant now)
    {
        KvHeldSeconds += load.KvHeld * (now - _looked).Seconds;
        _looked = now;
    }

    /// <summary>It is gone; what its engine counted is kept, the engine is not.</summary>
    public void Close(Instant now)
    {
        (_meter, _gaps) = (Meter(now), Gaps(now));
        (Engine, Phase, Gone) = (null, ReplicaPhase.Gone, now);
    }

    /// <summary>What it has done by an instant.</summary>
    public ReplicaMeter Meter(Instant now) => Engine?.Meter(now) ?? _meter;

    /// <summary>Gaps between tokens by an instant.</summary>
    public TimeHistogram Gaps(Instant now) => Engine?.Gaps(now) ?? _gaps;

    public double PaidSeconds(Instant now) => (Instant.Earlier(now, Gone ?? Instant.Never) - Ordered).Seconds;

    public double ReadySeconds(Instant now) => Ready is { } ready ? (Instant.Earlier(now, Gone ?? Instant.Never) - ready).Seconds : 0;
}

/// <summary>What a pool or a replica has consumed and done by an instant: sums that only grow.</summary>
internal readonly record struct Sums(
    double PaidSeconds, double StepJoules, double IdleJoules, double PromptTokens, double OutputTokens, double BusySeconds, double SequenceSeconds)
{
    public static Sums Of(Host host, Instant now)
    {
        var (meter, paid) = (host.Meter(now), host.PaidSeconds(now));
        var idle = host.Plan.Facts.Model.IdleWatts * Math.Max(0, paid - meter.BusySeconds);
        return new Sums(
            paid, meter.StepJoules, idle, meter.PromptTokens, meter.OutputTokens, meter.BusySeconds, meter.SequenceSeconds);
    }

    public static Sums operator +(Sums a, Sums b) => new(
        a.PaidSeconds + b.PaidSeconds,
        a.StepJoules + b.StepJoules,
        a.IdleJoules + b.IdleJoules,
        a.PromptTokens + b.PromptTokens,
        a.OutputTokens + b.OutputTokens,
        a.BusySeconds + b.BusySeconds,
        a.SequenceSeconds + b.SequenceSeconds);

    public static Sums operator -(Sums a, Sums b) => new(
        a.PaidSeconds - b.PaidSeconds,
        a.StepJoules - b.StepJoules,
        a.IdleJoules - b.IdleJoules,
        a.PromptTokens - b.PromptTokens,
        a.OutputTokens - b.OutputTokens,
        a.BusySeconds - b.BusySeconds,
        a.SequenceSeconds - b.SequenceSeconds);
}
