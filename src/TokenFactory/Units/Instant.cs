namespace TokenFactory.Units;

/// <summary>
/// A point in time, in nanoseconds since its driver began: virtual time in the twin, wall time in the gateway. Integers, so that sums do not
/// depend on their order; 292 years fit.
/// </summary>
/// <param name="Nanoseconds">Nanoseconds since the beginning.</param>
public readonly record struct Instant(long Nanoseconds) : IComparable<Instant>
{
    /// <summary>The beginning.</summary>
    public static Instant Start => default;

    /// <summary>Later than everything.</summary>
    public static Instant Never => new(long.MaxValue);

    /// <summary>The same in seconds.</summary>
    public double Seconds => Nanoseconds * 1e-9;

    /// <summary>The instant so many seconds after the beginning, to the nearest nanosecond; <see cref="Never"/> where that does not fit.</summary>
    public static Instant AtSeconds(double seconds) => seconds < 9e9 ? new((long)Math.Round(seconds * 1e9)) : Never;

    /// <summary>The earlier of two.</summary>
    public static Instant Earlier(Instant a, Instant b) => a.Nanoseconds <= b.Nanoseconds ? a : b;

    /// <inheritdoc/>
    public int CompareTo(Instant other) => Nanoseconds.CompareTo(other.Nanoseconds);

    /// <summary>Earlier.</summary>
    public static bool operator <(Instant left, Instant right) => left.Nanoseconds < right.Nanoseconds;

    /// <summary>Later.</summary>
    public static bool operator >(Instant left, Instant right) => left.Nanoseconds > right.Nanoseconds;

    /// <summary>Not later.</summary>
    public static bool operator <=(Instant left, Instant right) => left.Nanoseconds <= right.Nanoseconds;

    /// <summary>Not earlier.</summary>
    public static bool operator >=(Instant left, Instant right) => left.Nanoseconds >= right.Nanoseconds;

    /// <summary>So much later.</summary>
    public static Instant operator +(Instant left, Duration right) => new(left.Nanoseconds + right.Nanoseconds);

    /// <summary>The time between.</summary>
    public static Duration operator -(Instant left, Instant right) => new(left.Nanoseconds - right.Nanoseconds);

    /// <summary>"12.345 s".</summary>
    public override string ToString() =>
        this == Never ? "never" : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Seconds:0.######} s");
}

/// <summary>A length of time in whole nanoseconds.</summary>
/// <param name="Nanoseconds">Nanoseconds; negative where time ran backwards.</param>
public readonly record struct Duration(long Nanoseconds)
{
    /// <summary>The shortest: reactions to an event come at least this much after it.</summary>
    public static Duration Tick => new(1);

    /// <summary>The same in seconds.</summary>
    public double Seconds => Nanoseconds * 1e-9;

    /// <summary>So many seconds, to the nearest nanosecond.</summary>
    public static Duration OfSeconds(double seconds) => new(seconds < 9e9 ? (long)Math.Round(seconds * 1e9) : long.MaxValue / 2);
}
