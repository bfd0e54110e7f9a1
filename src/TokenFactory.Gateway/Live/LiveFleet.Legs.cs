using TokenFactory.Fleet;
using TokenFactory.Policies;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Live;

/// <content>What becomes of requests that were sent: steps (4) and (5) of a request's way.</content>
public sealed partial class LiveFleet
{
    internal void FirstToken(Leg leg, Instant at)
    {
        Waiter? answered;
        lock (_gate)
        {
            var now = Step(at);
            if (leg.Over || leg.FirstTokenAt is not null)
                return;
            Begin(leg, now);
            Succeed(leg, now);
            Dispatch(now);
            answered = Answered();
        }

        Waiter.Tell(answered);
    }

    internal LegCost End(Leg leg, Instant at, bool completed, int outputTokens, int? promptTokens, int? cachedTokens)
    {
        Waiter? answered;
        WorkCost cost;
        lock (_gate)
        {
            var now = Step(at);
            cost = Leave(leg, now, completed, outputTokens, promptTokens, cachedTokens);
            if (completed)
                Succeed(leg, now);
            else
                Untried(leg, now);
            LeaveIfDone(leg.Replica, now);
            Dispatch(now);
            answered = Answered();
        }

        Waiter.Tell(answered);
        return Told(cost);
    }

    internal (LegCost Cost, RecoveryDecision Decision) Fail(Leg leg, Instant at, Mishap mishap, int outputTokens, bool retryable)
    {
        Waiter? answered;
        WorkCost cost;
        RecoveryDecision decision;
        lock (_gate)
        {
            var now = Step(at);
            cost = Leave(leg, now, completed: false, outputTokens, null, null);
            var seen = retryable ? outputTokens : Math.Max(1, outputTokens);
            decision = _recovery.Decide(View, new Trouble(leg.Ask, mishap, leg.Replica.Index, seen, !retryable, now), now);
            if (decision.Next is { } next)
                decision = decision with { Next = next with { Avoid = leg.Replica.Index } };
            Failed(leg, mishap, now);
            LeaveIfDone(leg.Replica, now);
            Dispatch(now);
            answered = Answered();
        }

        Waiter.Tell(answered);
        return (Told(cost), decision);
    }

    /// <summary>(4) Its first token came.</summary>
    private void Begin(Leg leg, Instant now)
    {
        leg.FirstTokenAt = now;
        leg.Replica.Meter!.FirstToken(leg.Work, now);
        Tell(new FleetEvent(FleetEventKind.FirstToken, now, leg.Replica.Index) { Ask = leg.Ask, FreshTokens = leg.Decision.FreshTokens });
    }

    /// <summary>
    /// Answers that are no streams show no first token. It is taken to come when it was predicted to: otherwise policies would think that
    /// their prompts are computed until they end.
    /// </summary>
    private void BeginUnseen(Instant now)
    {
        while (_unseen.TryPeek(out var leg, out var due) && due <= now.Nanoseconds)
        {
            _unseen.Dequeue();
            if (!leg.Over && leg.FirstTokenAt is null)
                Begin(leg, now);
        }
    }

    /// <summary>(5) It is no longer at its replica.</summary>
    private WorkCost Leave(Leg leg, Instant now, bool completed, int outputTokens, int? promptTokens, int? cachedTokens)
    {
        if (leg.Over)
            throw new InvalidOperationException($"Request {leg.Ask.Id} has ended at '{leg.Replica.Name}' before: a leg ends once.");
        leg.Over = true;
        var cost = leg.Replica.Meter!.End(leg.Work, now);
        var ended = new FleetEvent(FleetEventKind.Ended, now, leg.Replica.Index)
        {
            Ask = leg.Ask,
            FreshTokens = leg.Decision.FreshTokens,
            HadFirstToken = leg.FirstTokenAt is not null,
            FirstTokenAt = leg.FirstTokenAt ?? default,
            OutputTokens = outputTokens,
            Completed = completed,
        };
        Tell(ended, promptTokens, cachedTokens);
        return cost;
    }

    private static LegCost Told(in WorkCost cost) => new(cost.UsageUsd, cost.AllocationUsd, cost.Joules, cost.BusySeconds);
}
