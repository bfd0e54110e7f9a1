using TokenFactory.Fleet;
using TokenFactory.Policies;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Live;

/// <content>
/// Replicas come, fail, are tried again and go. <see cref="Settle"/> is the one place that tells policies: ready where everything allows
/// it, draining where anything does not.
/// </content>
public sealed partial class LiveFleet
{
    private const double LeastShare = 0.1;
    private const int MostLimitShare = 8;

    /// <summary>Sends it nothing more, until <see cref="Resume"/>; what is there ends.</summary>
    public void Drain(LiveReplica replica) => Change(replica, (one, _) => one.Drained = true);

    /// <summary>Sends it requests again.</summary>
    public void Resume(LiveReplica replica) => Change(replica, (one, now) =>
    {
        one.EasesSince = one.Drained ? now : one.EasesSince;
        one.Drained = false;
    });

    /// <summary>Takes no new requests; returns when none waits and none is at a replica.</summary>
    public async Task DrainAsync(CancellationToken cancel)
    {
        TaskCompletionSource drained;
        Waiter? answered;
        lock (_gate)
        {
            _closing = true;
            drained = _drained ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            answered = Answered();
        }

        Waiter.Tell(answered);
        await drained.Task.WaitAsync(cancel).ConfigureAwait(false);
    }

    private LiveReplica Add(int pool, string name, Uri address)
    {
        Tell(new FleetEvent(FleetEventKind.Starting, _now, _all.Count) { Pool = pool });
        var known = View.Replicas[_all.Count];
        var replica = new LiveReplica(known, name, address, Model.Pools[pool], _meters[pool], _setup.Health, _clock);
        _all.Add(replica);
        _present = [.. _present, replica];
        return replica;
    }

    /// <summary>It goes when it has nothing more to do, or when its time is over.</summary>
    private void Dismiss(LiveReplica replica, Instant now)
    {
        if (replica.GoesBy is not null || replica.Gone)
            return;
        replica.GoesBy = now + Duration.OfSeconds(_setup.Limits.DrainSeconds);
        Settle(replica, now);
        LeaveIfDone(replica, now);
    }

    private void LeaveIfDone(LiveReplica replica, Instant now)
    {
        if (replica.Drained && replica.InFlight == 0)
            replica.Show(_setup.Health);
        if (replica.GoesBy is not { } by || replica.Gone || (replica.InFlight > 0 && now < by))
            return;
        replica.Meter?.Close(now);
        replica.LeftAt = now;
        Tell(new FleetEvent(FleetEventKind.Gone, now, replica.Index));
        _present = [.. _present.Where(other => other != replica)];
        if (replica.Meter is not null)
            _gone.Add(replica);
        replica.Show(_setup.Health);
        replica.Leave();
        if (_closing)
            LiveLog.Ended(_logger, replica.Name);
        else
            LiveLog.Left(_logger, replica.Name);
    }

    private void Change(LiveReplica replica, Action<LiveReplica, Instant> how)
    {
        Waiter? answered;
        lock (_gate)
        {
            var now = Step(default);
            how(replica, now);
            Settle(replica, now);
            Dispatch(now);
            answered = Answered();
        }

        Waiter.Tell(answered);
    }

    /// <summary>Tells policies what a replica may be sent now: nothing, a little, or all.</summary>
    private void Settle(LiveReplica replica, Instant now)
    {
        if (replica.Gone)
            return;
        var (phase, was) = (replica.Known.Phase, replica.State);
        if (replica.Usable && phase != ReplicaPhase.Ready)
        {
            if (phase == ReplicaPhase.Draining || _started)
                replica.EasesSince ??= now;
            replica.Meter ??= Open(replica, now);
            Limit(replica, now);
            Tell(new FleetEvent(FleetEventKind.Ready, now, replica.Index));
            Readmit(now);
        }
        else if (!replica.Usable && (phase == ReplicaPhase.Ready || (phase == ReplicaPhase.Starting && replica.GoesBy is not null)))
        {
            replica.EasesSince = null;
            Tell(new FleetEvent(FleetEventKind.Draining, now, replica.Index));
        }
        else if (replica.Usable)
        {
            Limit(replica, now);
        }

        replica.Show(_setup.Health);
        if (was != replica.State && !_closing)
            LiveLog.Turned(_logger, replica.Name, replica.State, replica.Why);
    }

    private static WorkMeter Open(LiveReplica replica, Instant now)
    {
        replica.Cut = (default, now);
        return replica.Meters.Open(now);
    }

    private void Limit(LiveReplica replica, Instant now)
    {
        if (replica.EasesSince is { } since && (now - since).Seconds >= _setup.Health.SlowStartSeconds)
            replica.EasesSince = null;
        var most = replica switch
        {
            { Circuit.HalfOpen: true } => replica.Trial is null ? replica.InFlight + 1 : 0,
            { EasesSince: { } eases } => Eased(replica, (now - eases).Seconds / _setup.Health.SlowStartSeconds),
            _ => ReplicaState.NoLimit,
        };
        if (most != replica.Known.MostInFlight)
            Tell(new FleetEvent(FleetEventKind.Limited, now, replica.Index) { MostInFlight = most });
    }

    /// <summary>
    /// Its share of what its pool's other replicas have, so that not everything runs to the one that is empty; of what it may have where it
    /// is alone.
    /// </summary>
    private int Eased(LiveReplica replica, double share)
    {
        var pool = View.Pools[replica.Known.Pool];
        double full = _brain.Eligibility.InFlightLimit(pool.Facts);
        var (others, requests) = (0, 0);
        foreach (var index in pool.Ready)
        {
            if (index == replica.Index || _all[index].EasesSince is not null)
                continue;
            others++;
            requests += _all[index].InFlight;
        }

        if (others > 0)
            full = Math.Max(full / MostLimitShare, (double)requests / others);
        return (int)Math.Max(1, Math.Ceiling(Math.Max(share, LeastShare) * full));
    }

    /// <summary>A request passes a half-open circuit: no other does before it is known what becomes of it.</summary>
    private void Try(LiveReplica replica, Leg leg, Instant now)
    {
        replica.Trial = leg;
        Settle(replica, now);
    }

    /// <summary>A request got an answer.</summary>
    private void Succeed(Leg leg, Instant now)
    {
        var replica = leg.Replica;
        if (replica.Circuit.HalfOpen && replica.Trial != leg)
            return;
        if (!replica.Circuit.Succeed(now))
            return;
        (replica.Trial, replica.EasesSince) = (null, now);
        Settle(replica, now);
    }

    /// <summary>It ended without an answer, and nobody knows whether one would have come.</summary>
    private void Untried(Leg leg, Instant now)
    {
        if (leg.FirstTokenAt is not null && leg.Replica.Trial != leg)
            return;
        if (leg.Replica.Trial == leg)
            leg.Replica.Trial = null;
        if (leg.Replica.Circuit.HalfOpen)
            Settle(leg.Replica, now);
    }

    private void Failed(Leg leg, Mishap mishap, Instant now)
    {
        var replica = leg.Replica;
        if (mishap == Mishap.PreemptionNotice)
        {
            Untried(leg, now);
            return;
        }

        if (replica.Trial == leg)
            replica.Trial = null;
        replica.FailWords = mishap == Mishap.AnswerLost ? "its answer broke off" : "no answer, or a server's error";
        replica.Circuit.Fail(now);
        Settle(replica, now);
    }

    /// <summary>What only time changes: circuits to be tried, replicas put aside, shares that grow, meters, who is to go.</summary>
    private void OnTick()
    {
        Waiter? answered;
        lock (_gate)
        {
            if (_disposed)
                return;
            var now = Step(default);
            foreach (var replica in _present)
            {
                replica.Meter?.Advance(now);
                LookForOutlier(replica, now);
                if (replica.Circuit.Try(now))
                    replica.Trial = null;
                Settle(replica, now);
                LeaveIfDone(replica, now);
            }

            Dispatch(now);
            Arm(now);
            answered = Answered();
        }

        Waiter.Tell(answered);
    }
}
