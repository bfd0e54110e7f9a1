using TokenFactory.Policies;

namespace TokenFactory.Gateway.Live;

/// <summary>A leg, or why there is none. Exactly one of them.</summary>
/// <param name="Leg">The request has a replica.</param>
/// <param name="Shed">It met a limit of its class.</param>
/// <param name="Refused">Nothing here can ever serve it, in words: its prompt is too long, or the fleet is closing.</param>
public readonly record struct Placement(Leg? Leg, ShedReason? Shed, string? Refused)
{
    /// <summary>It is refused because the fleet takes no more: another, of a changed setup, may.</summary>
    public bool Closed { get; init; }
}

/// <summary>A request's share of its replica's time, dollars and joules, by the model.</summary>
/// <param name="UsageUsd">Dollars of its share of the time in which the replica had requests.</param>
/// <param name="AllocationUsd">The same with a share of what the pool's idle time cost.</param>
/// <param name="Joules">Joules at the boards of the replica's GPUs.</param>
/// <param name="BusySeconds">Its share of the replica's time.</param>
public readonly record struct LegCost(double UsageUsd, double AllocationUsd, double Joules, double BusySeconds);

/// <summary>What a replica took since the gateway began.</summary>
/// <param name="Replica">The replica.</param>
/// <param name="Watts">What its boards draw now, by the model.</param>
/// <param name="Joules">Joules at the boards.</param>
/// <param name="IdleJoules">Of them, joules of the time in which no request was there.</param>
/// <param name="UsdPaid">Dollars for the time since it was first there.</param>
/// <param name="UsdIdle">Of them, dollars of the time in which no request was there.</param>
/// <param name="BusySeconds">Seconds in which at least one request was there.</param>
public readonly record struct ReplicaTotals(
    LiveReplica Replica, double Watts, double Joules, double IdleJoules, double UsdPaid, double UsdIdle, double BusySeconds);
