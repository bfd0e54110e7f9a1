using TokenFactory.Fleet;
using TokenFactory.Units;

namespace TokenFactory.Policies;

/// <summary>Whether a replica may take work that only fills slack.</summary>
/// <param name="Takes">Whether it may.</param>
/// <param name="Pressed">The deadline leaves no time to wait for slack.</param>
/// <param name="Reason">Why not; or the shares of promises and cache that it would use.</param>
public readonly record struct FillDecision(bool Takes, bool Pressed, RoutingReason Reason);

/// <summary>
/// Lets batch work into the slack that promises to others leave: none of them waits, the steps stay short enough for them, and the cache
/// keeps room for their bursts. A deadline that leaves no more time to wait lifts all but the promises themselves.
/// </summary>
/// <param name="eligibility">How much may be sent to a replica, and which reports are believed.</param>
public sealed class BatchFill(Eligibility? eligibility = null)
{
    private const int Few = 4;

    private readonly Eligibility _eligibility = eligibility ?? new();

    /// <summary>Share of the promise per output token that steps may use up with batch work among them.</summary>
    public double TpotShare { get; init; } = 0.8;

    /// <summary>Share of the promise to the first token that prompts before it may use up.</summary>
    public double TtftShare { get; init; } = 0.4;

    /// <summary>Share of the KV cache that may be held with batch work among it.</summary>
    public double KvShare { get; init; } = 0.8;

    /// <summary>Share of the sequences that run at once that may run with batch work among them.</summary>
    public double PlacesShare { get; init; } = 0.9;

    /// <summary>Seconds for which a class counts as active after it was last sent anything.</summary>
    public double ActiveSeconds { get; init; } = 300;

    /// <summary>Times the predicted run that must be left until the deadline while it waits for slack.</summary>
    public double Spare { get; init; } = 1.5;

    /// <summary>
    /// Sends a request that only fills slack where the router would, or else to a little loaded replica, if one has slack.
    /// </summary>
    /// <param name="fleet">What is known.</param>
    /// <param name="ask">The request.</param>
    /// <param name="role">As for the router.</param>
    /// <param name="router">Who chooses first.</param>
    /// <param name="now">The present.</param>
    public RoutingDecision Place(FleetSnapshot fleet, Ask ask, ReplicaRole role, IRouter router, Instant now)
    {
        var choice = router.Decide(fleet, ask, role, now);
        if (choice.Waits)
            return choice;
        var first = Decide(fleet, ask, choice.Replica, role, now);
        if (first.Takes)
            return choice;
        Span<int> few = stackalloc int[Few];
        foreach (var pool in fleet.PoolsOf(role))
        {
            var found = first.Reason.Cause == RoutingCause.OthersWait ? 0 : fleet.LeastLoaded(pool, few);
            foreach (var replica in few[..found])
            {
                var fresh = Eligibility.Fresh(fleet, ask, role, replica);
                if (replica != choice.Replica && _eligibility.Refuses(fleet, fleet.Replicas[replica], ask, fresh, now) is null
                    && Decide(fleet, ask, replica, role, now) is { Takes: true } other)
                    return new RoutingDecision(replica, fresh, other.Reason);
            }
        }

        return RoutingDecision.Wait(first.Reason);
    }

    /// <summary>Decides on one replica, which the router found eligible.</summary>
    /// <param name="fleet">What is known.</param>
    /// <param name="ask">The request.</param>
    /// <param name="index">The replica.</param>
    /// <param name="role">As for the router.</param>
    /// <param name="now">The present.</param>
    public FillDecision Decide(FleetSnapshot fleet, Ask ask, int index, ReplicaRole role, Instant now)
    {
        var replica = fleet.Replicas[index];
        var facts = fleet.Pools[replica.Pool].Facts;
        var fresh = Eligibility.Fresh(fleet, ask, role, index);
        var outlook = Outlook.Of(fleet, replica, ask, fresh, _eligibility, now);
        var pressed = Pressed(fleet.Classes[ask.Class].Facts, ask, outlook, now);
        var (tpot, ttft) = Tightest(fleet, now);
        var share = Math.Max(outlook.OthersTpotSeconds / tpot, pressed ? 0 : outlook.TtftSeconds / ttft / TtftShare * TpotShare);
        var limit = pressed ? 1 : TpotShare;
        var held = (_eligibility.HeldTokens(fleet, replica, now) + fresh + outlook.OutputTokens) / facts.KvTokens;
        if (!pressed && Others(fleet) is > 0 and var waiting)
            return new FillDecision(false, pressed, new(RoutingCause.OthersWait, waiting));
        if (!(share <= limit))
            return new FillDecision(false, pressed, new(RoutingCause.NoSlack, share, limit));
        if (!pressed && (held > KvShare || replica.InFlight + 1 > facts.MaxSequences * PlacesShare) && replica.InFlight > 0)
            return new FillDecision(false, pressed, new(RoutingCause.NoSlackInKv, held, KvShare));
        return new FillDecision(true, pressed, new(RoutingCause.Slack, share, held));
    }

    /// <summary>Whether what is left until the deadline is little more than the run takes.</summary>
    private bool Pressed(ServiceClass facts, Ask ask, in Outlook outlook, Instant now) =>
        facts.DeadlineSeconds is { } deadline && (now - ask.Arrival).Seconds + (outlook.EndSeconds * Spare) >= deadline;

    private static int Others(FleetSnapshot fleet)
    {
        var waiting = 0;
        for (var i = 0; i < fleet.Classes.Count; i++)
            waiting += fleet.Classes[i].Facts.FillsSlack ? 0 : fleet.Classes[i].Waiting;
        return waiting;
    }

    /// <summary>The tightest promises of the classes that are active: a replica that has none of them now may get one any moment.</summary>
    private (double Tpot, double Ttft) Tightest(FleetSnapshot fleet, Instant now)
    {
        double tpot = double.PositiveInfinity, ttft = double.PositiveInfinity;
        for (var i = 0; i < fleet.Classes.Count; i++)
        {
            var kind = fleet.Classes[i];
            if (kind.Facts.FillsSlack || !Active(kind, now))
                continue;
            tpot = Math.Min(tpot, kind.Facts.TpotSeconds ?? double.PositiveInfinity);
            ttft = Math.Min(ttft, kind.Facts.TtftSeconds ?? double.PositiveInfinity);
        }

        return (tpot, ttft);
    }

    private bool Active(ClassState kind, Instant now) =>
        kind.InFlight > 0 || (kind.LastSentAt is { } last && (now - last).Seconds <= ActiveSeconds);
}
