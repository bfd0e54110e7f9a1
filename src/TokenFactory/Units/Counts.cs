namespace TokenFactory.Units;

/// <summary>A count of tokens.</summary>
/// <param name="Value">How many; never negative.</param>
public readonly record struct Tokens(long Value);

/// <summary>A count of bytes.</summary>
/// <param name="Value">How many; never negative.</param>
public readonly record struct Bytes(long Value)
{
    /// <summary>The number of bytes in a decimal gigabyte, as GPU vendors count memory.</summary>
    public const long PerGigabyte = 1_000_000_000;

    /// <summary>The size in decimal gigabytes.</summary>
    public double Gigabytes => (double)Value / PerGigabyte;
}

/// <summary>US dollars of the ledger: decimal, so that cents never drift.</summary>
/// <param name="Value">The amount in dollars.</param>
public readonly record struct Usd(decimal Value)
{
    /// <summary>No money.</summary>
    public static Usd Zero => default;
}
