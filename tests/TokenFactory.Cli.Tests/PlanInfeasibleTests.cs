using System.Text.Json;

namespace TokenFactory.Cli.Tests;

/// <summary>No feasible plan is an answer: exit code 1, what forbids it, and the least that works; no files to deploy.</summary>
public sealed class PlanInfeasibleTests
{
    [Theory]
    [InlineData("The promise on the time to the first token of chat cannot be kept even for a lone request: 1.00 ms promised, [0-9.]+ ms is the least \\(on ", "promises.0.ttft_s=0.001")]
    [InlineData("The promise on the time per token after it of chat cannot be kept even for a lone request: 0.100 ms promised, [0-9.]+ ms is the least \\(on ", "promises.0.tpot_ms=0.1")]
    [InlineData("The budget is \\$100\\.00 a month; the least that works is \\$[0-9,.]+\\.", "limits={usd_per_month: 100}")]
    [InlineData("The site has 0\\.100 kW at its meter; the least that works is [0-9.]+ kW\\.", "limits={mw: 0.0001}")]
    [InlineData("The site has 0\\.0342 kW at its meter, by 10\\.0 kg of CO2 a month; the least that works is [0-9.]+ kW\\.", "limits={carbon_g_per_kwh: 400, carbon_kg_per_month: 10}")]
    [InlineData("There are 1 GPUs; the least that works is [0-9]+\\.", "limits={gpus: 1}", "workload.streams.0.requests_per_second=200")]
    [InlineData("The model fits on nothing that is on offer", "model=llama-3.1-405b", "search={most_gpus_per_replica: 1}")]
    [InlineData("Only spot could serve chat, and it is gone more often than its promise tolerates", "offers.prices=[{gpu: h100, billing: spot, usd_per_gpu_hour: 1}]", "offers.gpus=[h100]", "offers.billing=spot", "promises.0.percentile=99")]
    public void Says_what_forbids_it_and_the_least_that_works(string words, params string[] sets)
    {
        using var folder = new TemporaryFolder();
        var run = PlanAsks.Plan(folder, sets, "--emit", Path.Combine(folder.Root, "out"));
        Assert.True(run.Code == 1, run.Err + run.Out);
        Assert.StartsWith("No fleet of what is on offer does this.\n", run.Out, StringComparison.Ordinal);
        Assert.Matches(words, run.Out);
        Assert.Equal(["small.yaml"], folder.Files());
    }

    [Fact]
    public void The_least_that_works_works()
    {
        using var folder = new TemporaryFolder();
        var words = PlanAsks.Plan(folder, ["limits={usd_per_month: 100}"], "--json").Json.GetProperty("answer").EnumerateArray().Select(line => line.GetString()!).ToList();
        var least = decimal.Parse(words[1].Split('$')[^1].TrimEnd('.'), System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(0, PlanAsks.Plan(folder, [$"limits={{usd_per_month: {least + 1}}}"]).Code);
        Assert.Equal(1, PlanAsks.Plan(folder, [$"limits={{usd_per_month: {least - 1}}}"]).Code);
    }

    /// <summary>The closed form thinks that one GPU does; the twin knows that it does not, and that it is the budget that forbids two.</summary>
    [Fact]
    public void A_limit_that_only_the_twin_finds_too_small_is_told_with_the_least_too()
    {
        using var folder = new TemporaryFolder();
        var run = PlanAsks.Plan(folder, ["limits={usd_per_month: 1300}", "offers.gpus=[l40s]"]);
        Assert.True(run.Code == 1, run.Out);
        Assert.Contains("The budget is $1,300 a month; the least that works is $1,314.", run.Out, StringComparison.Ordinal);
        Assert.Contains("Nearest came 1 x (1 x l40s", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_promise_that_breaks_in_the_twin_alone_is_told_with_the_fleet_that_came_nearest()
    {
        using var folder = new TemporaryFolder();
        var run = PlanAsks.Plan(folder, ["limits={gpus: 1}", "offers.gpus=[l40s]"]);
        Assert.True(run.Code == 1, run.Out);
        Assert.Matches("Nearest came 1 x \\(1 x l40s, [^)]+\\) on-demand: time per token after it of chat [0-9.]+ of 30.0 ms", run.Out.Replace('\n', ' '));
        Assert.Contains("There are 1 GPUs; the least that works is 2.", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Requests_that_are_too_long_for_the_model_are_told()
    {
        using var folder = new TemporaryFolder();
        var sets = (string[])["workload.streams.0.input_tokens={lognormal: {mean: 60000, cv: 0.9}}", "workload.streams.0.requests_per_second=0.05", "promises.0.ttft_s=60", "promises.0.tpot_ms=200"];
        var run = PlanAsks.Plan(folder, sets);
        Assert.True(run.Code == 1, run.Out);
        Assert.Matches("A request has [0-9,]+ tokens, prompt and answer, and llama-3.1-8b is made for 131,072", run.Out.Replace('\n', ' '));
        var rejecting = PlanAsks.Plan(folder, [.. sets, "workload.too_long=reject"]);
        Assert.True(rejecting.Code == 0, rejecting.Out);
    }

    /// <summary>Whole answers are long because of their tokens: the closed form must see that, or it puts forward GPUs that are too slow.</summary>
    [Fact]
    public void A_promise_on_whole_answers_is_kept_by_a_fleet_fast_enough_for_long_ones()
    {
        using var folder = new TemporaryFolder();
        var run = PlanAsks.Plan(folder, ["promises=[{class: chat, end_to_end_s: 2.2, percentile: 99}]"]);
        Assert.True(run.Code == 0, run.Out);
        Assert.Matches("\n chat +time of the whole answer +p99 ", run.Out);
    }

    [Fact]
    public void Is_the_same_for_machines()
    {
        using var folder = new TemporaryFolder();
        var json = PlanAsks.Plan(folder, ["limits={usd_per_month: 100}"], "--json").Json;
        Assert.Equal("plan", json.GetProperty("verb").GetString());
        Assert.Equal(JsonValueKind.Array, json.GetProperty("answer").ValueKind);
        Assert.False(json.TryGetProperty("fleet", out _));
    }
}
