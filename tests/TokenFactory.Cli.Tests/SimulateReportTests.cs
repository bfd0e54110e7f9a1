using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using TokenFactory.Cli.Output;
using TokenFactory.Cli.Verbs;
using TokenFactory.Simulation;

namespace TokenFactory.Cli.Tests;

/// <summary>What simulate says of a run, in words, tables and JSON.</summary>
public sealed class SimulateReportTests
{
    [Fact]
    public void Tells_a_manager_what_came_of_it()
    {
        var words = SimulateWords.Answer(SimulateRuns.Run()).ToList();
        Assert.Equal(
            "48,000 requests in 1 h of traffic on 2.26 replicas of 8 x H100 SXM, llama-3.1-70b fp8 TP8, vllm: "
            + "98.1 % kept their promises, $0.830 per million output tokens (allocation; $0.610 by usage), "
            + "0.420 J per output token at the boards (0.631 J at the facility's meter).",
            words[0]);
        Assert.StartsWith("Worst off is chat, with 98.0 % kept: 296 of 39,996 got no answer, 480 got one too late, most often the first token "
            + "(promised 500 ms;", words[1], StringComparison.Ordinal);
        Assert.EndsWith("The first late answer came between 14 min and 15 min.", words[1], StringComparison.Ordinal);
        Assert.Contains("longest at 16 min: 320 waited at the gateway", words[2], StringComparison.Ordinal);
        Assert.EndsWith("97 % of the KV blocks held: memory binds.", words[2], StringComparison.Ordinal);
        Assert.Contains("the queue of chat was full: 301", words[3], StringComparison.Ordinal);
        Assert.Contains("2 replicas crashed", words[4], StringComparison.Ordinal);
    }

    [Fact]
    public void Says_that_it_is_partial_before_anything_else()
    {
        var run = SimulateRuns.Run();
        Assert.DoesNotContain("Partial", Text(run, 100), StringComparison.Ordinal);
        Assert.StartsWith("Partial: stopped after 1 h", Text(run with { Partial = true }, 100), StringComparison.Ordinal);
    }

    [Fact]
    public void Names_the_promise_that_is_nearest_to_its_limit_where_all_are_kept()
    {
        var run = SimulateRuns.Run();
        var chat = run.Classes[0];
        var kept = run with
        {
            Classes =
            [
                chat with
                {
                    Requests = new RequestCounts(100, 100, 0, 0, 0, 0, 0, 0),
                    Kept = 100,
                    Ttft = new Spread(100, 0.1, 0.1, 0.1, 0.1, 0.4, 0.45),
                    EndToEnd = new Spread(100, 1, 1, 1, 1, 2, 3),
                    Tpot = new Spread(100, 0.01, 0.01, 0.01, 0.01, 0.02, 0.03),
                },
            ],
        };
        Assert.Contains(
            "Every promise was kept; nearest to its limit is the first token of chat: 99 in 100 took at most 400 ms of the 500 ms promised.",
            SimulateWords.Answer(kept));
    }

    [Fact]
    public void Says_nothing_of_cost_per_token_where_no_token_came()
    {
        var run = SimulateRuns.Run();
        var words = SimulateWords.Answer(run with { Requests = run.Requests with { OutputTokens = 0 } }).First();
        Assert.Contains("no output token was delivered", words, StringComparison.Ordinal);
        Assert.DoesNotContain("per million", words, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.991, "99.1 %")]
    [InlineData(0.9999, "99.99 %")]
    [InlineData(0.99999, "99.99 %")]
    [InlineData(0.99949, "99.94 %")]
    [InlineData(0.9499, "94.9 %")]
    [InlineData(1, "100 %")]
    public void Never_rounds_kept_promises_up(double share, string text) => Assert.Equal(text, SimulateSpell.Kept(share));

    [Theory]
    [InlineData(80)]
    [InlineData(100)]
    [InlineData(160)]
    public void Fits_the_terminal(int width)
    {
        var text = Text(SimulateRuns.Run(pools: 3), width);
        Assert.All(text.Split('\n'), line => Assert.True(line.Length <= width, line));
        Assert.Contains("$/M allocation", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Draws_bars_for_people_only()
    {
        var run = SimulateRuns.Run();
        Assert.Contains("requests waiting", Text(run, 100), StringComparison.Ordinal);
        Assert.Contains('█', Text(run, 100));
        Assert.DoesNotContain('█', Json(run).GetRawText());
        Assert.DoesNotContain('█', Text(run, 40));
    }

    [Fact]
    public void Draws_the_longest_queue_as_the_only_full_bar()
    {
        var row = SimulatePicture.Of(SimulateRuns.Run()).Single(line => line.StartsWith("requests waiting", StringComparison.Ordinal));
        Assert.Equal(1, row.Count(letter => letter == '█'));
        Assert.EndsWith(" 399", row, StringComparison.Ordinal);
    }

    [Fact]
    public void Shows_many_replicas_only_when_asked()
    {
        var uneven = SimulateRuns.Run(replicas: 16);
        uneven = uneven with { Replicas = [uneven.Replicas[0] with { OutputTokens = 5 }, .. uneven.Replicas.Skip(1)] };
        var few = SimulateReport.Of(uneven);
        Assert.DoesNotContain(SimulateReport.Of(SimulateRuns.Run(replicas: 16)).Sections, section => section.Title == "Replicas"); // all alike
        var many = SimulateReport.Of(SimulateRuns.Run(replicas: 17));
        var asked = SimulateReport.Of(SimulateRuns.Run(replicas: 17), replicas: true);
        Assert.Contains(few.Sections, section => section.Title == "Replicas");
        Assert.DoesNotContain(many.Sections, section => section.Title == "Replicas");
        Assert.Contains(asked.Sections, section => section.Title == "Replicas");
        Assert.Equal(17, Printed(many).GetProperty("replicas").GetArrayLength());
    }

    [Fact]
    public void Gives_machines_every_figure_of_the_run_unrounded()
    {
        var run = SimulateRuns.Run(pools: 2);
        var said = new HashSet<string>(StringComparer.Ordinal);
        Collect(Json(run), said);
        var missing = Figures(run, "run").Where(figure => !said.Contains(figure.Value)).ToList();
        Assert.Empty(missing);
    }

    [Fact]
    public void Tells_usage_from_allocation_and_boards_from_the_meter_in_json()
    {
        var run = SimulateRuns.Run();
        var json = Json(run);
        var pool = json.GetProperty("pools")[0];
        Assert.Equal(run.Pools[0].PaidUsd / run.PoolRequests[0].OutputTokens * 1e6, Number(pool, "usd_per_million_output_tokens_allocation"), 12);
        Assert.Equal(run.Pools[0].UsageUsd / run.PoolRequests[0].OutputTokens * 1e6, Number(pool, "usd_per_million_output_tokens_usage"), 12);
        Assert.Equal(run.Pools[0].BoardJoules / run.PoolRequests[0].OutputTokens, Number(pool, "joules_per_output_token_board"), 12);
        Assert.Equal(run.FacilityJoulesPerOutput, Number(json.GetProperty("run")[0], "joules_per_output_token_facility"), 12);
        Assert.Equal(run.Seed, json.GetProperty("run")[0].GetProperty("seed").GetUInt64());
    }

    [Fact]
    public void Gives_no_figure_where_there_is_none()
    {
        var run = SimulateRuns.Run();
        run = run with { PoolRequests = [run.PoolRequests[0] with { OutputTokens = 0 }] };
        Assert.Equal(JsonValueKind.Null, Json(run).GetProperty("pools")[0].GetProperty("usd_per_million_output_tokens_usage").ValueKind);
    }

    /// <summary>What a run holds, by reflection: a figure that is added to the contract and not to the report fails.</summary>
    private static IEnumerable<(string Where, string Value)> Figures(object? value, string where)
    {
        switch (value)
        {
            case null or bool:
                yield break;
            case string text:
                yield return (where, text);
                yield break;
            case double number:
                yield return (where, number.ToString("R", CultureInfo.InvariantCulture));
                yield break;
            case IFormattable number when value.GetType().IsPrimitive:
                yield return (where, number.ToString(null, CultureInfo.InvariantCulture));
                yield break;
            case IEnumerable many:
                foreach (var figure in many.Cast<object?>().SelectMany((one, i) => Figures(one, $"{where}[{i}]")))
                    yield return figure;
                yield break;
            default:
                var type = value.GetType();
                var members = type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(one => one.GetIndexParameters().Length == 0)
                    .Select(one => (one.Name, Value: one.GetValue(value)))
                    .Concat(type.GetFields(BindingFlags.Public | BindingFlags.Instance).Select(one => (one.Name, Value: one.GetValue(value))));
                foreach (var figure in members.SelectMany(one => Figures(one.Value, $"{where}.{one.Name}")))
                    yield return figure;
                yield break;
        }
    }

    private static void Collect(JsonElement json, HashSet<string> said)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var member in json.EnumerateObject())
                    Collect(member.Value, said);
                break;
            case JsonValueKind.Array:
                foreach (var item in json.EnumerateArray())
                    Collect(item, said);
                break;
            case JsonValueKind.String:
                said.Add(json.GetString()!);
                break;
            case JsonValueKind.Number:
                said.Add(json.GetRawText());
                said.Add(json.GetDouble().ToString("R", CultureInfo.InvariantCulture));
                break;
        }
    }

    internal static string Text(RunReport run, int width) => Text(SimulateReport.Of(run), width);

    internal static string Text(Report report, int width)
    {
        using var output = new StringWriter();
        TextOutput.Print(report, new Terminal(output, output, width, false, default, ""), false);
        return output.ToString();
    }

    internal static JsonElement Printed(Report report)
    {
        using var output = new StringWriter();
        JsonOutput.Print(report, output);
        return JsonDocument.Parse(output.ToString()).RootElement;
    }

    private static JsonElement Json(RunReport run) => Printed(SimulateReport.Of(run));

    private static double Number(JsonElement row, string key) => row.GetProperty(key).GetDouble();
}
