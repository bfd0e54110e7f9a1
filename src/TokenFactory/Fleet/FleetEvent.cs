using TokenFactory.Units;

namespace TokenFactory.Fleet;

/// <summary>What may happen to a fleet, as far as whoever steers it gets to know.</summary>
public enum FleetEventKind
{
    /// <summary>A replica was ordered: it is being provisioned, loads weights, warms up.</summary>
    Starting,

    /// <summary>A replica takes requests: for the first time, or again.</summary>
    Ready,

    /// <summary>
    /// A replica finishes what it has and takes no more, for good or until it is ready again: it drains, is broken or put aside.
    /// </summary>
    Draining,

    /// <summary>A replica is gone: stopped, crashed or preempted.</summary>
    Gone,

    /// <summary>A request waits at the gateway.</summary>
    Queued,

    /// <summary>A request that waited is no longer there.</summary>
    Unqueued,

    /// <summary>A request was sent to a replica.</summary>
    Dispatched,

    /// <summary>The first token of a request came from a replica.</summary>
    FirstToken,

    /// <summary>A request ended at a replica, well or not.</summary>
    Ended,

    /// <summary>A replica reported its load.</summary>
    Reported,

    /// <summary>
    /// A replica may have at most so many requests for now: it comes back and is tried, or gets its share little by little.
    /// </summary>
    Limited,
}

/// <summary>One event. Fields that a kind does not use are zero. What was said when a request was sent is repeated when it ends.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="At">When.</param>
/// <param name="Replica">Which replica; -1 for none.</param>
public readonly record struct FleetEvent(FleetEventKind Kind, Instant At, int Replica = -1)
{
    /// <summary>The request.</summary>
    public Ask? Ask { get; init; }

    /// <summary>Pool of a starting replica.</summary>
    public int Pool { get; init; }

    /// <summary>Prompt tokens that the sender thinks the replica has to compute; the same number in all events of an attempt.</summary>
    public int FreshTokens { get; init; }

    /// <summary>Whether the first token had come when it ended.</summary>
    public bool HadFirstToken { get; init; }

    /// <summary>When the first token came, where one had.</summary>
    public Instant FirstTokenAt { get; init; }

    /// <summary>Tokens of the answer.</summary>
    public int OutputTokens { get; init; }

    /// <summary>Whether the answer was complete.</summary>
    public bool Completed { get; init; }

    /// <summary>Requests that the engine computes, by its own report.</summary>
    public int Running { get; init; }

    /// <summary>Requests that wait in the engine, by its own report.</summary>
    public int Waiting { get; init; }

    /// <summary>Share of the KV cache that requests hold, 0 to 1, by the engine's report.</summary>
    public double KvHeld { get; init; }

    /// <summary>Most requests in flight on a limited replica; <see cref="ReplicaState.NoLimit"/> lifts the limit.</summary>
    public int MostInFlight { get; init; }
}
