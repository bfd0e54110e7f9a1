using TokenFactory.Engine;
using TokenFactory.Fleet;
using TokenFactory.Policies;
using TokenFactory.Units;
using TokenFactory.Workload;

namespace TokenFactory.Simulation;

/// <content>
/// The way of a request to an engine, and from there (in Simulator.Answers): (1) it arrives and waits at the gateway; (2) the router finds
/// it a replica; (3) it passes the server in front of the engine; (4) the engine has it; (5) where pools compute prompts alone, its KV cache
/// moves on to a second replica; (6) it ends.
/// </content>
public sealed partial class Simulator
{
    private readonly Queue<Journey> _handoffs = [];
    private readonly Dictionary<long, Journey> _atGateway = [];
    private readonly Transfers _transfers = new();
    private Instant _dispatchSet = Instant.Never;
    private Instant _transferSet = Instant.Never;
    private readonly Queue<Journey>[] _deadlines;
    private readonly bool[] _deadlineSet;
    private Instant _dueSet = Instant.Never;

    private void Pull()
    {
        if (_traffic.Next() is { } request)
            _clock.Set(request.Arrival, Rank.Requests, now => Arrive(request, now, pull: true));
        else
            _open = false;
    }

    private void Arrive(Request request, Instant now, bool pull)
    {
        if (pull)
            Pull();
        _lastEvent = now;
        var ask = AskOf(request, _classOf[request.Class]);
        var journey = new Journey(request, ask);
        _books.Arrive(journey);
        _book.Arrive();
        if (!CanEverServe(request.PromptTokens))
        {
            End(journey, Ending.Rejected, "longer than any replica can serve", now);
            return;
        }

        if (_plan.Classes[ask.Class].DeadlineSeconds is not null)
            Watch(journey);
        Wait(journey, now);
        Dispatch(now);
    }

    /// <summary>
    /// Keeps an eye on its deadline. Deadlines of a class come in the order of arrival, so that only the first that is not over needs an
    /// alarm, and who is over is soon forgotten.
    /// </summary>
    private void Watch(Journey journey)
    {
        var queue = _deadlines[journey.Ask.Class];
        while (queue.TryPeek(out var first) && first.Where == Whereabouts.Ended)
            queue.Dequeue();
        queue.Enqueue(journey);
        SetDeadline(journey.Ask.Class);
    }

    private void SetDeadline(int serviceClass)
    {
        var queue = _deadlines[serviceClass];
        if (_deadlineSet[serviceClass] || queue.Count == 0)
            return;
        _deadlineSet[serviceClass] = true;
        _clock.Set(Deadline(queue.Peek()), Rank.Requests, now =>
        {
            _deadlineSet[serviceClass] = false;
            while (queue.TryPeek(out var first) && (first.Where == Whereabouts.Ended || Deadline(first) <= now))
                Expire(queue.Dequeue(), now);
            SetDeadline(serviceClass);
        });
    }

    private Instant Deadline(Journey journey) =>
        journey.Request.Arrival + Duration.OfSeconds(_plan.Classes[journey.Ask.Class].DeadlineSeconds!.Value);

    /// <summary>(1) It waits at the gateway, unless too many do.</summary>
    private void Wait(Journey journey, Instant now)
    {
        if (_backlog.Add(journey.Ask, View, now) is { } refused)
        {
            End(journey, Ending.Shed, refused.Limit.ToString(), now);
            return;
        }

        journey.Where = Whereabouts.Gateway;
        journey.TakenOut = TakenOut.No;
        _atGateway.Add(journey.Ask.Id, journey);
        Tell(new FleetEvent(FleetEventKind.Queued, now) { Ask = journey.Ask, HadFirstToken = journey.FirstToken is not null });
        if (_backlog.NextDue < _dueSet)
            SetShed(now);
    }

    /// <summary>Gives up who waited too long.</summary>
    private void Shed(Instant now)
    {
        _dueSet = Instant.Never;
        while (_backlog.Overdue(View, now) is { } overdue)
        {
            var journey = _atGateway[overdue.Ask.Id];
            _backlog.Remove(overdue.Ask.Id, View);
            Unqueue(journey, now);
            End(journey, Ending.Shed, overdue.Reason.Limit.ToString(), now);
        }

        SetShed(now);
    }

    /// <summary>Who comes back late may be overdue already.</summary>
    private void SetShed(Instant now)
    {
        _dueSet = _backlog.NextDue;
        _clock.Set(_dueSet > now ? _dueSet : now, Rank.Requests, Shed);
    }

    private void Unqueue(Journey journey, Instant now)
    {
        _atGateway.Remove(journey.Ask.Id);
        Tell(new FleetEvent(FleetEventKind.Unqueued, now) { Ask = journey.Ask });
    }

    /// <summary>There may be room: looks again, a moment later, so that all that happens now comes first.</summary>
    private void DispatchSoon(Instant now)
    {
        if ((_backlog.Count == 0 && _handoffs.Count == 0) || _dispatchSet > now && _dispatchSet < Instant.Never)
            return;
        _dispatchSet = now + Duration.Tick;
        _clock.Set(_dispatchSet, Rank.Requests, Dispatch);
    }

    /// <summary>(2) Sends who waits to replicas, as long as the router finds some.</summary>
    private void Dispatch(Instant now)
    {
        _dispatchSet = Instant.Never;
        while (_handoffs.TryPeek(out var moved) && HandOff(moved, now))
            _handoffs.Dequeue();
        ulong passed = 0;
        while (_backlog.Next(View, now, passed) is { } ask)
        {
            var fills = _plan.Classes[ask.Class].FillsSlack;
            var choice = fills
                ? _plan.Fill.Place(View, ask, ReplicaRole.Aggregated, _router, now)
                : _router.Decide(View, ask, ReplicaRole.Aggregated, now);
            if (!choice.Waits)
                Send(_atGateway[ask.Id], choice, now);
            else if (fills)
                passed |= 1UL << ask.Class;
            else
                return;
        }
    }

    /// <summary>(3) It passes the server in front of the engine.</summary>
    private void Send(Journey journey, RoutingDecision choice, Instant now)
    {
        _backlog.Take(journey.Ask, View);
        Unqueue(journey, now);
        journey.Attempts++;
        journey.FirstSent ??= now;
        Address(journey, choice, now);
        var front = _plan.Pools[_hosts[choice.Replica].Pool].Facts.Model.FrontSeconds(journey.Ask.PromptTokens);
        SetDelivery(journey, now + Duration.OfSeconds(Math.Max(1e-9, front)));
    }

    private void Address(Journey journey, RoutingDecision choice, Instant now)
    {
        journey.Where = Whereabouts.OnTheWay;
        (journey.Replica, journey.FreshTokens, journey.LegFirstToken) = (choice.Replica, choice.FreshTokens, null);
        journey.Dispatched = now;
        journey.Sendings++;
        journey.Leg = null;
        _hosts[choice.Replica].Journeys.Add(journey);
        Tell(new FleetEvent(FleetEventKind.Dispatched, now, choice.Replica) { Ask = journey.Ask, FreshTokens = choice.FreshTokens });
    }

    private void SetDelivery(Journey journey, Instant at)
    {
        var sending = journey.Sendings;
        _clock.Set(at, Rank.Requests, now =>
        {
            if (journey.Where == Whereabouts.OnTheWay && journey.Sendings == sending)
                Deliver(journey, now);
        });
    }

    /// <summary>(4) The engine has it.</summary>
    private void Deliver(Journey journey, Instant now)
    {
        var host = _hosts[journey.Replica];
        if (journey.TakenOut != TakenOut.No)
        {
            Taken(journey, now);
            LeaveIfDone(host);
            return;
        }

        var leg = host.Plan.Facts.Role switch
        {
            ReplicaRole.Prefill => Leg.Prompt,
            ReplicaRole.Decode => Leg.Answer,
            _ => Leg.Whole,
        };
        if (host.Engine!.Refuses(journey.Ask.PromptTokens) is not null)
        {
            LeaveReplica(journey, false, now);
            LeaveIfDone(host);
            Drop(journey, now);
            End(journey, Ending.Rejected, "its prompt too long", now);
            return;
        }

        var script = journey.Request.Script;
        journey.Where = Whereabouts.Engine;
        journey.Leg = new EngineRequest(
            journey.Request.Id, journey.Ask.PromptTokens, script with { OutputTokens = Math.Max(1, script.OutputTokens - journey.Kept) })
        {
            Leg = leg,
            Priority = _plan.Classes[journey.Ask.Class].Priority,
            MaxTokens = journey.Ask.MaxTokens,
            Prompt = journey.Request.Prompt,
            Tag = journey,
        };
        host.Engine.Submit(journey.Leg, now);
        _clock.SetStep(host.Index, host.Engine.NextEvent);
    }
}
