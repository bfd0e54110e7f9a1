using TokenFactory.Fleet;
using TokenFactory.Gateway.Wire;
using TokenFactory.Workload;

namespace TokenFactory.Gateway.Load;

/// <summary>What is sent to whom, and what is promised.</summary>
public sealed record LoadPlan
{
    /// <summary>Where the API answers, "http://127.0.0.1:8080".</summary>
    public required Uri Target { get; init; }

    /// <summary>What the server calls the model.</summary>
    public required string Model { get; init; }

    /// <summary>Its requests, anew for each run.</summary>
    public required ITraffic Traffic { get; init; }

    /// <summary>The key that the server asks for; null for none.</summary>
    public string? ApiKey { get; init; }

    /// <summary>Chat or completions. Default: chat.</summary>
    public Endpoint Endpoint { get; init; }

    /// <summary>Whether answers come as streams: without, nothing is known of first tokens. Default: true.</summary>
    public bool Streams { get; init; } = true;

    /// <summary>Whether the server is asked to generate exactly as many tokens as the workload says (ignore_eos). Default: true.</summary>
    public bool ExactLengths { get; init; } = true;

    /// <summary>Nothing is sent after so many seconds; null for when the workload ends.</summary>
    public double? Seconds { get; init; }

    /// <summary>Requests that end within so many seconds from the start are not counted. Default: 0.</summary>
    public double WarmUpSeconds { get; init; }

    /// <summary>Seconds that answers get to end after the last request was sent; then they are cut. Default: 60.</summary>
    public double DrainSeconds { get; init; } = 60;

    /// <summary>Promises by the names of the traffic's classes; classes without one promise nothing.</summary>
    public IReadOnlyList<ServiceClass> Classes { get; init; } = [];

    /// <summary>Header that carries the class of a request; null for none.</summary>
    public string? ClassHeader { get; init; }
}

/// <summary>How far a run is.</summary>
/// <param name="Seconds">Time since its start.</param>
/// <param name="WarmsUp">Whether requests are not counted yet.</param>
/// <param name="Sent">Requests sent.</param>
/// <param name="Completed">Answered in full.</param>
/// <param name="Failed">Not answered in full.</param>
public readonly record struct LoadProgress(double Seconds, bool WarmsUp, long Sent, long Completed, long Failed);

/// <summary>What became of one request. Times in seconds since the start of the run.</summary>
/// <param name="Id">Its number.</param>
/// <param name="Class">Its service class.</param>
/// <param name="Outcome">"completed", or what went wrong: "status 429", "connection refused", "broken off", "cut".</param>
/// <param name="Due">When it should be sent.</param>
/// <param name="Sent">When it was.</param>
/// <param name="FirstToken">When its first token came; null where none did, or where answers do not stream.</param>
/// <param name="Ended">When it was over.</param>
/// <param name="PromptTokens">Tokens of its prompt: as the server says, else as the workload does.</param>
/// <param name="CachedTokens">Of them, those that a cache held, as the server says.</param>
/// <param name="OutputTokens">Tokens of its answer: as the server says, else events with content.</param>
/// <param name="Kept">Whether it kept the promises of its class.</param>
public sealed record LoadRow(
    long Id,
    string Class,
    string Outcome,
    double Due,
    double Sent,
    double? FirstToken,
    double Ended,
    long PromptTokens,
    long CachedTokens,
    long OutputTokens,
    bool Kept)
{
    /// <summary>The outcome of what was answered in full.</summary>
    public const string Completed = "completed";

    /// <summary>Seconds to the first token.</summary>
    public double? Ttft => FirstToken - Sent;

    /// <summary>Mean seconds per token after the first; null where there is none.</summary>
    public double? Tpot => FirstToken is { } first && OutputTokens > 1 ? (Ended - first) / (OutputTokens - 1) : null;
}
