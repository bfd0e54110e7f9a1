using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace TokenFactory.Gateway.Telemetry;

/// <summary>A value that is looked up when somebody asks.</summary>
/// <param name="Value">The value.</param>
/// <param name="Labels">Values of its labels.</param>
internal readonly record struct Observed(double Value, params string[] Labels);

/// <summary>A metric with all its series, for Prometheus as text and for OpenTelemetry as an instrument.</summary>
internal abstract class Family(MetricFacts facts)
{
    public MetricFacts Facts { get; } = facts;

    public abstract void Write(IBufferWriter<byte> to);

    /// <summary>Labels joined by what none of them holds.</summary>
    protected static string Joined(string[] labels) => string.Join('\u001f', labels);
}

/// <summary>Sums that the gateway adds to.</summary>
internal sealed class SumFamily : Family
{
    private readonly ConcurrentDictionary<string, SumSeries> _series = new(StringComparer.Ordinal);

    public SumFamily(MetricFacts facts, Meter meter)
        : base(facts) =>
        meter.CreateObservableCounter(
            facts.Name, () => _series.Values.Select(each => new Measurement<double>(each.Value, each.Tags)), facts.Unit, facts.Meaning);

    /// <summary>The series of some labels; ask once and keep it.</summary>
    public SumSeries Of(params string[] labels) =>
        _series.GetOrAdd(Joined(labels), static (_, made) => new SumSeries(made.Facts, made.Labels), (Facts, Labels: labels));

    public override void Write(IBufferWriter<byte> to)
    {
        PrometheusText.Head(to, Facts);
        foreach (var series in _series.Values)
            PrometheusText.Line(to, Facts.PrometheusName, "", series.Text, "", series.Value);
    }
}

/// <summary>Histograms that the gateway records into.</summary>
internal sealed class HistogramFamily : Family
{
    private readonly ConcurrentDictionary<string, HistogramSeries> _series = new(StringComparer.Ordinal);
    private readonly Histogram<double> _instrument;

    public HistogramFamily(MetricFacts facts, Meter meter)
        : base(facts) =>
        _instrument = meter.CreateHistogram(
            facts.Name, facts.Unit, facts.Meaning, advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = facts.Bounds });

    /// <summary>The series of some labels; ask once and keep it.</summary>
    public HistogramSeries Of(params string[] labels) =>
        _series.GetOrAdd(Joined(labels), (_, made) => new HistogramSeries(Facts, made, _instrument), labels);

    public override void Write(IBufferWriter<byte> to)
    {
        PrometheusText.Head(to, Facts);
        foreach (var series in _series.Values)
        {
            long count = 0;
            for (var i = 0; i < series.Bounds.Length; i++)
            {
                count += series.Count(i);
                PrometheusText.Line(to, Facts.PrometheusName, "_bucket", series.Text, PrometheusText.Bound(series.Bounds[i]), count);
            }

            count += series.Count(series.Bounds.Length);
            PrometheusText.Line(to, Facts.PrometheusName, "_bucket", series.Text, "le=\"+Inf\"", count);
            PrometheusText.Line(to, Facts.PrometheusName, "_sum", series.Text, "", series.Sum);
            PrometheusText.Line(to, Facts.PrometheusName, "_count", series.Text, "", count);
        }
    }
}

/// <summary>Values that are looked up when somebody asks.</summary>
internal sealed class ObservedFamily : Family
{
    private readonly Func<IEnumerable<Observed>> _look;

    public ObservedFamily(MetricFacts facts, Meter meter, Func<IEnumerable<Observed>> look)
        : base(facts)
    {
        _look = look;
        if (facts.Kind == MetricKind.Counter)
            meter.CreateObservableCounter(facts.Name, Measured, facts.Unit, facts.Meaning);
        else
            meter.CreateObservableGauge(facts.Name, Measured, facts.Unit, facts.Meaning);
    }

    public override void Write(IBufferWriter<byte> to)
    {
        PrometheusText.Head(to, Facts);
        foreach (var seen in _look())
            PrometheusText.Line(to, Facts.PrometheusName, "", Facts.Spell(seen.Labels), "", seen.Value);
    }

    private IEnumerable<Measurement<double>> Measured() =>
        _look().Select(seen => new Measurement<double>(seen.Value, Facts.Tag(seen.Labels)));
}
