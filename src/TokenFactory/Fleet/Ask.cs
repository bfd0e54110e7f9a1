using TokenFactory.Units;

namespace TokenFactory.Fleet;

/// <summary>A leading part of a prompt by which replicas that computed the same before can be found.</summary>
/// <param name="Key">Hash of everything up to its end.</param>
/// <param name="Tokens">Tokens up to its end.</param>
public readonly record struct PrefixKey(ulong Key, int Tokens);

/// <summary>A request as the gateway sees it: what the client declares, nothing of what will come.</summary>
public sealed record Ask
{
    /// <summary>Number of the request.</summary>
    public required long Id { get; init; }

    /// <summary>When it reached the gateway.</summary>
    public required Instant Arrival { get; init; }

    /// <summary>Length of the prompt in tokens.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>Most tokens that the client allows; 0 where it declares none.</summary>
    public int MaxTokens { get; init; }

    /// <summary>Index of its service class.</summary>
    public int Class { get; init; }

    /// <summary>Index of its tenant.</summary>
    public int Tenant { get; init; }

    /// <summary>Keys of its leading parts, shortest first; empty where nothing can be shared.</summary>
    public ReadOnlyMemory<PrefixKey> Prefix { get; init; }

    /// <summary>How often it was tried before.</summary>
    public int Attempt { get; init; }

    /// <summary>The replica that failed its last attempt, to be passed over where another may take it; -1 for none.</summary>
    public int Avoid { get; init; } = -1;
}
