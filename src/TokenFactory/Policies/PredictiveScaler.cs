using TokenFactory.Fleet;
using TokenFactory.Units;

namespace TokenFactory.Policies;

/// <summary>
/// Has the replicas ready that the demand will need by the time a replica ordered now would be: forecasts requests per second, and divides
/// by what one replica serves under the promises. What waits already is added so that it is worked off soon.
/// </summary>
public sealed class PredictiveScaler : IScaler
{
    private readonly Steadiness _steadiness = new();

    /// <summary>Share of what a replica can serve that it should serve; 0 to 1.</summary>
    public double Target { get; init; } = 0.75;

    /// <summary>Share of a replica's work by which fewer must be enough before any goes.</summary>
    public double Hysteresis { get; init; } = 0.15;

    /// <summary>Seconds between two decisions on a pool.</summary>
    public double IntervalSeconds { get; init; } = 15;

    /// <summary>Seconds for which fewer replicas must have been enough before any goes.</summary>
    public double WindowSeconds { get; init; } = 300;

    /// <summary>Seconds of the past that level and trend are taken from.</summary>
    public double BackSeconds { get; init; } = 900;

    /// <summary>Seconds within which what waits shall be worked off.</summary>
    public double DrainSeconds { get; init; } = 30;

    /// <inheritdoc/>
    public ScalingDecision Decide(FleetSnapshot fleet, int pool, Instant now)
    {
        if (_steadiness.Standing(pool, IntervalSeconds, now) is { } standing)
            return standing;
        var (state, demand) = (fleet.Pools[pool], fleet.Demand);
        var newest = demand.SpanOf(now);
        var shape = LoadShape.Of(demand.Between(newest - (long)(BackSeconds / demand.SpanSeconds), newest));
        var each = Capacity.Of(fleet, state, shape);
        var rate = Forecast.Rate(demand, now, state.Facts.StartSeconds + IntervalSeconds, BackSeconds);
        var waiting = Math.Max(0, MeritOrder.WaitingFor(fleet, state) - Room(state, each));
        var needed = MeritOrder.RateOf(fleet, state, rate, shape, Target) / (each.RequestsPerSecond * Target);
        var burst = waiting / (each.RequestsPerSecond * DrainSeconds);
        var present = state.Ready.Length + state.Starting;
        var wanted = Whole(needed + burst);
        if (wanted < present)
            wanted = Math.Min(present, Whole((needed + burst) * (1 + Hysteresis)));
        var reason = burst > needed
            ? new ScalingReason(ScalingCause.Waiting, waiting, each.RequestsPerSecond)
            : new ScalingReason(ScalingCause.Forecast, rate, each.RequestsPerSecond);
        return _steadiness.Decide(state, wanted, reason, WindowSeconds, now);
    }

    /// <summary>Requests that the ready replicas can take at once.</summary>
    private static double Room(PoolState pool, Capacity each) => Math.Max(0, (pool.Ready.Length * each.InFlight) - pool.InFlight);

    private static int Whole(double replicas) => (int)Math.Min(int.MaxValue, Math.Ceiling(replicas - 0.02));
}
