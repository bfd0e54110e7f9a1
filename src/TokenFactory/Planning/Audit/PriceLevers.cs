using TokenFactory.Catalog;
using TokenFactory.Simulation;
using TokenFactory.Units;

namespace TokenFactory.Planning.Audit;

/// <summary>Levers on the bill: commitments, spot, watts.</summary>
internal static class PriceLevers
{
    private static readonly double[] Caps = [0.85, 0.7, 0.55];

    /// <summary>Paid for a year or three, instead of by the hour.</summary>
    /// <param name="billing">One of the two.</param>
    public static Func<AuditedFleet, AuditScene, LeverAnswer> Commitment(Billing billing) => (fleet, scene) =>
    {
        var hourly = Hourly(fleet).Where(pool => pool.Scaler is null).ToList();
        if (hourly.Count == 0)
        {
            return fleet.Live().Any(pool => pool.Billing == "on-demand" && pool.Scaler is not null)
                ? LeverAnswer.No("what scales with the load is not committed to; 'billing' splits a year of hours")
                : LeverAnswer.On($"{fleet.Values(pool => pool.Billing)}");
        }

        return LeverAnswer.Off(
            $"{hourly.Names()} on demand",
            [fleet.Change($"billing: {billing.Text()}", pool => hourly.Contains(pool) ? Billed(pool, billing, scene) : null)],
            "nobody in the catalog offers such a reservation below today's price");
    };

    /// <summary>
    /// Machines that the provider may take back. One replica of each pool is lost without warning in the middle of the stretch, and
    /// spares are paid for, so that as many as are needed are there for the share of the time that must be kept.
    /// </summary>
    public static LeverAnswer Spot(AuditedFleet fleet, AuditScene scene)
    {
        var hourly = Hourly(fleet);
        if (hourly.Count == 0)
            return fleet.Live().Any(pool => pool.Billing == "spot")
                ? LeverAnswer.On($"{fleet.Live().Where(pool => pool.Billing == "spot").Names()} on spot")
                : LeverAnswer.No($"{fleet.Values(pool => pool.Billing)} is paid already");
        var (terms, share) = (scene.Asked.Spot, scene.Asked.KeptShare);
        var change = fleet.Change("billing: spot", pool => hourly.Contains(pool) ? Billed(pool, Billing.Spot, scene) : null);
        return LeverAnswer.Off(
            $"{hourly.Names()} on demand; a spot machine is there {terms.Availability:0%} of the time "
                + $"({terms.UpHours:0.##} h, then {terms.DownHours:0.##} h without)",
            [change is null ? null : change with { Fleet = Interrupted(change.Fleet, terms, share, scene) }],
            "nobody in the catalog offers spot below today's price");
    }

    /// <summary>A lower power limit of each GPU.</summary>
    public static LeverAnswer PowerCap(AuditedFleet fleet, AuditScene scene)
    {
        var free = fleet.Live().Where(pool => pool.Deployment is { PowerCap: null, ClockLock: null, Gpu.Tdp: not null }).ToList();
        if (free.Count == 0)
        {
            return fleet.Live().Any(pool => pool.Deployment is { PowerCap: not null } or { ClockLock: not null })
                ? LeverAnswer.On($"{fleet.Values(pool => pool.Deployment.PowerCap is { } cap ? $"{cap.Value:0} W" : "a locked clock")}")
                : LeverAnswer.No("the catalog lacks the thermal design power");
        }

        return LeverAnswer.Off(
            $"up to {fleet.Values(pool => $"{pool.Deployment.Gpu.Tdp?.Value.Value:0} W")} per GPU",
            Caps.Select(share => fleet.Change(
                $"power_cap_w: {string.Join(" and ", free.Select(pool => $"{Cap(pool, share).Value}").Distinct())}",
                pool => free.Contains(pool) ? pool.On(pool.Deployment with { PowerCap = Cap(pool, share) }, scene) : null)),
            "");
    }

    private static Watts Cap(PoolOrder pool, double share) => new(Math.Round(share * pool.Deployment.Gpu.Tdp!.Value.Value.Value));

    private static List<PoolOrder> Hourly(AuditedFleet fleet) =>
        [.. fleet.Live().Where(pool => pool.Billing == "on-demand" && pool.UsdPerGpuHour > 0)];

    private static PoolOrder? Billed(PoolOrder pool, Billing billing, AuditScene scene) =>
        scene.Asked.Prices(pool, billing) is { } price && price.Value < pool.UsdPerGpuHour
            ? pool with { Billing = billing.Text(), UsdPerGpuHour = price.Value }
            : null;

    private static AuditedFleet Interrupted(AuditedFleet fleet, SpotTerms terms, double share, AuditScene scene)
    {
        var spot = Enumerable.Range(0, fleet.Pools.Count)
            .Where(i => fleet.Pools[i].Billing == "spot" && !fleet.OnSpot.ContainsKey(fleet.Pools[i].Name))
            .ToList();
        var middle = scene.Sample.FromSeconds + (scene.Sample.Seconds / 2);
        return fleet with
        {
            Policies = fleet.Policies with
            {
                Faults = [.. fleet.Policies.Faults, .. spot.Select(i => new Crashes { AtSeconds = [middle], Pool = i })],
            },
            OnSpot = fleet.OnSpot.Concat(spot.Select(i => KeyValuePair.Create(fleet.Pools[i].Name, (terms, share))))
                .ToDictionary(one => one.Key, one => one.Value, StringComparer.Ordinal),
        };
    }
}
