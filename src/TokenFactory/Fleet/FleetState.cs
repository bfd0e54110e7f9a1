namespace TokenFactory.Fleet;

/// <summary>
/// What is known of a fleet, and the one place that changes it: <see cref="Apply"/> takes what happened, in virtual time or wall time, and
/// policies decide from the <see cref="Snapshot"/>. Each event costs O(1), or O(log n) of a pool's replicas.
/// </summary>
/// <remarks>
/// The driver tells every request that reaches the gateway as <see cref="FleetEventKind.Queued"/>, also where it is sent at once: that is
/// how demand is counted. A request that waits for its second leg, at a decode replica, is told with <see
/// cref="FleetEvent.HadFirstToken"/> and counts as waiting, not as demand.
/// </remarks>
public sealed class FleetState
{
    /// <summary>Leading parts of prompts that are remembered where nothing else is said.</summary>
    public const int DefaultPrefixKeys = 1 << 17;

    private const int LeastObservedTokens = 8;

    private readonly List<ReplicaState> _replicas = [];
    private readonly List<TenantState> _tenants = [];
    private readonly PoolState[] _pools;
    private readonly ClassState[] _classes;
    private readonly int[][] _poolsOf;
    private readonly int[] _lastSent = [-1, -1, -1];

    /// <summary>A fleet without replicas.</summary>
    /// <param name="pools">Its pools.</param>
    /// <param name="classes">Classes that requests refer to.</param>
    /// <param name="tenants">Tenants that requests refer to; more may come.</param>
    /// <param name="prefixKeys">Leading parts of prompts that are remembered; about 80 bytes each, taken as they come.</param>
    public FleetState(
        IReadOnlyList<PoolFacts> pools, IReadOnlyList<ServiceClass> classes, int tenants, int prefixKeys = DefaultPrefixKeys)
    {
        Prefixes = new PrefixIndex(prefixKeys);
        _pools = [.. pools.Select((facts, index) => new PoolState(index, facts))];
        _classes = [.. classes.Select(facts => new ClassState(facts))];
        for (var i = 0; i < tenants; i++)
            _tenants.Add(new TenantState());
        _poolsOf = [.. Enum.GetValues<ReplicaRole>()
            .Select(role => _pools.Where(pool => Takes(pool, role)).Select(pool => pool.Index).ToArray())];
    }

    /// <summary>What policies may read.</summary>
    public FleetSnapshot Snapshot => new(this);

    internal IReadOnlyList<ReplicaState> Replicas => _replicas;

    internal IReadOnlyList<PoolState> PoolStates => _pools;

    internal IReadOnlyList<ClassState> ClassStates => _classes;

    internal IReadOnlyList<TenantState> Tenants => _tenants;

    internal PrefixIndex Prefixes { get; }

    internal DemandHistory Demand { get; } = new();

    internal FleetTotals Totals { get; private set; }

    internal ReadOnlySpan<int> PoolsOf(ReplicaRole role) => _poolsOf[(int)role];

    internal int LastSent(ReplicaRole role) => _lastSent[(int)role];

    /// <summary>Takes what happened.</summary>
    /// <exception cref="ArgumentException">It cannot have happened: what it ends never began.</exception>
    public void Apply(in FleetEvent e)
    {
        switch (e.Kind)
        {
            case FleetEventKind.Starting: Start(e); break;
            case FleetEventKind.Ready: Move(e, ReplicaPhase.Ready); break;
            case FleetEventKind.Draining: Move(e, ReplicaPhase.Draining); break;
            case FleetEventKind.Gone: Move(e, ReplicaPhase.Gone); break;
            case FleetEventKind.Queued: Queue(e); break;
            case FleetEventKind.Unqueued: Unqueue(e); break;
            case FleetEventKind.Dispatched: Send(e); break;
            case FleetEventKind.FirstToken: Begin(e); break;
            case FleetEventKind.Ended: End(e); break;
            case FleetEventKind.Reported: Of(e).Report(e); break;
            case FleetEventKind.Limited: Of(e).Limit(e); break;
            default: throw new ArgumentException($"No event is of kind {e.Kind}", nameof(e));
        }
    }

    private void Start(in FleetEvent e)
    {
        Must(e.Replica == _replicas.Count, e, $"the next replica has the number {_replicas.Count}");
        Must(e.Pool >= 0 && e.Pool < _pools.Length, e, $"there is no pool {e.Pool}");
        _replicas.Add(new ReplicaState(e.Replica, e.Pool, _classes.Length, e.At));
        _pools[e.Pool].Moved(e.Replica, null, ReplicaPhase.Starting);
    }

    private void Move(in FleetEvent e, ReplicaPhase phase)
    {
        var replica = Of(e);
        Must(replica.Phase != ReplicaPhase.Gone, e, "it is gone");
        if (replica.Phase == phase)
            return;
        _pools[replica.Pool].Moved(replica.Index, replica.Phase, phase);
        replica.Enter(phase, e.At);
        Reload(replica);
    }

    private void Queue(in FleetEvent e)
    {
        var (ask, kind) = Named(e);
        kind.Queue(ask, 1);
        TenantOf(ask).Waiting++;
        Totals = Totals with { Queued = Totals.Queued + 1 };
        if (ask.Attempt == 0 && !e.HadFirstToken && !kind.Facts.FillsSlack)
            Demand.Add(e.At, new Demand(1, ask.PromptTokens, 0, 0, 0, 0));
    }

    private void Unqueue(in FleetEvent e)
    {
        var (ask, kind) = Named(e);
        Must(kind.Waiting > 0 && TenantOf(ask).Waiting > 0, e, "none waits");
        kind.Queue(ask, -1);
        TenantOf(ask).Waiting--;
    }

    private void Send(in FleetEvent e)
    {
        var (ask, kind) = Named(e);
        var (replica, pool) = (Of(e), _pools[Of(e).Pool]);
        replica.Send(e);
        pool.InFlight++;
        kind.InFlight++;
        TenantOf(ask).InFlight++;
        Reload(replica);
        _lastSent[pool.Facts.Role == ReplicaRole.Decode ? (int)ReplicaRole.Decode : (int)ReplicaRole.Aggregated] = replica.Index;
        if (pool.Facts.Role == ReplicaRole.Decode)
            return;
        Prefixes.Sent(ask, replica);
        kind.Sent(e.At);
        TenantOf(ask).PromptTokens += ask.PromptTokens;
        Totals = Totals with { Dispatched = Totals.Dispatched + 1, Retries = Totals.Retries + (ask.Attempt > 0 ? 1 : 0) };
        if (!kind.Facts.FillsSlack)
            Demand.Add(e.At, new Demand(0, 0, ask.PromptTokens, e.FreshTokens, 0, 0));
    }

    private void Begin(in FleetEvent e)
    {
        Prefixes.WriteDown();
        var (ask, _) = Named(e);
        var replica = Of(e);
        Must(replica.UnstartedOf(ask.Class) > 0, e, "none of its class waits for a first token there");
        replica.Begin(e);
        Reload(replica);
    }

    private void End(in FleetEvent e)
    {
        Prefixes.WriteDown();
        var (ask, kind) = Named(e);
        var replica = Of(e);
        var known = e.HadFirstToken ? replica.GeneratingOf(ask.Class) : replica.UnstartedOf(ask.Class);
        Must(known > 0 && TenantOf(ask).InFlight > 0, e, "none of its class is there");
        var pool = _pools[replica.Pool];
        Watch(replica, pool, e);
        replica.End(e);
        pool.InFlight--;
        kind.InFlight--;
        TenantOf(ask).InFlight--;
        Reload(replica);
        if (pool.Facts.Role != ReplicaRole.Prefill || !e.Completed)
            Account(e, ask, kind);
    }

    private void Account(in FleetEvent e, Ask ask, ClassState kind)
    {
        var tenant = TenantOf(ask);
        tenant.OutputTokens += e.OutputTokens;
        tenant.UnexpectedTokens += e.OutputTokens - (long)Math.Round(kind.Expected(ask));
        Totals = Totals with { Completed = Totals.Completed + (e.Completed ? 1 : 0), Failed = Totals.Failed + (e.Completed ? 0 : 1) };
        if (e.Completed)
            kind.Answered(e.OutputTokens);
        if (!kind.Facts.FillsSlack)
            Demand.Add(e.At, new Demand(0, 0, 0, 0, e.Completed ? 1 : 0, e.OutputTokens));
    }

    /// <summary>Compares the pace of a complete answer with what the model says of as many sequences as the replica has.</summary>
    private static void Watch(ReplicaState replica, PoolState pool, in FleetEvent e)
    {
        if (!e.Completed || !e.HadFirstToken || e.OutputTokens < LeastObservedTokens)
            return;
        var context = (replica.GeneratingPromptTokens / (double)replica.Generating) + (e.OutputTokens / 2.0);
        var predicted = pool.Steps.Token(replica.Generating, context);
        replica.Observe((e.At - e.FirstTokenAt).Seconds / (e.OutputTokens - 1) / predicted);
    }

    private void Reload(ReplicaState replica)
    {
        if (replica.Phase == ReplicaPhase.Ready)
            _pools[replica.Pool].Load.Set(replica.Index, (long)Snapshot.OutstandingTokens(replica), replica.Dispatched);
    }

    private (Ask Ask, ClassState Class) Named(in FleetEvent e)
    {
        Must(e.Ask is not null, e, "it names no request");
        Must(e.Ask!.Class >= 0 && e.Ask.Class < _classes.Length, e, $"there is no class {e.Ask.Class}");
        return (e.Ask, _classes[e.Ask.Class]);
    }

    private ReplicaState Of(in FleetEvent e)
    {
        Must(e.Replica >= 0 && e.Replica < _replicas.Count, e, $"there is no replica {e.Replica}");
        return _replicas[e.Replica];
    }

    private TenantState TenantOf(Ask ask)
    {
        while (_tenants.Count <= ask.Tenant)
            _tenants.Add(new TenantState());
        return _tenants[ask.Tenant];
    }

    private static bool Takes(PoolState pool, ReplicaRole role) => role switch
    {
        ReplicaRole.Aggregated => pool.Facts.Role != ReplicaRole.Decode,
        _ => pool.Facts.Role == role,
    };

    private static void Must(bool holds, in FleetEvent e, string otherwise)
    {
        if (!holds)
            throw new ArgumentException($"{e.Kind} at {e.At} of replica {e.Replica}, request {e.Ask?.Id}: {otherwise}", nameof(e));
    }
}
