using TokenFactory.Engine;
using TokenFactory.Performance;
using TokenFactory.Simulation;

namespace TokenFactory.Planning.Audit;

/// <summary>Makes other fleets of a fleet, at no more than its cost.</summary>
public static class Redeployment
{
    /// <summary>Longest sequence that must fit beside the weights, in tokens, where the context is not shorter.</summary>
    private const int RoomTokens = 8192;

    /// <summary>Most times today's replicas that are tried, however cheap they are.</summary>
    private const int MostTimes = 4;

    /// <summary>
    /// A pool on another deployment, its engine set as before; null where it does not fit its memory, or nobody knows its speed.
    /// </summary>
    internal static PoolOrder? On(this PoolOrder order, Deployment deployment, AuditScene scene)
    {
        var usual = EngineSettings.Of(deployment);
        var room = Math.Min(RoomTokens, order.Engine?.ContextTokens ?? usual.ContextTokens);
        var split = order.Role != Fleet.ReplicaRole.Aggregated;
        if (!new KvCapacity(deployment).Fits(room) || scene.Asked.Models(deployment, split) is not { } model)
            return null;
        return order with
        {
            Model = model,
            Engine = order.Engine is not { } engine ? null : engine with
            {
                TokenBudget = usual.TokenBudget,
                MaxSequences = usual.MaxSequences,
                Blocks = null,
                ContextTokens = Math.Min(engine.ContextTokens, usual.ContextTokens),
            },
        };
    }

    /// <summary>The engine settings of a pool, where nobody gave any the engine's own.</summary>
    public static EngineSettings Settings(this PoolOrder order) => order.Engine ?? EngineSettings.Of(order.Deployment);

    /// <summary>
    /// The fleet with some of its pools otherwise, as many replicas of each as cost no more than it does now; null where none is.
    /// </summary>
    /// <param name="fleet">The fleet.</param>
    /// <param name="what">The change in the words of a scenario.</param>
    /// <param name="change">A pool changed; null where it stays.</param>
    internal static LeverChange? Change(this AuditedFleet fleet, string what, Func<PoolOrder, PoolOrder?> change)
    {
        var pools = new List<PoolOrder>();
        var changed = false;
        foreach (var pool in fleet.Pools)
        {
            var other = pool.Replicas > 0 || pool.Scaler is not null ? change(pool) : null;
            if (other is not null && Affordable(pool, other) is not { } count)
                return null;
            changed |= other is not null;
            pools.Add(other is null ? pool : other with { Replicas = Affordable(pool, other)!.Value });
        }

        return changed ? new LeverChange(what, fleet with { Pools = pools }) : null;
    }

    /// <summary>Replicas of a pool as changed that cost no more per hour than its replicas now; null where not even one does.</summary>
    private static int? Affordable(PoolOrder now, PoolOrder then)
    {
        if (now.Scaler is not null || then.Scaler is not null)
            return now.Replicas;
        var priced = now.UsdPerGpuHour > 0 && then.UsdPerGpuHour > 0;
        var each = then.Deployment.Gpus * (priced ? then.UsdPerGpuHour : 1);
        var all = now.Replicas * now.Deployment.Gpus * (priced ? now.UsdPerGpuHour : 1);
        var count = (int)Math.Min(Math.Floor((all / each) + 1e-9), (double)now.Replicas * MostTimes);
        return count > 0 || now.Replicas == 0 ? count : null;
    }

    /// <summary>The pools that have replicas, or may have.</summary>
    internal static IEnumerable<PoolOrder> Live(this AuditedFleet fleet) =>
        fleet.Pools.Where(pool => pool.Replicas > 0 || pool.Scaler is not null);

    /// <summary>Pools in words: "a, b".</summary>
    internal static string Names(this IEnumerable<PoolOrder> pools) => string.Join(", ", pools.Select(pool => pool.Name));

    /// <summary>Values of pools, each once: "8,192", or "512 and 8,192".</summary>
    internal static string Values(this AuditedFleet fleet, Func<PoolOrder, string> value) =>
        string.Join(" and ", fleet.Live().Select(value).Distinct(StringComparer.Ordinal));
}
