using TokenFactory.Units;

namespace TokenFactory.Simulation;

/// <summary>Everything that a run counts about requests and machines.</summary>
internal sealed class Books
{
    private readonly Tally _all = new("all");
    private readonly Tally[] _classes;
    private readonly Tally[] _tenants;
    private readonly Tally[] _pools;
    private readonly SortedDictionary<string, long> _reasons = new(StringComparer.Ordinal);
    private readonly long[] _classLive;
    private readonly long[] _tenantLive;

    public Books(FleetPlan plan, IReadOnlyList<string> tenants)
    {
        _classes = [.. plan.Classes.Select(one => new Tally(one.Name, one))];
        _tenants = [.. tenants.Select(name => new Tally(name))];
        _pools = [.. plan.Pools.Select(pool => new Tally(pool.Facts.Name))];
        (_classLive, _tenantLive) = (new long[_classes.Length], new long[_tenants.Length]);
        LostOf = new int[_pools.Length];
    }

    public long Arrived { get; private set; }

    public long Ended { get; private set; }

    /// <summary>Requests that are not over, and those that will follow some that are.</summary>
    public long Live => Arrived - Ended + Promised;

    /// <summary>Requests that follow others and have not arrived.</summary>
    public long Promised { get; private set; }

    public int[] LostOf { get; }

    public IReadOnlyList<(string Why, long Count)> Reasons => [.. _reasons.Select(pair => (pair.Key, pair.Value))];

    public void Promise(int change) => Promised += change;

    public void Lost(int pool) => LostOf[pool]++;

    public void Arrive(Journey journey)
    {
        Arrived++;
        _all.Arrive();
        _classes[journey.Ask.Class].Arrive();
        _tenants[journey.Ask.Tenant].Arrive();
        _classLive[journey.Ask.Class]++;
        _tenantLive[journey.Ask.Tenant]++;
    }

    public void End(Journey journey, Ending outcome, string why, bool kept, Instant now)
    {
        Ended++;
        _classLive[journey.Ask.Class]--;
        _tenantLive[journey.Ask.Tenant]--;
        foreach (var tally in (ReadOnlySpan<Tally>)[_all, _classes[journey.Ask.Class], _tenants[journey.Ask.Tenant]])
            tally.End(journey, outcome, kept, now);
        if (why.Length > 0)
            _reasons[why] = _reasons.GetValueOrDefault(why) + 1;
    }

    public void EndAt(int pool, Journey journey, bool kept, Instant now) => _pools[pool].End(journey, Ending.Completed, kept, now);

    public RequestReport All(long waiting) => _all.Report(waiting, Arrived - Ended - waiting);

    public IReadOnlyList<RequestReport> Classes(Func<int, long> waiting) =>
        [.. _classes.Select((tally, i) => tally.Report(waiting(i), _classLive[i] - waiting(i)))];

    public IReadOnlyList<RequestReport> Tenants(Func<int, long> waiting) =>
        [.. _tenants.Select((tally, i) => tally.Report(waiting(i), _tenantLive[i] - waiting(i)))];

    public IReadOnlyList<RequestReport> Pools() => [.. _pools.Select(tally => tally.Report(0, 0))];
}
