using TokenFactory.Engine;
using TokenFactory.Fleet;
using TokenFactory.Policies;
using TokenFactory.Units;
using TokenFactory.Workload;

namespace TokenFactory.Simulation;

/// <content>
/// The way of a request: (1) it arrives and waits at the gateway; (2) the router finds it a replica; (3) it passes the server in front of
/// the engine; (4) the engine has it; (5) where pools compute prompts alone, its KV cache moves on to a second replica; (6) it ends.
/// </content>
public sealed partial class Simulator
{
    private readonly Queue<Journey> _handoffs = [];
    private readonly Dictionary<long, Journey> _atGateway = [];
    private readonly Transfers _transfers = new();
    private Instant _dispatchSet = Instant.Never;
    private Instant _transferSet = Instant.Never;
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

        if (_plan.Classes[ask.Class].DeadlineSeconds is { } deadline)
            _clock.Set(request.Arrival + Duration.OfSeconds(deadline), Rank.Requests, then => Expire(journey, then));
        Wait(journey, now);
        Dispatch(now);
    }

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
        {
            _dueSet = _backlog.NextDue;
            _clock.Set(_dueSet, Rank.Requests, Shed);
        }
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

        _dueSet = _backlog.NextDue;
        _clock.Set(_dueSet, Rank.Requests, Shed);
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
            return;
        }

        var leg = host.Plan.Facts.Role switch
        {
            ReplicaRole.Prefill => Leg.Prompt,
            ReplicaRole.Decode => Leg.Answer,
            _ => Leg.Whole,
        };
        if (host.Engine!.Refuses(journey.Ask.PromptTokens) is { } refusal)
        {
            LeaveReplica(journey, false, now);
            Drop(journey, now);
            End(journey, Ending.Rejected, refusal.Split(" of ")[0] + " too long", now);
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

    private void Hear(Host host, EngineEvent told)
    {
        var journey = (Journey)told.Request.Tag!;
        switch (told.Kind)
        {
            case EngineEventKind.FirstToken:
                journey.FirstToken ??= _now;
                journey.LegFirstToken = _now;
                Tell(new FleetEvent(FleetEventKind.FirstToken, _now, host.Index) { Ask = journey.Ask, FreshTokens = journey.FreshTokens });
                break;
            case EngineEventKind.Finished:
                Finish(journey);
                break;
            case EngineEventKind.PromptDone:
                PromptDone(journey, host);
                break;
            case EngineEventKind.PlaceReady:
                Fetch(journey, host);
                break;
            case EngineEventKind.Refused:
                LeaveReplica(journey, false, _now);
                Drop(journey, _now);
                End(journey, Ending.Rejected, "does not fit in the KV cache", _now);
                break;
            case EngineEventKind.Cancelled:
                Taken(journey, _now);
                break;
            default:
                _preemptions++;
                break;
        }
    }

    /// <summary>(5) The prompt is computed: a second replica takes over.</summary>
    private void PromptDone(Journey journey, Host host)
    {
        if (journey.TakenOut != TakenOut.No)
            return; // it is told next that it is out
        (journey.Source, journey.Fetched) = (host.Index, journey.Leg);
        LeaveReplica(journey, true, _now);
        journey.Where = Whereabouts.Handoff;
        if (_handoffs.Count > 0 || !HandOff(journey, _now))
            _handoffs.Enqueue(journey);
    }

    private bool HandOff(Journey journey, Instant now)
    {
        if (journey.Where != Whereabouts.Handoff)
            return true; // it ended meanwhile
        var choice = _router.Decide(View, journey.Ask, ReplicaRole.Decode, now);
        if (choice.Waits)
            return false;
        Address(journey, choice, now);
        SetDelivery(journey, now + Duration.Tick);
        return true;
    }

    private void Fetch(Journey journey, Host to)
    {
        if (journey.Source < 0 || _hosts[journey.Source].Phase == ReplicaPhase.Gone)
        {
            TakeOut(journey, TakenOut.CacheLost, _now);
            return;
        }

        var from = _hosts[journey.Source];
        _transfers.Start(
            new Transfer
            {
                Journey = journey,
                From = from.Index,
                To = to.Index,
                FromLink = from.Plan.LinkBytesPerSecond,
                ToLink = to.Plan.LinkBytesPerSecond,
                Left = from.Plan.KvBytes(Math.Max(1, journey.Ask.PromptTokens - journey.Leg!.CachedTokens)),
            },
            _now);
        SetTransfers();
    }

    private void SetTransfers()
    {
        if (_transfers.Next == Instant.Never || _transfers.Next == _transferSet)
            return;
        _transferSet = _transfers.Next;
        _clock.Set(_transferSet, Rank.Requests, now =>
        {
            if (now == _transferSet)
                _transferSet = Instant.Never;
            foreach (var transfer in _transfers.Done(now))
            {
                Drop(transfer.Journey, now);
                var to = _hosts[transfer.To];
                to.Engine!.Delivered(transfer.Journey.Leg!, now);
                _clock.SetStep(to.Index, to.Engine.NextEvent);
            }

            SetTransfers();
        });
    }

    /// <summary>Nobody needs the computed prompt any more.</summary>
    private void Drop(Journey journey, Instant now)
    {
        if (journey.Source < 0)
            return;
        var host = _hosts[journey.Source];
        journey.Source = -1;
        if (host.Phase == ReplicaPhase.Gone)
            return;
        host.Engine!.Release(journey.Fetched!, now);
        _clock.SetStep(host.Index, host.Engine.NextEvent);
    }

    private void Finish(Journey journey)
    {
        if (AnswerIsLost(journey))
        {
            LeaveReplica(journey, false, _now);
            Recover(journey, Mishap.AnswerLost, 0, _now);
            return;
        }

        LeaveReplica(journey, true, _now);
        End(journey, Ending.Completed, "", _now);
    }

    private bool Kept(Journey journey, Instant now) => _plan.Classes[journey.Ask.Class].Kept(
        journey.FirstToken!.Value - journey.Request.Arrival, now - journey.Request.Arrival, journey.Tokens);

    /// <summary>Takes a request off its replica's account, and tells those who steer.</summary>
    private void LeaveReplica(Journey journey, bool completed, Instant now)
    {
        var host = _hosts[journey.Replica];
        host.Journeys.Remove(journey);
        if (journey.Leg is { } leg)
        {
            journey.Joules += leg.Joules;
            journey.UsageUsd += leg.BusySeconds / 3600 * host.Plan.Facts.UsdPerHour;
            journey.Preemptions += leg.Preemptions;
            if (leg.Leg != Leg.Answer)
                journey.CachedTokens = leg.CachedTokens;
        }

        Tell(new FleetEvent(FleetEventKind.Ended, now, journey.Replica)
        {
            Ask = journey.Ask,
            FreshTokens = journey.FreshTokens,
            HadFirstToken = journey.LegFirstToken is not null,
            FirstTokenAt = journey.LegFirstToken ?? default,
            OutputTokens = journey.Leg?.Generated ?? 0,
            Completed = completed,
        });
        DispatchSoon(now);
    }

    /// <summary>(6) It ends.</summary>
    private void End(Journey journey, Ending outcome, string why, Instant now)
    {
        journey.Where = Whereabouts.Ended;
        _lastEvent = now;
        var completed = outcome == Ending.Completed;
        var kept = completed && Kept(journey, now);
        _books.End(journey, outcome, why, kept, now);
        if (completed)
        {
            var ttft = (journey.FirstToken!.Value - journey.Request.Arrival).Seconds;
            _hosts[journey.Replica].Tally.End(journey, outcome, kept, now);
            _books.EndAt(_hosts[journey.Replica].Pool, journey, kept, now);
            _book.Complete(kept, ttft, journey.Tokens > 1 ? (now - journey.FirstToken.Value).Seconds / (journey.Tokens - 1) : 0);
        }

        _hooks.Row?.Invoke(Row(journey, outcome, why, kept, now));
        if (_traffic.After(journey.Request, now, completed) is { } next)
        {
            var soonest = now + Duration.Tick;
            _books.Promise(1);
            _clock.Set(next.Arrival > now ? next.Arrival : soonest, Rank.Requests, then =>
            {
                _books.Promise(-1);
                Arrive(next, then, pull: false);
            });
        }
    }

    private RequestRow Row(Journey journey, Ending outcome, string why, bool kept, Instant now) => new(
        journey.Request.Id,
        _plan.Classes[journey.Ask.Class].Name,
        _traffic.Tenants[journey.Ask.Tenant],
        outcome.ToString().ToLowerInvariant(),
        why,
        journey.Request.Arrival.Seconds,
        journey.Dispatched?.Seconds ?? -1,
        journey.FirstToken?.Seconds ?? -1,
        now.Seconds,
        journey.Request.PromptTokens,
        journey.CachedTokens,
        journey.Tokens,
        journey.Replica,
        journey.Attempts,
        journey.Preemptions,
        journey.Joules,
        journey.UsageUsd,
        kept);

    private static Ask AskOf(Request request, int serviceClass)
    {
        var pieces = request.Prompt.Span;
        var keys = pieces.Length > 0 ? new PrefixKey[pieces.Length] : [];
        ulong key = 0;
        var tokens = 0;
        for (var i = 0; i < keys.Length; i++)
        {
            key = PromptChain.Next(key, pieces[i]);
            tokens += pieces[i].Tokens;
            keys[i] = new PrefixKey(key, tokens);
        }

        return new Ask
        {
            Id = request.Id,
            Arrival = request.Arrival,
            PromptTokens = request.PromptTokens,
            MaxTokens = request.MaxTokens,
            Class = serviceClass,
            Tenant = request.Tenant,
            Prefix = keys,
        };
    }
}
