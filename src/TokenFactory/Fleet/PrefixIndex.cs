namespace TokenFactory.Fleet;

/// <summary>A replica that should hold a leading part of a prompt.</summary>
/// <param name="Replica">Which.</param>
/// <param name="Tokens">Leading tokens of the prompt that it was sent before.</param>
public readonly record struct PrefixMatch(int Replica, int Tokens);

/// <summary>
/// Which replicas were sent which leading parts of prompts lately: at most a number of keys, the least recently sent forgotten first, and
/// per key at most a number of replicas. It knows what was sent, not what an engine kept: a part is taken for evicted once the replica's
/// cache has been written over since.
/// </summary>
/// <remarks>
/// Long prompts have hundreds of keys that lie anywhere in memory: they are all looked up before anything is done with them, so that the
/// processor waits for many at once, and what was found for a request is kept until the index changes, as routers ask for it again. An
/// index that is larger than usual takes its memory at once, which the system gives as it is written: nothing is ever copied while requests
/// wait.
/// </remarks>
internal sealed class PrefixIndex(int mostKeys = PrefixIndex.DefaultKeys, int mostHolders = PrefixIndex.DefaultHolders)
{
    public const int DefaultKeys = FleetState.DefaultPrefixKeys;
    public const int DefaultHolders = 16;
    private const int LeastEntries = 16;
    private const int None = -1;

    private readonly KeyTable _table = new(mostKeys > DefaultKeys ? mostKeys : 0);
    private Entry[] _entries = new Entry[mostKeys > DefaultKeys ? mostKeys : Math.Min(mostKeys, LeastEntries)];
    private int[] _found = [];
    private Ask? _asked;
    private (Ask Ask, Holder Holder)? _sent;
    private int _newest = None;
    private int _oldest = None;
    private ulong _warmed;

    /// <summary>
    /// Notes that a replica was sent a prompt. It is written down by the next event or question, not while the request waits.
    /// </summary>
    public void Sent(Ask ask, ReplicaState replica)
    {
        WriteDown();
        if (!ask.Prefix.IsEmpty)
            _sent = (ask, new Holder(replica.Index, replica.WrittenTokens));
    }

    /// <summary>Writes down what was sent last.</summary>
    public void WriteDown()
    {
        if (_sent is not var (ask, holder))
            return;
        _sent = null;
        var parts = ask.Prefix.Span;
        var found = Find(ask);
        Warm(found);
        for (var i = 0; i < parts.Length; i++)
        {
            var place = Touch(parts[i].Key, found[i]); // may move the entries
            Hold(ref _entries[place], holder);
        }

        _asked = null;
    }

    /// <summary>The replicas that hold most of a prompt, the longest match first, as many as fit.</summary>
    /// <param name="fleet">The replicas.</param>
    /// <param name="ask">The request.</param>
    /// <param name="into">Where they go.</param>
    /// <returns>How many were written.</returns>
    public int Match(FleetState fleet, Ask ask, Span<PrefixMatch> into)
    {
        var parts = ask.Prefix.Span;
        var places = Find(ask);
        var found = 0;
        for (var i = parts.Length - 1; i >= 0 && found < into.Length; i--)
        {
            if (places[i] == None)
                continue;
            ref readonly var entry = ref _entries[places[i]];
            for (var h = 0; h < entry.Count && found < into.Length; h++)
            {
                var holder = entry[h];
                if (Holds(fleet, holder) && !Among(into[..found], holder.Replica))
                    into[found++] = new PrefixMatch(holder.Replica, Math.Min(parts[i].Tokens, ask.PromptTokens));
            }
        }

        return found;
    }

    /// <summary>Leading tokens of a prompt that a replica holds.</summary>
    public int Tokens(FleetState fleet, Ask ask, int replica)
    {
        var parts = ask.Prefix.Span;
        var places = Find(ask);
        for (var i = parts.Length - 1; i >= 0; i--)
        {
            if (places[i] == None)
                continue;
            ref readonly var entry = ref _entries[places[i]];
            for (var h = 0; h < entry.Count; h++)
            {
                var holder = entry[h];
                if (holder.Replica == replica && Holds(fleet, holder))
                    return Math.Min(parts[i].Tokens, ask.PromptTokens);
            }
        }

        return 0;
    }

    /// <summary>Where the keys of a request are.</summary>
    private ReadOnlySpan<int> Find(Ask ask)
    {
        WriteDown();
        var parts = ask.Prefix.Span;
        if (ReferenceEquals(ask, _asked))
            return _found.AsSpan(0, parts.Length);
        if (_found.Length < parts.Length)
            _found = new int[parts.Length];
        var sum = 0UL;
        foreach (var part in parts)
            sum += _table.Peek(part.Key); // no branch hangs on it: the processor reads on
        for (var i = 0; i < parts.Length; i++)
            _found[i] = _table.First(parts[i].Key).Place;
        for (var i = 0; i < parts.Length; i++)
            sum += _found[i] == None ? 0 : _entries[_found[i]].Key;
        for (var i = 0; i < parts.Length; i++)
        {
            if (_found[i] != None && _entries[_found[i]].Key != parts[i].Key)
                _found[i] = Find(parts[i].Key); // another of the same hash stands before it
        }

        (_asked, _warmed) = (ask, sum);
        return _found.AsSpan(0, parts.Length);
    }

    private int Find(ulong key)
    {
        for (var probe = _table.First(key); probe.Place != None; probe = _table.Next(probe))
        {
            if (_entries[probe.Place].Key == key)
                return probe.Place;
        }

        return None;
    }

    /// <summary>Reads, all at once, where the keys stand that will have to go for those that are new.</summary>
    private void Warm(ReadOnlySpan<int> found)
    {
        var (sum, going) = (0UL, _table.Count - mostKeys);
        foreach (var place in found)
            going += place == None ? 1 : 0;
        for (var place = _oldest; going > 0 && place != None; going--)
        {
            sum += _table.Peek(_entries[place].Key);
            place = _entries[place].Newer;
        }

        _warmed = sum;
    }

    private static bool Holds(FleetState fleet, in Holder holder)
    {
        var replica = fleet.Replicas[holder.Replica];
        return replica.Phase != ReplicaPhase.Gone
            && replica.WrittenTokens - holder.WrittenThen <= fleet.PoolStates[replica.Pool].Facts.KvTokens;
    }

    private static bool Among(ReadOnlySpan<PrefixMatch> found, int replica)
    {
        foreach (var match in found)
        {
            if (match.Replica == replica)
                return true;
        }

        return false;
    }

    /// <summary>The replica sent last stands first.</summary>
    private void Hold(ref Entry entry, Holder holder)
    {
        var at = 0;
        while (at < entry.Count && entry[at].Replica != holder.Replica)
            at++;
        if (at == entry.Count)
        {
            if (entry.Count < mostHolders)
                entry.Count++;
            else
                at--;
        }

        if (at > 0)
            entry.Push(at);
        entry.First = holder;
    }

    /// <summary>Makes a key the newest.</summary>
    /// <param name="key">The key.</param>
    /// <param name="place">Where it was found; it may have had to go since.</param>
    private int Touch(ulong key, int place)
    {
        if (place == None || _entries[place].Key != key)
            place = Find(key); // it may also stand twice in a prompt
        if (place == _newest && place != None)
            return place;
        if (place != None)
        {
            Unlink(place);
        }
        else
        {
            place = Place();
            _table.Add(key, place);
            (_entries[place].Key, _entries[place].Count) = (key, 0);
        }

        Link(place);
        return place;
    }

    private int Place()
    {
        if (_table.Count < mostKeys)
        {
            if (_table.Count == _entries.Length)
                Array.Resize(ref _entries, Math.Min(_entries.Length * 2, mostKeys));
            return _table.Count;
        }

        var oldest = _oldest;
        Unlink(oldest);
        _table.Remove(_entries[oldest].Key, oldest);
        return oldest;
    }

    private void Link(int place)
    {
        (_entries[place].Newer, _entries[place].Older) = (None, _newest);
        if (_newest != None)
            _entries[_newest].Newer = place;
        else
            _oldest = place;
        _newest = place;
    }

    private void Unlink(int place)
    {
        var (newer, older) = (_entries[place].Newer, _entries[place].Older);
        if (newer != None)
            _entries[newer].Older = older;
        else
            _newest = older;
        if (older != None)
            _entries[older].Newer = newer;
        else
            _oldest = newer;
    }

    /// <summary>A replica that was sent a part, and how much had been written to its cache by then.</summary>
    private readonly record struct Holder(int Replica, long WrittenThen);

    /// <summary>A key, and who holds it: the first stands in the entry, for most keys have no other.</summary>
    private struct Entry
    {
        public ulong Key;
        public Holder First;
        public Holder[]? Others;
        public int Count;
        public int Newer;
        public int Older;

        public readonly Holder this[int index] => index == 0 ? First : Others![index - 1];

        /// <summary>Moves the first so many holders on by one; the one after them is written over.</summary>
        public void Push(int count)
        {
            Others ??= new Holder[1];
            if (Others.Length < count)
                Array.Resize(ref Others, Math.Max(count, Others.Length * 2));
            Array.Copy(Others, 0, Others, 1, count - 1);
            Others[0] = First;
        }
    }
}
