using System.Globalization;

namespace TokenFactory.Units;

/// <summary>A share of a whole, from 0 to 1: utilisation, availability, a residual value, a cache-hit rate.</summary>
public readonly record struct Fraction
{
    /// <summary>Nothing of it.</summary>
    public static readonly Fraction None = new(0);

    /// <summary>All of it.</summary>
    public static readonly Fraction All = new(1);

    /// <summary>Makes a share.</summary>
    /// <param name="value">From 0 to 1, both included.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is not from 0 to 1.</exception>
    public Fraction(double value)
    {
        if (!(value >= 0 && value <= 1))
            throw new ArgumentOutOfRangeException(nameof(value), value, "A share is a number from 0 to 1.");
        Value = value;
    }

    /// <summary>The share, from 0 to 1.</summary>
    public double Value { get; }

    /// <summary>What is left of the whole: 1 - share.</summary>
    public Fraction Rest => new(1 - Value);

    /// <inheritdoc/>
    public override string ToString() => Value.ToString(CultureInfo.InvariantCulture);
}

/// <summary>Power usage effectiveness: facility power divided by IT power, at least 1 (dimensionless).</summary>
public readonly record struct Pue
{
    /// <summary>Makes a PUE.</summary>
    /// <param name="value">At least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is below 1 or not finite.</exception>
    public Pue(double value)
    {
        if (!(value >= 1 && double.IsFinite(value)))
            throw new ArgumentOutOfRangeException(nameof(value), value, "PUE is facility power over IT power, at least 1.");
        Value = value;
    }

    /// <summary>The ratio, at least 1.</summary>
    public double Value { get; }
}
