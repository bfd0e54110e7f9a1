using TokenFactory.Engine;
using TokenFactory.Fleet;
using TokenFactory.Performance;
using TokenFactory.Policies;
using TokenFactory.Units;

namespace TokenFactory.Simulation;

/// <content>Replicas come and go: ordered, ready, drained, lost; and what goes wrong with them.</content>
public sealed partial class Simulator
{
    private const int MostHappenings = 1000;
    private const double PatienceSeconds = 3600;

    private readonly List<Host> _hosts = [];
    private readonly List<Host>[] _poolHosts;
    private readonly List<(double AtSeconds, string What)> _happenings = [];
    private readonly Dictionary<(int Pool, double Slowness), DecodeCurve> _curves = [];
    private readonly IScaler?[] _scalers;
    private readonly bool _scales;
    private readonly Instant[] _staleUntil;
    private int _coming;

    private Host Order(int pool)
    {
        var host = new Host(_hosts.Count, pool, _plan.Pools[pool], _now, _seed);
        _hosts.Add(host);
        _poolHosts[pool].Add(host);
        Tell(new FleetEvent(FleetEventKind.Starting, _now, host.Index) { Pool = pool });
        return host;
    }

    private void Start(int pool)
    {
        var host = Order(pool);
        _clock.Set(_now + Duration.OfSeconds(Math.Max(1e-9, host.Plan.Facts.StartSeconds)), Rank.Machines, _ =>
        {
            if (host.Phase == ReplicaPhase.Starting)
                Ready(host);
        });
    }

    private void Ready(Host host)
    {
        host.Open(new Replica(CurveOf(host), host.Plan.Engine, _plan.StepByStep), _now);
        Tell(new FleetEvent(FleetEventKind.Ready, _now, host.Index));
        SetFate(host);
        DispatchSoon(_now);
    }

    /// <summary>What its steps cost: replicas that are alike share what was computed of it.</summary>
    private DecodeCurve CurveOf(Host host)
    {
        var key = (host.Pool, host.Slowness);
        if (!_curves.TryGetValue(key, out var curve))
            _curves.Add(key, curve = new DecodeCurve(key.Slowness > 1 ? host.Plan.Facts.Model.Slowed(key.Slowness) : host.Plan.Facts.Model));
        return curve;
    }

    private void Drain(Host host)
    {
        if (host.Phase == ReplicaPhase.Starting)
        {
            Leave(host);
            return;
        }

        host.Phase = ReplicaPhase.Draining;
        Tell(new FleetEvent(FleetEventKind.Draining, _now, host.Index));
        LeaveIfDone(host);
    }

    /// <summary>Who drains goes when it has nothing more to do.</summary>
    private void LeaveIfDone(Host host)
    {
        if (host.Phase == ReplicaPhase.Draining && host.Done)
            Leave(host);
    }

    /// <summary>It goes, and nobody has anything there any more.</summary>
    private void Leave(Host host)
    {
        if (host.Phase == ReplicaPhase.Gone)
            return;
        _clock.SetStep(host.Index, Instant.Never);
        host.Phase = ReplicaPhase.Gone;
        foreach (var transfer in _transfers.Break(host.Index, _now))
            TakeOut(transfer.Journey, TakenOut.CacheLost, _now);
        host.Close(_now);
        Tell(new FleetEvent(FleetEventKind.Gone, _now, host.Index));
    }

    /// <summary>It goes, with everything in it.</summary>
    private void Lose(Host host, string how)
    {
        if (host.Phase == ReplicaPhase.Gone)
            return;
        Note($"{host.Name} {how}, {host.Journeys.Count} requests in flight");
        host.Engine?.Fail(_now);
        _books.Lost(host.Pool);
        var stranded = host.Journeys.OrderBy(journey => journey.Request.Id).ToList();
        Leave(host);
        foreach (var journey in stranded)
        {
            var tokens = journey.Leg?.Generated ?? 0;
            LeaveReplica(journey, false, _now);
            Drop(journey, _now);
            Recover(journey, Mishap.ReplicaFailed, tokens, _now);
        }
    }

    /// <summary>What happens to a request whose attempt failed.</summary>
    private void Recover(Journey journey, Mishap mishap, int tokens, Instant now)
    {
        var trouble = new Trouble(journey.Ask, mishap, journey.Replica, tokens, tokens > 0, now);
        var decision = _plan.Recovery.Decide(View, trouble, now);
        if (decision.Next is not { } next)
        {
            End(journey, Ending.Failed, $"{Words(mishap)}, given up: {decision.Cause}", now);
            return;
        }

        journey.Kept += decision.Action == RecoveryAction.Continue ? tokens : 0;
        if (decision.Action == RecoveryAction.Restart && tokens > 0)
        {
            next = next with { PromptTokens = journey.Request.PromptTokens, MaxTokens = journey.Request.MaxTokens };
            journey.Kept = 0;
        }

        if (journey.Kept == 0)
            journey.FirstToken = null; // nothing of it counts any more

        (journey.Ask, journey.Leg) = (next, null);
        if (journey.Kept >= journey.Request.Script.OutputTokens)
        {
            End(journey, Ending.Completed, "", now); // its last token had come
            return;
        }

        Wait(journey, now);
        DispatchSoon(now);
    }

    /// <summary>A deadline: what is not done is given up.</summary>
    private void Expire(Journey journey, Instant now)
    {
        switch (journey.Where)
        {
            case Whereabouts.OnTheWay or Whereabouts.Engine:
                TakeOut(journey, TakenOut.Expired, now);
                break;
            case Whereabouts.Handoff:
                Drop(journey, now);
                End(journey, Ending.Expired, "deadline", now);
                break;
            default:
                break; // at the gateway it is shed, and ended it is no matter
        }
    }

    private void TakeOut(Journey journey, TakenOut why, Instant now)
    {
        if (journey.TakenOut != TakenOut.No)
            return;
        journey.TakenOut = why;
        if (journey.Where != Whereabouts.Engine)
            return;
        _transfers.Drop(journey, now);
        var host = _hosts[journey.Replica];
        host.Engine!.Cancel(journey.Leg!, now);
        _clock.SetStep(host.Index, host.Engine.NextEvent);
    }

    /// <summary>It is out of its engine.</summary>
    private void Taken(Journey journey, Instant now)
    {
        var tokens = journey.Leg?.Generated ?? 0;
        var why = journey.TakenOut;
        LeaveReplica(journey, false, now);
        Drop(journey, now);
        if (why == TakenOut.Expired)
            End(journey, Ending.Expired, "deadline", now);
        else
            Recover(journey, why == TakenOut.Migrates ? Mishap.PreemptionNotice : Mishap.ReplicaFailed, tokens, now);
    }

    /// <summary>The provider will take a replica away: who cannot finish moves.</summary>
    private void Warn(Host host, Instant gone)
    {
        if (host.Phase != ReplicaPhase.Ready)
            return;
        Note($"{host.Name} will be preempted in {(gone - _now).Seconds:0} s");
        Drain(host);
        foreach (var journey in host.Journeys.OrderBy(journey => journey.Request.Id).ToList())
        {
            var tokens = journey.Where == Whereabouts.Engine ? host.Engine!.GeneratedBy(journey.Leg!, _now) : 0;
            var trouble = new Trouble(journey.Ask, Mishap.PreemptionNotice, host.Index, tokens, tokens > 0, gone);
            if (_plan.Recovery.Decide(View, trouble, _now).Action is RecoveryAction.Continue or RecoveryAction.Restart)
                TakeOut(journey, TakenOut.Migrates, _now);
        }
    }

    private void ReportLoads(Instant now)
    {
        foreach (var pool in _poolHosts)
        {
            foreach (var host in pool)
            {
                if (host.Engine is not { } engine || now < _staleUntil[host.Pool])
                    continue;
                var load = engine.Load(now);
                Tell(new FleetEvent(FleetEventKind.Reported, now, host.Index)
                {
                    Running = load.Running,
                    Waiting = load.Waiting,
                    KvHeld = load.KvHeld,
                });
            }
        }

        DispatchSoon(now);
    }

    private void Scale(Instant now)
    {
        for (var pool = 0; pool < _plan.Pools.Count; pool++)
        {
            if (_scalers[pool] is not { } scaler)
                continue;
            var decision = scaler.Decide(View, pool, now);
            var have = View.Pools[pool].Ready.Length + View.Pools[pool].Starting;
            if (decision.Target != have)
                Note($"{_plan.Pools[pool].Facts.Name}: {have} -> {decision.Target} replicas, {decision.Reason}");
            for (; have < decision.Target; have++)
                Start(pool);
            for (; have > decision.Target && ScaleDown.Choose(View, pool) is { } chosen; have--)
                Drain(_hosts[chosen]);
        }
    }

    private bool CanEverServe(int promptTokens)
    {
        Span<bool> able = stackalloc bool[3];
        foreach (var pool in _plan.Pools)
            able[(int)pool.Facts.Role] |= promptTokens < pool.Facts.LongestTokens;
        return able[(int)ReplicaRole.Aggregated] || (able[(int)ReplicaRole.Prefill] && able[(int)ReplicaRole.Decode]);
    }

    private Host? First(int pool) => _poolHosts[pool].Find(host => host.Phase != ReplicaPhase.Gone);

    private void Note(string what)
    {
        if (_happenings.Count < MostHappenings)
            _happenings.Add((_now.Seconds, what));
    }

    /// <summary>Nothing will ever move again: requests wait, and no replica lives or comes, or for long nobody but onlookers did anything.</summary>
    private bool Stalled() => _coming == 0 && !_open && _books.Promised == 0 && !_scales
        && (_hosts.TrueForAll(host => host.Phase == ReplicaPhase.Gone) || (!_clock.IsBusy && (_now - _lastEvent).Seconds > PatienceSeconds));

    private static string Words(Mishap mishap) => mishap switch
    {
        Mishap.ReplicaFailed => "replica failed",
        Mishap.PreemptionNotice => "replica preempted",
        _ => "answer lost",
    };
}
