using TokenFactory.Fleet;
using TokenFactory.Units;
using TokenFactory.Workload;

namespace TokenFactory.Simulation;

/// <content>What goes wrong, and when: each replica's fate is a random stream of its own.</content>
public sealed partial class Simulator
{
    private void SetFaults()
    {
        foreach (var fault in _plan.Faults)
        {
            switch (fault)
            {
                case Crashes crashes:
                    foreach (var at in crashes.AtSeconds)
                        Set(at, () => OnPools(crashes, pool => Crash(First(pool))));
                    break;
                case Slowdown slow:
                    Set(slow.AtSeconds, () => OnPools(slow, pool => Slow(First(pool), slow)));
                    break;
                case StaleReports stale:
                    Set(stale.AtSeconds, () => OnPools(stale, pool => Silence(pool, stale.ForSeconds)));
                    break;
                case LinkLoss loss:
                    Set(loss.AtSeconds, () => Link(down: true));
                    Set(loss.AtSeconds + loss.ForSeconds, () => Link(down: false));
                    break;
                default:
                    break; // befalls replicas and answers one by one
            }
        }
    }

    private void Set(double seconds, Action what) => _clock.Set(Instant.AtSeconds(seconds), Rank.Machines, _ => what());

    private void OnPools(Fault fault, Action<int> what)
    {
        for (var pool = 0; pool < _poolHosts.Length; pool++)
        {
            if (fault.Pool < 0 || fault.Pool == pool)
                what(pool);
        }
    }

    private static bool Befalls(Fault fault, Host host) => fault.Pool < 0 || fault.Pool == host.Pool;

    private void SetFate(Host host)
    {
        foreach (var fault in _plan.Faults)
        {
            if (!Befalls(fault, host))
                continue;
            if (fault is Crashes { MeanHours: > 0 } crashes)
                _clock.Set(After(Exponential(host.Fate, crashes.MeanHours * 3600)), Rank.Machines, _ => Crash(host));
            else if (fault is SpotPreemptions spot)
                SetPreemption(host, spot, Up(host, spot));
        }
    }

    /// <summary>Seconds that a replica stays: without memory, or what is left of the run of the trace that it begins in.</summary>
    private static double Up(Host host, SpotPreemptions spot)
    {
        if (spot.RunsSeconds.Count == 0)
            return Exponential(host.Fate, spot.UpHours * 3600);
        var runs = spot.RunsSeconds.Count / 2;
        return spot.RunsSeconds[2 * host.Fate.Below(runs)];
    }

    private static double Down(Host host, SpotPreemptions spot)
    {
        if (spot.RunsSeconds.Count == 0)
            return Exponential(host.Fate, spot.DownHours * 3600);
        var runs = spot.RunsSeconds.Count / 2;
        return spot.RunsSeconds[(2 * host.Fate.Below(runs)) + 1];
    }

    private void SetPreemption(Host host, SpotPreemptions spot, double up)
    {
        var gone = After(up);
        var warned = After(Math.Max(0, up - spot.NoticeSeconds));
        _clock.Set(warned, Rank.Machines, _ =>
        {
            if (host.Phase == ReplicaPhase.Gone)
                return; // crashed or scaled down before
            _coming++;
            Warn(host, gone);
            _clock.Set(gone, Rank.Machines, _ =>
            {
                if (host.Phase == ReplicaPhase.Gone)
                    _books.Lost(host.Pool); // it was empty before it was taken
                Lose(host, "was preempted");
                _clock.Set(After(Down(host, spot)), Rank.Machines, _ =>
                {
                    _coming--;
                    Replace(host);
                });
            });
        });
    }

    private void Crash(Host? host)
    {
        if (host is null || host.Phase is ReplicaPhase.Gone or ReplicaPhase.Starting)
            return;
        Lose(host, "crashed");
        Replace(host);
    }

    /// <summary>Orders another, once, where no scaler decides.</summary>
    private void Replace(Host host)
    {
        if (host.Plan.Scaler is not null || host.Replaced)
            return;
        host.Replaced = true;
        Start(host.Pool);
    }

    /// <summary>A replica is slow for a while. Whoever is ordered in its place is not.</summary>
    private void Slow(Host? host, Slowdown slow)
    {
        if (host is null)
            return;
        host.Slow.Add(slow);
        Note($"{host.Name} takes {slow.Factor:0.##} times as long");
        Pace(host);
        Set(slow.AtSeconds + slow.ForSeconds, () =>
        {
            host.Slow.Remove(slow);
            if (host.Phase == ReplicaPhase.Gone)
                return;
            Note($"{host.Name} recovered");
            Pace(host);
        });
    }

    private void Pace(Host host)
    {
        if (host.Engine is not { } engine)
            return; // it will begin at that pace
        engine.Replace(CurveOf(host), _now);
        _clock.SetStep(host.Index, engine.NextEvent);
    }

    private void Silence(int pool, double seconds)
    {
        var until = _now + Duration.OfSeconds(seconds);
        if (until > _staleUntil[pool])
            _staleUntil[pool] = until;
        Note($"{_plan.Pools[pool].Facts.Name}: no reports of load for {seconds:0} s");
    }

    private void Link(bool down)
    {
        Note(down ? "no KV cache passes between pools" : "KV caches pass between pools again");
        _transfers.Interrupt(down ? 1 : -1, _now);
        SetTransfers();
    }

    private bool AnswerIsLost(Journey journey)
    {
        foreach (var fault in _plan.Faults)
        {
            if (fault is LostAnswers lost && Befalls(fault, _hosts[journey.Replica])
                && new Draws(_seed, "lost answers", (journey.Request.Id * 64) + journey.Attempts).Share() < lost.Share)
            {
                return true;
            }
        }

        return false;
    }

    private Instant After(double seconds) => _now + Duration.OfSeconds(Math.Max(1e-9, seconds));

    private static double Exponential(Draws draws, double mean) => -Math.Log(draws.PositiveShare()) * mean;
}
