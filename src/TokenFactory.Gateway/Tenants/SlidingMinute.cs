using TokenFactory.Units;

namespace TokenFactory.Gateway.Tenants;

/// <summary>
/// What happened in the last minute, in slots of a quarter of a second. It looks back 60 to 60.25 s, so that no span of 60 s, wherever it
/// begins, holds more than the limit: counts by clock minutes, and buckets that refill, let through nearly twice as much at their edges.
/// </summary>
internal sealed class SlidingMinute
{
    private const long SlotNanoseconds = 250_000_000;
    private const int Slots = 241;
    private readonly long[] _slots = new long[Slots];
    private long _now = long.MinValue;

    /// <summary>The sum of the last minute, as of the last call of <see cref="Advance"/>.</summary>
    public long Sum { get; private set; }

    /// <summary>Number of the slot that is filled now.</summary>
    public long Slot => _now;

    /// <summary>Forgets what is older than a minute. Time does not run backwards.</summary>
    public void Advance(Instant now)
    {
        var slot = now.Nanoseconds / SlotNanoseconds;
        if (slot <= _now)
            return;
        var passed = _now == long.MinValue ? Slots : Math.Min(slot - _now, Slots);
        for (var i = 0; i < passed; i++)
        {
            ref var old = ref _slots[(slot - i) % Slots];
            Sum -= old;
            old = 0;
        }

        _now = slot;
    }

    /// <summary>Counts something now.</summary>
    public void Add(long amount)
    {
        _slots[_now % Slots] += amount;
        Sum += amount;
    }

    /// <summary>Takes back what was counted in a slot, as far as it is not forgotten.</summary>
    public void Return(long slot, long amount)
    {
        if (slot <= _now - Slots)
            return;
        ref var counted = ref _slots[slot % Slots];
        amount = Math.Min(amount, counted);
        counted -= amount;
        Sum -= amount;
    }

    /// <summary>Seconds until so much more fits below a limit if nothing else comes; infinite where it never does.</summary>
    public double SecondsUntil(long limit, long amount, Instant now)
    {
        if (amount > limit)
            return double.PositiveInfinity;
        var (sum, slot) = (Sum, _now - Slots + 1);
        for (; sum + amount > limit; slot++)
            sum -= slot < 0 ? 0 : _slots[slot % Slots];
        return Math.Max(0, ((slot - 1 + Slots) * SlotNanoseconds - now.Nanoseconds) * 1e-9);
    }
}
