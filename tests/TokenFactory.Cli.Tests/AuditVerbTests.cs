using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;
using TokenFactory.Planning.Audit;

namespace TokenFactory.Cli.Tests;

/// <summary>audit as the user meets it: exit code, both streams, files.</summary>
public sealed class AuditVerbTests
{
    /// <summary>A fleet with levers to pull that is through in no time.</summary>
    internal const string Small = """
        name: small
        pools:
          - name: one
            model: llama-3.1-8b
            gpu: h100
            precision: bf16
            replicas: 6
            usd_per_gpu_hour: 2
            max_sequences: 16
            prefix_caching: false
        classes:
          - {name: chat, ttft_s: 0.5, tpot_ms: 30}
        workload:
          requests: 500
          streams:
            - {class: chat, requests_per_second: 40, system_prompt_tokens: 1500, input_tokens: {lognormal: {mean: 500, cv: 1}}, output_tokens: {geometric: {mean: 80}}}
        policies: {routing: round-robin}
        audit: {seeds: 2}
        """;

    [Fact]
    public void Answers_in_words_first_and_tells_what_it_ran_on_standard_error()
    {
        using var folder = new TemporaryFolder();
        var run = Program.RunIn(100, Program.NoCatalog, "audit", folder.Write("small.yaml", Small));
        Assert.True(run.Code == 0, run.Err);
        Assert.Matches(@"^This fleet of 6 GPUs pays \$[0-9.]+ per million output tokens and makes [0-9.]+ tokens/s per W", run.Out);
        Assert.All(run.Out.Split('\n'), line => Assert.True(line.Length <= 100, line));
        Assert.Contains("\nOff today: what each would save alone", run.Out, StringComparison.Ordinal);
        Assert.Contains("\nTogether: each on what those above it left\n", run.Out, StringComparison.Ordinal);
        Assert.Contains("\nOn already, or not applicable\n", run.Out, StringComparison.Ordinal);
        Assert.Matches("Added up, what they save alone would be \\$[0-9.]+; together they save", Joined(run.Out));
        Assert.Matches("(^|\n)[0-9,]+ runs of the twin, [0-9,]+ requests in [0-9.]+ s\n$", run.Err);
    }

    [Fact]
    public void Json_has_every_lever_with_its_state_and_the_total_by_seed()
    {
        using var folder = new TemporaryFolder();
        var json = Program.Run("audit", folder.Write("small.yaml", Small), "--json").Json;
        var levers = json.GetProperty("levers").EnumerateArray().ToDictionary(one => one.GetProperty("lever").GetString()!);
        Assert.Equal(Levers.Keys.Order(), levers.Keys.Order());
        Assert.Equal("off", levers["prefix-caching"].GetProperty("state").GetString());
        Assert.Equal("on", levers["batching"].GetProperty("state").GetString());
        Assert.Equal("not applicable", levers["expert-parallelism"].GetProperty("state").GetString());
        Assert.All(levers.Values, one => Assert.NotEmpty(one.GetProperty("risk").GetString()!));
        var fleets = json.GetProperty("fleets").EnumerateArray().ToLookup(one => one.GetProperty("fleet").GetString());
        Assert.All(new[] { "today", "fewest_replicas", "together" }, fleet => Assert.Equal(2, fleets[fleet].Count()));
        Assert.True(Mean(fleets["together"]) < Mean(fleets["fewest_replicas"]) && Mean(fleets["fewest_replicas"]) < Mean(fleets["today"]));
        Assert.Contains("our judgement", json.GetProperty("effort_and_risk")[0].GetProperty("sources").ToString(), StringComparison.Ordinal);
        Assert.NotEmpty(json.GetProperty("together").EnumerateArray());
        Assert.Contains(json.GetProperty("tried").EnumerateArray(), one => one.GetProperty("lever").GetString() == "power-cap");
    }

    [Fact]
    public void Simulate_says_the_same_of_today_and_of_the_total()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("small.yaml", Small);
        var audit = Program.Run("audit", path, "--json", "--set", "audit.leave_out=spot").Json;
        var today = Program.Run("simulate", path, "--json").Json;
        var seed = audit.GetProperty("fleets").EnumerateArray().First(one => one.GetProperty("seed").GetInt32() == 1);
        Assert.Equal(Usd(today), seed.GetProperty("usd_per_million_output_tokens").GetDouble(), 9);
        string[] sets = [.. audit.GetProperty("settings").EnumerateArray().SelectMany(one => new[] { "--set", one.GetProperty("setting").GetString()! })];
        Assert.NotEmpty(sets);
        var then = Program.Run(["simulate", path, "--json", .. sets]);
        Assert.True(then.Code == 0, then.Err);
        var total = audit.GetProperty("fleets").EnumerateArray().First(one => one.GetProperty("fleet").GetString() == "together");
        Assert.InRange(Usd(then.Json) / total.GetProperty("usd_per_million_output_tokens").GetDouble(), 0.9, 1.06);
    }

    [Fact]
    public void The_same_question_gives_the_same_bytes()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("small.yaml", Small);
        string Ask(string seed) => Program.Run("audit", path, "--json", "--seeds", "1", "--seed", seed).Out;
        Assert.Equal(Ask("7"), Ask("7"));
        Assert.NotEqual(Ask("7"), Ask("8"));
    }

    [Fact]
    public void A_page_stands_by_itself()
    {
        using var folder = new TemporaryFolder();
        var page = Path.Combine(folder.Root, "audit.html");
        Assert.Equal(0, Program.Run("audit", folder.Write("small.yaml", Small), "--html", page).Code);
        var html = File.ReadAllText(page);
        Assert.DoesNotContain("http://", html.Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal), StringComparison.Ordinal);
        var body = XDocument.Parse(html[html.IndexOf("<html", StringComparison.Ordinal)..]);
        Assert.True(body.Descendants("rect").Count() >= 6); // bars
        Assert.Contains(body.Descendants("td"), cell => cell.Value == "prefix caching");
    }

    [Fact]
    public void What_is_stopped_claims_no_total()
    {
        using var folder = new TemporaryFolder();
        var run = Program.Interrupted(60, "audit", folder.Write("small.yaml", Small));
        Assert.Equal(0, run.Code);
        Assert.StartsWith("Stopped before its end", run.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("would do", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_fleet_that_answers_nobody_has_no_cost_to_lower()
    {
        using var folder = new TemporaryFolder();
        var run = Program.Run("audit", folder.Write("small.yaml", Small), "--set", "pools.one.max_context_tokens=100");
        Assert.Equal(1, run.Code);
        Assert.Contains("delivers no output token", run.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("'leave_out' names 'spots', which is no lever. Did you mean 'spot'?", "audit.leave_out=spots")]
    [InlineData("'gpus' names 'h1000'", "audit.gpus=h1000")]
    [InlineData("'kept' is 1.5", "audit.kept=1.5")]
    [InlineData("'seeds' is 0", "audit.seeds=0")]
    [InlineData("'requests' is 5", "audit.requests=5")]
    [InlineData("'spot_up_hours' is given without spot_down_hours", "audit.spot_up_hours=3")]
    [InlineData("'four_bits' is 'perhaps'. Write true or false", "audit.four_bits=perhaps")]
    [InlineData("unknown key 'seed'", "audit.seed=3")]
    [InlineData("'audit' is not a mapping", "audit=everything")]
    [InlineData("'routing' is 'random'", "policies.routing=random")]
    public void Refuses_with_key_value_and_remedy_and_writes_nothing(string message, string set)
    {
        using var folder = new TemporaryFolder();
        var page = Path.Combine(folder.Root, "page.html");
        var run = Program.Run("audit", folder.Write("small.yaml", Small), "--html", page, "--set", set);
        Assert.Equal(2, run.Code);
        Assert.Empty(run.Out);
        Assert.Contains(message, run.Err, StringComparison.Ordinal);
        Assert.DoesNotContain("fault of its own", run.Err, StringComparison.Ordinal);
        Assert.Equal(["small.yaml"], folder.Files());
    }

    [Fact]
    public void Mistakes_of_the_audit_and_of_the_fleet_are_told_together()
    {
        using var folder = new TemporaryFolder();
        var run = Program.Run("audit", folder.Write("small.yaml", Small), "--set", "audit.kept=2", "--set", "pools.one.gpu=h1000");
        Assert.Contains("'kept' is 2", run.Err, StringComparison.Ordinal);
        Assert.Contains("'gpu' names 'h1000'", run.Err, StringComparison.Ordinal);
    }

    [Fact]
    public void Prices_of_other_billing_are_the_files_or_a_discount_that_is_told()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("small.yaml", Small);
        var told = Program.Run("audit", path, "--json").Json;
        Assert.Contains(told.GetProperty("notes").EnumerateArray(), note => note.GetString()!.Contains("the median of", StringComparison.Ordinal));
        var given = Program.Run("audit", path, "--json", "--set", "audit.spot_usd_per_gpu_hour=0.25").Json;
        var spot = given.GetProperty("other_prices").EnumerateArray().Single(one => one.GetProperty("billing").GetString() == "spot");
        Assert.Equal(0.25, spot.GetProperty("usd_per_gpu_hour").GetDouble());
    }

    private static double Usd(JsonElement simulated) => simulated.GetProperty("run")[0].GetProperty("usd_per_million_output_tokens_allocation").GetDouble();

    private static double Mean(IEnumerable<JsonElement> fleets) => fleets.Average(one => one.GetProperty("usd_per_million_output_tokens").GetDouble());

    private static string Joined(string text) => string.Join(' ', text.Split('\n', StringSplitOptions.TrimEntries)).ToString(CultureInfo.InvariantCulture);
}
