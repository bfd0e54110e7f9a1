namespace TokenFactory.Fleet;

/// <summary>Small whole numbers in the order of their keys, each of which can be moved or taken out in O(log n).</summary>
internal sealed class IndexedHeap
{
    private const int Nowhere = -1;

    private Entry[] _entries = new Entry[8];
    private int[] _places = [];

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>The number with the smallest key; among equal ones the one with the smaller tie, then the smaller number.</summary>
    public int First => _entries[0].Item;

    /// <summary>The smallest key.</summary>
    public long FirstKey => _entries[0].Key;

    /// <summary>Whether a number is in it.</summary>
    public bool Contains(int item) => item < _places.Length && _places[item] != Nowhere;

    /// <summary>The key of a number that is in it.</summary>
    public long KeyOf(int item) => _entries[_places[item]].Key;

    /// <summary>Puts a number in, or moves it to another key.</summary>
    public void Set(int item, long key, long tie = 0)
    {
        var entry = new Entry(key, tie, item);
        if (Contains(item))
        {
            Settle(_places[item], entry);
            return;
        }

        Grow(item);
        Settle(Count++, entry);
    }

    /// <summary>Takes a number out; false where it was not in.</summary>
    public bool Remove(int item)
    {
        if (!Contains(item))
            return false;
        var place = _places[item];
        _places[item] = Nowhere;
        var last = _entries[--Count];
        if (place < Count)
            Settle(place, last);
        return true;
    }

    /// <summary>The numbers with the smallest keys in their order, as many as fit.</summary>
    /// <returns>How many were written.</returns>
    public int Smallest(Span<int> into)
    {
        Span<int> frontier = stackalloc int[into.Length + 2];
        var (open, taken) = (0, 0);
        if (Count > 0)
            frontier[open++] = 0;
        while (open > 0 && taken < into.Length)
        {
            var best = 0;
            for (var i = 1; i < open; i++)
            {
                if (_entries[frontier[i]].CompareTo(_entries[frontier[best]]) < 0)
                    best = i;
            }

            var place = frontier[best];
            into[taken++] = _entries[place].Item;
            frontier[best] = frontier[--open];
            for (var child = (2 * place) + 1; child <= (2 * place) + 2 && child < Count; child++)
                frontier[open++] = child;
        }

        return taken;
    }

    private void Settle(int place, in Entry entry)
    {
        place = Raise(place, entry);
        for (var child = (2 * place) + 1; child < Count; child = (2 * place) + 1)
        {
            if (child + 1 < Count && _entries[child + 1].CompareTo(_entries[child]) < 0)
                child++;
            if (_entries[child].CompareTo(entry) >= 0)
                break;
            Put(place, _entries[child]);
            place = child;
        }

        Put(place, entry);
    }

    private int Raise(int place, in Entry entry)
    {
        while (place > 0)
        {
            var parent = (place - 1) / 2;
            if (_entries[parent].CompareTo(entry) <= 0)
                break;
            Put(place, _entries[parent]);
            place = parent;
        }

        return place;
    }

    private void Put(int place, in Entry entry)
    {
        _entries[place] = entry;
        _places[entry.Item] = place;
    }

    private void Grow(int item)
    {
        if (Count == _entries.Length)
            Array.Resize(ref _entries, Count * 2);
        var known = _places.Length;
        if (item < known)
            return;
        Array.Resize(ref _places, Math.Max(item + 1, known * 2));
        Array.Fill(_places, Nowhere, known, _places.Length - known);
    }

    private readonly record struct Entry(long Key, long Tie, int Item) : IComparable<Entry>
    {
        public int CompareTo(Entry other)
        {
            var byKey = Key.CompareTo(other.Key);
            if (byKey != 0)
                return byKey;
            var byTie = Tie.CompareTo(other.Tie);
            return byTie != 0 ? byTie : Item.CompareTo(other.Item);
        }
    }
}
