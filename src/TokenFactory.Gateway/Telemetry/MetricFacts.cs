using System.Text;

namespace TokenFactory.Gateway.Telemetry;

/// <summary>What a metric is of.</summary>
internal enum MetricKind
{
    /// <summary>Only grows.</summary>
    Counter,

    /// <summary>A value of now.</summary>
    Gauge,

    /// <summary>How values are spread.</summary>
    Histogram,
}

/// <summary>A metric as it is declared.</summary>
/// <param name="Name">OpenTelemetry's name: "gen_ai.server.request.duration".</param>
/// <param name="Kind">What it is of.</param>
/// <param name="Unit">UCUM: "s", "J", "{token}".</param>
/// <param name="Meaning">In words.</param>
/// <param name="Labels">Names of its labels, in order.</param>
internal sealed record MetricFacts(string Name, MetricKind Kind, string Unit, string Meaning, params string[] Labels)
{
    /// <summary>Upper bounds of a histogram's buckets.</summary>
    public double[] Bounds { get; init; } = [];

    /// <summary>Where a standard defines it; empty for our own.</summary>
    public string Link { get; init; } = "";

    /// <summary>Prometheus' name: with its unit, and _total where it only grows.</summary>
    public string PrometheusName
    {
        get
        {
            var name = Plain(Name);
            var unit = Unit switch { "s" => "seconds", "By" => "bytes", "J" => "joules", "W" => "watts", "USD" => "usd", _ => "" };
            if (unit.Length > 0 && !name.EndsWith("_" + unit, StringComparison.Ordinal))
                name += "_" + unit;
            return Kind == MetricKind.Counter ? name + "_total" : name;
        }
    }

    /// <summary>Labels as Prometheus writes them, without braces; empty ones are left out.</summary>
    public byte[] Spell(ReadOnlySpan<string> values)
    {
        var text = new StringBuilder();
        for (var i = 0; i < values.Length; i++)
        {
            if (values[i].Length == 0)
                continue;
            text.Append(text.Length > 0 ? "," : "").Append(Plain(Labels[i])).Append("=\"");
            text.Append(values[i].Replace("\\", "\\\\").Replace("\n", "\\n").Replace("\"", "\\\"")).Append('"');
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <summary>Labels as OpenTelemetry takes them; empty ones are left out.</summary>
    public KeyValuePair<string, object?>[] Tag(string[] values)
    {
        var tags = new List<KeyValuePair<string, object?>>(values.Length);
        for (var i = 0; i < values.Length; i++)
        {
            if (values[i].Length > 0)
                tags.Add(new(Labels[i], values[i]));
        }

        return [.. tags];
    }

    private static string Plain(string name) => name.Replace('.', '_');
}
