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
internal sealed class PrefixIndex(int mostKeys = PrefixIndex.DefaultKeys, int mostHolders = PrefixIndex.DefaultHolders)
{
    public const int DefaultKeys = FleetState.DefaultPrefixKeys;
    public const int DefaultHolders = 16;
    private const int None = -1;

    private readonly Dictionary<ulong, int> _places = [];
    private Entry[] _entries = new Entry[16];
    private int _newest = None;
    private int _oldest = None;

    /// <summary>How many keys it holds.</summary>
    public int Count => _places.Count;

    /// <summary>Notes that a replica was sent a prompt.</summary>
    public void Sent(Ask ask, ReplicaState replica)
    {
        foreach (var part in ask.Prefix.Span)
        {
            var place = Touch(part.Key); // may move the entries
            Hold(ref _entries[place], new Holder(replica.Index, replica.WrittenTokens));
        }
    }

    /// <summary>The replicas that hold most of a prompt, the longest match first, as many as fit.</summary>
    /// <param name="fleet">The replicas.</param>
    /// <param name="ask">The request.</param>
    /// <param name="into">Where they go.</param>
    /// <returns>How many were written.</returns>
    public int Match(FleetState fleet, Ask ask, Span<PrefixMatch> into)
    {
        var parts = ask.Prefix.Span;
        var found = 0;
        for (var i = parts.Length - 1; i >= 0 && found < into.Length; i--)
        {
            if (!_places.TryGetValue(parts[i].Key, out var place))
                continue;
            ref readonly var entry = ref _entries[place];
            for (var h = 0; h < entry.Count && found < into.Length; h++)
            {
                if (Holds(fleet, entry.Holders[h]) && !Among(into[..found], entry.Holders[h].Replica))
                    into[found++] = new PrefixMatch(entry.Holders[h].Replica, Math.Min(parts[i].Tokens, ask.PromptTokens));
            }
        }

        return found;
    }

    /// <summary>Leading tokens of a prompt that a replica holds.</summary>
    public int Tokens(FleetState fleet, Ask ask, int replica)
    {
        var parts = ask.Prefix.Span;
        for (var i = parts.Length - 1; i >= 0; i--)
        {
            if (!_places.TryGetValue(parts[i].Key, out var place))
                continue;
            ref readonly var entry = ref _entries[place];
            for (var h = 0; h < entry.Count; h++)
            {
                if (entry.Holders[h].Replica == replica && Holds(fleet, entry.Holders[h]))
                    return Math.Min(parts[i].Tokens, ask.PromptTokens);
            }
        }

        return 0;
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
        while (at < entry.Count && entry.Holders[at].Replica != holder.Replica)
            at++;
        if (at == entry.Count)
        {
            if (entry.Count < mostHolders)
                entry.Count++;
            else
                at--;
            if (entry.Count > entry.Holders.Length)
                Array.Resize(ref entry.Holders, entry.Count * 2);
        }

        Array.Copy(entry.Holders, 0, entry.Holders, 1, at);
        entry.Holders[0] = holder;
    }

    private int Touch(ulong key)
    {
        if (_places.TryGetValue(key, out var place))
        {
            Unlink(place);
        }
        else
        {
            place = Place();
            _places[key] = place;
            _entries[place].Key = key;
            _entries[place].Count = 0;
            _entries[place].Holders ??= new Holder[1];
        }

        Link(place);
        return place;
    }

    private int Place()
    {
        if (_places.Count < mostKeys)
        {
            if (_places.Count == _entries.Length)
                Array.Resize(ref _entries, _entries.Length * 2);
            return _places.Count;
        }

        var oldest = _oldest;
        Unlink(oldest);
        _places.Remove(_entries[oldest].Key);
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

    private struct Entry
    {
        public ulong Key;
        public Holder[] Holders;
        public int Count;
        public int Newer;
        public int Older;
    }
}
