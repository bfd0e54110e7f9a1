using TokenFactory.Fleet;
using TokenFactory.Units;

namespace TokenFactory.Policies;

/// <summary>How much may be sent to a replica; what is more waits at the gateway, where order can still be kept.</summary>
public sealed record Eligibility
{
    /// <summary>Requests in flight beyond those that run at once, as a share of them, so that the engine never idles between two.</summary>
    public double QueueShare { get; init; } = 0.1;

    /// <summary>Fewest requests in flight beyond those that run at once.</summary>
    public int LeastQueued { get; init; } = 2;

    /// <summary>Share of the KV cache that requests may hold by expectation.</summary>
    public double KvShare { get; init; } = 1;

    /// <summary>Age in seconds at which a report is no longer believed.</summary>
    public double StaleSeconds { get; init; } = 15;

    /// <summary>Most requests in flight on a replica of a pool.</summary>
    public int InFlightLimit(PoolFacts pool) =>
        (int)Math.Min(int.MaxValue, pool.MaxSequences + Math.Max(LeastQueued, Math.Floor(pool.MaxSequences * QueueShare)));

    /// <summary>Whether a replica has reported, and lately.</summary>
    public bool Fresh(ReplicaState replica, Instant now) =>
        replica.ReportedAt is { } at && (now - at).Seconds <= StaleSeconds;

    /// <summary>Whether a replica has reported, and no longer does.</summary>
    public bool Silent(ReplicaState replica, Instant now) => replica.ReportedAt is not null && !Fresh(replica, now);

    /// <summary>
    /// Tokens that requests hold in a replica's KV cache: by its report and what was sent since and is still there, or else by what was sent.
    /// </summary>
    public double HeldTokens(FleetSnapshot fleet, ReplicaState replica, Instant now)
    {
        var pool = fleet.Pools[replica.Pool];
        if (Fresh(replica, now))
            return (replica.ReportedKvHeld * pool.Facts.KvTokens) + Math.Min(replica.FreshSinceReport, replica.HeldTokens);
        if (replica.Generating == 0)
            return replica.HeldTokens;
        var tokenSeconds = pool.Steps.Token(replica.Generating, replica.GeneratingPromptTokens / (double)replica.Generating);
        var mostGenerated = fleet.ExpectedOutputTokens(replica) / replica.InFlight;
        var context = replica.MeanContext(now, tokenSeconds * replica.Slowness, mostGenerated);
        return replica.UnstartedPromptTokens + (context * replica.Generating);
    }

    /// <summary>Whether a request may be sent to a replica; where not, why.</summary>
    /// <param name="fleet">What is known.</param>
    /// <param name="replica">The replica.</param>
    /// <param name="ask">The request.</param>
    /// <param name="fresh">Prompt tokens that the replica would have to compute.</param>
    /// <param name="now">The present.</param>
    /// <returns>Null where it may.</returns>
    public RoutingCause? Refuses(FleetSnapshot fleet, ReplicaState replica, Ask ask, int fresh, Instant now)
    {
        if (replica.Phase != ReplicaPhase.Ready)
            return RoutingCause.NoReplica;
        var facts = fleet.Pools[replica.Pool].Facts;
        if (ask.PromptTokens >= Math.Min(facts.KvTokens, facts.LongestTokens))
            return RoutingCause.TooLong;
        if (replica.InFlight >= Math.Min(InFlightLimit(facts), replica.MostInFlight))
            return RoutingCause.AllFull;
        if (ask.Avoid == replica.Index && AnotherServes(fleet, replica, ask))
            return RoutingCause.FailedBefore;
        if (replica.InFlight == 0)
            return null;
        var output = facts.Role == ReplicaRole.Prefill ? 0 : fleet.Classes[ask.Class].Expected(ask);
        var needed = (facts.Role == ReplicaRole.Decode ? ask.PromptTokens : fresh) + output;
        return HeldTokens(fleet, replica, now) + needed > facts.KvTokens * KvShare ? RoutingCause.KvFull : null;
    }

    /// <summary>Whether any other ready replica that does the same part of requests is long enough for one.</summary>
    private static bool AnotherServes(FleetSnapshot fleet, ReplicaState replica, Ask ask)
    {
        var role = fleet.Pools[replica.Pool].Facts.Role;
        foreach (var index in fleet.PoolsOf(role))
        {
            var pool = fleet.Pools[index];
            var others = pool.Ready.Length - (index == replica.Pool ? 1 : 0);
            if (others > 0 && ask.PromptTokens < Math.Min(pool.Facts.KvTokens, pool.Facts.LongestTokens))
                return true;
        }

        return false;
    }

    /// <summary>Prompt tokens of a request that a replica would have to compute: at least one, or none at a second leg.</summary>
    public static int Fresh(FleetSnapshot fleet, Ask ask, ReplicaRole role, int replica) =>
        role == ReplicaRole.Decode ? 0 : Math.Max(1, ask.PromptTokens - fleet.MatchedTokens(ask, replica));

    /// <summary>The decision where no replica may be sent a request.</summary>
    public static RoutingDecision Wait(FleetSnapshot fleet, Ask ask, ReplicaRole role)
    {
        var (ready, full, longest) = (0, true, 0.0);
        foreach (var index in fleet.PoolsOf(role))
        {
            var pool = fleet.Pools[index];
            ready += pool.Ready.Length;
            longest = Math.Max(longest, Math.Min(pool.Facts.KvTokens, pool.Facts.LongestTokens));
            full &= pool.InFlight >= pool.Ready.Length * (long)pool.Facts.MaxSequences;
        }

        if (fleet.PoolsOf(role).Length > 0 && ask.PromptTokens >= longest)
            return RoutingDecision.Wait(new(RoutingCause.TooLong, ask.PromptTokens, longest));
        if (ready == 0)
            return RoutingDecision.Wait(new(RoutingCause.NoReplica));
        return RoutingDecision.Wait(full ? new(RoutingCause.AllFull, ready) : new(RoutingCause.KvFull, ready, ask.PromptTokens));
    }
}
