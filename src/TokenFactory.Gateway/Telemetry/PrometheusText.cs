using System.Buffers;
using System.Globalization;
using System.Text;

namespace TokenFactory.Gateway.Telemetry;

/// <summary>Prometheus' text format, version 0.0.4.</summary>
internal static class PrometheusText
{
    /// <summary>What it is called on the wire.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private const int LongestNumber = 32;

    /// <summary>What a metric is, before its values.</summary>
    public static void Head(IBufferWriter<byte> to, MetricFacts facts)
    {
        var name = facts.PrometheusName;
        var meaning = facts.Meaning.Replace("\\", "\\\\").Replace("\n", "\\n");
        var kind = facts.Kind.ToString().ToLowerInvariant();
        Encoding.UTF8.GetBytes($"# HELP {name} {meaning}\n# TYPE {name} {kind}\n", to);
    }

    /// <summary>A value.</summary>
    /// <param name="to">Where it goes.</param>
    /// <param name="name">Name of the metric.</param>
    /// <param name="part">"_bucket", "_sum", "_count" or nothing.</param>
    /// <param name="labels">Labels of its series.</param>
    /// <param name="bound">One label more, or nothing.</param>
    /// <param name="value">The value.</param>
    public static void Line(IBufferWriter<byte> to, string name, string part, ReadOnlySpan<byte> labels, string bound, double value)
    {
        Encoding.UTF8.GetBytes(name, to);
        Encoding.UTF8.GetBytes(part, to);
        if (labels.Length + bound.Length > 0)
        {
            to.Write("{"u8);
            to.Write(labels);
            if (labels.Length > 0 && bound.Length > 0)
                to.Write(","u8);
            Encoding.UTF8.GetBytes(bound, to);
            to.Write("}"u8);
        }

        to.Write(" "u8);
        Number(to, value);
        to.Write("\n"u8);
    }

    /// <summary>The label of a bucket: values up to a bound.</summary>
    public static string Bound(double bound) => string.Create(CultureInfo.InvariantCulture, $"le=\"{bound}\"");

    private static void Number(IBufferWriter<byte> to, double value)
    {
        if (!double.IsFinite(value))
        {
            to.Write(double.IsNaN(value) ? "NaN"u8 : value > 0 ? "+Inf"u8 : "-Inf"u8);
            return;
        }

        value.TryFormat(to.GetSpan(LongestNumber), out var written, default, CultureInfo.InvariantCulture);
        to.Advance(written);
    }
}
