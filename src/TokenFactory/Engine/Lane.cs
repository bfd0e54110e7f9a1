using TokenFactory.Units;
using TokenFactory.Workload;

namespace TokenFactory.Engine;

/// <summary>One attention group of a replica: its waiting requests, its KV cache, and who runs. All groups of a replica step together.</summary>
internal sealed class Lane
{
    private readonly EngineSettings _settings;
    private readonly int _fixedBlocks;
    private readonly bool _grows;
    private readonly HostTier? _host;
    private readonly double _blockBytes;
    private readonly List<CacheNode> _hits = [];
    private long _estimated;
    private Instant _hostFree;

    public Lane(EngineSettings settings, Performance.PagedCache cache, long partsPerStep)
    {
        _settings = settings;
        (_fixedBlocks, _grows) = (cache.FixedBlocks, cache.Grows);
        // The group's GPUs hold slices of every block: bytes of one of them times a link of one of them is the same time.
        _blockBytes = cache.BlockBytes;
        Pool = new KvPool(settings.Blocks ?? cache.Blocks);
        Decodes = new DecodeSet(settings.BlockTokens, partsPerStep);
        if (settings is { HostBytes: > 0, PrefixCaching: true })
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

    /// <summary>Requests here.</summary>
    public int Count => Running + Waiting.Count + Arriving.Count;

    /// <summary>Tokens of one sequence that the empty cache could hold.</summary>
    public long MostTokens => _grows ? (Pool.Total - _fixedBlocks) * _settings.BlockTokens : long.MaxValue;

    /// <summary>Tokens that fit with so many sequences beside their fixed blocks, for whoever steers.</summary>
    public double KvTokens => _grows ? (double)Pool.Total * _settings.BlockTokens : (double)Pool.Total / _fixedBlocks * 1e6;

    private bool Grows => _grows && _settings.Admission != Admission.Longest;

    /// <summary>Lets a request in if there is room; null where it must wait for delivery or loading first, else whether it was let in.</summary>
    public bool TryAdmit(EngineRequest request, Instant now)
    {
        request.Goal = request.PromptTokens + request.Generated;
        var block = _settings.BlockTokens;
        var (hit, loaded) = _settings.PrefixCaching ? Match(request) : (0, 0);
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
        request.Computed = Math.Min(hit + loaded, most);
        if (request.AdmittedAt is null)
        {
            request.AdmittedAt = now;
            request.CachedTokens = request.Computed;
            request.HostTokens = Math.Max(0, request.Computed - hit);
        }

        if (request.Leg != Leg.Answer && request.Computed > hit)
            request.ReadyAt = Load((request.Computed - hit) / block, now);
        return true;
    }

    /// <summary>Makes pieces of the prompt that are computed by the end of the step findable for those that begin alike.</summary>
    public void Publish(EngineRequest request, int tokens)
    {
        var pieces = request.Prompt.Span;
        while (_settings.PrefixCaching && request.Published < pieces.Length)
        {
            var piece = pieces[request.Published];
            var end = request.PublishedTokens + piece.Tokens;
            if (end > tokens || end > request.PromptTokens)
                return;
            var blocks = (end / _settings.BlockTokens) - (request.PublishedTokens / _settings.BlockTokens);
            request.PublishedKey = PromptChain.Next(request.PublishedKey, piece);
            request.PublishedTokens = end;
            request.Published++;
            if (blocks > 0)
                Publish(request, blocks, blocks);
        }
    }

    /// <summary>Makes a finished answer findable for a prompt that quotes it.</summary>
    public void PublishAnswer(EngineRequest request)
    {
        var answer = request.Script;
        if (!_settings.PrefixCaching || answer.OutputContent == 0 || request.PublishedTokens != request.PromptTokens
            || request.Generated != answer.OutputTokens || request.Leg == Leg.Prompt)
        {
            return;
        }

        var (block, end) = (_settings.BlockTokens, request.PromptTokens + answer.OutputTokens);
        var before = request.PromptTokens / block;
        var (blocks, resident) = ((end / block) - before, ((end - 1) / block) - before); // the last token's keys were never needed
        request.PublishedKey = PromptChain.Next(request.PublishedKey, new PromptSegment(answer.OutputContent, answer.OutputTokens));
        if (resident > 0)
            Publish(request, blocks, resident);
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

    private long Longest(EngineRequest request) =>
        Math.Min((long)request.PromptTokens + (request.MaxTokens > 0 ? request.MaxTokens : EngineSettings.EstimatedMost), MostTokens);

    private long Estimate(EngineRequest request)
    {
        var declared = request.MaxTokens > 0 ? request.MaxTokens : EngineSettings.EstimatedMost;
        return BlocksFor((long)(Math.Min(declared, EngineSettings.EstimatedMost) * EngineSettings.EstimatedShare));
    }

    /// <summary>Tokens at the beginning of a prompt that the cache holds, and of those after them that host memory holds.</summary>
    private (int Hit, int Loaded) Match(EngineRequest request)
    {
        _hits.Clear();
        ulong key = 0;
        int end = 0, hit = 0, loaded = 0;
        var (whole, block) = (true, _settings.BlockTokens);
        foreach (var piece in request.Prompt.Span)
        {
            key = PromptChain.Next(key, piece);
            var blocks = ((end + piece.Tokens) / block) - (end / block);
            end += piece.Tokens;
            if (end > request.PromptTokens)
                break;
            if (blocks == 0)
                continue;
            var node = whole ? Pool.Find(key) : null;
            if (node is not null)
            {
                _hits.Add(node);
                hit += node.Resident * block;
            }

            if (node is not null && node.Resident == blocks)
                continue;
            whole = false;
            if (_host?.Use(key) != true)
                break;
            loaded += (blocks - (node?.Resident ?? 0)) * block;
        }

        return (hit, loaded);
    }

    private void Publish(EngineRequest request, int blocks, int resident)
    {
        _host?.Keep(request.PublishedKey, blocks);
        var found = Pool.Find(request.PublishedKey);
        if (found is null)
        {
            request.Nodes.Add(Pool.Publish(request.PublishedKey, blocks, resident));
            request.Private -= resident;
        }
        else if (request.NextHit < request.Nodes.Count && ReferenceEquals(request.Nodes[request.NextHit], found))
        {
            request.NextHit++;
            request.Private -= Math.Max(0, resident - found.Resident);
            found.Resident = Math.Max(resident, found.Resident);
        }
    }

    /// <summary>When blocks from host memory will be there: loads pass its link one after another.</summary>
    private Instant Load(int blocks, Instant now)
    {
        var start = _hostFree > now ? _hostFree : now;
        _hostFree = start + Duration.OfSeconds(blocks * _blockBytes / _settings.HostBytesPerSecond);
        return _hostFree;
    }
}
