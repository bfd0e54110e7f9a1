using TokenFactory.Fleet;
using TokenFactory.Units;

namespace TokenFactory.Policies;

/// <summary>Takes the replica with the fewest tokens before it: prompts of what it was sent, and the answers expected to them.</summary>
/// <param name="eligibility">How much may be sent to a replica.</param>
public sealed class LeastOutstandingRouter(Eligibility? eligibility = null) : IRouter
{
    private const int Few = 4;

    private readonly Eligibility _eligibility = eligibility ?? new();

    /// <inheritdoc/>
    public RoutingDecision Decide(FleetSnapshot fleet, Ask ask, ReplicaRole role, Instant now)
    {
        if (Least(fleet, ask, role, now) is not { } least)
            return Eligibility.Wait(fleet, ask, role);
        var tokens = fleet.OutstandingTokens(fleet.Replicas[least]);
        return new RoutingDecision(least, Eligibility.Fresh(fleet, ask, role, least), new(RoutingCause.LeastOutstanding, tokens));
    }

    /// <summary>The replica with the fewest tokens before it among those that may be sent a request; null where none may.</summary>
    internal int? Least(FleetSnapshot fleet, Ask ask, ReplicaRole role, Instant now)
    {
        int? least = null;
        var fewest = double.PositiveInfinity;
        foreach (var pool in fleet.PoolsOf(role))
        {
            if (LeastOf(fleet, pool, ask, role, now) is not { } candidate)
                continue;
            var tokens = fleet.OutstandingTokens(fleet.Replicas[candidate]);
            if (tokens < fewest)
                (least, fewest) = (candidate, tokens);
        }

        return least;
    }

    private int? LeastOf(FleetSnapshot fleet, int pool, Ask ask, ReplicaRole role, Instant now)
    {
        Span<int> few = stackalloc int[Few];
        var found = fleet.LeastLoaded(pool, few);
        for (var i = 0; i < found; i++)
        {
            if (May(fleet, few[i], ask, role, now))
                return few[i];
        }

        return found < Few ? null : Scan(fleet, pool, ask, role, now);
    }

    private bool May(FleetSnapshot fleet, int replica, Ask ask, ReplicaRole role, Instant now) => _eligibility.Refuses(
        fleet, fleet.Replicas[replica], ask, Eligibility.Fresh(fleet, ask, role, replica), now) is null;

    private int? Scan(FleetSnapshot fleet, int pool, Ask ask, ReplicaRole role, Instant now)
    {
        int? least = null;
        var fewest = double.PositiveInfinity;
        foreach (var replica in fleet.Pools[pool].Ready)
        {
            var tokens = fleet.OutstandingTokens(fleet.Replicas[replica]);
            if (tokens < fewest && May(fleet, replica, ask, role, now))
                (least, fewest) = (replica, tokens);
        }

        return least;
    }
}
