using System.Xml.Linq;
using TokenFactory.Cli.Input;
using TokenFactory.Cli.Verbs;
using TokenFactory.Tests;
using TokenFactory.Workload;

namespace TokenFactory.Cli.Tests;

/// <summary>workload as the user meets it, and the workload block of a scenario.</summary>
public sealed class WorkloadTests
{
    private const string Azure = "examples/traces/azure-conversation.csv";

    [Fact]
    public void Describe_answers_in_words_tables_and_a_picture()
    {
        using var folder = new TemporaryFolder();
        var svg = Path.Combine(folder.Root, "trace.svg");
        var run = Program.Run("workload", "describe", Azure, "--svg", svg);
        Assert.Equal((0, ""), (run.Code, run.Err));
        Assert.StartsWith(Azure + " holds 299 requests over", run.Out, StringComparison.Ordinal);
        Assert.Contains("████████████████████████████████████████", run.Out, StringComparison.Ordinal);
        XNamespace space = "http://www.w3.org/2000/svg";
        Assert.True(XDocument.Load(svg).Descendants(space + "rect").Count() > 20);
        Assert.Contains("prefers-color-scheme: dark", File.ReadAllText(svg), StringComparison.Ordinal);
    }

    [Fact]
    public void Describe_gives_machines_what_the_file_holds()
    {
        var json = Program.Run("workload", "describe", Azure, "--json").Json;
        var rows = File.ReadAllLines(Path.Combine(Repository.Root, Azure)).Skip(1).Select(line => line.Split(',')).ToList();
        var lengths = json.GetProperty("lengths").EnumerateArray().ToList();
        Assert.Equal(rows.Sum(row => double.Parse(row[1])), lengths[0].GetProperty("tokens").GetDouble());
        Assert.Equal(rows.Sum(row => double.Parse(row[2])), lengths[1].GetProperty("tokens").GetDouble());
        Assert.Equal(299, json.GetProperty("input_histogram").EnumerateArray().Sum(bin => bin.GetProperty("requests").GetInt64()));
        var faster = Program.Run("workload", "describe", Azure, "--json", "--speedup", "2", "--slice-rows", "1..100").Json.GetProperty("arrivals")[0];
        var slower = Program.Run("workload", "describe", Azure, "--json", "--slice-rows", "1..100").Json.GetProperty("arrivals")[0];
        Assert.Equal(100, faster.GetProperty("requests").GetInt64());
        Assert.Equal(slower.GetProperty("seconds").GetDouble(), 2 * faster.GetProperty("seconds").GetDouble(), 6);
    }

    [Fact]
    public void Make_writes_a_trace_that_describe_reads()
    {
        using var folder = new TemporaryFolder();
        foreach (var name in new[] { "made.csv", "made.jsonl" })
        {
            var path = Path.Combine(folder.Root, name);
            string[] flags = ["workload", "make", "--requests", "500", "--turns-mean", "4", "--sessions-per-second", "2", "--user-tokens", "100", "--user-cv", "1", "--output-tokens", "50", "--think-s", "5", "--out", path];
            Assert.Equal(0, Program.Run(flags).Code);
            var text = File.ReadAllText(path);
            Program.Run(flags);
            Assert.Equal(text, File.ReadAllText(path));
            Program.Run([.. flags, "--seed", "2"]);
            Assert.NotEqual(text, File.ReadAllText(path));
            var json = Program.Run("workload", "describe", path, "--json").Json;
            Assert.Equal(500, json.GetProperty("arrivals")[0].GetProperty("requests").GetInt64());
            Assert.True(json.GetProperty("sessions")[0].GetProperty("turns_mean").GetDouble() > 2);
            Assert.True(json.GetProperty("prefix_reuse").EnumerateArray().Last().GetProperty("found_share").GetDouble() > 0.3);
        }

        Assert.Equal(2, folder.Files().Count);
    }

    [Fact]
    public void What_describe_fits_is_what_make_like_makes()
    {
        using var folder = new TemporaryFolder();
        foreach (var trace in new[] { Azure, "examples/traces/mooncake-conversation.jsonl" })
        {
            var (fit, one, two) = (Path.Combine(folder.Root, "fit.yaml"), Path.Combine(folder.Root, "one.csv"), Path.Combine(folder.Root, "two.csv"));
            Assert.Equal(0, Program.Run("workload", "describe", trace, "--fit", fit).Code);
            Assert.Equal(0, Program.Run("workload", "make", fit, "--out", one).Code);
            Assert.Equal(0, Program.Run("workload", "make", "--like", trace, "--out", two).Code);
            Assert.Equal(File.ReadAllText(two), File.ReadAllText(one));
            Assert.True(File.ReadLines(one).Count() > 50);
        }
    }

    [Theory]
    [InlineData("error: nowhere.csv: does not exist", "describe", "nowhere.csv")]
    [InlineData("error: README.md:1: begins with", "describe", "README.md")]
    [InlineData("--slice-s is '5'", "describe", Azure, "--slice-s", "5")]
    [InlineData("--scale is 0", "describe", Azure, "--scale", "0")]
    [InlineData("unknown flag '--slice'", "describe", Azure, "--slice", "5")]
    [InlineData("--requests is missing", "make", "--requests-per-second", "5", "--input-tokens", "5", "--output-tokens", "5")]
    [InlineData("--requests-per-second is missing", "make", "--requests", "5", "--input-tokens", "5", "--output-tokens", "5")]
    [InlineData("--out is 'made.txt'", "make", "--like", Azure, "--out", "made.txt")]
    [InlineData("--input-tokens contradicts --like", "make", "--like", Azure, "--input-tokens", "5")]
    [InlineData("--turns-mean means nothing beside the other flags", "make", "--requests", "5", "--clients", "2", "--turns-mean", "3", "--input-tokens", "5", "--output-tokens", "5")]
    [InlineData("cannot be written", "make", "--like", Azure, "--out", "nowhere/made.csv")]
    public void Refuses_what_it_cannot_do(string what, params string[] arguments)
    {
        var run = Program.Run(["workload", .. arguments]);
        Assert.Equal(2, run.Code);
        Assert.Equal("", run.Out);
        Assert.Contains(what, run.Err, StringComparison.Ordinal);
    }

    [Fact]
    public void The_example_names_its_classes_and_gives_the_same_traffic_every_time()
    {
        var settings = Settings.OfFile(Repository.Path("examples", "workload-mix.yaml"));
        var input = WorkloadInput.Read(settings.Item("workload")!)!;
        settings.RefuseUnknownKeys();
        Assert.Empty(settings.Mistakes);
        Assert.Equal(["chat", "agents", "bulk"], input.Classes.Select(name => name.Name));
        Assert.EndsWith("workload-mix.yaml:5", input.Classes[0].Where, StringComparison.Ordinal);
        Assert.Equal(["acme", "research"], input.Tenants.Select(name => name.Name));
        Assert.Equal(Asked(input, 5), Asked(input, 5));
        Assert.NotEqual(Asked(input, 5), Asked(input, 6));

        static List<string> Asked(WorkloadInput input, ulong seed) =>
            [.. IdealFleet.Asked(input.Traffic(seed), 0.02).Select(request => $"{request.Id} {request.Arrival} {request.PromptTokens} {request.Class}")];
    }

    [Fact]
    public void Every_kind_of_arrival_length_and_end_can_be_written()
    {
        using var folder = new TemporaryFolder();
        folder.Write("trace.csv", "arrival_s,input_tokens,output_tokens,class\n1,100,10,seen\n2,200,20,\n3,300,30,seen\n");
        var path = folder.Write("all.yaml", """
            workload:
              requests: 400
              streams:
                - {class: a, arrivals: gamma, arrival_cv: 2, requests_per_second: 5, input_tokens: {uniform: [5, 9]}, output_tokens: {empirical: [1, 2, 3]}}
                - {class: b, arrivals: weibull, arrival_cv: 0.5, requests_per_second: 5, lengths: {trace: trace.csv}}
                - {class: c, arrivals: constant, requests_per_second: 5, input_tokens: {trace: trace.csv}, output_tokens: {trace: trace.csv}, steps: [{at_s: 0, factor: 2}]}
                - {class: d, arrivals: at-once, requests: 7, input_tokens: 5, input_cv: 1, output_tokens: {exponential: {mean: 9}}}
                - {class: e, clients: 3, requests: 10, ramp_s: 2, input_tokens: {nominal: 100}, output_tokens: {lognormal: {median: 5, sigma: 1, max: 50}}}
                - {trace: trace.csv, tenant: t, scale: 2, slice_rows: 1..2}
            """);
        var input = Read(path, out var mistakes)!;
        Assert.Empty(mistakes);
        Assert.Equal(["a", "b", "c", "d", "e", "seen", "default"], input.Classes.Select(name => name.Name));
        var traffic = input.Traffic(1);
        var counts = IdealFleet.Asked(traffic, 0.02).CountBy(request => traffic.Classes[request.Class]).ToDictionary();
        Assert.Equal((400, 7, 10, 2, 2), (counts.Values.Sum(), counts["d"], counts["e"], counts["seen"], counts["default"]));
        Assert.True(counts["c"] > counts["a"] && counts["a"] > 20 && counts["b"] > 20);
    }

    [Theory]
    [InlineData(1, "'streams' is missing", "requests: 5")]
    [InlineData(2, "this stream never ends", "streams: [{requests_per_second: 1, input_tokens: 1, output_tokens: 1}]")]
    [InlineData(2, "'arrivals' is at-once without a number", "duration_s: 5, streams: [{arrivals: at-once, input_tokens: 1, output_tokens: 1}]")]
    [InlineData(2, "'requests_per_second' is missing", "requests: 5, streams: [{input_tokens: 1, output_tokens: 1}]")]
    [InlineData(2, "'arrivals' is 'often'", "requests: 5, streams: [{arrivals: often, requests_per_second: 1, input_tokens: 1, output_tokens: 1}]")]
    [InlineData(2, "'arrival_cv' means nothing with arrivals poisson", "requests: 5, streams: [{arrivals: poisson, arrival_cv: 2, requests_per_second: 1, input_tokens: 1, output_tokens: 1}]")]
    [InlineData(2, "'input_tokens' names several distributions", "requests: 5, streams: [{requests_per_second: 1, input_tokens: {nominal: 5, geometric: {mean: 5}}, output_tokens: 1}]")]
    [InlineData(2, "'uniform' is no pair", "requests: 5, streams: [{requests_per_second: 1, input_tokens: {uniform: [9, 5]}, output_tokens: 1}]")]
    [InlineData(2, "'mean' is 9, outside of min 1 to max 5", "requests: 5, streams: [{requests_per_second: 1, input_tokens: {lognormal: {mean: 9, cv: 1, max: 5}}, output_tokens: 1}]")]
    [InlineData(2, "'input_tokens' is 0", "requests: 5, streams: [{requests_per_second: 1, input_tokens: 0, output_tokens: 1}]")]
    [InlineData(2, "'turns' is missing", "requests: 5, streams: [{sessions_per_second: 1, user_tokens: 1, output_tokens: 1}]")]
    [InlineData(2, "'max_context_tokens' is 50", "requests: 5, streams: [{sessions_per_second: 1, turns: 2, system_prompt_tokens: 100, max_context_tokens: 50, user_tokens: 1, output_tokens: 1}]")]
    [InlineData(2, "'at_s' is 1, not later", "requests: 5, streams: [{requests_per_second: 1, steps: [{at_s: 2, factor: 1}, {at_s: 1, factor: 1}], input_tokens: 1, output_tokens: 1}]")]
    [InlineData(2, "unknown key 'thinking'", "requests: 5, streams: [{requests_per_second: 1, thinking: 4, input_tokens: 1, output_tokens: 1}]")]
    [InlineData(0, "does not exist", "trace: nowhere.csv")]
    public void Tells_what_is_wrong_with_a_block(int line, string what, string block)
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("bad.yaml", "workload:\n  {" + block + "}\n");
        Read(path, out var mistakes);
        var mistake = Assert.Single(mistakes);
        Assert.StartsWith(what, mistake.What, StringComparison.Ordinal);
        Assert.True(line == 0 || mistake.Where.StartsWith(path, StringComparison.Ordinal), mistake.Where);
    }

    private static WorkloadInput? Read(string path, out List<Catalog.Mistake> mistakes)
    {
        var settings = Settings.OfFile(path);
        var input = settings.Item("workload") is { } workload ? WorkloadInput.Read(workload) : null;
        settings.RefuseUnknownKeys();
        mistakes = [.. settings.Mistakes.Distinct()];
        return input;
    }
}
