using System.Text.Json;

namespace TokenFactory.Cli.Tests;

/// <summary>plan as the user meets it: exit code, both streams, JSON, flags and files of whole plans.</summary>
public sealed class PlanVerbTests
{
    private static readonly string[] Sections = ["fleet", "costs", "promises", "finalists", "alternatives", "traffic", "prices"];

    [Fact]
    public void Answers_in_words_first_and_tells_its_time_on_standard_error()
    {
        using var folder = new TemporaryFolder();
        var run = Program.RunIn(100, Program.NoCatalog, "plan", folder.Write("small.yaml", PlanAsks.Small));
        Assert.True(run.Code == 0, run.Err);
        Assert.Matches("^[0-9]+ x \\([0-9]+ x [a-z0-9-]+, [a-z0-9]+, TP[0-9]+\\) on-demand: \\$[0-9.]+ an hour", run.Out);
        Assert.Contains("The twin replayed 500 requests and every promise was kept", run.Out.Replace('\n', ' '), StringComparison.Ordinal);
        Assert.All(run.Out.Split('\n'), line => Assert.True(line.Length <= 100, line));
        Assert.Matches("(^|\n)planned in [0-9.]+ s\n$", run.Err);
    }

    [Fact]
    public void Tells_machines_every_figure_with_its_unit_in_the_key()
    {
        using var folder = new TemporaryFolder();
        var json = PlanAsks.Plan(folder, [], "--json").Json;
        Assert.All(Sections, section => Assert.NotEmpty(json.GetProperty(section).EnumerateArray()));
        var (pool, costs) = (json.GetProperty("fleet")[0], Costs(json));
        var gpus = pool.GetProperty("replicas").GetInt32() * pool.GetProperty("gpus_per_replica").GetInt32();
        Assert.Equal(gpus, costs["gpus"]);
        Assert.Equal(gpus * pool.GetProperty("usd_per_gpu_hour").GetDouble(), costs["usd_per_hour"], 9);
        Assert.Equal(costs["usd_per_hour"] * 730, costs["usd_per_month"], 6);
        Assert.Equal(costs["usd_per_hour"] / costs["output_tokens_per_second"] / 3600 * 1e6, costs["usd_per_million_output_tokens"], 9);
        Assert.Equal(costs["output_tokens_per_second"] / costs["facility_kw"] / 1e3, costs["output_tokens_per_second_per_watt"], 9);
        Assert.Equal(["ttft", "tpot"], json.GetProperty("promises").EnumerateArray().Select(one => one.GetProperty("time").GetString()));
        Assert.All(json.GetProperty("promises").EnumerateArray(), one => Assert.True(one.GetProperty("ms").GetDouble() <= one.GetProperty("promised_ms").GetDouble()));
        var rate = json.GetProperty("traffic").EnumerateArray().Sum(one => one.GetProperty("requests_per_second").GetDouble());
        Assert.InRange(rate, 9, 11);
        Assert.Equal([0.9, 2.5], json.GetProperty("prices").EnumerateArray().Select(one => one.GetProperty("usd_per_gpu_hour").GetDouble()).Order());
    }

    [Fact]
    public void The_same_seed_gives_the_same_plan_to_the_letter()
    {
        using var folder = new TemporaryFolder();
        Assert.Equal(PlanAsks.Plan(folder, [], "--json").Out, PlanAsks.Plan(folder, [], "--json").Out);
        Assert.NotEqual(PlanAsks.Plan(folder, [], "--json").Out, PlanAsks.Plan(folder, ["seed=2"], "--json").Out);
    }

    /// <summary>Flags, a file with the same keys, and a file with the workload that they stand for are one ask.</summary>
    [Fact]
    public void Flags_mean_what_the_file_means()
    {
        using var folder = new TemporaryFolder();
        string[] flags =
        [
            "--model", "llama-3.1-8b", "--requests-per-second", "10", "--input-tokens", "800", "--output-tokens", "150", "--ttft-s", "1", "--tpot-ms", "30", "--percentile", "90",
            "--gpu", "l40s", "--gpu", "h100", "--disaggregated", "no", "--token-budget", "2048", "--verify-requests", "500", "--finalists", "1",
        ];
        var file = folder.Write("flat.yaml", """
            model: llama-3.1-8b
            requests_per_second: 10
            input_tokens: 800
            output_tokens: 150
            ttft_s: 1
            tpot_ms: 30
            percentile: 90
            offers: {gpus: [l40s, h100]}
            search: {disaggregated: no, token_budget: 2048}
            verify_requests: 500
            finalists: 1
            """);
        var whole = folder.Write("whole.yaml", """
            model: llama-3.1-8b
            workload:
              requests: 20000
              streams:
                - {class: default, requests_per_second: 10, input_tokens: {lognormal: {mean: 800, cv: 0.7}}, output_tokens: {lognormal: {mean: 150, cv: 0.7}}}
            promises: [{class: default, ttft_s: 1, tpot_ms: 30, percentile: 90}]
            offers: {gpus: [l40s, h100]}
            search: {disaggregated: no, token_budget: 2048}
            verify_requests: 500
            finalists: 1
            """);
        var (said, read, spelled) = (Program.Run(["plan", .. flags, "--json"]).Json, Program.Run("plan", file, "--json").Json, Program.Run("plan", whole, "--json").Json);
        foreach (var section in Sections.Except(["fleet", "costs", "prices"]))
            Assert.Equal(said.GetProperty(section).GetRawText(), read.GetProperty(section).GetRawText());
        Assert.Equal(Costs(said), Costs(read));
        Assert.Equal(Costs(said), Costs(spelled));
        Assert.Equal("tokens-per-watt", Objective(Program.Run("plan", file, "--objective", "tokens-per-watt", "--json").Json));
    }

    [Fact]
    public void Set_changes_the_ask_and_is_seen_in_the_answer()
    {
        using var folder = new TemporaryFolder();
        var (plain, dearer) = (PlanAsks.Plan(folder, [], "--json").Json, PlanAsks.Plan(folder, ["offers.prices.0.usd_per_gpu_hour=25", "offers.prices.1.usd_per_gpu_hour=9"], "--json").Json);
        Assert.Equal(Costs(plain)["usd_per_hour"] * 10, Costs(dearer)["usd_per_hour"], 6);
        var spare = PlanAsks.Plan(folder, ["spare_replicas=1"], "--json").Json;
        Assert.True(Costs(spare)["gpus"] > Costs(plain)["gpus"]);
    }

    /// <summary>Flags win over the file, whose keys stay known; prices of GPUs that are not named are not on offer.</summary>
    [Fact]
    public void Flags_win_over_offers_limits_and_search_of_the_file()
    {
        using var folder = new TemporaryFolder();
        string[] sets = ["limits={usd_per_month: 1, gpus: 1}", "search.tp=[1, 2]", "offers.regions=[nowhere]", "offers.billing=spot"];
        string[] flags = ["--gpu", "h100", "--usd-per-month", "90000", "--gpus", "8", "--tp", "2", "--region", "north", "--billing", "on-demand", "--json"];
        var json = PlanAsks.Plan(folder, sets, flags).Json;
        Assert.Equal("h100-sxm", json.GetProperty("prices").EnumerateArray().Select(price => price.GetProperty("gpu").GetString()).Distinct().Single());
        Assert.Equal("TP2", json.GetProperty("fleet")[0].GetProperty("layout").GetString());
    }

    [Fact]
    public void More_traffic_never_costs_less()
    {
        using var folder = new TemporaryFolder();
        var costs = ((int[])[1, 10, 40]).Select(rate => Costs(PlanAsks.Plan(folder, [$"workload.streams.0.requests_per_second={rate}"], "--json").Json)["usd_per_hour"]).ToList();
        Assert.Equal(costs.Order(), costs);
        Assert.True(costs[2] > costs[0]);
    }

    [Fact]
    public void Whole_machines_are_told_and_paid_for()
    {
        using var folder = new TemporaryFolder();
        var run = PlanAsks.Plan(folder, ["offers.prices=[{gpu: h100, usd_per_gpu_hour: 2.5, gpus_per_instance: 8}]", "offers.gpus=[h100]"], "--json");
        Assert.Equal(20, Costs(run.Json)["usd_per_hour"], 9);
        Assert.Contains("of 8 that are paid for, as machines are rented whole", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Why_says_what_binds_what_everything_would_cost_and_what_is_regretted()
    {
        using var folder = new TemporaryFolder();
        var json = PlanAsks.Plan(folder, ["limits={usd_per_month: 50000}", "finalists=2"], "--why", "--json").Json;
        var binds = json.GetProperty("binds").EnumerateArray().ToList();
        Assert.Contains(binds, row => row.GetProperty("what").GetString() == "budget" && row.GetProperty("used").GetDouble() is > 0 and < 1);
        Assert.All(binds, row => Assert.Equal(row.GetProperty("used").GetDouble() >= 0.85, row.GetProperty("binds").GetBoolean()));
        var questions = json.GetProperty("what_if").EnumerateArray().ToDictionary(row => row.GetProperty("question").GetString()!);
        string[] asked =
        [
            "relaxing the time to the first token of chat from 1.00 s to 1.50 s", "tightening the time per token after it of chat from 30.0 ms to 22.5 ms",
            "a budget of $60,000 instead of $50,000 a month", "weights in bf16", "weights in fp8", "weights in int4, nvfp4", "all on spot", "all on reserved-1y",
            "prompts and answers on pools of their own", "GPUs at 70 % of their clock", "1 replica of every pool in reserve (N+1)", "replicas over two machines of eight",
        ];
        Assert.All(asked, question => Assert.Contains(question, questions.Keys));
        Assert.True(questions["relaxing the time to the first token of chat from 1.00 s to 1.50 s"].GetProperty("change").GetDouble() <= 1e-9);
        Assert.True(questions["1 replica of every pool in reserve (N+1)"].GetProperty("change").GetDouble() > 0);
        var regrets = json.GetProperty("regret").EnumerateArray().ToList();
        Assert.True(regrets.Count >= 2);
        Assert.Equal(0, regrets[0].GetProperty("scenario_0").GetDouble(), 9);
        Assert.All(regrets, row => Assert.DoesNotContain(" on-demand", row.GetProperty("fleet").GetString()!, StringComparison.Ordinal));
        Assert.False(PlanAsks.Plan(folder, [], "--json").Json.TryGetProperty("what_if", out _));
    }

    [Fact]
    public void Watts_are_judged_where_watts_are_asked_for()
    {
        using var folder = new TemporaryFolder();
        var (cost, watts) = (PlanAsks.Plan(folder, [], "--json").Json, PlanAsks.Plan(folder, ["objective=tokens-per-watt", "search.clocks=[0.7, 1]"], "--json").Json);
        Assert.True(Costs(watts)["output_tokens_per_second_per_watt"] >= Costs(cost)["output_tokens_per_second_per_watt"]);
        Assert.True(Costs(watts)["usd_per_hour"] >= Costs(cost)["usd_per_hour"] - 1e-9);
    }

    [Fact]
    public void Profit_fills_the_site_and_says_that_no_twin_was_asked()
    {
        using var folder = new TemporaryFolder();
        var run = PlanAsks.Plan(folder, ["objective=profit", "unlimited_demand=true", "promises.0.usd_per_million_output=0.5", "limits={mw: 0.05}"], "--json");
        Assert.True(run.Code == 0, run.Err);
        Assert.InRange(Costs(run.Json)["facility_kw"], 40, 50);
        Assert.True(Costs(run.Json)["revenue_usd_per_hour"] > Costs(run.Json)["usd_per_hour"]);
        Assert.Contains("Sized in closed form: the twin was not asked", run.Out, StringComparison.Ordinal);
        Assert.Contains("not simulated", Program.Run("plan", Path.Combine(folder.Root, "small.yaml"), "--verify-requests", "0").Out, StringComparison.Ordinal);
    }

    /// <summary>Requests within less than the time of a few answers show no fleet that runs for ever: the closed form's is kept, and that is said.</summary>
    [Fact]
    public void Too_few_requests_do_not_shrink_a_fleet()
    {
        using var folder = new TemporaryFolder();
        var rate = "workload.streams.0.requests_per_second=2000";
        var run = PlanAsks.Plan(folder, [rate], "--json").Json;
        Assert.Equal(1, run.GetProperty("finalists")[0].GetProperty("factor").GetDouble());
        Assert.Contains(run.GetProperty("notes").EnumerateArray(), note => note.GetString()!.Contains("too short to judge a fleet that runs for ever", StringComparison.Ordinal));
        Assert.True(Costs(run)["gpus"] > 20);
        Assert.DoesNotContain("too short", PlanAsks.Plan(folder, []).Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Work_that_can_wait_is_done_as_fast_as_it_comes()
    {
        using var folder = new TemporaryFolder();
        var run = PlanAsks.Plan(folder, ["promises=[{class: chat, deadline_s: 100000}]", "workload.streams.0.requests_per_second=60", "offers.gpus=[l40s]", "offers.billing=on-demand"], "--json").Json;
        Assert.True(run.GetProperty("finalists")[0].GetProperty("factor").GetDouble() >= 0.8);
    }

    [Fact]
    public void Two_services_have_pools_of_their_own()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("two.yaml", """
            services:
              - {name: chat, model: llama-3.1-8b, requests_per_second: 10, input_tokens: 800, output_tokens: 150, ttft_s: 1, tpot_ms: 30}
              - {name: night, model: llama-3.1-8b, requests_per_second: 10, input_tokens: 2000, output_tokens: 100, deadline_s: 3600}
            offers:
              gpus: [l40s]
              billing: [on-demand, spot]
              prices:
                - {gpu: l40s, usd_per_gpu_hour: 0.9}
                - {gpu: l40s, billing: spot, usd_per_gpu_hour: 0.3, provider: other}
            search: {disaggregated: no, token_budget: 2048}
            verify_requests: 500
            """);
        var json = Program.Run("plan", path, "--json").Json;
        var pools = json.GetProperty("fleet").EnumerateArray().Select(pool => (Service: pool.GetProperty("service").GetString(), Billing: pool.GetProperty("billing").GetString())).ToList();
        Assert.Contains(("chat", "on-demand"), pools);
        Assert.All(pools.Where(pool => pool.Service == "night"), pool => Assert.Equal("spot", pool.Billing));
        Assert.Equal(["chat", "chat", "night"], json.GetProperty("promises").EnumerateArray().Select(one => one.GetProperty("class").GetString()));
        Assert.Equal(Costs(json)["usd_per_hour"] * 730, Costs(json)["usd_per_month"], 6);
    }

    private static string Objective(JsonElement json) =>
        json.GetProperty("notes").EnumerateArray().Any(note => note.GetString()!.Contains("objective cost", StringComparison.Ordinal)) ? "cost" : "tokens-per-watt";

    internal static Dictionary<string, double> Costs(JsonElement json) =>
        json.GetProperty("costs").EnumerateArray().ToDictionary(row => row.GetProperty("figure").GetString()!, row => row.GetProperty("value").GetDouble());
}
