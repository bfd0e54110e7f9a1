using System.Numerics;
using TokenFactory.Performance;
using TokenFactory.Units;

namespace TokenFactory.Engine;

/// <summary>
/// Lengths of time in buckets that are 1/64 of an octave wide, so that percentiles are within 0.8 %. Counts, so that it does not matter in
/// which order or how many at once they come.
/// </summary>
public sealed class TimeHistogram
{
    private const int Bits = 6;
    private const int Parts = 1 << Bits;

    private const int Rows = 64 - Bits;

    /// <summary>One row per octave, there once something falls into it.</summary>
    private readonly long[]?[] _rows = new long[]?[Rows];

    /// <summary>Times counted.</summary>
    public long Count { get; private set; }

    /// <summary>Their sum in seconds.</summary>
    public double Sum { get; private set; }

    /// <summary>Mean in seconds; 0 without any.</summary>
    public double Mean => Count > 0 ? Sum / Count : 0;

    /// <summary>The longest in seconds; 0 without any.</summary>
    public double Max { get; private set; }

    /// <summary>Counts one.</summary>
    public void Add(Duration time)
    {
        var nanoseconds = Math.Max(0, time.Nanoseconds);
        CountIn(Bucket(nanoseconds), 1);
        Count++;
        Sum += nanoseconds * 1e-9;
        Max = Math.Max(Max, nanoseconds * 1e-9);
    }

    /// <summary>Counts the gaps between tokens of steps whose time grows evenly.</summary>
    /// <param name="first">Time of the first step, in <see cref="DecodeCurve.Unit"/> of a nanosecond.</param>
    /// <param name="slope">What each step adds, 0 or more.</param>
    /// <param name="steps">Steps, 1 or more.</param>
    /// <param name="readers">Sequences that wait for each.</param>
    /// <param name="partsPerStep">Parts of a token that a step yields per sequence.</param>
    internal void Add(Int128 first, long slope, long steps, int readers, long partsPerStep)
    {
        var unit = (Int128)DecodeCurve.Unit * partsPerStep;
        for (long done = 0; done < steps;)
        {
            var scaled = (first + (slope * (Int128)done)) * DecodeCurve.TokenParts;
            var bucket = Bucket((long)(scaled / unit));
            var end = Start(bucket + 1) * unit;
            var last = slope == 0 ? steps : (long)Int128.Min(steps, (((end - 1) / DecodeCurve.TokenParts) - first) / slope + 1);
            last = Math.Max(last, done + 1);
            CountIn(bucket, (last - done) * readers);
            done = last;
        }

        var sum = (first * steps) + (slope * (Int128)steps * (steps - 1) / 2);
        Count += steps * readers;
        var longest = (double)(first + (slope * (Int128)(steps - 1))) * DecodeCurve.TokenParts / partsPerStep / DecodeCurve.Unit * 1e-9;
        Max = Math.Max(Max, longest);
        Sum += (double)sum * DecodeCurve.TokenParts / partsPerStep / DecodeCurve.Unit * 1e-9 * readers;
    }

    /// <summary>Adds another's.</summary>
    public void Add(TimeHistogram other)
    {
        for (var i = 0; i < Rows * Parts; i++)
        {
            if (other.In(i) is > 0 and var count)
                CountIn(i, count);
        }

        Count += other.Count;
        Sum += other.Sum;
        Max = Math.Max(Max, other.Max);
    }

    /// <summary>Upper bounds in seconds and counts of at most so many stretches of equal ratio that hold all times, for pictures.</summary>
    /// <param name="stretches">How many.</param>
    public IReadOnlyList<(double UpTo, long Count)> Stretches(int stretches)
    {
        var filled = Enumerable.Range(0, Rows * Parts).Where(i => In(i) > 0).ToList();
        if (filled.Count == 0)
            return [];
        var (first, last) = (filled[0], filled[^1]);
        var width = ((last - first) / stretches) + 1;
        var drawn = new List<(double, long)>();
        for (var from = first; from <= last; from += width)
            drawn.Add(((double)Start(from + width) * 1e-9, Enumerable.Range(from, width).Sum(In)));
        return drawn;
    }

    /// <summary>The time in seconds that a share of all does not exceed, to 0.8 %; 0 without any.</summary>
    /// <param name="share">0.99 for p99.</param>
    public double Percentile(double share)
    {
        var rank = (long)Math.Ceiling(share * Count);
        long seen = 0;
        for (var i = 0; i < Rows * Parts; i++)
        {
            seen += In(i);
            if (In(i) > 0 && seen >= rank)
                return Math.Min(Max, ((double)Start(i) + (double)Start(i + 1)) / 2 * 1e-9);
        }

        return 0;
    }

    /// <summary>How many did not exceed a time, to 0.8 % of it.</summary>
    /// <param name="seconds">The time.</param>
    public long CountUpTo(double seconds)
    {
        var last = Bucket((long)Math.Clamp(seconds * 1e9, 0, long.MaxValue / 2));
        long count = 0;
        for (var row = 0; row < Rows; row++)
        {
            if (_rows[row] is not { } parts)
                continue;
            for (var part = 0; part < Parts && (row * Parts) + part <= last; part++)
                count += parts[part];
        }

        return count;
    }

    private long In(int bucket) => bucket < Rows * Parts ? _rows[bucket / Parts]?[bucket % Parts] ?? 0 : 0;

    private void CountIn(int bucket, long times) => (_rows[bucket / Parts] ??= new long[Parts])[bucket % Parts] += times;

    private static int Bucket(long nanoseconds)
    {
        if (nanoseconds < Parts)
            return (int)nanoseconds;
        var power = 63 - BitOperations.LeadingZeroCount((ulong)nanoseconds);
        return ((power - Bits + 1) * Parts) + (int)((nanoseconds >> (power - Bits)) & (Parts - 1));
    }

    private static Int128 Start(int bucket)
    {
        if (bucket < Parts)
            return bucket;
        var (octave, part) = (bucket / Parts, bucket % Parts);
        return (Int128)(Parts + part) << (octave - 1);
    }
}
