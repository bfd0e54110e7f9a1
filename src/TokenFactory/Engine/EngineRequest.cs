using TokenFactory.Units;
using TokenFactory.Workload;

namespace TokenFactory.Engine;

/// <summary>What a replica does of a request.</summary>
public enum Leg
{
    /// <summary>All of it.</summary>
    Whole,

    /// <summary>The prompt: its KV cache then waits to be fetched.</summary>
    Prompt,

    /// <summary>The answer, from a KV cache that is fetched.</summary>
    Answer,
}

/// <summary>Where a request is in its engine.</summary>
public enum EnginePhase
{
    /// <summary>Not at this engine, or no longer.</summary>
    Outside,

    /// <summary>Waits for a place.</summary>
    Waiting,

    /// <summary>Holds its blocks and waits for KV cache from host memory or another replica.</summary>
    Loading,

    /// <summary>Its prompt is being computed.</summary>
    Prefill,

    /// <summary>Its first token is there; the next step takes it up.</summary>
    Joining,

    /// <summary>Generates.</summary>
    Decode,

    /// <summary>Its prompt is computed and waits to be fetched.</summary>
    Fetched,

    /// <summary>Done, but its batch is not, and holds its place (static batches).</summary>
    Padding,
}

/// <summary>A request inside one engine: one attempt of one leg.</summary>
public sealed class EngineRequest
{
    /// <summary>A request for an engine.</summary>
    /// <param name="id">Its number.</param>
    /// <param name="promptTokens">Tokens to compute or find cached before the first new one, at least 1.</param>
    /// <param name="script">What will come: only the engine reads it.</param>
    public EngineRequest(long id, int promptTokens, Script script) => (Id, PromptTokens, Script) = (id, promptTokens, script);

    /// <summary>Its number.</summary>
    public long Id { get; }

    /// <summary>Length of the prompt in tokens.</summary>
    public int PromptTokens { get; }

    /// <summary>What will come.</summary>
    internal Script Script { get; }

    /// <summary>Which part of it this engine does.</summary>
    public Leg Leg { get; init; }

    /// <summary>Who goes first, and is preempted last: 0 before 1.</summary>
    public int Priority { get; init; }

    /// <summary>Most tokens that the answer may have; 0 where nothing is declared.</summary>
    public int MaxTokens { get; init; }

    /// <summary>Leading pieces of the prompt that have an identity.</summary>
    public ReadOnlyMemory<PromptSegment> Prompt { get; init; }

    /// <summary>Whatever the driver wants to find again.</summary>
    public object? Tag { get; init; }

    /// <summary>Where it is.</summary>
    public EnginePhase Phase { get; internal set; }

    /// <summary>Tokens generated so far here, as of the last step that something happened in.</summary>
    public int Generated { get; internal set; }

    /// <summary>Prompt tokens that were found in the prefix cache when it was let in first.</summary>
    public int CachedTokens { get; internal set; }

    /// <summary>Of them, those that came from host memory.</summary>
    public int HostTokens { get; internal set; }

    /// <summary>Prompt tokens that were computed, those of recomputing after preemptions included.</summary>
    public long ComputedTokens { get; internal set; }

    /// <summary>How often it lost its blocks to others.</summary>
    public int Preemptions { get; internal set; }

    /// <summary>When it was let in first.</summary>
    public Instant? AdmittedAt { get; internal set; }

    /// <summary>Joules of the steps that worked for it, its share by work.</summary>
    public double Joules { get; internal set; }

    /// <summary>Seconds of the replica that its share of the steps took.</summary>
    public double BusySeconds { get; internal set; }

    /// <summary>Why the engine gave it up; null where it did not.</summary>
    public string? Refusal { get; internal set; }

    /// <summary>Tokens that it will generate here in all.</summary>
    internal int Target { get; set; }

    internal int Lane { get; set; }

    internal long Order { get; set; }

    /// <summary>Tokens whose KV is in the cache, of <see cref="Goal"/>.</summary>
    internal int Computed { get; set; }

    /// <summary>Tokens to compute before the next new one: the prompt, and after a preemption what was generated.</summary>
    internal int Goal { get; set; }

    internal int Chunk { get; set; }

    internal bool Admitted { get; set; }

    internal bool Cancelled { get; set; }

    internal List<CacheNode> Nodes { get; } = [];

    /// <summary>Pieces of the prompt that are in the cache's index, or passed by.</summary>
    internal int Published { get; set; }

    internal int PublishedTokens { get; set; }

    internal ulong PublishedKey { get; set; }

    /// <summary>Of the pieces that it holds, the next that was found and not computed.</summary>
    internal int NextHit { get; set; }

    /// <summary>Blocks that it holds beside those of <see cref="Nodes"/> while it does not generate.</summary>
    internal long Private { get; set; }

    internal Instant ReadyAt { get; set; }

    /// <summary>Whether its KV cache came from elsewhere already: if it loses its blocks later, it is computed again here.</summary>
    internal bool Delivered { get; set; }

    /// <summary>Whether its prompt is computed elsewhere and still to come.</summary>
    internal bool Fetches => Leg == Leg.Answer && !Delivered;

    internal long JoinStep { get; set; }

    internal long JoinParts { get; set; }

    internal int JoinGenerated { get; set; }

    internal long FinishStep { get; set; }

    internal int Place { get; set; }

    internal double JoulesBefore { get; set; }

    internal double SecondsBefore { get; set; }
}

/// <summary>What an engine tells.</summary>
public enum EngineEventKind
{
    /// <summary>The first token of a request is there.</summary>
    FirstToken,

    /// <summary>A request is answered in full.</summary>
    Finished,

    /// <summary>A request cannot be served; <see cref="EngineRequest.Refusal"/> says why.</summary>
    Refused,

    /// <summary>A request was cancelled and is gone.</summary>
    Cancelled,

    /// <summary>A request lost its blocks and waits again.</summary>
    Preempted,

    /// <summary>A prompt is computed; its KV cache waits for <see cref="Replica.Release"/>.</summary>
    PromptDone,

    /// <summary>A place for a KV cache from elsewhere is there: fetch it, then call <see cref="Replica.Delivered"/>.</summary>
    PlaceReady,
}

/// <summary>One thing that an engine tells.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Request">To whom.</param>
public readonly record struct EngineEvent(EngineEventKind Kind, EngineRequest Request);
