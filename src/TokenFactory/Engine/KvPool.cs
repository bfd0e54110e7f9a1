using TokenFactory.Workload;

namespace TokenFactory.Engine;

/// <summary>Blocks of the KV cache that hold one piece of a prompt: shared by all who begin alike, kept when nobody needs them.</summary>
internal sealed class CacheNode
{
    public required ulong Key { get; init; }

    /// <summary>Blocks that the whole piece takes.</summary>
    public required int Blocks { get; init; }

    /// <summary>Leading blocks of it that are in the cache: the last ones are evicted first.</summary>
    public int Resident { get; set; }

    public int References { get; set; }

    public CacheNode? Older { get; set; }

    public CacheNode? Newer { get; set; }
}

/// <summary>Pieces in the order in which they were last used.</summary>
internal sealed class UseOrder
{
    public CacheNode? Oldest { get; private set; }

    private CacheNode? _newest;

    public void Append(CacheNode node)
    {
        (node.Older, node.Newer) = (_newest, null);
        if (_newest is null)
            Oldest = node;
        else
            _newest.Newer = node;
        _newest = node;
    }

    public void Remove(CacheNode node)
    {
        if (node.Older is null)
            Oldest = node.Newer;
        else
            node.Older.Newer = node.Newer;
        if (node.Newer is null)
            _newest = node.Older;
        else
            node.Newer.Older = node.Older;
        (node.Older, node.Newer) = (null, null);
    }
}

/// <summary>
/// Blocks of one attention group's KV cache. Every block is free, held by requests (privately or as a shared piece), or cached: kept for
/// prompts that begin alike until somebody needs the room, least recently used first and the end of a prompt before its beginning.
/// </summary>
/// <param name="total">Blocks.</param>
internal sealed class KvPool(long total)
{
    private readonly Dictionary<ulong, CacheNode> _index = [];
    private readonly UseOrder _unused = new();

    public long Total { get; } = total;

    public long Free { get; private set; } = total;

    public long Held { get; private set; }

    public long Cached { get; private set; }

    /// <summary>Blocks that can be had: free ones, and cached ones that would be evicted.</summary>
    public long Available => Free + Cached;

    /// <summary>Takes blocks for a request; the caller has seen that they are available.</summary>
    public void Take(long blocks)
    {
        if (Free < blocks)
            Evict(blocks - Free);
        Free -= blocks;
        Held += blocks;
    }

    /// <summary>Gives private blocks back.</summary>
    public void Give(long blocks)
    {
        Free += blocks;
        Held -= blocks;
    }

    public CacheNode? Find(ulong key) => _index.GetValueOrDefault(key);

    /// <summary>Blocks that become unavailable when a request holds this piece too.</summary>
    public static long Claims(CacheNode node) => node.References == 0 ? node.Resident : 0;

    public void Hold(CacheNode node)
    {
        if (node.References++ > 0)
            return;
        _unused.Remove(node);
        Cached -= node.Resident;
        Held += node.Resident;
    }

    public void Drop(CacheNode node)
    {
        if (--node.References > 0)
            return;
        _unused.Append(node);
        Cached += node.Resident;
        Held -= node.Resident;
    }

    /// <summary>Makes private blocks a piece that others find; the request holds it.</summary>
    public CacheNode Publish(ulong key, int blocks, int resident)
    {
        var node = new CacheNode { Key = key, Blocks = blocks, Resident = resident, References = 1 };
        _index.Add(key, node);
        return node;
    }

    /// <summary>Forgets everything: the replica is gone.</summary>
    public void Clear()
    {
        _index.Clear();
        while (_unused.Oldest is { } node)
            _unused.Remove(node);
        (Free, Held, Cached) = (Total, 0, 0);
    }

    private void Evict(long blocks)
    {
        while (blocks > 0)
        {
            var node = _unused.Oldest!;
            var taken = (int)Math.Min(blocks, node.Resident);
            node.Resident -= taken;
            Cached -= taken;
            Free += taken;
            blocks -= taken;
            if (node.Resident > 0)
                return;
            _unused.Remove(node);
            _index.Remove(node.Key);
        }
    }
}

/// <summary>Pieces of prompts in host memory: a copy of what was computed, least recently used pieces leave first.</summary>
/// <param name="capacity">Blocks that fit.</param>
internal sealed class HostTier(long capacity)
{
    private readonly Dictionary<ulong, CacheNode> _index = [];
    private readonly UseOrder _order = new();
    private long _used;

    /// <summary>Whether a piece is there; it counts as used.</summary>
    public bool Use(ulong key)
    {
        if (!_index.TryGetValue(key, out var node))
            return false;
        _order.Remove(node);
        _order.Append(node);
        return true;
    }

    public void Keep(ulong key, int blocks)
    {
        if (blocks > capacity || Use(key))
            return;
        var node = new CacheNode { Key = key, Blocks = blocks };
        _index.Add(key, node);
        _order.Append(node);
        _used += blocks;
        while (_used > capacity)
        {
            var oldest = _order.Oldest!;
            _order.Remove(oldest);
            _index.Remove(oldest.Key);
            _used -= oldest.Blocks;
        }
    }

    public void Clear()
    {
        _index.Clear();
        while (_order.Oldest is { } node)
            _order.Remove(node);
        _used = 0;
    }
}

/// <summary>Keys of prompts: a piece is known by what it holds, its length, and everything before it.</summary>
public static class PromptChain
{
    /// <summary>The key of a piece after those of a key; 0 begins a chain.</summary>
    public static ulong Next(ulong before, PromptSegment piece) =>
        Draws.Mix(before ^ Draws.Mix(piece.Content + (0x9E3779B97F4A7C15UL * (ulong)piece.Tokens)));
}
