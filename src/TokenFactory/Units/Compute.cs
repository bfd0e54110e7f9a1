namespace TokenFactory.Units;

/// <summary>A stream of tokens in tokens per second; of what (input, output, both) is said where it stands.</summary>
/// <param name="Value">The number in the unit that the type names.</param>
public readonly record struct TokensPerSecond(double Value) : IQuantity<TokensPerSecond>
{
    /// <inheritdoc/>
    public static TokensPerSecond Of(double value) => new(value);
}

/// <summary>Dense arithmetic rate in floating-point operations per second.</summary>
/// <param name="Value">The number in the unit that the type names.</param>
public readonly record struct FlopsPerSecond(double Value) : IQuantity<FlopsPerSecond>
{
    /// <inheritdoc/>
    public static FlopsPerSecond Of(double value) => new(value);
}

/// <summary>Transfer rate in bytes per second, one direction.</summary>
/// <param name="Value">The number in the unit that the type names.</param>
public readonly record struct BytesPerSecond(double Value) : IQuantity<BytesPerSecond>
{
    /// <inheritdoc/>
    public static BytesPerSecond Of(double value) => new(value);
}
