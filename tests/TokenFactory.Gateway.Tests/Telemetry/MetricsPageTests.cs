using System.Reflection;
using System.Text;
using System.Text.RegularExpressions;
using TokenFactory.Gateway.Telemetry;
using TokenFactory.Tests;

namespace TokenFactory.Gateway.Tests.Telemetry;

/// <summary>The page of metrics tells those that are declared, and no other. ./check --docs writes it anew.</summary>
public sealed partial class MetricsPageTests
{
    private static readonly bool Write = Environment.GetEnvironmentVariable("TOKENFACTORY_WRITE_DOCS") is { Length: > 0 };

    private static IEnumerable<MetricFacts> Declared =>
        typeof(MetricTable).GetFields(BindingFlags.Static | BindingFlags.Public).Select(declared => (MetricFacts)declared.GetValue(null)!);

    [Fact]
    public void The_page_tells_all_metrics_that_are_declared()
    {
        var page = Repository.Path("docs", "guide", "metrics.md");
        var table = new StringBuilder("| Prometheus | kind | labels | meaning |\n|---|---|---|---|\n");
        foreach (var metric in Declared)
        {
            var labels = string.Join(", ", metric.Labels.Select(label => $"`{label.Replace('.', '_')}`"));
            table.Append($"| `{metric.PrometheusName}` | {metric.Kind.ToString().ToLowerInvariant()} | {labels} | {metric.Meaning} |\n");
        }

        var text = File.ReadAllText(page);
        var told = Table().Replace(text, $"<!-- metrics -->\n{table}<!-- end -->");
        if (Write)
            File.WriteAllText(page, told);
        Assert.Equal(told, File.ReadAllText(page));
    }

    [Fact]
    public void All_that_are_declared_are_written_and_no_two_share_a_name()
    {
        using var metrics = new GatewayMetrics(new HandClock());
        Assert.All(Declared, metric => Assert.Contains($"# TYPE {metric.PrometheusName} ", metrics.Text(), StringComparison.Ordinal));
        Assert.Equal(Declared.Count(), metrics.Text().Split('\n').Count(line => line.StartsWith("# TYPE", StringComparison.Ordinal)));
        Assert.Distinct(Declared.Select(metric => metric.PrometheusName));
    }

    [GeneratedRegex("<!-- metrics -->.*?<!-- end -->", RegexOptions.Singleline)]
    private static partial Regex Table();
}
