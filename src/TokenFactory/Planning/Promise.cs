using TokenFactory.Fleet;
using TokenFactory.Performance.SteadyState;
using TokenFactory.Simulation;

namespace TokenFactory.Planning;

/// <summary>What a class of requests is promised: times, each kept by a share of the requests.</summary>
/// <param name="Class">The service class, as the traffic names it.</param>
public sealed record Promise(string Class)
{
    /// <summary>Times and the shares of requests that keep them.</summary>
    public LatencyTargets Targets { get; init; } = LatencyTargets.None;

    /// <summary>Seconds after its arrival by which a request must be done: batch work. Null for none.</summary>
    public double? DeadlineSeconds { get; init; }

    /// <summary>Dollars that a million output tokens sell for; null where nobody sells them.</summary>
    public double? UsdPerMillionOutput { get; init; }

    /// <summary>Dollars that a million prompt tokens sell for; null where nobody sells them.</summary>
    public double? UsdPerMillionInput { get; init; }

    /// <summary>Whether its requests wait for no user: they may be interrupted, run on spot, and fill slack.</summary>
    public bool Interruptible => !Targets.Any;

    /// <summary>
    /// Share of the time in which the promise may be broken: half of what the strictest percentile leaves, as queues use the other
    /// half.
    /// </summary>
    public double LostTolerated => Interruptible
        ? 1
        : (1 - Math.Max(Share(Targets.Ttft, Targets.TtftShare), Math.Max(
            Share(Targets.Tpot, Targets.TpotShare), Share(Targets.EndToEnd, Targets.EndToEndShare)))) / 2;

    /// <summary>The class as the twin and the gateway know it.</summary>
    public ServiceClass ServiceClass => new(Class)
    {
        Priority = Interruptible ? 1 : 0,
        TtftSeconds = Targets.Ttft,
        TpotSeconds = Targets.Tpot,
        EndToEndSeconds = Targets.EndToEnd,
        DeadlineSeconds = DeadlineSeconds,
        FillsSlack = Interruptible,
    };

    /// <summary>Each promised time beside what a simulated run came to.</summary>
    /// <param name="report">The run's report of the class.</param>
    public IEnumerable<PromiseKept> Against(RequestReport report)
    {
        if (Targets.Ttft is { } ttft)
            yield return new PromiseKept(Class, "ttft", Targets.TtftShare, ttft, At(report.Ttft, Targets.TtftShare));
        if (Targets.Tpot is { } tpot)
            yield return new PromiseKept(Class, "tpot", Targets.TpotShare, tpot, At(report.Tpot, Targets.TpotShare));
        if (Targets.EndToEnd is { } end)
            yield return new PromiseKept(Class, "end_to_end", Targets.EndToEndShare, end, At(report.EndToEnd, Targets.EndToEndShare));
        if (DeadlineSeconds is { } deadline)
            yield return new PromiseKept(Class, "deadline", 1, deadline, report.EndToEnd.Max);
    }

    private static double Share(double? time, double share) => time is null ? 0 : share;

    private static double At(Simulation.Spread times, double share) =>
        share <= 0.5 ? times.P50 : share <= 0.9 ? times.P90 : share <= 0.95 ? times.P95 : times.P99;
}

/// <summary>A promised time beside what came of it.</summary>
/// <param name="Class">The service class.</param>
/// <param name="Time">"ttft", "tpot", "end_to_end" or "deadline".</param>
/// <param name="Share">Share of requests that must keep it.</param>
/// <param name="Promised">Seconds promised.</param>
/// <param name="Seconds">Seconds that this share of requests stayed below.</param>
public readonly record struct PromiseKept(string Class, string Time, double Share, double Promised, double Seconds)
{
    /// <summary>Room that must be left as predictions may be wrong: the time, so many times as long, must keep the promise.</summary>
    public double Margin { get; init; } = 1;

    /// <summary>Whether it was kept, with its margin.</summary>
    public bool Kept => Seconds * Margin <= Promised;
}
