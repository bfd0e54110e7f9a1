namespace TokenFactory.Gateway.Live;

/// <summary>A replica as it is shown: its state, its load, and its meter since the start.</summary>
/// <param name="Name">"h100-0".</param>
/// <param name="Model">Model it serves, as clients call it.</param>
/// <param name="Pool">Name of its pool.</param>
/// <param name="What">In words: GPUs, model, precision, engine.</param>
/// <param name="Virtual">Whether it is an engine of the twin.</param>
/// <param name="Address">Where it answers.</param>
/// <param name="State">"ready", "starting", "draining", "drained", "broken", "outlier" or "unreachable".</param>
/// <param name="Why">Why, in words; empty while ready.</param>
/// <param name="InFlight">Requests that the gateway sent it and that have not ended.</param>
/// <param name="Running">Requests that it says it runs.</param>
/// <param name="Waiting">Requests that it says wait.</param>
/// <param name="KvHeld">Share of its KV cache that is held, 0 to 1.</param>
/// <param name="ReportAgeS">Seconds since the last good look; null before one.</param>
/// <param name="Watts">Power now.</param>
/// <param name="Joules">Energy.</param>
/// <param name="IdleJoules">Of it, without any request.</param>
/// <param name="UsdPaid">Dollars paid for it.</param>
/// <param name="UsdIdle">Of them, for time without any request.</param>
/// <param name="BusyS">Seconds with at least one request.</param>
public sealed record ReplicaStatus(
    string Name,
    string Model,
    string Pool,
    string What,
    bool Virtual,
    string? Address,
    string State,
    string Why,
    int InFlight,
    int Running,
    int Waiting,
    double KvHeld,
    double? ReportAgeS,
    double Watts,
    double Joules,
    double IdleJoules,
    double UsdPaid,
    double UsdIdle,
    double BusyS)
{
    /// <summary>All replicas of some fleets.</summary>
    /// <param name="fleets">Those that serve.</param>
    /// <param name="former">Those that end what they have: what runs there is counted with the replica that it runs at.</param>
    public static IReadOnlyList<ReplicaStatus> Of(IEnumerable<LiveFleet> fleets, IEnumerable<LiveFleet> former)
    {
        var old = former.SelectMany(fleet => fleet.Replicas.Where(replica => replica.InFlight > 0).Select(replica => (fleet, replica))).ToList();
        var now = fleets.SelectMany(fleet =>
        {
            var totals = fleet.Totals().ToDictionary(each => each.Replica);
            return fleet.Replicas.Select(replica => (Replica: replica, Status: Of(fleet.Model.Name, replica, totals.GetValueOrDefault(replica))));
        }).ToList();
        var names = now.Select(one => one.Status.Name).ToHashSet(StringComparer.Ordinal);
        return
        [
            .. now.Select(one => one.Status.With(old.Where(former => former.replica.IsSameAs(one.Replica)).Sum(former => former.replica.InFlight))),
            .. old.Where(one => names.Add(one.replica.Name) && !now.Exists(other => one.replica.IsSameAs(other.Replica)))
                .Select(one => Of(one.fleet.Model.Name, one.replica, default)),
        ];
    }

    private ReplicaStatus With(int more) => more == 0 ? this : this with
    {
        InFlight = InFlight + more,
        State = State == "drained" ? "draining" : State,
    };

    private static ReplicaStatus Of(string model, LiveReplica replica, ReplicaTotals totals) => new(
        replica.Name, model, replica.Pool.Facts.Name, replica.Pool.What, replica.IsVirtual, replica.Address?.ToString(), replica.State,
        replica.Why, replica.InFlight, replica.Running, replica.Waiting, replica.KvHeld, replica.ReportAgeSeconds,
        totals.Watts, totals.Joules, totals.IdleJoules, totals.UsdPaid, totals.UsdIdle, totals.BusySeconds);

    /// <summary>Drains or resumes the replica of a name; false where no fleet has one.</summary>
    public static bool Drain(IEnumerable<LiveFleet> fleets, string name, bool drain)
    {
        foreach (var fleet in fleets)
        {
            if (fleet.Replicas.FirstOrDefault(replica => replica.Name == name) is not { } found)
                continue;
            if (drain)
                fleet.Drain(found);
            else
                fleet.Resume(found);
            return true;
        }

        return false;
    }
}
