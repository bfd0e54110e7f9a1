using TokenFactory.Engine;
using TokenFactory.Fleet;
using TokenFactory.Units;
using TokenFactory.Workload;

namespace TokenFactory.Simulation;

/// <summary>A replica's machines: ordered, paid, powered, and in time running an engine.</summary>
internal sealed class Host(int index, int pool, PoolPlan plan, Instant ordered, ulong seed)
{
    public int Index { get; } = index;

    public int Pool { get; } = pool;

    public PoolPlan Plan { get; } = plan;

    public Instant Ordered { get; } = ordered;

    public Replica? Engine { get; set; }

    public ReplicaPhase Phase { get; set; }

    public Instant? Ready { get; set; }

    public Instant? Gone { get; set; }

    /// <summary>Shares of the KV blocks that requests held, times how long, and when it was last looked at.</summary>
    public (double Seconds, Instant Until) KvHeld { get; set; }

    /// <summary>Whether another was ordered in its place.</summary>
    public bool Replaced { get; set; }

    /// <summary>Requests sent here and not ended.</summary>
    public HashSet<Journey> Journeys { get; } = [];

    public string Name { get; } = $"{plan.Facts.Name}-{index}";

    public Tally Tally { get; } = new($"{plan.Facts.Name}-{index}");

    /// <summary>Its fate.</summary>
    public Draws Fate { get; } = new(seed, "fate", index);

    /// <summary>What it was when it went, so that its engine need not be kept.</summary>
    public ReplicaMeter Meter(Instant now) => Engine?.Meter(Instant.Earlier(now, Gone ?? Instant.Never)) ?? default;

    public double PaidSeconds(Instant now) => (Instant.Earlier(now, Gone ?? Instant.Never) - Ordered).Seconds;

    public double ReadySeconds(Instant now) => Ready is { } ready ? (Instant.Earlier(now, Gone ?? Instant.Never) - ready).Seconds : 0;

    public double IdleJoules(Instant now) => Plan.Facts.Model.IdleWatts * Math.Max(0, PaidSeconds(now) - Meter(now).BusySeconds);
}

/// <summary>What a pool or a replica has consumed and done by an instant: sums that only grow.</summary>
internal readonly record struct Sums(
    double PaidSeconds, double StepJoules, double IdleJoules, double PromptTokens, double OutputTokens, double BusySeconds, double SequenceSeconds)
{
    public static Sums Of(Host host, Instant now)
    {
        var meter = host.Meter(now);
        return new Sums(
            host.PaidSeconds(now), meter.StepJoules, host.IdleJoules(now), meter.PromptTokens, meter.OutputTokens, meter.BusySeconds, meter.SequenceSeconds);
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
