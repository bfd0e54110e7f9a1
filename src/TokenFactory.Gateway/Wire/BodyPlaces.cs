namespace TokenFactory.Gateway.Wire;

/// <summary>Where something stands in a body: offsets of its first byte and after its last. Empty where it is not there.</summary>
internal readonly record struct Place(int Start, int End)
{
    public bool IsEmpty => End == 0;
}

/// <summary>A limit of the answer's tokens.</summary>
/// <param name="At">Where its value stands.</param>
/// <param name="Value">The value; 0 for null, negative for none (llama.cpp's own).</param>
internal readonly record struct TokenLimit(Place At, int Value);

/// <summary>Where values stand that may have to change.</summary>
internal struct BodyPlaces
{
    /// <summary>After the bracket that opens the body.</summary>
    public int Open;

    public Place Model;
    public Place StreamOptions;
    public Place IncludeUsage;
    public Place ContinuousUsage;
    public Place CacheSalt;
    public TokenLimit MaxTokens;
    public TokenLimit MaxCompletionTokens;
    public TokenLimit MaxOutputTokens;
    public TokenLimit Predict;
}
