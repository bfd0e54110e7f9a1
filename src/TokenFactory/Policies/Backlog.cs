using TokenFactory.Fleet;
using TokenFactory.Units;

namespace TokenFactory.Policies;

/// <summary>
/// The gateway's waiting room. Who goes first: classes by priority; among classes of equal priority those with deadlines, the earliest
/// first, then the tenant that was served the fewest tokens, and of a tenant the request that came first. Everything is O(log n).
/// </summary>
public sealed class Backlog
{
    private const double LeastRetrySeconds = 1;

    private readonly WaitingLane[] _lanes;
    private readonly WaitingLane[] _order;
    private readonly TenantLedger _ledger = new();
    private readonly Dictionary<long, Waiting> _all = [];
    private readonly List<Waiting?> _slots = [];
    private readonly Stack<int> _free = [];
    private readonly IndexedHeap _due = new();
    private long _sequence;

    /// <summary>An empty one.</summary>
    /// <param name="classes">Classes that requests refer to; at most 64.</param>
    public Backlog(IReadOnlyList<ServiceClass> classes)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(classes.Count, 64);
        _lanes = [.. classes.Select((facts, index) => new WaitingLane(index, facts))];
        _order = [.. _lanes.OrderBy(lane => lane.Facts.Priority).ThenBy(lane => lane.ByDeadline ? 0 : 1).ThenBy(lane => lane.Class)];
    }

    /// <summary>Requests that wait.</summary>
    public int Count => _all.Count;

    /// <summary>The earliest instant at which a request is to be given up; never where none will be.</summary>
    public Instant NextDue => _due.Count > 0 ? new Instant(_due.FirstKey) : Instant.Never;

    /// <summary>Requests of a class that wait.</summary>
    public int CountOf(int serviceClass) => _lanes[serviceClass].Count;

    /// <summary>Whether a request waits.</summary>
    public bool Contains(long id) => _all.ContainsKey(id);

    /// <summary>Lets a request wait, unless as many of its class wait as may.</summary>
    /// <param name="ask">The request.</param>
    /// <param name="fleet">What is known.</param>
    /// <param name="now">The present.</param>
    /// <returns>Null where it waits now; why not, otherwise.</returns>
    public ShedReason? Add(Ask ask, FleetSnapshot fleet, Instant now)
    {
        var lane = _lanes[ask.Class];
        if (lane.Facts.MaxWaiting is { } most && lane.Count >= most)
            return new ShedReason(ShedLimit.MaxWaiting, lane.Facts.Name, ask.Tenant, most, lane.Count, RetryAfter(fleet, ask.Class));
        var waiting = Enter(ask, lane, fleet, now);
        _all.Add(ask.Id, waiting);
        if (!lane.ByDeadline)
            _ledger.Enter(fleet, ask.Tenant);
        lane.Add(waiting, lane.ByDeadline ? Deadline(ask, lane.Facts).Nanoseconds : _ledger.Of(fleet, ask.Tenant));
        if (waiting.Due < Instant.Never)
            _due.Set(waiting.Slot, waiting.Due.Nanoseconds, waiting.Sequence);
        return null;
    }

    /// <summary>Who goes next. It stays until it is taken.</summary>
    /// <param name="fleet">What is known.</param>
    /// <param name="now">The present.</param>
    /// <param name="skip">Classes to pass over, a bit each, because nothing can be sent of them now.</param>
    /// <returns>Null where none waits.</returns>
    public Ask? Next(FleetSnapshot fleet, Instant now, ulong skip = 0)
    {
        WaitingLane? best = null;
        foreach (var lane in _order)
        {
            if (lane.Count == 0 || ((skip >> lane.Class) & 1) != 0)
                continue;
            if (best is not null && (lane.Facts.Priority != best.Facts.Priority || lane.ByDeadline != best.ByDeadline))
                break;
            Refresh(lane, fleet);
            if (best is null || lane.FirstKey < best.FirstKey
                || (lane.FirstKey == best.FirstKey && First(lane).Sequence < First(best).Sequence))
                best = lane;
        }

        return best is null ? null : First(best).Ask;
    }

    /// <summary>Takes out a request that is sent now, and charges its tenant.</summary>
    /// <returns>False where it does not wait.</returns>
    public bool Take(Ask ask, FleetSnapshot fleet) =>
        Leave(ask.Id, fleet, Math.Max(1, ask.PromptTokens + (long)Math.Round(fleet.Classes[ask.Class].Expected(ask))));

    /// <summary>Takes out a request that is not sent: its client left, or it is given up.</summary>
    /// <returns>False where it does not wait.</returns>
    public bool Remove(long id, FleetSnapshot fleet) => Leave(id, fleet, 0);

    /// <summary>The request that is overdue longest, and why it is to be given up. It stays until it is removed.</summary>
    /// <param name="fleet">What is known.</param>
    /// <param name="now">The present.</param>
    /// <returns>Null where none is.</returns>
    public Shed? Overdue(FleetSnapshot fleet, Instant now)
    {
        if (NextDue > now || _due.Count == 0)
            return null;
        var waiting = _slots[_due.First]!;
        var facts = _lanes[waiting.Ask.Class].Facts;
        var (limit, age) = (waiting.DueTo, (now - waiting.Ask.Arrival).Seconds);
        if (limit == ShedLimit.DeadlineOutOfReach && age >= facts.DeadlineSeconds)
            limit = ShedLimit.Deadline;
        var (value, actual) = limit switch
        {
            ShedLimit.MaxWait => (facts.MaxWaitSeconds!.Value, (now - waiting.Added).Seconds),
            ShedLimit.Deadline => (facts.DeadlineSeconds!.Value, age),
            _ => (facts.DeadlineSeconds!.Value, age + waiting.LeastSeconds),
        };
        return new Shed(waiting.Ask, new(limit, facts.Name, waiting.Ask.Tenant, value, actual, RetryAfter(fleet, waiting.Ask.Class)));
    }

    private Waiting Enter(Ask ask, WaitingLane lane, FleetSnapshot fleet, Instant now)
    {
        var (facts, least) = (lane.Facts, lane.ByDeadline ? LeastRun.Seconds(fleet, ask) : 0);
        var tooLong = facts.MaxWaitSeconds is { } wait ? now + Duration.OfSeconds(wait) : Instant.Never;
        var tooLate = lane.ByDeadline ? Deadline(ask, facts) + Duration.OfSeconds(-least) : Instant.Never;
        var slot = _free.Count > 0 ? _free.Pop() : _slots.Count;
        if (slot == _slots.Count)
            _slots.Add(null);
        return _slots[slot] = new Waiting(ask, _sequence++)
        {
            Slot = slot,
            Added = now,
            Due = Instant.Earlier(tooLong, tooLate),
            DueTo = tooLate <= tooLong ? ShedLimit.DeadlineOutOfReach : ShedLimit.MaxWait,
            LeastSeconds = least,
        };
    }

    private bool Leave(long id, FleetSnapshot fleet, long charge)
    {
        if (!_all.Remove(id, out var waiting))
            return false;
        var lane = _lanes[waiting.Ask.Class];
        lane.Remove(waiting);
        _due.Remove(waiting.Slot);
        _slots[waiting.Slot] = null;
        _free.Push(waiting.Slot);
        if (!lane.ByDeadline)
            Charge(fleet, waiting.Ask.Tenant, charge);
        return true;
    }

    private void Charge(FleetSnapshot fleet, int tenant, long charge)
    {
        _ledger.Leave(fleet, tenant, charge);
        foreach (var lane in _lanes)
        {
            if (!lane.ByDeadline && lane.Has(tenant))
                lane.Rank(tenant, _ledger.Of(fleet, tenant));
        }
    }

    /// <summary>Answers that ended since have changed what tenants were served: the first stays first only by what is known now.</summary>
    private void Refresh(WaitingLane lane, FleetSnapshot fleet)
    {
        if (lane.ByDeadline)
            return;
        while (_ledger.Of(fleet, lane.FirstItem) is var tokens && tokens > lane.FirstKey)
            lane.Rank(lane.FirstItem, tokens);
    }

    private Waiting First(WaitingLane lane) => lane.ByDeadline ? _slots[lane.FirstItem]! : lane.Head(lane.FirstItem);

    /// <summary>As long as the line takes at the pace at which it moved lately; nobody who waits now waits longer than may be.</summary>
    private double RetryAfter(FleetSnapshot fleet, int serviceClass)
    {
        var lane = _lanes[serviceClass];
        var line = lane.Count * (fleet.Classes[serviceClass].SecondsPerSent ?? LeastRetrySeconds);
        return Math.Max(LeastRetrySeconds, Math.Min(line, lane.Facts.MaxWaitSeconds ?? double.PositiveInfinity));
    }

    private static Instant Deadline(Ask ask, ServiceClass facts) => ask.Arrival + Duration.OfSeconds(facts.DeadlineSeconds!.Value);
}
