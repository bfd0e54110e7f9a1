using TokenFactory.Fleet;
using TokenFactory.Units;

namespace TokenFactory.Policies;

/// <summary>Takes the replicas in turn, by their numbers.</summary>
/// <param name="eligibility">How much may be sent to a replica.</param>
public sealed class RoundRobinRouter(Eligibility? eligibility = null) : IRouter
{
    private readonly Eligibility _eligibility = eligibility ?? new();

    /// <inheritdoc/>
    public RoutingDecision Decide(FleetSnapshot fleet, Ask ask, ReplicaRole role, Instant now)
    {
        var (last, tried) = (fleet.LastSent(role), fleet.Replicas.Count);
        for (var after = last; Next(fleet, role, after) is { } replica && tried-- > 0; after = replica)
        {
            var fresh = Eligibility.Fresh(fleet, ask, role, replica);
            if (_eligibility.Refuses(fleet, fleet.Replicas[replica], ask, fresh, now) is null)
                return new RoutingDecision(replica, fresh, new(RoutingCause.Turn));
            if (replica == last)
                break;
        }

        return Eligibility.Wait(fleet, ask, role);
    }

    /// <summary>The ready replica with the next higher number, or else the lowest; null where none is ready.</summary>
    private static int? Next(FleetSnapshot fleet, ReplicaRole role, int after)
    {
        int? next = null, first = null;
        foreach (var pool in fleet.PoolsOf(role))
        {
            var ready = fleet.Pools[pool].Ready;
            if (ready.Length == 0)
                continue;
            first = Math.Min(first ?? int.MaxValue, ready[0]);
            if (Above(ready, after) is { } above)
                next = Math.Min(next ?? int.MaxValue, above);
        }

        return next ?? first;
    }

    private static int? Above(ReadOnlySpan<int> sorted, int than)
    {
        var (low, high) = (0, sorted.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (sorted[middle] > than)
                high = middle;
            else
                low = middle + 1;
        }

        return low < sorted.Length ? sorted[low] : null;
    }
}
