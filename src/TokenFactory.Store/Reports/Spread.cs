namespace TokenFactory.Store.Reports;

/// <summary>
/// How times spread: counts by time, each time rounded down to three digits (to a microsecond below a millisecond), so that a percentile is
/// within half a hundredth, and that all stores round alike.
/// </summary>
public sealed class Spread
{
    private const long Fine = 1_000_000; // a millisecond
    private readonly SortedDictionary<long, long> _counts = [];

    /// <summary>Times that were counted.</summary>
    public long Count { get; private set; }

    /// <summary>Adds so many times of a rounded length.</summary>
    internal void Add(long rounded, long count)
    {
        _counts[rounded] = _counts.GetValueOrDefault(rounded) + count;
        Count += count;
    }

    /// <summary>Seconds that so large a share of the times do not exceed; null where there is none.</summary>
    /// <param name="share">From 0 to 1: 0.95 for the 95th percentile.</param>
    public double? Seconds(double share)
    {
        var rest = (long)Math.Ceiling(share * Count);
        foreach (var (rounded, count) in _counts)
        {
            rest -= count;
            if (rest <= 0)
                return (rounded + (Step(rounded) / 2.0)) * 1e-9;
        }

        return null;
    }

    /// <summary>A length of time in nanoseconds, rounded down.</summary>
    internal static long Round(long nanos) => nanos / Step(nanos) * Step(nanos);

    /// <summary>The same in SQL.</summary>
    internal static string Sql(string nanos)
    {
        var cases = Enumerable.Range(0, 7).Select(i => (Below: Fine * (long)Math.Pow(10, i), Step: 1000 * (long)Math.Pow(10, i)));
        var last = 1000 * (long)Math.Pow(10, 7);
        var whens = string.Join(' ', cases.Select(at => $"WHEN {nanos} < {at.Below} THEN {nanos} / {at.Step} * {at.Step}"));
        return $"CASE {whens} ELSE {nanos} / {last} * {last} END";
    }

    private static long Step(long nanos)
    {
        var (below, step) = (Fine, 1000L);
        for (var i = 0; i < 7 && nanos >= below; i++)
            (below, step) = (below * 10, step * 10);
        return step;
    }
}
