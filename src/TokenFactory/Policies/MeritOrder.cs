using TokenFactory.Fleet;

namespace TokenFactory.Policies;

/// <summary>Who serves what where several pools can: the cheapest per request first, up to its bounds.</summary>
internal static class MeritOrder
{
    /// <summary>Requests that wait and do not only fill slack, as far as they are a pool's: by its share of the replicas.</summary>
    public static double WaitingFor(FleetSnapshot fleet, PoolState pool)
    {
        double waiting = 0;
        foreach (var kind in fleet.Classes)
            waiting += kind.Facts.FillsSlack ? 0 : kind.Waiting;
        var (replicas, pools) = (0, 0);
        foreach (var index in fleet.PoolsOf(Leg(pool)))
        {
            replicas += fleet.Pools[index].Ready.Length + fleet.Pools[index].Starting;
            pools++;
        }

        return replicas > 0 ? waiting * (pool.Ready.Length + pool.Starting) / replicas : waiting / pools;
    }

    /// <summary>Requests per second that fall to a pool.</summary>
    /// <param name="fleet">What is known.</param>
    /// <param name="pool">The pool.</param>
    /// <param name="rate">Requests per second in all.</param>
    /// <param name="shape">The usual request.</param>
    /// <param name="target">Share of its capacity that a replica should serve.</param>
    public static double RateOf(FleetSnapshot fleet, PoolState pool, double rate, LoadShape shape, double target)
    {
        var own = Price(pool, Capacity.Of(fleet, pool, shape));
        foreach (var index in fleet.PoolsOf(Leg(pool)))
        {
            var other = fleet.Pools[index];
            if (other == pool)
                continue;
            var capacity = Capacity.Of(fleet, other, shape);
            var price = Price(other, capacity);
            var before = price < own || (price == own && index < pool.Index);
            rate -= (before ? other.Facts.Most : other.Facts.Least) * capacity.RequestsPerSecond * target;
        }

        return Math.Max(0, rate);
    }

    private static double Price(PoolState pool, Capacity capacity) => pool.Facts.UsdPerHour / capacity.RequestsPerSecond;

    private static ReplicaRole Leg(PoolState pool) =>
        pool.Facts.Role == ReplicaRole.Decode ? ReplicaRole.Decode : ReplicaRole.Aggregated;
}
