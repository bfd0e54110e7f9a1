using TokenFactory.Fleet;

namespace TokenFactory.Policies;

/// <summary>A request that waits.</summary>
internal sealed class Waiting(Ask ask, long sequence)
{
    public Ask Ask { get; } = ask;

    /// <summary>Its place in the order in which requests came.</summary>
    public long Sequence { get; } = sequence;

    public Units.Instant Added { get; init; }

    public Units.Instant Due { get; init; }

    public ShedLimit DueTo { get; init; }

    /// <summary>
    /// Seconds from its arrival to its end if it ran alone on the fastest replica from when it came; 0 where no deadline counts.
    /// </summary>
    public double LeastSeconds { get; init; }

    /// <summary>Its number in the heaps.</summary>
    public int Slot { get; set; }

    public Waiting? Before { get; set; }

    public Waiting? After { get; set; }
}

/// <summary>
/// Waiting requests of one class: by deadline where it has one, otherwise a line per tenant, the least served tenant first.
/// </summary>
internal sealed class WaitingLane(int index, ServiceClass facts)
{
    private readonly IndexedHeap _order = new();
    private readonly List<(Waiting? First, Waiting? Last)> _lines = [];

    public int Class { get; } = index;

    public ServiceClass Facts { get; } = facts;

    public bool ByDeadline { get; } = facts.DeadlineSeconds is not null;

    public int Count { get; private set; }

    /// <summary>The key of whoever is first: nanoseconds of the deadline, or tokens of the tenant.</summary>
    public long FirstKey => _order.FirstKey;

    /// <summary>The slot of the first request, or the first tenant.</summary>
    public int FirstItem => _order.First;

    public Waiting Head(int tenant) => _lines[tenant].First!;

    public bool Has(int tenant) => tenant < _lines.Count && _lines[tenant].First is not null;

    public void Add(Waiting waiting, long key)
    {
        Count++;
        if (ByDeadline)
        {
            _order.Set(waiting.Slot, key, waiting.Sequence);
            return;
        }

        var tenant = waiting.Ask.Tenant;
        while (_lines.Count <= tenant)
            _lines.Add(default);
        var (first, last) = _lines[tenant];
        waiting.Before = last;
        if (last is not null)
            last.After = waiting;
        _lines[tenant] = (first ?? waiting, waiting);
        if (first is null)
            _order.Set(tenant, key, waiting.Sequence);
    }

    public void Remove(Waiting waiting)
    {
        Count--;
        if (ByDeadline)
        {
            _order.Remove(waiting.Slot);
            return;
        }

        var tenant = waiting.Ask.Tenant;
        var (first, last) = _lines[tenant];
        if (waiting.Before is { } before)
            before.After = waiting.After;
        if (waiting.After is { } after)
            after.Before = waiting.Before;
        _lines[tenant] = (first == waiting ? waiting.After : first, last == waiting ? waiting.Before : last);
        (waiting.Before, waiting.After) = (null, null);
        if (_lines[tenant].First is null)
            _order.Remove(tenant);
        else if (first == waiting)
            Rank(tenant, _order.KeyOf(tenant));
    }

    /// <summary>Moves a tenant that waits to where its tokens put it; among equals the one whose first request came first.</summary>
    public void Rank(int tenant, long key) => _order.Set(tenant, key, _lines[tenant].First!.Sequence);
}
