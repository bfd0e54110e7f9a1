using TokenFactory.Fleet;
using TokenFactory.Units;

namespace TokenFactory.Policies;

/// <summary>
/// Takes the replica that holds most of the prompt, unless it has much more before it than the least loaded: without that guard one hot
/// prefix draws everything to one replica while the others idle.
/// </summary>
/// <param name="eligibility">How much may be sent to a replica.</param>
public sealed class PrefixAffinityRouter(Eligibility? eligibility = null) : IRouter
{
    private const int MostMatches = 16;

    private readonly Eligibility _eligibility = eligibility ?? new();
    private readonly LeastOutstandingRouter _least = new(eligibility);

    /// <summary>Times the least loaded replica's outstanding tokens that the holder of a prefix may have; 1 or more.</summary>
    public double GuardFactor { get; init; } = 1.5;

    /// <summary>Outstanding tokens beyond the least loaded replica's that the holder of a prefix may always have.</summary>
    public double GuardTokens { get; init; } = 16384;

    /// <inheritdoc/>
    public RoutingDecision Decide(FleetSnapshot fleet, Ask ask, ReplicaRole role, Instant now)
    {
        if (role == ReplicaRole.Decode || ask.Prefix.IsEmpty)
            return _least.Decide(fleet, ask, role, now);
        if (_least.Least(fleet, ask, role, now) is not { } least)
            return Eligibility.Wait(fleet, ask, role);
        var fewest = fleet.OutstandingTokens(fleet.Replicas[least]);
        Span<PrefixMatch> matches = stackalloc PrefixMatch[MostMatches];
        var found = fleet.Matches(ask, matches);
        if (Best(fleet, ask, role, now, matches[..found], Math.Max(fewest * GuardFactor, fewest + GuardTokens)) is { } match)
        {
            var rest = Math.Max(1, ask.PromptTokens - match.Tokens);
            return new RoutingDecision(match.Replica, rest, new(RoutingCause.PrefixResident, match.Tokens));
        }

        var fresh = Eligibility.Fresh(fleet, ask, role, least);
        if (found == 0)
            return new RoutingDecision(least, fresh, new(RoutingCause.LeastOutstanding, fewest));
        var crowd = fleet.OutstandingTokens(fleet.Replicas[matches[0].Replica]) - fewest;
        return new RoutingDecision(least, fresh, new(RoutingCause.PrefixCrowded, matches[0].Tokens, crowd));
    }

    /// <summary>The longest match within the guard; among equal ones the one with the least before it.</summary>
    private PrefixMatch? Best(
        FleetSnapshot fleet, Ask ask, ReplicaRole role, Instant now, ReadOnlySpan<PrefixMatch> matches, double guard)
    {
        PrefixMatch? best = null;
        var fewest = double.PositiveInfinity;
        foreach (var match in matches)
        {
            var replica = fleet.Replicas[match.Replica];
            var tokens = fleet.OutstandingTokens(replica);
            var better = best is not { } longer || (match.Tokens >= longer.Tokens && tokens < fewest);
            if (tokens > guard || !better || !Serves(fleet, replica, role)
                || _eligibility.Refuses(fleet, replica, ask, Math.Max(1, ask.PromptTokens - match.Tokens), now) is not null)
                continue;
            (best, fewest) = (match, tokens);
        }

        return best;
    }

    private static bool Serves(FleetSnapshot fleet, ReplicaState replica, ReplicaRole role) =>
        role == ReplicaRole.Aggregated || fleet.Pools[replica.Pool].Facts.Role == role;
}
