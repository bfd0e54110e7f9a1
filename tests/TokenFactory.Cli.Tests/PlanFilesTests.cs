namespace TokenFactory.Cli.Tests;

/// <summary>What plan writes: a page, the files that run the fleet, and the hours of a year.</summary>
public sealed class PlanFilesTests
{
    [Fact]
    public void The_page_needs_nothing_beside_itself_and_tells_every_dot()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Root, "page.html");
        var run = PlanAsks.Plan(folder, ["finalists=2"], "--html", path);
        Assert.True(run.Code == 0, run.Err);
        Assert.DoesNotContain("\nWhat if\n", run.Out, StringComparison.Ordinal);
        var text = File.ReadAllText(path);
        Assert.DoesNotContain("http", text.Replace("http://www.w3.org", "", StringComparison.Ordinal), StringComparison.OrdinalIgnoreCase);
        var page = SimulatePageTests.Parsed(text);
        var figures = page.Descendants("figure").ToDictionary(figure => figure.Element("figcaption")!.Value);
        foreach (var name in (string[])["Speed per user against tokens per megawatt", "Speed per user against cost"])
        {
            var dots = figures[name].Descendants("circle").Where(dot => dot.Element("title") is not null).ToList();
            Assert.True(dots.Count > 20, $"{dots.Count}");
            Assert.All(dots, dot => Assert.Matches("^[0-9]+ x (h100-sxm|l40s), [a-z0-9]+, KV [a-z0-9]+, TP[0-9]+.*, 2048 tokens a step: .* per million output tokens", dot.Element("title")!.Value));
        }

        Assert.Contains(figures.Keys, name => name.StartsWith("$ per hour", StringComparison.Ordinal));
        Assert.Contains(page.Descendants("h2"), head => head.Value == "What if: change in dollars");
        Assert.Contains(page.Descendants("td"), cell => cell.Value == "on-demand");
    }

    [Fact]
    public void An_ask_that_nothing_answers_has_a_page_too()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Root, "page.html");
        Assert.Equal(1, PlanAsks.Plan(folder, ["limits={usd_per_month: 1}"], "--html", path).Code);
        Assert.Contains(SimulatePageTests.Parsed(File.ReadAllText(path)).Descendants("p"), line => line.Value.Contains("No fleet of what is on offer does this.", StringComparison.Ordinal));
    }

    [Fact]
    public void The_files_replay_as_the_same_fleet()
    {
        using var folder = new TemporaryFolder();
        var target = Path.Combine(folder.Root, "out");
        var plan = PlanAsks.Plan(folder, [], "--emit", target, "--json");
        Assert.True(plan.Code == 0, plan.Err);
        var files = folder.Files();
        foreach (var name in (string[])["README.md", "scenario.yaml", "gateway.yaml", "kubernetes/00-base.yaml", "compose/host-0.yaml"])
            Assert.True(files.Contains($"out/{name}") || name.StartsWith("compose", StringComparison.Ordinal), $"{name} is not in {string.Join(", ", files)}");
        Assert.Contains(files, name => name.StartsWith("out/compose/host-", StringComparison.Ordinal));
        Assert.Contains(files, name => name.StartsWith("out/skypilot/", StringComparison.Ordinal));
        Assert.Contains($"Wrote {files.Count - 1} files to {target}", plan.Out, StringComparison.Ordinal);
        var (pool, replay) = (plan.Json.GetProperty("fleet")[0], Program.Run("simulate", Path.Combine(target, "scenario.yaml"), "--set", "workload.requests=500", "--json"));
        Assert.True(replay.Code == 0, replay.Err);
        var played = replay.Json.GetProperty("pools")[0];
        Assert.Equal(pool.GetProperty("pool").GetString(), played.GetProperty("name").GetString());
        Assert.Equal(pool.GetProperty("gpus_per_replica").GetInt32(), played.GetProperty("gpus").GetInt32());
        Assert.Equal(pool.GetProperty("replicas").GetDouble(), played.GetProperty("mean_replicas").GetDouble(), 6);
        var promised = plan.Json.GetProperty("promises").EnumerateArray().First(one => one.GetProperty("time").GetString() == "ttft").GetProperty("ms").GetDouble();
        Assert.Equal(promised / 1e3, replay.Json.GetProperty("classes")[0].GetProperty("ttft_p95_s").GetDouble(), 6);
    }

    [Fact]
    public void Files_of_several_services_have_the_traffic_of_each()
    {
        using var folder = new TemporaryFolder();
        var target = Path.Combine(folder.Root, "out");
        var path = folder.Write("two.yaml", """
            services:
              - {name: chat, model: llama-3.1-8b, requests_per_second: 5, input_tokens: 800, output_tokens: 150, ttft_s: 1, tpot_ms: 30}
              - {name: code, model: llama-3.1-8b, requests_per_second: 2, input_tokens: 2000, output_tokens: 100, ttft_s: 3}
            offers: {gpus: [l40s]}
            search: {disaggregated: no, token_budget: 2048}
            verify_requests: 300
            """);
        Assert.Equal(0, Program.Run("plan", path, "--emit", target).Code);
        foreach (var service in (string[])["chat", "code"])
        {
            var scenario = Assert.Single(Directory.GetFiles(target, $"scenario*{service}*.yaml"));
            var replay = Program.Run("simulate", scenario, "--set", "workload.requests=200", "--json");
            Assert.True(replay.Code == 0, replay.Err);
            Assert.Equal(service, replay.Json.GetProperty("classes")[0].GetProperty("name").GetString());
        }
    }

    [Fact]
    public void A_year_of_demand_says_what_to_commit_to_and_has_a_row_for_every_hour()
    {
        using var folder = new TemporaryFolder();
        folder.Write("demand.csv", "time,share\n" + string.Concat(Enumerable.Range(0, 96).Select(hour => $"{hour},{(hour % 24 is >= 8 and < 20 ? 3 : 1)}\n")));
        var table = Path.Combine(folder.Root, "hours.csv");
        string[] sets =
        [
            "demand=demand.csv", "workload.streams.0.requests_per_second=60", "offers.gpus=[l40s]",
            "offers.prices=[{gpu: l40s, usd_per_gpu_hour: 0.9}, {gpu: l40s, billing: reserved-1y, usd_per_gpu_hour: 0.5}, {gpu: l40s, billing: reserved-3y, usd_per_gpu_hour: 0.5}]",
        ];
        var run = PlanAsks.Plan(folder, sets, "--schedule-csv", table, "--json");
        Assert.True(run.Code == 0, run.Err);
        var ways = run.Json.GetProperty("year_ways").EnumerateArray().ToDictionary(row => row.GetProperty("way").GetString()!, row => row.GetProperty("usd").GetDouble());
        Assert.True(ways["this schedule"] <= ways["nothing committed"] && ways["this schedule"] <= ways["the peak committed"]);
        var rows = run.Json.GetProperty("year").EnumerateArray().ToList();
        Assert.Contains(rows, row => row.GetProperty("billing").GetString()!.StartsWith("reserved-", StringComparison.Ordinal) && row.GetProperty("usd_per_gpu_hour").GetDouble() == 0.5);
        Assert.Contains(rows, row => row.GetProperty("billing").GetString() == "on-demand" && row.GetProperty("usd_per_gpu_hour").GetDouble() == 0.9);
        var hours = File.ReadAllLines(table);
        Assert.Equal(1 + 96, hours.Length);
        Assert.StartsWith("hour,default 1 x l40s fp8 ", hours[0], StringComparison.Ordinal);
        var sum = hours.Skip(1).Sum(line => line.Split(',').Skip(1).Sum(int.Parse));
        Assert.Equal(rows.Sum(row => row.GetProperty("gpu_hours").GetDouble()), sum, 6);
        Assert.True(hours[1 + 12].Split(',').Skip(1).Sum(int.Parse) > hours[1].Split(',').Skip(1).Sum(int.Parse));
    }
}
