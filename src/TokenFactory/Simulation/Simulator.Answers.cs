using TokenFactory.Engine;
using TokenFactory.Fleet;
using TokenFactory.Policies;
using TokenFactory.Units;
using TokenFactory.Workload;

namespace TokenFactory.Simulation;

/// <content>What engines tell of requests, the way of a KV cache between pools, and the end: steps (5) and (6) of a request's way.</content>
public sealed partial class Simulator
{
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
                break; // preempted: its leg counts that
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
