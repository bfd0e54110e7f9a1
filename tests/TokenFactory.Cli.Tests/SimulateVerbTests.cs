using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using TokenFactory.Tests;

namespace TokenFactory.Cli.Tests;

/// <summary>simulate as the user meets it: exit code, both streams and the files, of whole runs.</summary>
public sealed class SimulateVerbTests
{
    private const string Chat = "examples/simulate-chat.yaml";
    private const string Shorter = "workload.duration_s=60";

    /// <summary>A small fleet that is through in no time.</summary>
    internal const string Small = """
        name: small
        pools:
          - name: one
            model: llama-3.1-8b
            gpu: h100
            precision: fp8
            replicas: 2
            usd_per_gpu_hour: 2
        classes:
          - {name: chat, ttft_s: 1, tpot_ms: 50}
        workload:
          requests: 300
          streams:
            - {class: chat, tenant: acme, requests_per_second: 20, input_tokens: {lognormal: {mean: 500, cv: 1}}, output_tokens: {geometric: {mean: 80}}}
        """;

    [Fact]
    public void Answers_on_standard_output_and_tells_its_pace_on_standard_error()
    {
        var run = Program.RunIn(100, Program.NoCatalog, "simulate", Chat, "--set", Shorter);
        Assert.Equal(0, run.Code);
        Assert.Matches("^[0-9,]+ requests in [0-9.]+ s of traffic on 3 GPUs in 2 pools", run.Out);
        Assert.All(run.Out.Split('\n'), line => Assert.True(line.Length <= 100, line));
        Assert.Contains("Classes\n", run.Out, StringComparison.Ordinal);
        Assert.Matches(" h100 +on-demand given +\\$2\\.50 ", run.Out);
        Assert.Matches("^[0-9,]+ requests in [0-9.]+ s, [0-9,]+ x real time\n$", run.Err);
    }

    [Fact]
    public void Sources_say_whose_price_it_is()
    {
        Assert.Contains("given in examples/simulate-chat.yaml:5", Program.Run("simulate", Chat, "--set", Shorter, "--sources").Out, StringComparison.Ordinal);
        Assert.Matches("Vast.ai +\\$[0-9.]+\\* \\[1\\]", Program.Run("simulate", "examples/simulate-replay.yaml", "--sources", "--as-of", "2027-06-01").Out);
    }

    [Fact]
    public void Is_readable_where_nothing_limits_its_width()
    {
        var tables = Program.Run("simulate", Chat, "--set", Shorter).Out.Split('\n').Where(line => line.Contains('─', StringComparison.Ordinal));
        Assert.All(tables, line => Assert.True(line.Length <= 130, $"{line.Length}"));
    }

    [Fact]
    public void The_same_seed_gives_the_same_bytes_and_another_gives_others()
    {
        using var folder = new TemporaryFolder();
        var (one, two, three) = (Written("1", "--seed", "7"), Written("2", "--seed", "7"), Written("3", "--seed", "8"));
        Assert.Equal(one, two);
        Assert.NotEqual(one[0], three[0]);
        Assert.NotEqual(one[1], three[1]);

        string[] Written(string name, params string[] more)
        {
            string At(string kind) => Path.Combine(folder.Root, $"{name}.{kind}");
            string[] flags = ["simulate", Chat, "--set", Shorter, "--html", At("html"), "--requests-csv", At("r.csv"), "--intervals-csv", At("i.csv"), .. more];
            var json = Program.Run([.. flags, "--json"]);
            Assert.Equal(0, json.Code);
            return [json.Out, File.ReadAllText(At("r.csv")), File.ReadAllText(At("i.csv")), File.ReadAllText(At("html"))];
        }
    }

    [Fact]
    public void Step_by_step_tells_the_same()
    {
        var path = Path.Combine("examples", "simulate-spot.yaml");
        string[] flags = ["simulate", path, "--set", "workload.duration_s=900", "--set", "faults.0.up_hours=0.05", "--set", "faults.0.down_hours=0.02"];
        Assert.Equal(Program.Run(flags).Out, Program.Run([.. flags, "--step-by-step"]).Out);
    }

    [Theory]
    [InlineData("pools.0.replicas=5", 5)]
    [InlineData("pools.one.replicas=3", 3)]
    [InlineData("pools.one.tp=2", 4)]
    public void Set_finds_a_pool_by_index_and_by_name(string set, int gpus)
    {
        using var folder = new TemporaryFolder();
        var json = Program.Run("simulate", folder.Write("small.yaml", Small), "--set", set, "--json").Json;
        var hours = json.GetProperty("pools")[0].GetProperty("paid_gpu_hours").GetDouble();
        var seconds = json.GetProperty("run")[0].GetProperty("seconds").GetDouble();
        Assert.Equal(gpus, hours * 3600 / seconds, 6);
    }

    [Fact]
    public void Set_may_give_any_yaml_and_make_what_is_not_there()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("small.yaml", Small);
        var json = Program.Run(
            "simulate", path, "--set", "policies.routing=power-of-two", "--set", "classes=[{name: chat, end_to_end_s: 9}]", "--set", "seed=5", "--json").Json;
        Assert.Equal("power-of-two", json.GetProperty("run")[0].GetProperty("routing").GetString());
        Assert.Equal(5, json.GetProperty("run")[0].GetProperty("seed").GetInt32());
        Assert.Equal(9, json.GetProperty("classes")[0].GetProperty("end_to_end_promise_s").GetDouble());
        Assert.Equal(JsonValueKind.Null, json.GetProperty("classes")[0].GetProperty("ttft_promise_s").ValueKind);
    }

    [Fact]
    public void Trace_takes_the_place_of_the_workload()
    {
        using var folder = new TemporaryFolder();
        var trace = Repository.Path("examples", "traces", "azure-conversation.csv");
        var run = Program.Run("simulate", folder.Write("small.yaml", Small), "--trace", trace, "--set", "workload.class=chat", "--json");
        Assert.Equal(0, run.Code);
        var all = run.Json.GetProperty("requests")[0];
        Assert.Equal(299, all.GetProperty("arrived").GetInt64());
        var rows = File.ReadAllLines(trace).Skip(1).Select(line => line.Split(',')).ToList();
        Assert.Equal(rows.Sum(row => long.Parse(row[1], CultureInfo.InvariantCulture)), all.GetProperty("prompt_tokens").GetInt64());
    }

    [Fact]
    public void Json_keeps_the_laws()
    {
        foreach (var path in (string[])[Chat, "examples/simulate-disaggregated.yaml"])
        {
            var json = Program.Run("simulate", path, "--set", path == Chat ? Shorter : "workload.requests=200", "--json").Json;
            var all = json.GetProperty("requests")[0];
            string[] ends = ["completed", "rejected", "shed", "expired", "failed", "waiting", "running"];
            Assert.Equal(Whole(all, "arrived"), ends.Sum(end => Whole(all, end)));
            foreach (var key in (string[])["arrived", "completed", "output_tokens", "prompt_tokens", "kept"])
            {
                Assert.Equal(Whole(all, key), json.GetProperty("classes").EnumerateArray().Sum(one => Whole(one, key)));
                Assert.Equal(Whole(all, key), json.GetProperty("tenants").EnumerateArray().Sum(one => Whole(one, key)));
            }

            var machines = json.GetProperty("machines")[0];
            foreach (var key in (string[])["usd_allocation", "usd_usage", "joules_board", "paid_gpu_hours", "output_tokens_generated"])
            {
                var sum = Number(machines, key);
                Assert.Equal(sum, json.GetProperty("pools").EnumerateArray().Sum(one => Number(one, key)), sum * 1e-9);
                Assert.Equal(sum, json.GetProperty("replicas").EnumerateArray().Sum(one => Number(one, key)), sum * 1e-9);
            }

            var facility = Number(machines, "joules_facility");
            Assert.Equal(facility, json.GetProperty("pools").EnumerateArray().Sum(one => Number(one, "joules_facility")), facility * 1e-9);
            Assert.Equal(Number(machines, "joules_board"), Number(machines, "step_joules_board") + Number(machines, "idle_joules_board"), 1e-6);
            Assert.True(Number(machines, "usd_usage") <= Number(machines, "usd_allocation"));
        }
    }

    [Fact]
    public void Files_are_whole_and_agree_with_the_report()
    {
        using var folder = new TemporaryFolder();
        string At(string name) => Path.Combine(folder.Root, name);
        var run = Program.Run(
            "simulate", Chat, "--set", Shorter, "--html", At("run.html"), "--requests-csv", At("requests.csv"), "--intervals-csv", At("intervals.csv"), "--json");
        Assert.Equal(0, run.Code);
        Assert.Equal(["intervals.csv", "requests.csv", "run.html"], folder.Files());
        var all = run.Json.GetProperty("requests")[0];
        var rows = Rows(At("requests.csv"));
        Assert.Equal(Whole(all, "arrived"), rows.Count);
        Assert.Equal(Whole(all, "output_tokens"), rows.Where(row => row["outcome"] == "completed").Sum(row => long.Parse(row["output_tokens"], CultureInfo.InvariantCulture)));
        Assert.Equal(Whole(all, "kept"), rows.Count(row => row["kept"] == "true"));
        var stretches = Rows(At("intervals.csv")).Where(row => row["pool"] == "all").ToList();
        Assert.Equal(Whole(all, "arrived"), stretches.Sum(row => long.Parse(row["arrived"], CultureInfo.InvariantCulture)));
        var page = XDocument.Load(At("run.html"));
        Assert.True(page.Descendants("figure").Count() > 5);
    }

    [Fact]
    public void Many_replicas_are_shown_when_asked_for()
    {
        Assert.DoesNotContain("Replicas\n", Program.Run("simulate", Chat, "--set", "pools.h100.replicas=20", "--set", Shorter).Out, StringComparison.Ordinal);
        Assert.Contains("h100-19", Program.Run("simulate", Chat, "--set", "pools.h100.replicas=20", "--set", Shorter, "--replicas").Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Compare_sends_the_same_traffic_and_marks_the_best()
    {
        string[] flags = ["simulate", "--compare", Chat, "examples/simulate-chat-round-robin.yaml", "--set", Shorter, "--seeds", "3"];
        var run = Program.Run(flags);
        Assert.Equal(0, run.Code);
        Assert.Contains("marginal cost", run.Out, StringComparison.Ordinal);
        Assert.Contains("round robin", run.Out, StringComparison.Ordinal);
        Assert.Contains(" *", run.Out, StringComparison.Ordinal);
        Assert.Contains("3 seeds each", run.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("Not the same traffic", run.Out, StringComparison.Ordinal);
        var rows = Program.Run([.. flags, "--json"]).Json.GetProperty("comparison").EnumerateArray().ToList();
        Assert.All(rows, row => Assert.Equal(3, row.GetProperty("seeds").GetInt32()));
        var other = Program.Run([.. flags, "examples/simulate-spot.yaml", "--set", "workload.streams.0.class=chat"]);
        Assert.Contains("Not the same traffic: the workload of on demand and spot", other.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Compare_tells_scenarios_of_one_name_apart()
    {
        using var folder = new TemporaryFolder();
        var run = Program.Run("simulate", "--compare", folder.Write("a.yaml", Small), folder.Write("b.yaml", Small), "--seeds", "1");
        Assert.Equal(0, run.Code);
        Assert.Contains("small (a.yaml)", run.Out, StringComparison.Ordinal);
        Assert.Contains("small (b.yaml)", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void An_interrupt_gives_the_report_so_far_marked_partial_with_its_files()
    {
        using var folder = new TemporaryFolder();
        var table = Path.Combine(folder.Root, "requests.csv");
        var run = Program.Interrupted(1, "simulate", Chat, "--requests-csv", table);
        Assert.Equal(0, run.Code);
        Assert.StartsWith("Partial: stopped after", run.Out, StringComparison.Ordinal);
        Assert.True(Rows(table).Count > 10);
        var json = Program.Interrupted(1, "simulate", Chat, "--json").Json;
        Assert.True(json.GetProperty("run")[0].GetProperty("partial").GetBoolean());
        var all = json.GetProperty("requests")[0];
        Assert.True(Whole(all, "waiting") + Whole(all, "running") > 0);
    }

    [Fact]
    public void An_interrupted_comparison_compares_the_seeds_that_all_had()
    {
        string[] files = [Chat, "examples/simulate-chat-round-robin.yaml"];
        var looks = 0;
        while (!Program.Interrupted(looks, ["simulate", "--compare", .. files, "--set", Shorter]).Out.Contains("Stopped after 2 of 5 seeds", StringComparison.Ordinal))
            Assert.True(looks++ < 200);
        var run = Program.Interrupted(looks, ["simulate", "--compare", .. files, "--set", Shorter, "--json"]).Json;
        Assert.All(run.GetProperty("comparison").EnumerateArray(), row => Assert.Equal(2, row.GetProperty("seeds").GetInt32()));
        Assert.Contains("Stopped before round robin ran", Program.Interrupted(0, ["simulate", "--compare", .. files]).Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Says_no_where_nothing_was_answered()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("small.yaml", Small);
        var run = Program.Run("simulate", path, "--set", "workload.streams.0.input_tokens=500000", "--set", "workload.requests=5");
        Assert.Equal(1, run.Code);
        Assert.Contains("5 rejected", run.Out, StringComparison.Ordinal);
        Assert.Contains("longer than any replica can serve", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_prompt_of_a_trace_over_the_context_is_rejected_and_counted_where_the_file_says_so()
    {
        using var folder = new TemporaryFolder();
        folder.Write("trace.csv", "arrival_s,input_tokens,output_tokens,class\n0,100,10,chat\n1,900000,10,chat\n");
        var path = folder.Write("small.yaml", Small);
        var refused = Program.Run("simulate", path, "--trace", Path.Combine(folder.Root, "trace.csv"));
        Assert.Equal(2, refused.Code);
        Assert.Contains("has a prompt of 900,000 tokens in line 3, and no pool serves more than 131,072", refused.Err, StringComparison.Ordinal);
        var run = Program.Run("simulate", path, "--trace", Path.Combine(folder.Root, "trace.csv"), "--set", "workload.too_long=reject", "--json");
        Assert.Equal((1, 1), (Whole(run.Json.GetProperty("requests")[0], "completed"), Whole(run.Json.GetProperty("requests")[0], "rejected")));
    }

    [Theory]
    [InlineData("shed", "max_waiting", "classes.0.max_waiting=1", "pools.one.max_sequences=1")]
    [InlineData("shed", "max_wait_s", "classes.0.max_wait_s=0.5", "pools.one.max_sequences=1")]
    [InlineData("expired", "deadline_s", "classes.0.deadline_s=1", "workload.streams.0.output_tokens=2000")]
    [InlineData("failed", "max_attempts", "faults=[{kind: lost-answer, share: 0.5}]", "policies.max_retry_share=1")]
    public void Who_is_not_answered_is_told_by_the_setting_that_did_it(string outcome, string setting, params string[] sets)
    {
        using var folder = new TemporaryFolder();
        var table = Path.Combine(folder.Root, "requests.csv");
        var path = folder.Write("small.yaml", Small);
        var run = Program.Run(["simulate", path, "--requests-csv", table, .. sets.SelectMany(set => new[] { "--set", set })]);
        Assert.Contains(setting, run.Out, StringComparison.Ordinal);
        Assert.Contains(Rows(table), row => row["outcome"] == outcome && row["why"].Contains($"({setting})", StringComparison.Ordinal));
    }

    [Fact]
    public void A_spot_trace_of_the_users_is_followed()
    {
        using var folder = new TemporaryFolder();
        folder.Write("spot.csv", "# a zone\nstate,seconds\nup,40\ndown,20\nup,30\ndown,10\n");
        var faults = "faults=[{kind: spot-preemption, trace: spot.csv, notice_s: 5}]";
        var run = Program.Run("simulate", folder.Write("small.yaml", Small), "--set", faults, "--set", "workload.requests=3000");
        Assert.Equal(0, run.Code);
        Assert.Contains("will be preempted in 5 s", run.Out, StringComparison.Ordinal);
    }

    private static long Whole(JsonElement row, string key) => row.GetProperty(key).GetInt64();

    private static double Number(JsonElement row, string key) => row.GetProperty(key).GetDouble();

    private static List<Dictionary<string, string>> Rows(string path)
    {
        var lines = File.ReadAllText(path).Split("\r\n");
        Assert.Equal("", lines[^1]);
        var head = lines[0].Split(',');
        return [.. lines[1..^1].Select(line => Regex.Matches(line, "(?<=^|,)(\"(?:[^\"]|\"\")*\"|[^,]*)").Select(cell => cell.Value.Trim('"')).ToArray()).Select(cells =>
        {
            Assert.Equal(head.Length, cells.Length);
            return head.Zip(cells).ToDictionary(pair => pair.First, pair => pair.Second);
        })];
    }
}
