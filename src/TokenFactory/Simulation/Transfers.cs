using TokenFactory.Units;

namespace TokenFactory.Simulation;

/// <summary>
/// KV caches on their way between replicas. Each replica has one link; what passes it at the same time shares it evenly, and a transfer is
/// as fast as the narrower of its two ends.
/// </summary>
internal sealed class Transfers
{
    private readonly List<Transfer> _active = [];
    private readonly Dictionary<int, int> _users = [];
    private Instant _counted;
    private int _losses;

    /// <summary>When the next transfer is done, if nothing changes; never where none is under way.</summary>
    public Instant Next { get; private set; } = Instant.Never;

    public void Start(Transfer transfer, Instant now)
    {
        Count(now);
        _active.Add(transfer);
        Use(transfer, 1);
        Plan();
    }

    /// <summary>Takes the transfers out that are done.</summary>
    public List<Transfer> Done(Instant now)
    {
        Count(now);
        const double slip = 1; // bytes, against rounding to nanoseconds
        return Leave(transfer => transfer.Left <= slip);
    }

    /// <summary>Takes the transfers out that a replica takes part in: it is gone.</summary>
    public List<Transfer> Break(int replica, Instant now)
    {
        Count(now);
        return Leave(transfer => transfer.From == replica || transfer.To == replica);
    }

    /// <summary>Takes one out that nobody waits for any more.</summary>
    public void Drop(Journey journey, Instant now)
    {
        Count(now);
        Leave(transfer => ReferenceEquals(transfer.Journey, journey));
    }

    /// <summary>Counts a loss of the links in, or out: nothing passes while there is one.</summary>
    public void Interrupt(int change, Instant now)
    {
        Count(now);
        _losses += change;
        Plan();
    }

    private List<Transfer> Leave(Predicate<Transfer> leaves)
    {
        var left = _active.FindAll(leaves);
        foreach (var transfer in left)
        {
            _active.Remove(transfer);
            Use(transfer, -1);
        }

        Plan();
        return left;
    }

    private void Use(Transfer transfer, int sign)
    {
        foreach (var end in (ReadOnlySpan<int>)[transfer.From, transfer.To])
            _users[end] = _users.GetValueOrDefault(end) + sign;
    }

    private void Count(Instant now)
    {
        var seconds = (now - _counted).Seconds;
        foreach (var transfer in _active)
            transfer.Left -= transfer.BytesPerSecond * seconds;
        _counted = now;
    }

    private void Plan()
    {
        Next = Instant.Never;
        foreach (var transfer in _active)
        {
            transfer.BytesPerSecond = _losses > 0
                ? 0
                : Math.Min(transfer.FromLink / _users[transfer.From], transfer.ToLink / _users[transfer.To]);
            if (_losses > 0)
                continue;
            var seconds = Math.Max(0, transfer.Left) / transfer.BytesPerSecond;
            Next = Instant.Earlier(Next, _counted + new Duration((long)Math.Ceiling(seconds * 1e9) + 1));
        }
    }
}

/// <summary>One KV cache on its way.</summary>
internal sealed class Transfer
{
    public required Journey Journey { get; init; }

    public required int From { get; init; }

    public required int To { get; init; }

    public required double FromLink { get; init; }

    public required double ToLink { get; init; }

    /// <summary>Bytes that are still to pass.</summary>
    public required double Left { get; set; }

    public double BytesPerSecond { get; set; }
}
