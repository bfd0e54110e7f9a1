using TokenFactory.Units;

namespace TokenFactory.Engine;

/// <summary>One attention group of a replica: its waiting requests, its KV cache, and who runs. All groups of a replica step together.</summary>
internal sealed partial class Lane
{
    private readonly EngineSettings _settings;
    private readonly int _fixedBlocks;
    private readonly bool _grows;
    private readonly bool _shares;
    private readonly HostTier? _host;
    private readonly double _blockBytes;
    private readonly List<CacheNode> _hits = [];
    private long _estimated;
    private Instant _hostFree;

    public Lane(EngineSettings settings, Performance.PagedCache cache, long partsPerStep)
    {
        _settings = settings;
        (_fixedBlocks, _grows) = (cache.FixedBlocks, cache.Grows);
        _shares = settings.PrefixCaching && cache.Grows; // states that do not grow hold no tokens that others could use
        // The group's GPUs hold slices of every block: bytes of one of them times a link of one of them is the same time.
        _blockBytes = cache.BlockBytes;
        Pool = new KvPool(settings.Blocks ?? cache.Blocks);
        Decodes = new DecodeSet(settings.BlockTokens, partsPerStep);
        if (_shares && settings.HostBytes > 0)
            _host = new HostTier((long)(settings.HostBytes / _blockBytes));
    }

    public KvPool Pool { get; }

    public DecodeSet Decodes { get; }

    public PriorityQueue<EngineRequest, (int Priority, long Order)> Waiting { get; } = new();

    /// <summary>Who is here and was not seen by the scheduler yet.</summary>
    public List<EngineRequest> Arriving { get; } = [];

    /// <summary>Whose prompts are being computed, in the order in which they were let in.</summary>
    public List<EngineRequest> Prefills { get; } = [];

    /// <summary>Who generates from the next step on.</summary>
    public List<EngineRequest> Joining { get; } = [];

    /// <summary>Who waits for KV cache from host memory or elsewhere.</summary>
    public List<EngineRequest> Loading { get; } = [];

    /// <summary>Whose prompt is computed and waits to be fetched.</summary>
    public List<EngineRequest> Fetched { get; } = [];

    /// <summary>Who is done but holds a place in a static batch.</summary>
    public List<EngineRequest> Padding { get; } = [];

    /// <summary>Parts of tokens that those in <see cref="Padding"/> have in the cache.</summary>
    public long PaddingParts { get; set; }

    /// <summary>The step whose contexts have their blocks.</summary>
    public long BlocksUntil { get; set; }

    /// <summary>Requests that hold blocks.</summary>
    public int Running => Prefills.Count + Joining.Count + Loading.Count + Decodes.Count + Padding.Count + Fetched.Count;

    /// <summary>Of them, those that take one of the places for sequences: a prompt that waits to be fetched holds blocks alone.</summary>
    public int Places => Running - Fetched.Count;

    /// <summary>Requests here.</summary>
    public int Count => Running + Waiting.Count + Arriving.Count;

    /// <summary>Tokens of one sequence that the empty cache could hold.</summary>
    public long MostTokens => _grows ? (Pool.Total - _fixedBlocks) * _settings.BlockTokens : long.MaxValue;

    private bool Grows => _grows && _settings.Admission != Admission.Longest;

    /// <summary>Lets a request in if there is room; it may still have to wait for KV cache from elsewhere.</summary>
    public bool TryAdmit(EngineRequest request, Instant now)
    {
        request.Goal = request.PromptTokens + request.Generated;
        var block = _settings.BlockTokens;
        var (hit, loaded) = _shares ? Match(request) : (0, 0);
        long resident = 0, claims = 0;
        foreach (var node in _hits)
            (resident, claims) = (resident + node.Resident, claims + KvPool.Claims(node));
        var needed = Math.Max(0, BlocksFor(_settings.Admission == Admission.Longest ? Longest(request) : request.Goal + 1L) - resident);
        needed += _fixedBlocks;
        var own = _settings.Admission == Admission.Estimate ? Estimate(request) : 0;
        if (needed + own + _estimated > Pool.Available - claims && (Running > 0 || needed > Pool.Available - claims))
            return false;
        foreach (var node in _hits)
            Pool.Hold(node);
        Pool.Take(needed);
        request.Nodes.AddRange(_hits);
        request.Private = needed;
        request.Admitted = true;
        _estimated += own;
        (request.Published, request.PublishedTokens, request.PublishedKey, request.NextHit) = (0, 0, 0, 0);
        var most = (request.Goal - 1) / block * block;
        request.Computed = Math.Min(request.Fetches ? hit : hit + loaded, most); // what is fetched anyway is not loaded too
        if (request.AdmittedAt is null)
        {
            request.AdmittedAt = now;
            request.CachedTokens = request.Computed;
            request.HostTokens = Math.Max(0, request.Computed - hit);
        }

        if (request.Computed > hit)
            request.ReadyAt = Load((request.Computed - hit) / block, now);
        return true;
    }

    /// <summary>Takes blocks for the contexts of the next step.</summary>
    /// <returns>Whether there were enough.</returns>
    public bool TryGrow(long step)
    {
        var blocks = Decodes.Crossings(BlocksUntil, step - BlocksUntil);
        if (blocks > Pool.Available)
            return false;
        if (blocks > 0)
            Pool.Take(blocks);
        BlocksUntil = step;
        return true;
    }

    /// <summary>Takes a request up that generates from the given step on, for which it has its blocks.</summary>
    public void Join(EngineRequest request, long step)
    {
        request.Phase = EnginePhase.Decode;
        request.JoinStep = step;
        request.JoinGenerated = request.Generated;
        request.JoinParts = (request.PromptTokens + Math.Max(1L, request.Generated)) * Performance.DecodeCurve.TokenParts;
        request.FinishStep = step + Decodes.StepsFor(request.Target - request.Generated);
        Decodes.Add(request, step, Grows);
    }

    /// <summary>Takes a request out of those that generate.</summary>
    public void Leave(EngineRequest request, long step)
    {
        request.Generated = Decodes.GeneratedBefore(request, step);
        if (Grows)
            request.Private += Decodes.BlocksOf(Decodes.PartsOf(request, BlocksUntil)) - Decodes.BlocksOf(request.JoinParts);
        Decodes.Remove(request, step, Grows);
    }

    /// <summary>Gives back everything that a request holds.</summary>
    public void Release(EngineRequest request)
    {
        if (!request.Admitted)
            return;
        Pool.Give(request.Private);
        for (var i = request.Nodes.Count - 1; i >= 0; i--)
            Pool.Drop(request.Nodes[i]);
        request.Nodes.Clear();
        (request.Private, request.Admitted, request.Computed) = (0, false, 0);
        if (_settings.Admission == Admission.Estimate)
            _estimated -= Estimate(request);
    }

    /// <summary>Most steps that the KV cache has room for, if nothing else happens; the first has its blocks.</summary>
    public long StepsWithin(long limit) => limit <= 1 ? limit : 1 + Decodes.StepsWithin(BlocksUntil, Pool.Available, limit - 1);

    /// <summary>The request that loses its blocks when there is no room: the least urgent, of these the last.</summary>
    public EngineRequest? Victim()
    {
        EngineRequest? victim = null;
        Look(Decodes.All);
        Look(Prefills);
        Look(Joining);
        return victim;

        void Look(IReadOnlyList<EngineRequest> requests)
        {
            for (var i = 0; i < requests.Count; i++)
            {
                var request = requests[i];
                if (victim is null || (request.Priority, request.Order).CompareTo((victim.Priority, victim.Order)) > 0)
                    victim = request;
            }
        }
    }

    /// <summary>All requests here that are not done.</summary>
    public IEnumerable<EngineRequest> All() =>
        Waiting.UnorderedItems.Select(item => item.Element).Concat(Arriving).Concat(Prefills).Concat(Joining).Concat(Loading).Concat(Fetched)
            .Concat(Decodes.All);

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        Waiting.Clear();
        foreach (var list in (List<EngineRequest>[])[Arriving, Prefills, Joining, Loading, Fetched, Padding])
            list.Clear();
        Decodes.Clear();
        Pool.Clear();
        _host?.Clear();
        (_estimated, _hostFree, PaddingParts) = (0, Instant.Start, 0);
    }

    private long BlocksFor(long tokens) => _grows ? (tokens + _settings.BlockTokens - 1) / _settings.BlockTokens : 0;

    /// <summary>Tokens of the longest that a request may become. Who declares nothing gets what engines assume, or what it turns out to need.</summary>
    private long Longest(EngineRequest request) => Math.Min(
        request.PromptTokens + Declared(request, Math.Max(EngineSettings.EstimatedMost, request.Target)), MostTokens);

    private long Estimate(EngineRequest request) => BlocksFor((long)(
        Math.Min(Declared(request, EngineSettings.EstimatedMost), EngineSettings.EstimatedMost) * EngineSettings.EstimatedShare));

    private static long Declared(EngineRequest request, int otherwise) =>
        request.Leg == Leg.Prompt ? 1 : request.MaxTokens > 0 ? request.MaxTokens : otherwise;
}
