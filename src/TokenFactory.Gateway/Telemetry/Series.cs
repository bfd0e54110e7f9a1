using System.Diagnostics.Metrics;

namespace TokenFactory.Gateway.Telemetry;

/// <summary>A sum of one set of labels. Adding takes no lock.</summary>
internal sealed class SumSeries(MetricFacts facts, string[] labels)
{
    private double _sum;

    /// <summary>Its labels as Prometheus writes them.</summary>
    public byte[] Text { get; } = facts.Spell(labels);

    public KeyValuePair<string, object?>[] Tags { get; } = facts.Tag(labels);

    public double Value => Volatile.Read(ref _sum);

    public void Add(double value)
    {
        if (value != 0)
            Sum.Add(ref _sum, value);
    }
}

/// <summary>A histogram of one set of labels.</summary>
internal sealed class HistogramSeries(MetricFacts facts, string[] labels, Histogram<double> instrument)
{
    private readonly double[] _bounds = facts.Bounds;
    private readonly long[] _counts = new long[facts.Bounds.Length + 1];
    private readonly KeyValuePair<string, object?>[] _tags = facts.Tag(labels);
    private double _sum;

    /// <summary>Its labels as Prometheus writes them.</summary>
    public byte[] Text { get; } = facts.Spell(labels);

    public ReadOnlySpan<double> Bounds => _bounds;

    public double Sum => Volatile.Read(ref _sum);

    /// <summary>How many values lie in a bucket: above the bound before it, up to its own.</summary>
    public long Count(int bucket) => Volatile.Read(ref _counts[bucket]);

    public void Record(double value)
    {
        var bucket = 0;
        while (bucket < _bounds.Length && value > _bounds[bucket])
            bucket++;
        Interlocked.Increment(ref _counts[bucket]);
        Telemetry.Sum.Add(ref _sum, value);
        if (instrument.Enabled) // only where somebody exports
            instrument.Record(value, _tags);
    }
}

/// <summary>Sums that many threads add to.</summary>
internal static class Sum
{
    public static void Add(ref double sum, double value)
    {
        var seen = Volatile.Read(ref sum);
        double was;
        while ((was = Interlocked.CompareExchange(ref sum, seen + value, seen)) != seen)
            seen = was;
    }
}
