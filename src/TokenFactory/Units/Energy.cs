namespace TokenFactory.Units;

/// <summary>Electrical power in watts. Where it is measured is told by <see cref="Power"/>.</summary>
/// <param name="Value">The number in the unit that the type names.</param>
public readonly record struct Watts(double Value) : IQuantity<Watts>
{
    /// <inheritdoc/>
    public static Watts Of(double value) => new(value);
}

/// <summary>Energy in joules.</summary>
/// <param name="Value">The number in the unit that the type names.</param>
public readonly record struct Joules(double Value) : IQuantity<Joules>
{
    /// <inheritdoc/>
    public static Joules Of(double value) => new(value);
}

/// <summary>Energy per token in joules per token, the inverse of <see cref="TokensPerJoule"/>.</summary>
/// <param name="Value">The number in the unit that the type names.</param>
public readonly record struct JoulesPerToken(double Value) : IQuantity<JoulesPerToken>
{
    /// <inheritdoc/>
    public static JoulesPerToken Of(double value) => new(value);
}

/// <summary>Tokens per joule, the same number as tokens per second per watt: "tokens per watt".</summary>
/// <param name="Value">The number in the unit that the type names.</param>
public readonly record struct TokensPerJoule(double Value) : IQuantity<TokensPerJoule>
{
    /// <inheritdoc/>
    public static TokensPerJoule Of(double value) => new(value);
}

/// <summary>Carbon intensity of electricity in grams of CO2 per kilowatt-hour.</summary>
/// <param name="Value">The number in the unit that the type names.</param>
public readonly record struct GramsPerKilowattHour(double Value) : IQuantity<GramsPerKilowattHour>
{
    /// <inheritdoc/>
    public static GramsPerKilowattHour Of(double value) => new(value);
}

/// <summary>Carbon in grams of CO2 per million tokens.</summary>
/// <param name="Value">The number in the unit that the type names.</param>
public readonly record struct GramsPerMillionTokens(double Value) : IQuantity<GramsPerMillionTokens>
{
    /// <inheritdoc/>
    public static GramsPerMillionTokens Of(double value) => new(value);
}
