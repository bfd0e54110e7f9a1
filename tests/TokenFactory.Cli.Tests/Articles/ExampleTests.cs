using TokenFactory.Tests;

namespace TokenFactory.Cli.Tests.Articles;

/// <summary>Every example runs as it stands, by the command that its list names.</summary>
public sealed class ExampleTests
{
    public static TheoryData<string> Files() =>
        [.. Directory.EnumerateFiles(Repository.Path("examples"), "*.yaml").Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Files))]
    public void Runs_by_the_command_in_the_list(string file)
    {
        var line = Assert.Single(Repository.Text("examples", "README.md").Split('\n'), line => line.Contains($"]({file})", StringComparison.Ordinal));
        var verb = Assert.Single(new[] { "price", "billing", "factory", "predict", "workload make", "simulate", "plan", "audit", "serve" }, verb => line.Contains($"`./tokenfactory {verb} examples/{file}`", StringComparison.Ordinal));
        string[] without = verb == "serve" ? ["--check"] : []; // else it would serve on
        var run = Program.Run([.. verb.Split(' '), $"examples/{file}", .. without]);
        Assert.True(run.Code == 0, run.Err);
        Assert.Matches("^$|^[^\n]+ x real time\n$|^planned in [0-9.]+ s\n$|^[0-9,]+ runs of the twin, [0-9,]+ requests in [0-9.]+ s\n$", run.Err.Split('\n', StringSplitOptions.RemoveEmptyEntries).LastOrDefault() is { } last ? last + "\n" : "");
        Assert.NotEmpty(run.Out);
    }

    [Fact]
    public void The_year_has_every_hour_and_is_small()
    {
        var csv = Repository.Path("examples", "demand-year.csv");
        Assert.Equal(8760 + 1, File.ReadLines(csv).Count());
        Assert.True(new FileInfo(csv).Length < 300_000);
    }

    /// <summary>The keynote's quarter of the power for each of four tiers is the baseline; the best split earns more.</summary>
    [Fact]
    public void The_best_split_beats_a_quarter_for_each_tier()
    {
        var answer = Examples.Ask("factory examples/factory-four-tiers.yaml");
        Assert.All(answer.GetProperty("even_split").EnumerateArray(), tier => Assert.Equal(0.25, tier.Number("share_of_power"), 9));
        var profit = answer.GetProperty("per_year").EnumerateArray().ToDictionary(row => row.GetProperty("split").GetString()!, row => row.Number("profit_usd_per_year"));
        Assert.True(profit["best"] > profit["even"]);
    }

    /// <summary>Stock, demand and power all bind: the fast tiers sell out, the last fills the site with the second kind of GPU.</summary>
    [Fact]
    public void The_tiers_of_the_hundred_megawatts_share_it()
    {
        var tiers = Examples.Ask("factory examples/factory-100mw.yaml").GetProperty("best_split").EnumerateArray().ToList();
        Assert.Equal(3, tiers.Select(tier => tier.GetProperty("tier").GetString()).Distinct().Count());
        Assert.Equal(2, tiers.Select(tier => tier.GetProperty("gpu").GetString()).Distinct().Count());
        Assert.Equal(1, tiers.Sum(tier => tier.Number("share_of_power")), 6);
    }
}
