namespace TokenFactory.Workload;

/// <summary>
/// Counts of values in buckets whose width is one per cent of the value: percentiles within half a per cent, whatever the number of values,
/// in fixed memory. Count, sum, mean, lowest and highest are exact. Values from 1E-9 to 1E12 are told apart; lower ones count as the
/// lowest.
/// </summary>
public sealed class LogHistogram
{
    /// <summary>Most that a percentile is off, as a share of it.</summary>
    public const double RelativeError = (Width - 1) / 2;

    private const double Width = 1.01;
    private const double Least = 1e-9;
    private const double Most = 1e12;
    private static readonly double LogWidth = Math.Log(Width);
    private static readonly int Buckets = Index(Most) + 1;

    private readonly long[] _counts = new long[Buckets];
    private double _squares;
    private long _none;

    /// <summary>How many values there are.</summary>
    public long Count { get; private set; }

    /// <summary>Their sum.</summary>
    public double Sum { get; private set; }

    /// <summary>The lowest; 0 where there is none.</summary>
    public double Min { get; private set; }

    /// <summary>The highest; 0 where there is none.</summary>
    public double Max { get; private set; }

    /// <summary>Their mean; 0 where there is none.</summary>
    public double Mean => Count > 0 ? Sum / Count : 0;

    /// <summary>Their standard deviation.</summary>
    public double Deviation => Count > 0 ? Math.Sqrt(Math.Max(0, (_squares / Count) - (Mean * Mean))) : 0;

    /// <summary>Standard deviation over mean; 0 where the mean is.</summary>
    public double Cv => Mean > 0 ? Deviation / Mean : 0;

    /// <summary>Adds a value of 0 or more.</summary>
    /// <param name="value">The value.</param>
    /// <param name="times">How often.</param>
    public void Add(double value, long times = 1)
    {
        if (times <= 0)
            return;
        (Min, Max) = Count == 0 ? (value, value) : (Math.Min(Min, value), Math.Max(Max, value));
        Count += times;
        Sum += value * times;
        _squares += value * value * times;
        if (value < Least)
            _none += times;
        else
            _counts[Index(Math.Min(value, Most))] += times;
    }

    /// <summary>Adds all values of another.</summary>
    public void Add(LogHistogram other)
    {
        if (other.Count == 0)
            return;
        (Min, Max) = Count == 0 ? (other.Min, other.Max) : (Math.Min(Min, other.Min), Math.Max(Max, other.Max));
        Count += other.Count;
        Sum += other.Sum;
        _squares += other._squares;
        _none += other._none;
        for (var i = 0; i < _counts.Length; i++)
            _counts[i] += other._counts[i];
    }

    /// <summary>The value that a share of all values does not exceed; 0 where there is none.</summary>
    /// <param name="share">From 0 to 1.</param>
    public double At(double share)
    {
        if (Count == 0)
            return 0;
        var rank = Math.Clamp((long)Math.Ceiling(share * Count), 1, Count);
        var below = _none;
        if (below >= rank)
            return Min;
        for (var i = 0; i < _counts.Length; i++)
        {
            below += _counts[i];
            if (below >= rank)
                return rank == Count ? Max : Math.Clamp(Least * Math.Exp((i + 0.5) * LogWidth), Min, Max);
        }

        return Max;
    }

    /// <summary>How many values do not exceed a bound, to the bucket in which it lies.</summary>
    public long CountUpTo(double bound)
    {
        if (bound >= Max)
            return Count;
        var sum = bound >= Min ? _none : 0;
        for (var i = 0; bound >= Least && i <= Index(Math.Min(bound, Most)); i++)
            sum += _counts[i];
        return sum;
    }

    private static int Index(double value) => Math.Max(0, (int)(Math.Log(value / Least) / LogWidth));
}
