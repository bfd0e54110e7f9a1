using TokenFactory.Fleet;
using TokenFactory.Policies;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Live;

/// <content>Who waits, who is sent, who is given up: steps (2) and (3) of a request's way.</content>
public sealed partial class LiveFleet
{
    private const double TimerMilliseconds = 1;

    /// <summary>(2) Sends who waits to replicas, as long as the router finds some.</summary>
    private void Dispatch(Instant now)
    {
        ulong passed = 0;
        while (_backlog.Count > 0 && _backlog.Next(View, now, passed) is { } ask)
        {
            var choice = _brain.Decide(ask, now);
            _log?.Decided(_number, now, ask, choice);
            if (!choice.Waits)
                Send(ask, choice, now);
            else if (_brain.Classes[ask.Class].FillsSlack)
                passed |= 1UL << ask.Class;
            else if (!SetAside(ask, now))
                return;
        }
    }

    /// <summary>
    /// A request that is too long for every replica that is ready, though not for others, makes room for those behind it until one of these
    /// is back: a replica that broke down must not stop the line.
    /// </summary>
    /// <returns>Whether it steps aside.</returns>
    private bool SetAside(Ask ask, Instant now)
    {
        double longest = 0;
        foreach (var pool in View.Pools)
        {
            if (pool.Facts.Role == ReplicaRole.Aggregated && pool.Ready.Length > 0)
                longest = Math.Max(longest, Longest(pool.Facts));
        }

        if (longest == 0 || ask.PromptTokens < longest)
            return false;
        _backlog.Remove(ask.Id, View);
        if (_aside.Add(ask, View, now) is { } shed)
            GiveUp(ask, shed, now);
        return true;
    }

    /// <summary>Replicas came back: who stepped aside stands in line again.</summary>
    private void Readmit(Instant now)
    {
        while (_aside.Count > 0 && _aside.Next(View, now) is { } ask)
        {
            _aside.Remove(ask.Id, View);
            if (_backlog.Add(ask, View, now) is { } shed)
                GiveUp(ask, shed, now);
        }
    }

    /// <summary>(3) It has a replica.</summary>
    private void Send(Ask ask, RoutingDecision choice, Instant now)
    {
        _backlog.Take(ask, View);
        Tell(new FleetEvent(FleetEventKind.Unqueued, now) { Ask = ask });
        var replica = _all[choice.Replica];
        var mine = ReferenceEquals(ask, _placing);
        Waiter? waiter = null;
        if (!mine)
            _waiters.Remove(ask.Id, out waiter);
        var streams = mine ? _placingStreams : waiter!.Streams;
        var outlook = streams ? default : Outlook.Of(View, replica.Known, ask, choice.FreshTokens, _brain.Eligibility, now);
        Tell(new FleetEvent(FleetEventKind.Dispatched, now, choice.Replica) { Ask = ask, FreshTokens = choice.FreshTokens });
        var work = replica.Meter!.Dispatch(now, ask.PromptTokens, choice.FreshTokens, View.Classes[ask.Class].Expected(ask));
        var leg = new Leg(this, replica, ask, choice, now, work);
        if (!streams)
            _unseen.Enqueue(leg, (now + Duration.OfSeconds(outlook.TtftSeconds)).Nanoseconds);
        if (replica.Circuit.HalfOpen)
            Try(replica, leg, now);
        if (mine)
            _placed = new Placement(leg, null, null);
        else
            waiter!.Answer(new Placement(leg, null, null), ref _answered);
    }

    /// <summary>Gives up who waited too long.</summary>
    private void OnDue()
    {
        Waiter? answered;
        lock (_gate)
        {
            if (_disposed)
                return;
            _dueSet = Instant.Never;
            var now = Step(default);
            Dispatch(now);
            Shed(_backlog, now);
            Shed(_aside, now);
            Arm(now);
            answered = Answered();
        }

        Waiter.Tell(answered);
    }

    private void Shed(Backlog from, Instant now)
    {
        while (from.Overdue(View, now) is { } overdue)
            GiveUp(overdue.Ask, overdue.Reason, now);
    }

    private void GiveUp(Ask ask, ShedReason reason, Instant now)
    {
        var placement = new Placement(null, True(reason, now), null);
        if (ReferenceEquals(ask, _placing))
            _placed = placement;
        Unqueue(ask, now)?.Answer(placement, ref _answered);
    }

    /// <summary>Who comes back before a replica does comes in vain.</summary>
    private ShedReason True(ShedReason reason, Instant now)
    {
        var soonest = Instant.Never;
        foreach (var replica in _present)
        {
            if (replica.Usable)
                return reason;
            if (replica.Reachable && !replica.Drained && replica.GoesBy is null)
                soonest = Instant.Earlier(soonest, Later(replica.Circuit.OpenUntil ?? default, replica.Aside?.Until ?? default));
        }

        var seconds = soonest < Instant.Never ? (soonest - now).Seconds : _setup.Health.MostSeconds;
        return reason with { RetryAfterSeconds = Math.Max(reason.RetryAfterSeconds, seconds) };
    }

    private static Instant Later(Instant one, Instant other) => one > other ? one : other;

    /// <summary>Sets the alarm for who is to be given up next. Timers count whole milliseconds, and must not come early.</summary>
    private void Arm(Instant now)
    {
        var due = Instant.Earlier(_backlog.NextDue, _aside.NextDue);
        if (due >= _dueSet || _disposed)
            return;
        _dueSet = due;
        var milliseconds = Math.Max(TimerMilliseconds, Math.Ceiling((due - now).Seconds * 1e3));
        _dueTimer.Change(TimeSpan.FromMilliseconds(Math.Min(milliseconds, int.MaxValue)), Timeout.InfiniteTimeSpan);
    }
}
