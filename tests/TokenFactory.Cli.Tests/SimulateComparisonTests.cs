using TokenFactory.Cli.Verbs;
using TokenFactory.Simulation;

namespace TokenFactory.Cli.Tests;

/// <summary>Scenarios side by side: the interval by hand, the marks, and no claim that the seeds do not carry.</summary>
public sealed class SimulateComparisonTests
{
    [Fact]
    public void Computes_the_interval_that_a_hand_computes()
    {
        // 2, 4, 6: mean 4, standard deviation 2, t(2) = 4.303, 4.303 * 2 / sqrt(3) = 4.9687.
        var interval = SimulateInterval.Of([2, 4, 6])!.Value;
        Assert.Equal(4, interval.Mean, 12);
        Assert.Equal(4.9687, interval.HalfWidth!.Value, 4);
        Assert.False(interval.ExcludesZero);
        Assert.True(SimulateInterval.Of([5, 6, 7])!.Value.ExcludesZero);
        Assert.Null(SimulateInterval.Of([5])!.Value.HalfWidth);
        Assert.False(SimulateInterval.Of([5])!.Value.ExcludesZero);
        Assert.Null(SimulateInterval.Of([]));
    }

    [Theory]
    [InlineData(1, 12.706)]
    [InlineData(4, 2.776)]
    [InlineData(30, 2.042)]
    [InlineData(31, 2.042)]
    [InlineData(40, 2.021)]
    [InlineData(1000, 1.980)]
    public void Knows_the_percentiles_of_student(int degrees, double t) => Assert.Equal(t, SimulateInterval.Quantile(degrees));

    [Fact]
    public void Pairs_runs_by_seed_whatever_their_order()
    {
        // Preemptions differ by 10, 11 and 12 although the seeds themselves differ by hundreds: paired 11 +- 4.303 * 1 / sqrt(3) = 2.4843.
        var from = new[] { Run(1, preemptions: 100), Run(2, preemptions: 500), Run(3, preemptions: 900) };
        var to = new[] { Run(3, preemptions: 912), Run(1, preemptions: 110), Run(2, preemptions: 511), Run(4, preemptions: 5000) };
        var metric = SimulateMetrics.All.Single(one => one.Key == "preemptions");
        var difference = SimulateComparison.Difference(metric, from, to)!.Value;
        Assert.Equal(3, difference.Count);
        Assert.Equal(11, difference.Mean, 9);
        Assert.Equal(2.4843, difference.HalfWidth!.Value, 4);
        Assert.True(difference.ExcludesZero);
    }

    [Fact]
    public void Claims_no_difference_that_the_seeds_do_not_show()
    {
        var text = Text(("base", [Run(1, 100), Run(2, 200), Run(3, 300)]), ("other", [Run(1, 150), Run(2, 120), Run(3, 340)]));
        var row = text.Split('\n').Last(line => line.StartsWith("  preemptions", StringComparison.Ordinal) || line.StartsWith(" preemptions", StringComparison.Ordinal));
        Assert.Contains("no difference shown", row, StringComparison.Ordinal);
        Assert.DoesNotContain("±", row, StringComparison.Ordinal);
    }

    [Fact]
    public void Claims_nothing_on_one_seed()
    {
        var text = Text(("base", [Run(1, 100)]), ("other", [Run(1, 150)]));
        Assert.Contains("one seed: not tested", text, StringComparison.Ordinal);
        Assert.DoesNotContain("no difference shown", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Marks_the_best_of_each_row_all_of_them_where_they_tie_and_none_where_all_are_equal()
    {
        (string, IReadOnlyList<RunReport>)[] scenarios = [("a", [Run(1, 5)]), ("b", [Run(1, 3)]), ("c", [Run(1, 3)])];
        Assert.Equal([false, true, true], Best("preemptions", scenarios));
        Assert.Equal([false, false, false], Best("kept_share", scenarios));
        Assert.Equal([false, false], Best("utilisation_share", [("a", [Run(1, busy: 10)]), ("b", [Run(1, busy: 20)])]));
        Assert.Equal([true, false], Best("kept_share", [("a", [Run(1, kept: 990)]), ("b", [Run(1, kept: 980)])]));
        Assert.Equal([false, true], Best("usd_per_million_output_tokens_allocation", [("a", [Run(1, usd: 2)]), ("b", [Run(1, usd: 1)])]));
        var json = SimulateReportTests.Printed(SimulateComparison.Of(scenarios)).GetProperty("comparison").EnumerateArray()
            .Where(row => row.GetProperty("figure").GetString() == "preemptions")
            .Select(row => row.GetProperty("best").GetBoolean());
        Assert.Equal([false, true, true], json);
    }

    [Fact]
    public void Names_the_cheapest_of_those_that_keep_the_most_and_what_is_cheaper_but_keeps_less()
    {
        var words = SimulateComparison.Of(
        [
            ("base", [Run(1, kept: 990, usd: 3), Run(2, kept: 990, usd: 3.1)]),
            ("lean", [Run(1, kept: 990, usd: 2), Run(2, kept: 990, usd: 2.1)]),
            ("bare", [Run(1, kept: 800, usd: 1), Run(2, kept: 800, usd: 1)]),
        ]).Answer;
        Assert.Equal(
            "Of the 2 that keep the most promises, lean is the cheapest: 99.0 % kept at $10.25 per million output tokens (allocation), "
            + "-33 % against base with $15.25 and 99.0 % kept.",
            words[0]);
        Assert.Equal("bare costs less, $5.00 per million output tokens (allocation), but keeps only 80 %.", words[1].Replace("80.0", "80", StringComparison.Ordinal));
    }

    [Fact]
    public void Does_not_call_a_run_cheap_that_answered_nothing()
    {
        var dead = Run(1, kept: 0, usd: 1);
        dead = dead with { Requests = dead.Requests with { OutputTokens = 0 } };
        var report = SimulateComparison.Of([("base", [Run(1, kept: 990, usd: 3)]), ("dead", [dead])]);
        Assert.Single(report.Answer);
        Assert.StartsWith("base keeps the most promises: 99.0 % kept", report.Answer[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Makes_a_page_of_the_same_words()
    {
        var report = SimulateComparison.Of([(SimulateRuns.Awkward, [Run(1, 5)]), ("b", [Run(1, 3)])]);
        var page = SimulatePageTests.Parsed(SimulatePage.Of("Side by side", report));
        Assert.Contains(report.Answer[0].Replace("\n", "", StringComparison.Ordinal), page.Value.Replace("\n", "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    private static IEnumerable<bool> Best(string key, params (string, IReadOnlyList<RunReport>)[] scenarios) =>
        SimulateComparison.Compare(SimulateMetrics.All.Single(one => one.Key == key), scenarios).Select(one => one.Best);

    private static string Text(params (string, IReadOnlyList<RunReport>)[] scenarios) =>
        SimulateReportTests.Text(SimulateComparison.Of(scenarios), 100);

    private static RunReport Run(ulong seed, long preemptions = 0, long kept = 990, double usd = 1, double busy = 50) => new()
    {
        Name = "r",
        Seed = seed,
        Seconds = 100,
        Requests = new RequestReport
        {
            Name = "all",
            Requests = new RequestCounts(1000, 995, 0, 5, 0, 0, 0, 0),
            Kept = kept,
            OutputTokens = 200_000,
            PromptTokens = 1,
            Preemptions = preemptions,
        },
        Machines = new MachineReport { Name = "all", PaidUsd = usd, UsageUsd = usd / 2, PaidSeconds = 100, BusySeconds = busy },
    };
}
