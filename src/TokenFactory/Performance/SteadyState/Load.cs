namespace TokenFactory.Performance.SteadyState;

/// <summary>How requests arrive.</summary>
public enum Arrival
{
    /// <summary>A fixed number of clients, each sending its next request when the last one is answered.</summary>
    ClosedLoop,

    /// <summary>Requests arrive at a rate whatever the answers.</summary>
    OpenLoop,

    /// <summary>All requests are there at the start; the engine runs as many at once as fit.</summary>
    Offline,

    /// <summary>One batch that starts and runs together.</summary>
    StaticBatch,

    /// <summary>One batch whose prompts are computed, nothing more.</summary>
    PrefillOnly,
}

/// <summary>The load on a deployment: all its replicas together.</summary>
public sealed record Load
{
    /// <summary>How requests arrive.</summary>
    public required Arrival Arrival { get; init; }

    /// <summary>Mean prompt length in tokens.</summary>
    public required double InputTokens { get; init; }

    /// <summary>Mean generated length in tokens, at least 1.</summary>
    public required double OutputTokens { get; init; }

    /// <summary>Clients of a closed loop, or requests of a batch.</summary>
    public double? Concurrency { get; init; }

    /// <summary>Requests per second of an open loop.</summary>
    public double? RequestsPerSecond { get; init; }

    /// <summary>Coefficient of variation of the time between arrivals of an open loop: 1 for Poisson, 0 for a metronome.</summary>
    public double ArrivalVariability { get; init; } = 1;

    /// <summary>
    /// Requests per client of a closed loop. All clients start at once, so that one request in so many meets the whole crowd's
    /// prompts. Benchmarks send ten; production is endless.
    /// </summary>
    public double RequestsPerClient { get; init; } = double.PositiveInfinity;

    /// <summary>Share of the prompt tokens that a prefix cache holds already, 0 to 1; at least that of the shared prefix.</summary>
    public double CachedShare
    {
        get => Math.Max(field, InputTokens > 0 ? Math.Min(1, SharedPrefixTokens / InputTokens) : 0);
        init;
    }

    /// <summary>Prompt tokens that are computed: those that the cache does not hold, at least one.</summary>
    public double FreshTokens => Math.Max(1, InputTokens * (1 - CachedShare));

    /// <summary>Mean tokens that a computed prompt token attends to.</summary>
    public double PromptContext => (InputTokens * CachedShare) + (FreshTokens / 2);

    /// <summary>Leading tokens that all prompts share, a system prompt: the cache holds them once for all.</summary>
    public double SharedPrefixTokens { get; init; }
}
