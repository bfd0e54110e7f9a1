using TokenFactory.Fleet;
using TokenFactory.Units;

namespace TokenFactory.Policies;

/// <summary>
/// Takes the replica to which a request adds the least cost of those that keep every promise: its own, and those to the requests that are
/// there. Where none keeps all, the one that breaks them least.
/// </summary>
/// <remarks>
/// Cost is the replica's price times the seconds that the request takes of it: those by which its prompt lengthens the steps, its share of
/// the steps that generate its answer in a usual batch, and its share of the places or the cache for as long as it stays and makes others
/// stay longer. A prefix that need not be computed, a cheaper GPU, a replica where it delays nobody: each shows as fewer dollars. Replicas
/// that are there are paid for, so that equal ones are used evenly, and how many there are is the scaler's business;
/// <see cref="Consolidation"/> makes it the router's too. The nearer a promise comes to its limit the likelier chance breaks it: a broken
/// promise is priced at <see cref="Stake"/> times what the request costs.
/// </remarks>
/// <param name="eligibility">How much may be sent to a replica, and which reports are believed.</param>
public sealed class MarginalCostRouter(Eligibility? eligibility = null) : IRouter
{
    private const int Few = 4;
    private const int SmallFleet = 16;
    private const int MostMatches = 16;
    private const int MostPools = 8;
    private const int FewMatches = 8;
    private const int UsualBatch = 32;
    private const double Hour = 3600;

    private readonly Eligibility _eligibility = eligibility ?? new();

    /// <summary>Share of a promise that may be used up by prediction; 0 to 1.</summary>
    public double Margin { get; init; } = 0.85;

    /// <summary>How many times a request's cost a broken promise is taken to cost.</summary>
    /// <remarks>
    /// At 20, half of a promise weighs as much as the request: replicas of one price share a light load before one of them fills, and the
    /// tail shortens without a loss of the load that can be carried (docs/effects.md).
    /// </remarks>
    public double Stake { get; init; } = 20;

    /// <summary>
    /// How far answers are charged what they add to the present steps of a replica instead of a share in usual ones; 0 to 1. At 1 a replica
    /// that is idle costs whole steps, and the first of equal replicas are filled as far as promises allow, so that others can sleep.
    /// </summary>
    public double Consolidation { get; init; }

    /// <summary>Times the time of a request alone on the fastest pool that counts as a promise where its class has none.</summary>
    public double Patience { get; init; } = 6;

    /// <inheritdoc/>
    public RoutingDecision Decide(FleetSnapshot fleet, Ask ask, ReplicaRole role, Instant now)
    {
        Span<PrefixMatch> matches = stackalloc PrefixMatch[MostMatches];
        matches = role == ReplicaRole.Decode || ask.Prefix.IsEmpty ? [] : matches[..fleet.Matches(ask, matches)];
        Span<int> candidates = stackalloc int[SmallFleet + (MostPools * Few) + MostMatches];
        candidates = candidates[..Candidates(fleet, role, matches, candidates)];
        var usual = Usual(fleet, ask, role);
        var best = new Choice(-1, 0, default, false, double.PositiveInfinity, 0, 0);
        foreach (var index in candidates)
        {
            var fresh = role == ReplicaRole.Decode ? 0 : Math.Max(1, ask.PromptTokens - Matched(matches, index));
            if (_eligibility.Refuses(fleet, fleet.Replicas[index], ask, fresh, now) is not null)
                continue;
            var choice = Weigh(fleet, ask, role, fleet.Replicas[index], fresh, usual, now);
            if (choice.Better(best))
                best = choice;
        }

        return best.Replica < 0 ? Eligibility.Wait(fleet, ask, role) : Decision(best, ask);
    }

    private static RoutingDecision Decision(in Choice best, Ask ask)
    {
        var outlook = best.Outlook;
        var reason = best.Keeps
            ? new RoutingReason(
                RoutingCause.Cheapest, outlook.TtftSeconds, outlook.TpotSeconds, best.Usd / (ask.PromptTokens + outlook.OutputTokens) * 1e6)
            : new RoutingReason(RoutingCause.BreaksLeast, outlook.TtftSeconds, outlook.TpotSeconds, best.Share);
        return new RoutingDecision(best.Replica, best.Fresh, reason);
    }

    private Choice Weigh(
        FleetSnapshot fleet, Ask ask, ReplicaRole role, ReplicaState replica, int fresh, in UsualRun usual, Instant now)
    {
        var pool = fleet.Pools[replica.Pool];
        var kind = fleet.Classes[ask.Class].Facts;
        var outlook = Outlook.Of(fleet, replica, ask, fresh, _eligibility, now);
        var own = outlook.OwnShare(kind, (now - ask.Arrival).Seconds, role == ReplicaRole.Decode);
        var share = Math.Max(own, outlook.OthersShare(fleet, replica));
        var usd = Usd(pool, ask, outlook);
        var felt = kind.Promises || kind.FillsSlack ? share : Math.Max(share, outlook.EndSeconds / (Patience * usual.Seconds));
        var squared = felt * felt;
        var keeps = share <= Margin;
        return new Choice(
            replica.Index, fresh, outlook, keeps, keeps ? usd + (usual.Usd * Stake * squared * squared) : share, usd, share);
    }

    private double Usd(PoolState pool, Ask ask, in Outlook outlook)
    {
        var facts = pool.Facts;
        var place = Math.Max(1.0 / facts.MaxSequences, (ask.PromptTokens + (outlook.OutputTokens / 2)) / facts.KvTokens);
        var occupied = outlook.EndSeconds + outlook.InflictedSeconds;
        var usual = Share(pool, ask.PromptTokens, outlook.OutputTokens) * outlook.Slowness;
        var answer = usual + ((outlook.AnswerSeconds - usual) * Consolidation);
        return facts.UsdPerHour / Hour * (outlook.PromptSeconds + answer + (place * occupied));
    }

    /// <summary>Seconds of steps that an answer takes as one of a usual batch.</summary>
    private static double Share(PoolState pool, int prompt, double output)
    {
        var batch = Math.Min(UsualBatch, pool.Facts.MaxSequences);
        return pool.Steps.Token(batch, prompt + (output / 2)) * output / batch;
    }

    /// <summary>What the request costs in a usual batch of the cheapest pool, and how long it takes alone on the fastest.</summary>
    private static UsualRun Usual(FleetSnapshot fleet, Ask ask, ReplicaRole role)
    {
        double usd = double.PositiveInfinity, seconds = double.PositiveInfinity;
        foreach (var index in fleet.PoolsOf(role))
        {
            var pool = fleet.Pools[index];
            if (pool.Ready.Length == 0)
                continue;
            var output = pool.Facts.Role == ReplicaRole.Prefill ? 0 : fleet.Classes[ask.Class].Expected(ask);
            var prompt = role == ReplicaRole.Decode ? 0 : pool.Steps.Prompt(ask.PromptTokens, 0, 0);
            usd = Math.Min(usd, (prompt + Share(pool, ask.PromptTokens, output)) * pool.Facts.UsdPerHour / Hour);
            seconds = Math.Min(seconds, prompt + (pool.Steps.Token(1, ask.PromptTokens) * output));
        }

        return new UsualRun(usd, seconds);
    }

    /// <summary>All where there are few; otherwise the least loaded of each pool, and those that hold most of the prompt.</summary>
    private static int Candidates(FleetSnapshot fleet, ReplicaRole role, ReadOnlySpan<PrefixMatch> matches, Span<int> into)
    {
        var pools = fleet.PoolsOf(role);
        var count = 0;
        foreach (var pool in pools)
            count += fleet.Pools[pool].Ready.Length;
        return count <= SmallFleet ? All(fleet, pools, into) : Some(fleet, pools, matches, into);
    }

    private static int All(FleetSnapshot fleet, ReadOnlySpan<int> pools, Span<int> into)
    {
        var found = 0;
        foreach (var pool in pools)
        {
            var ready = fleet.Pools[pool].Ready;
            ready.CopyTo(into[found..]);
            found += ready.Length;
        }

        return found;
    }

    private static int Some(FleetSnapshot fleet, ReadOnlySpan<int> pools, ReadOnlySpan<PrefixMatch> matches, Span<int> into)
    {
        var found = 0;
        var each = Math.Max(1, Few * MostPools / Math.Max(MostPools, pools.Length));
        foreach (var pool in pools)
            found += fleet.LeastLoaded(pool, into[found..^MostMatches][..Math.Min(each, into.Length - MostMatches - found)]);
        foreach (var match in matches[..Math.Min(matches.Length, FewMatches)])
        {
            if (!into[..found].Contains(match.Replica))
                into[found++] = match.Replica;
        }

        return found;
    }

    private static int Matched(ReadOnlySpan<PrefixMatch> matches, int replica)
    {
        foreach (var match in matches)
        {
            if (match.Replica == replica)
                return match.Tokens;
        }

        return 0;
    }

    private readonly record struct UsualRun(double Usd, double Seconds);

    private readonly record struct Choice(
        int Replica, int Fresh, Outlook Outlook, bool Keeps, double Score, double Usd, double Share)
    {
        /// <summary>Keeping all promises goes before everything; among equals the earlier candidate stays.</summary>
        public bool Better(in Choice other) => Keeps == other.Keeps ? Score < other.Score : Keeps;
    }
}
