using System.Numerics;
using TokenFactory.Performance;

namespace TokenFactory.Engine;

/// <summary>
/// How long readers waited for the next token, over all tokens, in buckets that are 1/64 of an octave wide: at most 1.6 % apart. Counts, so
/// that it does not matter in which order or how many at once they come.
/// </summary>
public sealed class TokenGaps
{
    private const int Bits = 6;
    private const int Parts = 1 << Bits;

    private readonly long[] _counts = new long[(64 - Bits) * Parts];

    /// <summary>Gaps counted.</summary>
    public long Count { get; private set; }

    /// <summary>Their sum in seconds.</summary>
    public double Sum { get; private set; }

    /// <summary>Mean in seconds; 0 without any.</summary>
    public double Mean => Count > 0 ? Sum / Count : 0;

    /// <summary>Counts the gaps of steps whose time grows evenly.</summary>
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
            _counts[bucket] += (last - done) * readers;
            done = last;
        }

        var sum = (first * steps) + (slope * (Int128)steps * (steps - 1) / 2);
        Count += steps * readers;
        Sum += (double)sum * DecodeCurve.TokenParts / partsPerStep / DecodeCurve.Unit * 1e-9 * readers;
    }

    /// <summary>Adds another's.</summary>
    public void Add(TokenGaps other)
    {
        for (var i = 0; i < _counts.Length; i++)
            _counts[i] += other._counts[i];
        Count += other.Count;
        Sum += other.Sum;
    }

    /// <summary>The gap in seconds that a share of all gaps does not exceed, to 1.6 %; 0 without any.</summary>
    /// <param name="share">0.99 for p99.</param>
    public double Percentile(double share)
    {
        var rank = (long)Math.Ceiling(share * Count);
        long seen = 0;
        for (var i = 0; i < _counts.Length; i++)
        {
            seen += _counts[i];
            if (_counts[i] > 0 && seen >= rank)
                return ((double)Start(i) + (double)Start(i + 1)) / 2 * 1e-9;
        }

        return 0;
    }

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
