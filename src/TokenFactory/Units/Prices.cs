namespace TokenFactory.Units;

/// <summary>A price in US dollars per hour: per GPU where it is called a GPU price, else of the whole deployment.</summary>
/// <param name="Value">The number in the unit that the type names.</param>
public readonly record struct UsdPerHour(double Value) : IQuantity<UsdPerHour>
{
    /// <inheritdoc/>
    public static UsdPerHour Of(double value) => new(value);
}

/// <summary>A price or cost in US dollars per million tokens.</summary>
/// <param name="Value">The number in the unit that the type names.</param>
public readonly record struct UsdPerMillionTokens(double Value) : IQuantity<UsdPerMillionTokens>
{
    /// <inheritdoc/>
    public static UsdPerMillionTokens Of(double value) => new(value);
}

/// <summary>An electricity price in US dollars per kilowatt-hour.</summary>
/// <param name="Value">The number in the unit that the type names.</param>
public readonly record struct UsdPerKilowattHour(double Value) : IQuantity<UsdPerKilowattHour>
{
    /// <inheritdoc/>
    public static UsdPerKilowattHour Of(double value) => new(value);
}

/// <summary>A hosting price in US dollars per kilowatt of contracted IT power and month.</summary>
/// <param name="Value">The number in the unit that the type names.</param>
public readonly record struct UsdPerKilowattMonth(double Value) : IQuantity<UsdPerKilowattMonth>
{
    /// <inheritdoc/>
    public static UsdPerKilowattMonth Of(double value) => new(value);
}
