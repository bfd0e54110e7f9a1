using TokenFactory.Fleet;
using TokenFactory.Units;

namespace TokenFactory.Simulation;

/// <summary>What comes before what at the same instant.</summary>
internal enum Rank
{
    /// <summary>Faults, and replicas that come and go.</summary>
    Machines,

    /// <summary>Requests on their way: whatever reaches an engine as a step ends is there for the next.</summary>
    Requests,

    /// <summary>Steps of engines, by the number of the replica.</summary>
    Steps,

    /// <summary>Who looks at the fleet sees what happened until then.</summary>
    Looks,
}

/// <summary>
/// What comes next. Simultaneous events are ordered by rank, then steps by replica and all else in the order in which it was set: an order
/// that does not depend on how many steps are run at once.
/// </summary>
internal sealed class Clockwork
{
    private readonly PriorityQueue<Action<Instant>, (long At, Rank Rank, long Sequence)> _set = new();
    private readonly IndexedHeap _steps = new();
    private long _sequence;
    private int _looks;

    /// <summary>Whether anything will happen beside somebody looking.</summary>
    public bool IsBusy => _steps.Count > 0 || _set.Count > _looks;

    /// <summary>When the next thing happens; never where nothing will.</summary>
    public Instant Next => Instant.Earlier(
        _set.TryPeek(out _, out var key) ? new Instant(key.At) : Instant.Never,
        _steps.Count > 0 ? new Instant(_steps.FirstKey) : Instant.Never);

    /// <summary>Sets something up.</summary>
    public void Set(Instant at, Rank rank, Action<Instant> what)
    {
        if (at == Instant.Never)
            return;
        _set.Enqueue(what, (at.Nanoseconds, rank, _sequence++));
        _looks += rank == Rank.Looks ? 1 : 0;
    }

    /// <summary>Says when a replica is due.</summary>
    public void SetStep(int replica, Instant at)
    {
        if (at < Instant.Never)
            _steps.Set(replica, at.Nanoseconds, replica);
        else if (_steps.Count > 0)
            _steps.Remove(replica);
    }

    /// <summary>Takes what comes next: something that was set, or the replica whose step ends.</summary>
    public (Instant At, Action<Instant>? What, int Replica) Take()
    {
        var step = _steps.Count > 0 ? _steps.FirstKey : long.MaxValue;
        if (_set.TryPeek(out var what, out var key) && (key.At < step || (key.At == step && key.Rank < Rank.Steps)))
        {
            _set.Dequeue();
            _looks -= key.Rank == Rank.Looks ? 1 : 0;
            return (new Instant(key.At), what, -1);
        }

        return (new Instant(step), null, _steps.First);
    }
}
