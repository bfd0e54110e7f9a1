using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml;
using System.Xml.Linq;
using TokenFactory.Cli.Verbs;

namespace TokenFactory.Cli.Tests;

/// <summary>The page of a run: one file, whole, readable in light and dark.</summary>
public sealed partial class SimulatePageTests
{
    [Fact]
    public void Needs_nothing_beside_itself()
    {
        var page = SimulatePage.Of(SimulateRuns.Run(pools: 2));
        Assert.DoesNotContain("http:", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("https:", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("src=", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("@import", page, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("url(", page, StringComparison.OrdinalIgnoreCase);
        Assert.Empty(Parsed(page).Descendants("link"));
    }

    [Fact]
    public void Takes_no_name_for_mark_up()
    {
        var run = SimulateRuns.Run(pools: 2, chat: SimulateRuns.Awkward) with { Name = SimulateRuns.Awkward, Happenings = [(1, SimulateRuns.Awkward)] };
        run = run with { Pools = [run.Pools[0] with { Name = SimulateRuns.Awkward, What = SimulateRuns.Awkward }, run.Pools[1]] };
        var text = SimulatePage.Of(run);
        var page = Parsed(text);
        Assert.DoesNotContain("<b>\"", text, StringComparison.Ordinal);
        Assert.Empty(page.Descendants("b"));
        Assert.Contains(page.Descendants("td"), cell => cell.Value == SimulateRuns.Awkward);
        Assert.Contains(page.Descendants("path"), path => path.Attribute("data-name")?.Value.StartsWith("<b>\"x\"&", StringComparison.Ordinal) == true);
        Assert.Contains(page.Descendants("path"), path => path.Element("title")?.Value.Contains("<b>\"x\"&", StringComparison.Ordinal) == true);
    }

    [Fact]
    public void Shows_every_chart_with_a_legend_and_a_title()
    {
        var page = Parsed(SimulatePage.Of(SimulateRuns.Run()));
        var figures = page.Descendants("figure").ToList();
        Assert.Equal(9, figures.Count);
        Assert.All(figures, figure =>
        {
            var lines = figure.Descendants("path").Where(path => path.Attribute("data-v") is not null).ToList();
            Assert.NotEmpty(lines);
            Assert.Equal(lines.Count, figure.Descendants("li").Count());
            Assert.All(lines, line => Assert.NotEmpty(line.Element("title")!.Value));
            Assert.All(lines, line => Assert.NotEmpty(line.Attribute("d")!.Value));
        });
        Assert.Contains(page.Descendants("path"), path => path.Element("title")?.Value == "10.21 min: r1 crashed");
        Assert.Contains(page.Descendants("path"), path => path.Element("title")?.Value == "promised to chat: 500 ms");
        var across = figures[0].Descendants("text").Where(text => text.Attribute("text-anchor")?.Value == "middle").Select(text => text.Value);
        Assert.Equal(["100", "200", "500", "1000", "2000", "5000"], across);
    }

    [Fact]
    public void Draws_each_pool_where_there_are_several()
    {
        var one = Parsed(SimulatePage.Of(SimulateRuns.Run())).Descendants("h2").Select(head => head.Value);
        var three = Parsed(SimulatePage.Of(SimulateRuns.Run(pools: 3))).Descendants("h2").Select(head => head.Value);
        Assert.DoesNotContain("Pool pool-0", one);
        Assert.Equal(["Pool pool-0", "Pool pool-1", "Pool pool-2"], three.Where(head => head.StartsWith("Pool ", StringComparison.Ordinal)));
    }

    [Fact]
    public void Keeps_the_values_that_the_pointer_tells()
    {
        var run = SimulateRuns.Run(stretches: 4);
        var line = Parsed(SimulatePage.Of(run)).Descendants("path").Single(path => path.Attribute("data-name")?.Value == "waiting at the gateway");
        Assert.Equal("2 2 2 2", line.Attribute("data-v")!.Value);
        var arriving = Parsed(SimulatePage.Of(run)).Descendants("path").Single(path => path.Attribute("data-name")?.Value == "arriving");
        Assert.Equal(run.Intervals.Select(one => Math.Round(one.Arrived / one.Seconds, 4)), Numbers(arriving.Attribute("data-v")!.Value));
    }

    [Fact]
    public void Cuts_a_cost_that_only_the_first_stretch_has_and_says_so()
    {
        var run = SimulateRuns.Run(stretches: 20);
        var first = run.Intervals[0] with { All = run.Intervals[0].All with { OutputTokensPerSecond = 0.001 } };
        var page = Parsed(SimulatePage.Of(run with { Intervals = [first, .. run.Intervals.Skip(1)] }));
        var cost = page.Descendants("figure").Single(figure => figure.Element("figcaption")!.Value.StartsWith("Dollars per million", StringComparison.Ordinal));
        Assert.Contains("cut at", cost.Element("figcaption")!.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Is_the_same_twice_and_under_a_megabyte_for_ten_pools_of_400_stretches()
    {
        var run = SimulateRuns.Run(pools: 10, stretches: 400, replicas: 40);
        var page = SimulatePage.Of(run);
        Assert.Equal(page, SimulatePage.Of(run));
        Assert.InRange(page.Length, 100_000, 1_000_000);
        Assert.InRange(SimulatePage.Of(SimulateRuns.Run(pools: 40, stretches: 2000)).Length, 100_000, 1_000_000);
    }

    [Fact]
    public void Says_that_it_is_partial()
    {
        var run = SimulateRuns.Run();
        Assert.DoesNotContain(Parsed(SimulatePage.Of(run)).Descendants("p"), text => text.Attribute("class")?.Value == "partial");
        Assert.Contains(Parsed(SimulatePage.Of(run with { Partial = true })).Descendants("p"), text => text.Attribute("class")?.Value == "partial");
    }

    [Fact]
    public void Has_colours_for_light_and_dark_that_can_be_told_from_the_page()
    {
        var page = SimulatePage.Of(SimulateRuns.Run());
        Assert.Contains("prefers-color-scheme: dark", page, StringComparison.Ordinal);
        Assert.Equal(SimulatePageStyle.Light.Count, SimulatePageStyle.Dark.Count);
        Assert.All(SimulatePageStyle.Light, colour => Assert.True(Contrast(colour, SimulatePageStyle.LightPage) >= 4.5, colour));
        Assert.All(SimulatePageStyle.Dark, colour => Assert.True(Contrast(colour, SimulatePageStyle.DarkPage) >= 4.5, colour));
        var schemes = Scheme().Matches(page).ToList();
        Assert.Equal(2, schemes.Count);
        Assert.All(schemes, scheme =>
        {
            Assert.True(Contrast(scheme.Groups["text"].Value, scheme.Groups["page"].Value) >= 7);
            Assert.True(Contrast(scheme.Groups["soft"].Value, scheme.Groups["tile"].Value) >= 4.5);
        });
        Assert.Equal(21, Contrast("#000000", "#ffffff"), 6);
    }

    [Fact]
    public void Stands_without_stretches_pools_or_classes()
    {
        var run = SimulateRuns.Run() with { Intervals = [], Classes = [], Pools = [], PoolRequests = [], Tenants = [] };
        Assert.Equal(2, Parsed(SimulatePage.Of(run)).Descendants("figure").Count());
        Assert.NotEmpty(SimulateReportTests.Text(run, 100));
    }

    /// <summary>The page as XML: every element closed, every attribute quoted.</summary>
    internal static XElement Parsed(string page)
    {
        using var reader = XmlReader.Create(new StringReader(page), new XmlReaderSettings { DtdProcessing = DtdProcessing.Ignore });
        return XDocument.Load(reader).Root!;
    }

    private static IEnumerable<double> Numbers(string text) => text.Split(' ').Select(one => double.Parse(one, CultureInfo.InvariantCulture));

    /// <summary>Contrast by WCAG 2.</summary>
    private static double Contrast(string one, string other)
    {
        var (a, b) = (Luminance(one), Luminance(other));
        return (Math.Max(a, b) + 0.05) / (Math.Min(a, b) + 0.05);
    }

    private static double Luminance(string colour)
    {
        var parts = Enumerable.Range(0, 3)
            .Select(i => int.Parse(colour.AsSpan(1 + (2 * i), 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture) / 255.0)
            .Select(part => part <= 0.04045 ? part / 12.92 : Math.Pow((part + 0.055) / 1.055, 2.4))
            .ToList();
        return (0.2126 * parts[0]) + (0.7152 * parts[1]) + (0.0722 * parts[2]);
    }

    [GeneratedRegex("--page: (?<page>#\\w+); --text: (?<text>#\\w+); --soft: (?<soft>#\\w+); --grid: #\\w+; --tile: (?<tile>#\\w+)")]
    private static partial Regex Scheme();
}
