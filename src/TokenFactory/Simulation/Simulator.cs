using TokenFactory.Engine;
using TokenFactory.Fleet;
using TokenFactory.Policies;
using TokenFactory.Units;
using TokenFactory.Workload;

namespace TokenFactory.Simulation;

/// <summary>How far a run is.</summary>
/// <param name="Seconds">Simulated time.</param>
/// <param name="Arrived">Requests so far.</param>
/// <param name="Ended">Of them, those that are over.</param>
/// <param name="Expected">How many there will be; null where nobody knows.</param>
public readonly record struct RunProgress(double Seconds, long Arrived, long Ended, long? Expected);

/// <summary>What a driver may want of a run beside its report.</summary>
public sealed record RunHooks
{
    /// <summary>Called now and then; returns whether to go on.</summary>
    public Func<RunProgress, bool>? Progress { get; init; }

    /// <summary>Called with every request as it ends.</summary>
    public Action<RequestRow>? Row { get; init; }

    /// <summary>Called with every event that those who steer see, in order.</summary>
    public Action<FleetEvent>? Event { get; init; }
}

/// <summary>
/// The driver in virtual time. A run is a function of its plan and its seed: it goes from event to event, gives each to engines, fleet
/// state and policies in an order that nothing but the plan decides, and keeps counts, never requests.
/// </summary>
public sealed partial class Simulator
{
    private const int EventsBetweenLooks = 2048;

    private readonly FleetPlan _plan;
    private readonly ulong _seed;
    private readonly RunHooks _hooks;
    private readonly ITraffic _traffic;
    private readonly FleetState _fleet;
    private readonly Backlog _backlog;
    private readonly IRouter _router;
    private readonly Clockwork _clock = new();
    private readonly IntervalBook _book;
    private readonly Books _books;
    private readonly int[] _classOf;
    private readonly List<EngineEvent> _told = [];
    private Instant _now;
    private Instant _lastEvent;
    private bool _open = true;
    private bool _stopped;

    private Simulator(FleetPlan plan, ulong seed, RunHooks hooks)
    {
        (_plan, _seed, _hooks) = (plan, seed, hooks);
        _traffic = plan.Traffic(seed);
        _classOf = [.. _traffic.Classes.Select(name => IndexOf(plan.Classes, name))];
        _fleet = new FleetState([.. plan.Pools.Select(pool => pool.Facts)], plan.Classes, _traffic.Tenants.Count);
        _backlog = new Backlog(plan.Classes);
        _router = plan.Router();
        _book = new IntervalBook(plan.Pools);
        _books = new Books(plan, _traffic.Tenants);
        _poolHosts = [.. plan.Pools.Select(_ => new List<Host>())];
        _scalers = [.. plan.Pools.Select(pool => pool.Scaler?.Invoke())];
        _scales = _scalers.Any(scaler => scaler is not null);
        _staleUntil = new Instant[plan.Pools.Count];
        _deadlines = [.. plan.Classes.Select(_ => new Queue<Journey>())];
        _deadlineSet = new bool[plan.Classes.Count];
    }

    /// <summary>Runs a plan.</summary>
    /// <param name="plan">The fleet, its traffic and its policies.</param>
    /// <param name="seed">What chance follows from.</param>
    /// <param name="hooks">What the caller wants beside the report.</param>
    public static RunReport Run(FleetPlan plan, ulong seed, RunHooks? hooks = null) => new Simulator(plan, seed, hooks ?? new()).Run();

    private FleetSnapshot View => _fleet.Snapshot;

    private bool Done => !_open && _books.Live == 0;

    private RunReport Run()
    {
        Begin();
        var untilLook = 1;
        while (!Done && !_stopped && _clock.Next is var next && next < Instant.Never && !Stalled())
        {
            if (_plan.StopSeconds is { } stop && next.Seconds > stop)
            {
                _now = _lastEvent = Instant.AtSeconds(stop);
                break;
            }

            if (--untilLook == 0)
            {
                untilLook = EventsBetweenLooks;
                _stopped = _hooks.Progress?.Invoke(new RunProgress(_now.Seconds, _books.Arrived, _books.Ended, _traffic.Expected)) == false;
            }

            Step();
        }

        if (_stopped)
            _lastEvent = _now;
        CloseInterval(_lastEvent);
        return Report();
    }

    private void Step()
    {
        var (at, what, replica) = _clock.Take();
        _now = at;
        if (what is not null)
        {
            what(at);
            return;
        }

        var host = _hosts[replica];
        host.Engine!.Advance(at, _told);
        foreach (var told in _told)
        {
            _lastEvent = at;
            Hear(host, told);
        }

        _told.Clear();
        _clock.SetStep(host.Index, host.Engine?.NextEvent ?? Instant.Never);
        LeaveIfDone(host);
    }

    private void Begin()
    {
        for (var pool = 0; pool < _plan.Pools.Count; pool++)
        {
            for (var i = 0; i < _plan.Pools[pool].Replicas; i++)
                Ready(Order(pool));
        }

        SetFaults();
        Pull();
        SetEvery(_plan.ReportSeconds, ReportLoads);
        if (_scales)
            SetEvery(_plan.ScaleSeconds, Scale);
        _clock.Set(_book.End, Rank.Looks, LookAtInterval);
    }

    /// <summary>Does something again and again, as long as the run lasts.</summary>
    private void SetEvery(double seconds, Action<Instant> what)
    {
        if (seconds > 0)
            _clock.Set(_now + Duration.OfSeconds(seconds), Rank.Looks, Again);

        void Again(Instant now)
        {
            what(now);
            _clock.Set(now + Duration.OfSeconds(seconds), Rank.Looks, Again);
        }
    }

    /// <summary>Tells the fleet state, which policies read, and whoever keeps a log.</summary>
    private void Tell(in FleetEvent e)
    {
        _fleet.Apply(e);
        _hooks.Event?.Invoke(e);
    }

    private void LookAtInterval(Instant now)
    {
        CloseInterval(now);
        _clock.Set(_book.End, Rank.Looks, LookAtInterval);
    }

    private void CloseInterval(Instant now) => _book.Close(
        now,
        _backlog.Count,
        [.. Enumerable.Range(0, _plan.Pools.Count).Select(pool => PoolSums(pool, now))],
        [.. _poolHosts.Select(hosts => LookAt(hosts, now))]);

    private static PoolLook LookAt(List<Host> hosts, Instant now)
    {
        int ready = 0, running = 0, waiting = 0;
        long blocks = 0, held = 0;
        foreach (var host in hosts)
        {
            if (host.Engine is not { } engine)
                continue;
            var load = engine.Load(now);
            host.Look(load, now);
            ready += host.Phase == ReplicaPhase.Ready ? 1 : 0;
            (running, waiting) = (running + load.Running, waiting + load.Waiting);
            (blocks, held) = (blocks + load.Blocks, held + load.HeldBlocks);
        }

        return new PoolLook(ready, running, waiting, blocks > 0 ? (double)held / blocks : 0);
    }

    private static int IndexOf(IReadOnlyList<ServiceClass> classes, string name)
    {
        for (var i = 0; i < classes.Count; i++)
        {
            if (classes[i].Name == name)
                return i;
        }

        throw new ArgumentException($"The traffic's class '{name}' is none of the plan's", nameof(name));
    }
}
