using System.Runtime.InteropServices;
using TokenFactory.Performance;
using TokenFactory.Units;

namespace TokenFactory.Fleet;

/// <summary>What is known of a pool.</summary>
public sealed class PoolState
{
    private readonly List<int> _live = [];
    private readonly List<int> _ready = [];

    internal PoolState(int index, PoolFacts facts) => (Index, Facts, Steps) = (index, facts, new StepTable(facts.Model));

    /// <summary>Its number.</summary>
    public int Index { get; }

    /// <summary>What does not change.</summary>
    public PoolFacts Facts { get; }

    /// <summary>How long its steps take.</summary>
    public StepTable Steps { get; }

    /// <summary>Replicas that are not gone, in the order of their numbers; good until the next event.</summary>
    public ReadOnlySpan<int> Live => CollectionsMarshal.AsSpan(_live);

    /// <summary>Replicas that take requests, in the order of their numbers; good until the next event.</summary>
    public ReadOnlySpan<int> Ready => CollectionsMarshal.AsSpan(_ready);

    /// <summary>Replicas that start.</summary>
    public int Starting { get; private set; }

    /// <summary>Replicas that finish what they have.</summary>
    public int Draining => _live.Count - _ready.Count - Starting;

    /// <summary>Requests sent to replicas of the pool and not ended.</summary>
    public int InFlight { get; internal set; }

    /// <summary>Replicas that take requests by outstanding tokens.</summary>
    internal IndexedHeap Load { get; } = new();

    internal void Moved(int replica, ReplicaPhase? before, ReplicaPhase after)
    {
        if (before is null)
            Insert(_live, replica);
        if (before == ReplicaPhase.Starting)
            Starting--;
        if (before == ReplicaPhase.Ready)
        {
            _ready.RemoveAt(_ready.BinarySearch(replica));
            Load.Remove(replica);
        }

        if (after == ReplicaPhase.Starting)
            Starting++;
        else if (after == ReplicaPhase.Ready)
            Insert(_ready, replica);
        else if (after == ReplicaPhase.Gone)
            _live.RemoveAt(_live.BinarySearch(replica));
    }

    private static void Insert(List<int> sorted, int replica) => sorted.Insert(~sorted.BinarySearch(replica), replica);
}

/// <summary>What is known of a service class.</summary>
public sealed class ClassState
{
    /// <summary>Tokens that an answer is taken to have before any was seen.</summary>
    public const double PriorOutputTokens = 256;

    private const double Weight = 0.02;

    private bool _othersWaited;

    internal ClassState(ServiceClass facts) => Facts = facts;

    /// <summary>What does not change.</summary>
    public ServiceClass Facts { get; }

    /// <summary>Requests that wait at the gateway.</summary>
    public int Waiting { get; private set; }

    /// <summary>Prompt tokens of these.</summary>
    public long WaitingPromptTokens { get; private set; }

    /// <summary>Requests sent and not ended.</summary>
    public int InFlight { get; internal set; }

    /// <summary>Complete answers so far.</summary>
    public long Completed { get; private set; }

    /// <summary>Tokens of an answer: a moving mean over complete ones.</summary>
    public double OutputTokens { get; private set; } = PriorOutputTokens;

    /// <summary>
    /// Seconds between requests sent to replicas while others of the class wait: a moving mean; null before any. Gaps in which none waited
    /// say when clients ask, not how fast a line moves.
    /// </summary>
    public double? SecondsPerSent { get; private set; }

    /// <summary>When a request was last sent to a replica; null where none was.</summary>
    public Instant? LastSentAt { get; private set; }

    /// <summary>Tokens that the answer to a request is expected to have.</summary>
    public double Expected(Ask ask) => ask.MaxTokens > 0 ? Math.Min(OutputTokens, ask.MaxTokens) : OutputTokens;

    internal void Queue(Ask ask, int sign)
    {
        Waiting += sign;
        WaitingPromptTokens += sign * (long)ask.PromptTokens;
    }

    internal void Sent(Instant at)
    {
        if (LastSentAt is { } last && _othersWaited)
        {
            var gap = (at - last).Seconds;
            SecondsPerSent = SecondsPerSent is { } mean ? mean + ((gap - mean) * Weight) : gap;
        }

        LastSentAt = at;
        _othersWaited = Waiting > 0;
    }

    /// <summary>The first answers weigh more, so that the prior is soon forgotten.</summary>
    internal void Answered(int tokens)
    {
        Completed++;
        OutputTokens += (tokens - OutputTokens) * Math.Max(Weight, 1.0 / (Completed + 1));
    }
}

/// <summary>What a tenant got.</summary>
public sealed class TenantState
{
    /// <summary>Requests that wait at the gateway.</summary>
    public int Waiting { get; internal set; }

    /// <summary>Requests sent and not ended.</summary>
    public int InFlight { get; internal set; }

    /// <summary>Prompt tokens of what was sent.</summary>
    public long PromptTokens { get; internal set; }

    /// <summary>Tokens of answers.</summary>
    public long OutputTokens { get; internal set; }

    /// <summary>Tokens by which its answers were longer than their classes' at their ends; negative where shorter.</summary>
    public long UnexpectedTokens { get; internal set; }

    /// <summary>All tokens served.</summary>
    public long Served => PromptTokens + OutputTokens;
}

/// <summary>Counts over the whole fleet since the beginning.</summary>
/// <param name="Queued">Requests that ever waited.</param>
/// <param name="Dispatched">Requests ever sent to a replica.</param>
/// <param name="Retries">Those of them that were not the first attempt.</param>
/// <param name="Completed">Complete answers.</param>
/// <param name="Failed">Attempts that ended otherwise.</param>
public readonly record struct FleetTotals(long Queued, long Dispatched, long Retries, long Completed, long Failed);
