using TokenFactory.Fleet;
using TokenFactory.Units;

namespace TokenFactory.Policies;

/// <summary>
/// Keeps the share of a pool's capacity that is in use near a target: requests on it and waiting for it, over what it may have under the
/// promises.
/// </summary>
public sealed class TargetUtilisationScaler : IScaler
{
    private readonly Steadiness _steadiness = new();

    /// <summary>Share of the capacity that should be in use; 0 to 1.</summary>
    public double Target { get; init; } = 0.7;

    /// <summary>Share of the target by which the use may differ from it before anything changes.</summary>
    public double Tolerance { get; init; } = 0.1;

    /// <summary>Seconds between two decisions on a pool.</summary>
    public double IntervalSeconds { get; init; } = 15;

    /// <summary>Seconds for which fewer replicas must have been enough before any goes.</summary>
    public double WindowSeconds { get; init; } = 300;

    /// <summary>Seconds of the past that say what a usual request is.</summary>
    public double ShapeSeconds { get; init; } = 900;

    /// <inheritdoc/>
    public ScalingDecision Decide(FleetSnapshot fleet, int pool, Instant now)
    {
        if (_steadiness.Standing(pool, IntervalSeconds, now) is { } standing)
            return standing;
        var (state, demand) = (fleet.Pools[pool], fleet.Demand);
        var newest = demand.SpanOf(now);
        var shape = LoadShape.Of(demand.Between(newest - (long)(ShapeSeconds / demand.SpanSeconds), newest));
        var capacity = Capacity.Of(fleet, state, shape).InFlight;
        var load = state.InFlight + MeritOrder.WaitingFor(fleet, state);
        var present = state.Ready.Length + state.Starting;
        var used = load / (Math.Max(1, present) * capacity);
        var wanted = (int)Math.Ceiling((load / (capacity * Target)) - 1e-9);
        if (Math.Abs(used - Target) <= Target * Tolerance && present > 0)
            wanted = present;
        var cause = wanted > present ? ScalingCause.Busy : wanted < present ? ScalingCause.Idle : ScalingCause.Fits;
        return _steadiness.Decide(state, wanted, new(cause, used, Target), WindowSeconds, now);
    }
}
