namespace TokenFactory.Workload;

/// <summary>What all requests of one stream have in common.</summary>
public abstract record StreamPlan
{
    /// <summary>Its name, unique in a workload: its random numbers follow from it.</summary>
    public required string Name { get; init; }

    /// <summary>Service class of its requests.</summary>
    public string Class { get; init; } = "default";

    /// <summary>Tenant that sends them.</summary>
    public string Tenant { get; init; } = "default";

    /// <summary>
    /// Tokens that every prompt begins with and that all prompts of the same system prompt share; they add to the drawn lengths. Not
    /// looked at by recorded traces.
    /// </summary>
    public int SystemPromptTokens { get; init; }

    /// <summary>Name of the system prompt: streams that give the same share it. Null for one of its own.</summary>
    public string? SystemPrompt { get; init; }

    /// <summary>Most tokens that the client allows an answer; longer ones end there. 0 where it declares none.</summary>
    public int MaxTokens { get; init; }

    /// <summary>What sends the requests of this stream, from a seed: the same every time.</summary>
    public abstract ITraffic Traffic(ulong seed);

    /// <summary>The shared beginning of all prompts; empty where there is none.</summary>
    internal PromptSegment[] Opening(ulong seed) => SystemPromptTokens > 0
        ? [new PromptSegment(Draws.Identity(seed, "system prompt " + (SystemPrompt ?? "of stream " + Name)), SystemPromptTokens)]
        : [];

    /// <summary>The length of an answer after the client's limit.</summary>
    internal int Limited(int output) => MaxTokens > 0 ? Math.Min(output, MaxTokens) : output;
}

/// <summary>Requests that wait for nobody.</summary>
public sealed record OpenPlan : StreamPlan
{
    /// <summary>When they come.</summary>
    public required ArrivalPlan Arrivals { get; init; }

    /// <summary>How long they and their answers are.</summary>
    public required Lengths Lengths { get; init; }

    /// <summary>How many there are; null for no end.</summary>
    public long? Requests { get; init; }

    /// <inheritdoc/>
    public override ITraffic Traffic(ulong seed) => new OpenTraffic(this, seed);
}

/// <summary>Clients that each send the next request when the last one is answered.</summary>
public sealed record ClosedPlan : StreamPlan
{
    /// <summary>How many clients, at least 1.</summary>
    public required int Clients { get; init; }

    /// <summary>How long prompts and answers are.</summary>
    public required Lengths Lengths { get; init; }

    /// <summary>Seconds between an answer and the next request of its client.</summary>
    public Spread Think { get; init; } = new Constant(0);

    /// <summary>Requests of each client; null for no end (but at most 4,194,304, which is what their numbers have room for).</summary>
    public int? RequestsPerClient { get; init; }

    /// <summary>Requests of all clients together, each taken by whoever is free next; null for no end.</summary>
    public long? Requests { get; init; }

    /// <summary>Seconds over which the clients begin one after the other; 0 for all at once.</summary>
    public double RampSeconds { get; init; }

    /// <inheritdoc/>
    public override ITraffic Traffic(ulong seed) => new ClosedTraffic(this, seed);
}

/// <summary>Conversations or agent runs: each turn's prompt holds all that was said before.</summary>
public sealed record SessionPlan : StreamPlan
{
    /// <summary>When sessions begin.</summary>
    public required ArrivalPlan Arrivals { get; init; }

    /// <summary>Turns of a session, at least 1.</summary>
    public required Spread Turns { get; init; }

    /// <summary>What a turn adds to the prompt, and how long its answer is.</summary>
    public required Lengths Lengths { get; init; }

    /// <summary>What the first turn adds instead: a task, a document. Null for the same as later ones.</summary>
    public Spread? FirstTokens { get; init; }

    /// <summary>Seconds between an answer and the next turn: a person thinks, a tool runs.</summary>
    public Spread Think { get; init; } = new Constant(0);

    /// <summary>A session ends before a turn whose prompt and answer would be longer than this.</summary>
    public int MaxContextTokens { get; init; } = 10_000_000;

    /// <summary>How many sessions; null for no end.</summary>
    public long? Sessions { get; init; }

    /// <inheritdoc/>
    public override ITraffic Traffic(ulong seed) => new SessionTraffic(this, seed);
}
