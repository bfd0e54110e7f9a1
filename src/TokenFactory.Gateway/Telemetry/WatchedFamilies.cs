using System.Diagnostics.Metrics;
using TokenFactory.Gateway.Live;
using TokenFactory.Gateway.Tenants;

namespace TokenFactory.Gateway.Telemetry;

/// <summary>The metrics that are looked up when somebody asks. One look serves all that ask within half a second.</summary>
internal sealed class WatchedFamilies
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(0.5);
    private readonly Meter _meter;
    private readonly TimeProvider _time;
    private readonly BoundedNames _tenants;
    private readonly BoundedNames[] _names;
    private readonly LastMinute _minute = new();
    private readonly Lock _looking = new();
    private volatile Seen? _seen;
    private volatile GatewayWatch _watch = new();

    /// <summary>Declares them.</summary>
    /// <param name="meter">For OpenTelemetry.</param>
    /// <param name="time">To know when a look is old.</param>
    /// <param name="tenants">Tenants that have a label of their own.</param>
    /// <param name="others">Other names that have one.</param>
    public WatchedFamilies(Meter meter, TimeProvider time, BoundedNames tenants, params BoundedNames[] others)
    {
        (_meter, _time, _tenants, _names) = (meter, time, tenants, [tenants, .. others]);
        All = [.. Replicas(), .. Fleet()];
    }

    public GatewayWatch Watch
    {
        get => _watch;
        set => (_watch, _seen) = (value, null);
    }

    public IReadOnlyList<Family> All { get; }

    /// <summary>
    /// Looks at what the last minute's figures are made of; called by a timer, which has nobody to tell of a failure: it would end the
    /// process. What cannot be looked at, as a fleet that just ends, is not told until it can be again.
    /// </summary>
    public void Look(IEnumerable<(string Model, double Output, double All)> tokens)
    {
        lock (_looking)
        {
            try
            {
                _minute.Look(Watch.Replicas(), tokens);
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                _minute.Forget();
            }
        }
    }

    private Family[] Replicas() =>
    [
        Each(MetricTable.ReplicaReady, replica => replica.State == "ready" ? 1 : 0),
        Each(MetricTable.ReplicaInFlight, replica => replica.InFlight),
        Each(MetricTable.ReplicaRunning, replica => replica.Running),
        Each(MetricTable.ReplicaWaiting, replica => replica.Waiting),
        Each(MetricTable.ReplicaKv, replica => replica.KvHeld),
        Each(MetricTable.ReplicaReportAge, replica => replica.ReportAgeS),
        Each(MetricTable.ReplicaPower, replica => replica.Watts),
        BusyAndIdle(MetricTable.ReplicaEnergy, replica => (replica.Joules, replica.IdleJoules)),
        BusyAndIdle(MetricTable.ReplicaPaid, replica => (replica.UsdPaid, replica.UsdIdle)),
        Each(MetricTable.ReplicaBusy, replica => replica.BusyS),
    ];

    private Family[] Fleet() =>
    [
        Family(MetricTable.Queue, () => Now.Queues.Select(each => new Observed(each.Waiting, each.Model, each.Class))),
        Family(MetricTable.Reserved, () => ByTenant(usage => (double)usage.Reserved.Value)),
        Family(MetricTable.Running, () => ByTenant(usage => usage.Running)),
        PerToken(MetricTable.TokensPerWatt, (minute, tokens) => minute.Joules > 0 ? tokens / minute.Joules : null),
        PerToken(MetricTable.UsdPerMillionTokens, (minute, tokens) => tokens > 0 ? minute.Usd / tokens * 1e6 : null),
        Family(MetricTable.Journal, () => Now.Store is { } store ? [new Observed(store.JournalBytesWaiting)] : []),
        Family(MetricTable.StoreAway, () => Now.Store is { } store ? [new Observed(store.AwaySince is null ? 0 : 1)] : []),
        Family(MetricTable.LabelsFull, () => _names.Select(names => new Observed(names.IsFull ? 1 : 0, names.Label))),
    ];

    private ObservedFamily Family(MetricFacts facts, Func<IEnumerable<Observed>> look) => new(facts, _meter, look);

    private ObservedFamily Each(MetricFacts facts, Func<ReplicaStatus, double?> value) => Family(facts, () =>
        from replica in Now.Replicas
        let told = value(replica)
        where told is not null
        select new Observed(told.Value, replica.Name, replica.Pool, replica.Model));

    private ObservedFamily BusyAndIdle(MetricFacts facts, Func<ReplicaStatus, (double All, double Idle)> value) => Family(facts, () =>
        Now.Replicas.SelectMany(replica =>
        {
            var (all, idle) = value(replica);
            return new[]
            {
                new Observed(all - idle, replica.Name, replica.Pool, replica.Model, "busy"),
                new Observed(idle, replica.Name, replica.Pool, replica.Model, "idle"),
            };
        }));

    private IEnumerable<Observed> ByTenant(Func<TenantUsage, double> value) =>
        Now.Tenants.GroupBy(usage => _tenants.Of(usage.Tenant), StringComparer.Ordinal)
            .Select(group => new Observed(group.Sum(value), group.Key));

    private ObservedFamily PerToken(MetricFacts facts, Func<ModelMinute, double, double?> value) => Family(facts, () =>
        from minute in _minute.Now
        from tokens in new[] { (Count: minute.OutputTokens, Which: "output"), (Count: minute.AllTokens, Which: "all") }
        let told = value(minute, tokens.Count)
        where told is not null
        select new Observed(told.Value, minute.Model, tokens.Which));

    private Seen Now
    {
        get
        {
            var (seen, at) = (_seen, _time.GetTimestamp());
            if (seen is not null && _time.GetElapsedTime(seen.At, at) < Fresh)
                return seen;
            var watch = _watch;
            return _seen = new Seen(at, watch.Replicas(), watch.Queues(), watch.Tenants(), watch.Store());
        }
    }

    private sealed record Seen(
        long At,
        IReadOnlyList<ReplicaStatus> Replicas,
        IReadOnlyList<QueueDepth> Queues,
        IReadOnlyList<TenantUsage> Tenants,
        StoreStatus? Store);
}
