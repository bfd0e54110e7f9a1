using System.Numerics;

namespace TokenFactory.Fleet;

/// <summary>
/// Finds the places of keys: open addressing with linear probing, half of each slot a part of the key's hash, so that a key that is not
/// there costs one look into memory. Whoever uses it keeps the keys and compares them.
/// </summary>
/// <param name="room">Keys that it has room for from the beginning.</param>
internal sealed class KeyTable(int room)
{
    private const ulong Golden = 0x9E3779B97F4A7C15UL;
    private const int LeastSlots = 32;

    private ulong[] _slots = new ulong[Math.Max(LeastSlots, (int)BitOperations.RoundUpToPowerOf2(2 * (uint)room))];

    /// <summary>How many keys there are.</summary>
    public int Count { get; private set; }

    /// <summary>A place whose key may be the one that is looked for; -1 where no other may be.</summary>
    /// <param name="Place">The place.</param>
    /// <param name="Slot">Where it stands.</param>
    /// <param name="Hash">What it was found by.</param>
    public readonly record struct Probe(int Place, uint Slot, uint Hash);

    /// <summary>Reads where a key would stand, for no other end than that it is at hand afterwards.</summary>
    public ulong Peek(ulong key) => _slots[HashOf(key) & ((uint)_slots.Length - 1)];

    /// <summary>The first place that may be a key's.</summary>
    public Probe First(ulong key)
    {
        var hash = HashOf(key);
        return From(hash, hash);
    }

    /// <summary>The next.</summary>
    public Probe Next(in Probe probe) => From(probe.Slot + 1, probe.Hash);

    /// <summary>Adds a key that is not there.</summary>
    public void Add(ulong key, int place)
    {
        if (2 * (Count + 1) > _slots.Length)
            Grow();
        Count++;
        Put(HashOf(key), place);
    }

    /// <summary>Takes out a key that is there; those after it that it had pushed on move back.</summary>
    public void Remove(ulong key, int place)
    {
        var mask = (uint)_slots.Length - 1;
        var free = HashOf(key) & mask;
        while ((uint)_slots[free] != (uint)place + 1)
            free = (free + 1) & mask;
        for (var next = (free + 1) & mask; _slots[next] != 0; next = (next + 1) & mask)
        {
            var home = (uint)(_slots[next] >> 32) & mask;
            if (((next - home) & mask) < ((next - free) & mask))
                continue;
            _slots[free] = _slots[next];
            free = next;
        }

        _slots[free] = 0;
        Count--;
    }

    private Probe From(uint slot, uint hash)
    {
        var slots = _slots;
        var mask = (uint)slots.Length - 1;
        for (slot &= mask; ; slot = (slot + 1) & mask)
        {
            var one = slots[slot];
            if (one == 0)
                return new Probe(-1, slot, hash);
            if ((uint)(one >> 32) == hash)
                return new Probe((int)((uint)one - 1), slot, hash);
        }
    }

    private void Put(uint hash, int place)
    {
        var mask = (uint)_slots.Length - 1;
        var slot = hash & mask;
        while (_slots[slot] != 0)
            slot = (slot + 1) & mask;
        _slots[slot] = ((ulong)hash << 32) | ((uint)place + 1);
    }

    private void Grow()
    {
        var before = _slots;
        _slots = new ulong[before.Length * 2];
        foreach (var slot in before)
        {
            if (slot != 0)
                Put((uint)(slot >> 32), (int)((uint)slot - 1));
        }
    }

    private static uint HashOf(ulong key) => (uint)((key * Golden) >> 32);
}
