namespace TokenFactory.Gateway.Wire;

/// <summary>The few fields that must change on the way to an engine. Null or false: as the client sent it.</summary>
public readonly record struct BodyChanges
{
    /// <summary>What the engine calls the model.</summary>
    public string? Model { get; init; }

    /// <summary>
    /// Ask for usage at the end of a stream. Without effect where no stream is asked for, or where streams have it anyway (responses).
    /// </summary>
    public bool AskUsage { get; init; }

    /// <summary>Ask for usage in each event of a stream; engines do so only where it is also asked for at the end.</summary>
    public bool AskContinuousUsage { get; init; }

    /// <summary>cache_salt, where the client gave none; where it gave one, this and then the client's.</summary>
    public string? CacheSalt { get; init; }

    /// <summary>
    /// Most tokens of the answer, where the client declared none or more; under the names that the client used, or the endpoint's usual
    /// one. Without effect on embeddings.
    /// </summary>
    public int? MaxTokens { get; init; }
}
