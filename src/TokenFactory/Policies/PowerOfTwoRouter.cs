using TokenFactory.Fleet;
using TokenFactory.Units;

namespace TokenFactory.Policies;

/// <summary>
/// Takes the one with fewer tokens before it of two replicas that follow from the request's number: nearly as even as looking at all, and
/// gateways that know little of each other do not all run to the same one.
/// </summary>
/// <param name="eligibility">How much may be sent to a replica.</param>
public sealed class PowerOfTwoRouter(Eligibility? eligibility = null) : IRouter
{
    private readonly Eligibility _eligibility = eligibility ?? new();
    private readonly LeastOutstandingRouter _least = new(eligibility);

    /// <inheritdoc/>
    public RoutingDecision Decide(FleetSnapshot fleet, Ask ask, ReplicaRole role, Instant now)
    {
        var count = 0;
        foreach (var pool in fleet.PoolsOf(role))
            count += fleet.Pools[pool].Ready.Length;
        if (count < 2)
            return _least.Decide(fleet, ask, role, now);
        var bits = Scatter((ulong)ask.Id + ((ulong)ask.Attempt << 56));
        var first = (int)((uint)bits % (uint)count);
        var second = (int)((uint)(bits >> 32) % (uint)(count - 1));
        second += second >= first ? 1 : 0;
        return Less(fleet, ask, role, now, At(fleet, role, first), At(fleet, role, second));
    }

    private RoutingDecision Less(FleetSnapshot fleet, Ask ask, ReplicaRole role, Instant now, int first, int second)
    {
        var (one, other) = (fleet.OutstandingTokens(fleet.Replicas[first]), fleet.OutstandingTokens(fleet.Replicas[second]));
        if (other < one)
            (first, second, one, other) = (second, first, other, one);
        var fresh = Eligibility.Fresh(fleet, ask, role, first);
        if (_eligibility.Refuses(fleet, fleet.Replicas[first], ask, fresh, now) is null)
            return new RoutingDecision(first, fresh, new(RoutingCause.LessOfTwo, one, other));
        fresh = Eligibility.Fresh(fleet, ask, role, second);
        if (_eligibility.Refuses(fleet, fleet.Replicas[second], ask, fresh, now) is null)
            return new RoutingDecision(second, fresh, new(RoutingCause.LessOfTwo, other, one));
        return _least.Decide(fleet, ask, role, now);
    }

    private static int At(FleetSnapshot fleet, ReplicaRole role, int place)
    {
        foreach (var pool in fleet.PoolsOf(role))
        {
            var ready = fleet.Pools[pool].Ready;
            if (place < ready.Length)
                return ready[place];
            place -= ready.Length;
        }

        return -1;
    }

    private static ulong Scatter(ulong bits)
    {
        bits += 0x9E3779B97F4A7C15UL;
        bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9UL;
        bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBUL;
        return bits ^ (bits >> 31);
    }
}
