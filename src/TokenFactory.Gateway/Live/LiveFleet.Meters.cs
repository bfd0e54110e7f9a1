using TokenFactory.Store.Ledger;

namespace TokenFactory.Gateway.Live;

/// <content>What replicas were paid and drew.</content>
public sealed partial class LiveFleet
{
    private readonly List<LiveReplica> _gone = [];

    /// <summary>
    /// Meter of all replicas since the last call, also of those that have gone since: what the ledger keeps. Call it each minute.
    /// </summary>
    public IReadOnlyList<MeterRecord> TakeMeters()
    {
        lock (_gate)
        {
            var now = Step(default);
            var records = new List<MeterRecord>(_present.Length + _gone.Count);
            foreach (var replica in _present)
            {
                replica.Meter?.Advance(now);
                if (replica.TakeMeter(Model.Name, now) is { } record)
                    records.Add(record);
            }

            foreach (var replica in _gone)
            {
                if (replica.TakeMeter(Model.Name, replica.LeftAt) is { } record)
                    records.Add(record);
            }

            _gone.Clear();
            return records;
        }
    }

    /// <summary>What each replica took since it was first there, and draws now.</summary>
    public IReadOnlyList<ReplicaTotals> Totals()
    {
        lock (_gate)
        {
            var now = Step(default);
            var totals = new List<ReplicaTotals>(_present.Length);
            foreach (var replica in _present)
            {
                if (replica.Meter is not { } meter)
                    continue;
                meter.Advance(now);
                var t = meter.Totals;
                totals.Add(new ReplicaTotals(replica, meter.Watts, t.Joules, t.IdleJoules, t.UsdPaid, t.UsdIdle, t.BusySeconds));
            }

            return totals;
        }
    }
}
