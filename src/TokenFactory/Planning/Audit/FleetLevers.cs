using TokenFactory.Fleet;
using TokenFactory.Policies;

namespace TokenFactory.Planning.Audit;

/// <summary>Levers of the whole fleet: who gets which request, how many replicas there are, what fills their slack.</summary>
internal static class FleetLevers
{
    private const double LeastPeak = 1.25;
    private const double LeastHours = 1;
    private static readonly string[] Aware = ["marginal-cost", "prefix-affinity"];

    private static readonly (string Name, Func<IScaler> Make)[] Scalers =
        [("predictive", () => new PredictiveScaler()), ("target-utilisation", () => new TargetUtilisationScaler())];

    /// <summary>Routing that knows what caches hold and how loaded replicas are.</summary>
    public static LeverAnswer Routing(AuditedFleet fleet, AuditScene scene)
    {
        var today = fleet.Policies.Routing;
        if (Aware.Contains(today))
            return LeverAnswer.On(today);
        if (fleet.Live().Sum(pool => pool.Scaler is null ? pool.Replicas : pool.Most ?? 2) < 2)
            return LeverAnswer.No("there is one replica to send to");
        return LeverAnswer.Off(
            $"{today} looks at no cache",
            Aware.Select(name => new LeverChange(
                $"routing: {name}", fleet with { Policies = fleet.Policies with { Routing = name, Router = scene.Asked.Routers(name) } })),
            "");
    }

    /// <summary>Replicas come and go with the load.</summary>
    public static LeverAnswer Scaling(AuditedFleet fleet, AuditScene scene)
    {
        if (fleet.Live().Any(pool => pool.Scaler is not null))
            return LeverAnswer.On($"{fleet.Live().Where(pool => pool.Scaler is not null).Names()} scales with the load");
        var check = scene.Check;
        if (check.Seconds < LeastHours * 3600)
            return LeverAnswer.No($"the traffic lasts {check.Seconds / 60:0} min, too short to scale by: give a day of it");
        if (check.PeakToMean < LeastPeak)
            return LeverAnswer.No($"the busiest five minutes have {check.PeakToMean:0.##} times the mean rate: nothing to follow");
        var hired = fleet.Live().Where(pool => pool.Billing is "on-demand" or "spot").ToList();
        if (hired.Count == 0)
            return LeverAnswer.No($"{fleet.Values(pool => pool.Billing)} is paid whether it runs or not");
        return LeverAnswer.Off(
            $"as many replicas at night as at the peak ({check.PeakToMean:0.##} times the mean rate)",
            Scalers.Select(policy => fleet.Change($"scaling: {policy.Name}", pool => hired.Contains(pool)
                    ? pool with { Scaler = policy.Make, Least = 1, Most = (2 * pool.Replicas) + 1 }
                    : null)),
            "");
    }

    /// <summary>Batch work fills the slack of the others.</summary>
    public static LeverAnswer Backfill(AuditedFleet fleet, AuditScene scene)
    {
        var classes = fleet.Policies.Classes;
        var patient = classes.Where(one => one.TtftSeconds is null && one.TpotSeconds is null && one.EndToEndSeconds is null).ToList();
        var hurried = classes.Where(one => !patient.Contains(one)).ToList();
        if (patient.Count == 0)
            return LeverAnswer.No("no class can wait: batch work would be a stream whose class has a deadline and no other promise");
        if (hurried.Count == 0)
            return LeverAnswer.No("no class is in a hurry: there is no slack to fill");
        if (patient.TrueForAll(one => one.FillsSlack))
            return LeverAnswer.On($"{Names(patient)} fills the slack of {Names(hurried)}");
        var names = patient.Where(one => !one.FillsSlack).Select(one => one.Name).ToList();
        var lowest = hurried.Max(one => one.Priority) + 1;
        IReadOnlyList<ServiceClass> then = [.. classes.Select(one => names.Contains(one.Name) ? Patient(one, lowest) : one)];
        return LeverAnswer.Off(
            $"{string.Join(", ", names)} could wait, and competes with {Names(hurried)}",
            [
                new LeverChange(
                    $"fills_slack: true of {string.Join(", ", names)}", fleet with { Policies = fleet.Policies with { Classes = then } }),
            ],
            "");
    }

    private static string Names(IEnumerable<ServiceClass> classes) => string.Join(", ", classes.Select(one => one.Name));

    private static ServiceClass Patient(ServiceClass one, int lowest) =>
        one with { FillsSlack = true, Priority = Math.Max(one.Priority, lowest) };
}
