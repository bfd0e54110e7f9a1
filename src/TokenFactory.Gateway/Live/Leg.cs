using TokenFactory.Fleet;
using TokenFactory.Policies;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Live;

/// <summary>
/// One attempt of one request at one replica. Exactly one of <see cref="End"/> and <see cref="Fail"/> is called, once: until then it holds
/// a place at its replica.
/// </summary>
public sealed class Leg
{
    private readonly LiveFleet _fleet;

    internal Leg(LiveFleet fleet, LiveReplica replica, Ask ask, RoutingDecision decision, Instant dispatched, Work work)
    {
        _fleet = fleet;
        (Replica, Ask, Decision, Dispatched, Work) = (replica, ask, decision, dispatched, work);
    }

    /// <summary>Where it is sent.</summary>
    public LiveReplica Replica { get; }

    /// <summary>Why there.</summary>
    public RoutingDecision Decision { get; }

    /// <summary>The request.</summary>
    public Ask Ask { get; }

    /// <summary>When that was decided.</summary>
    public Instant Dispatched { get; }

    internal Work Work { get; }

    /// <summary>When its first token came, or must have come where its answer is no stream.</summary>
    internal Instant? FirstTokenAt { get; set; }

    internal bool Over { get; set; }

    /// <summary>The first token of its answer came. Further calls change nothing.</summary>
    public void FirstToken(Instant at) => _fleet.FirstToken(this, at);

    /// <summary>It ended: in full, or because the client left, which is not the replica's fault.</summary>
    /// <param name="at">When.</param>
    /// <param name="completed">Whether the answer was complete.</param>
    /// <param name="outputTokens">Tokens of the answer.</param>
    /// <param name="promptTokens">Tokens of the prompt as the engine counted them; null where it did not say.</param>
    /// <param name="cachedTokens">Those of them that it had cached; null where it did not say.</param>
    /// <exception cref="InvalidOperationException">It has ended before.</exception>
    public LegCost End(Instant at, bool completed, int outputTokens, int? promptTokens, int? cachedTokens) =>
        _fleet.End(this, at, completed, outputTokens, promptTokens, cachedTokens);

    /// <summary>
    /// The replica failed it: refused the connection, broke off, answered with a server's error, took too long. That counts against it.
    /// </summary>
    /// <param name="at">When.</param>
    /// <param name="mishap">What went wrong.</param>
    /// <param name="outputTokens">Tokens of the answer that had come.</param>
    /// <param name="retryable">Nothing has reached the client.</param>
    /// <returns>What it took, and whether to place <see cref="RecoveryDecision.Next"/> or to give up.</returns>
    /// <exception cref="InvalidOperationException">It has ended before.</exception>
    public (LegCost Cost, RecoveryDecision Decision) Fail(Instant at, Mishap mishap, int outputTokens, bool retryable) =>
        _fleet.Fail(this, at, mishap, outputTokens, retryable);
}
