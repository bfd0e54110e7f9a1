using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using TokenFactory.Tests;

namespace TokenFactory.Cli.Tests;

/// <summary>engine and bench as the user meets them: one started, the other pointed at it.</summary>
public sealed partial class BenchTests
{
    private static readonly string[] Engine = ["engine", "--model", "llama-3.1-8b", "--gpu", "h100-sxm", "--port", "0"];

    [Fact]
    public async Task An_engine_says_where_it_is_and_bench_measures_what_it_predicts()
    {
        using var folder = new TemporaryFolder();
        var (requests, summary) = (Path.Combine(folder.Root, "requests.csv"), Path.Combine(folder.Root, "runs.csv"));
        await using var engine = await RunningEngine.StartAsync();
        string[] bench =
        [
            "bench", engine.Url, "--input", "100", "--output", "20", "--concurrency", "1", "--requests", "20", "--json", "--ttft-s", "10",
            "--csv", requests, "--summary", summary, "--gpu", "h100", "--precision", "bf16", "--tp", "1",
        ];
        var run = Program.Run(bench);
        Assert.True(run.Code == 0, run.Err + run.Out);
        var row = run.Json.GetProperty("requests")[0];
        Assert.Equal((20, 20, 20), (Of(row, "sent"), Of(row, "completed"), Of(row, "kept_share") * 20));
        var times = run.Json.GetProperty("times").EnumerateArray().ToDictionary(time => time.GetProperty("time").GetString()!);
        Assert.InRange(Of(times["TPOT"], "p50_ms"), 6.5, 9); // predicted: 7.1 ms

        var lines = File.ReadAllLines(requests);
        Assert.Equal(21, lines.Length);
        Assert.All(lines[1..], line => Assert.Equal("20", line.Split(',')[9]));
        Program.Run(bench);
        var rows = File.ReadAllLines(summary).Skip(1).Select(line => line.Split(',')).ToList();
        Assert.Equal((2, 2), (rows.Count, rows.Select(one => one[0]).Distinct().Count()));
        Assert.Contains("2 of 2 rows can be used", Program.Run("calibrate", "--from", summary).Err, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_workload_of_a_file_is_sent_with_the_promises_of_its_classes()
    {
        using var folder = new TemporaryFolder();
        var file = folder.Write("load.yaml", """
            workload:
              duration_s: 1
              streams:
                - {class: chat, requests_per_second: 20, arrivals: constant, input_tokens: 50, output_tokens: 5}
                - {class: batch, clients: 2, requests: 4, input_tokens: 50, output_tokens: 5}
            classes:
              - {name: chat, ttft_s: 0.000001}
            """);
        await using var engine = await RunningEngine.StartAsync();
        var run = Program.Run("bench", engine.Url, "--workload", file, "--json");
        Assert.True(run.Code == 0, run.Err + run.Out);
        var classes = run.Json.GetProperty("requests").EnumerateArray().ToDictionary(row => row.GetProperty("class").GetString()!);
        Assert.Equal((0, 1), (Of(classes["chat"], "kept_share"), Of(classes["batch"], "kept_share")));
        Assert.Equal((19, 4), (Of(classes["chat"], "completed"), Of(classes["batch"], "completed")));
    }

    [Fact]
    public void All_mistakes_are_told_at_once()
    {
        var bench = Program.Run(
            "bench", "nowhere", "--ttft-s", "x", "--clients", "5", "--rate", "5", "--summary", "q.csv",
            "--endpoint", "chats", "--workload", "no.yaml", "--trace", "t");
        Assert.Equal((2, ""), (bench.Code, bench.Out));
        foreach (var part in (string[])["'nowhere'", "--endpoint", "--gpu is missing", "--workload contradicts --trace", "no.yaml"])
            Assert.Contains(part, bench.Err, StringComparison.Ordinal);
        Assert.Contains(
            "--clients contradicts --rate",
            Program.Run("bench", "http://127.0.0.1:1", "--clients", "5", "--rate", "5").Err,
            StringComparison.Ordinal);
        Assert.Contains(
            "--concurrency contradicts --requests-per-second",
            Program.Run("bench", "http://127.0.0.1:1", "--concurrency", "5", "--requests-per-second", "5").Err,
            StringComparison.Ordinal);
        Assert.Contains("cannot be reached", Program.Run("bench", "http://127.0.0.1:1").Err, StringComparison.Ordinal);

        var engine = Program.Run(
            "engine", "--model", "llama", "--gpu", "h10", "--port", "70000", "--host", "x",
            "--faults", "foo, status=900", "--batching", "y");
        Assert.Equal((2, ""), (engine.Code, engine.Out));
        foreach (var part in (string[])
            ["--model", "--gpu", "--port is 70000", "--host is 'x'", "'foo'", "'status=900'", "--batching is 'y'"])
            Assert.Contains(part, engine.Err, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--rate is -1. ", "--rate", "-1")]
    [InlineData("--input is 0. ", "--input", "0")]
    [InlineData("--output is 'x'. ", "--output", "x")]
    [InlineData("--duration is 0. ", "--duration", "0")]
    [InlineData("--duration is 0. ", "--duration", "0", "--trace", "examples/traces/azure-code.csv")]
    [InlineData("--warmup is 30, and all is over after 30 s. ", "--warmup", "30")]
    [InlineData("--warmup is 2, and all is over after 1.5 s. ", "--warmup", "2", "--duration", "1.5")]
    [InlineData("--class-header is 'bad header'. ", "--class-header", "bad header")]
    [InlineData("--user-tokens is missing. ", "--sessions-per-second", "2", "--turns-mean", "3")]
    public void A_flag_is_named_as_it_was_typed_and_once(string message, params string[] arguments)
    {
        var run = Program.Run(["bench", "http://127.0.0.1:1", .. arguments]);
        Assert.Equal(2, run.Code);
        Assert.StartsWith("error: command line: " + message, run.Err, StringComparison.Ordinal);
        Assert.Single(run.Err.TrimEnd('\n').Split('\n'));
    }

    [Fact]
    public async Task What_the_server_says_of_a_failure_is_shown()
    {
        await using var engine = await RunningEngine.StartAsync();
        var run = Program.Run("bench", engine.Url, "--model", "nope", "--requests", "2", "--concurrency", "1", "--json");
        Assert.Equal(1, run.Code);
        var failure = Assert.Single(run.Json.GetProperty("failures").EnumerateArray());
        Assert.Equal(("status 404", 2), (failure.GetProperty("kind").GetString(), (int)Of(failure, "requests")));
        Assert.Contains("nope", failure.GetProperty("first_message").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(401, "answers 401: it asks for a key. Give one with --api-key or OPENAI_API_KEY.")]
    [InlineData(403, "answers 403: it does not accept the key. Give another with --api-key or OPENAI_API_KEY.", "--api-key", "sk-1")]
    [InlineData(404, "answers 404: it is no OpenAI API. Give the address for clients, not that of the admin API;")]
    [InlineData(500, "answers 500. Name the model with --model.")]
    public async Task Who_lists_no_models_is_quoted_with_what_to_do(int status, string message, params string[] more)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        await using var server = builder.Build();
        server.Run(http =>
        {
            http.Response.StatusCode = status;
            return Task.CompletedTask;
        });
        await server.StartAsync(TestContext.Current.CancellationToken);
        var url = server.Urls.Single();
        var run = Program.Run(["bench", url, .. more]);
        Assert.Equal((2, ""), (run.Code, run.Out));
        Assert.StartsWith($"error: {url}/v1/models: {message}", run.Err, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Conversations_need_no_length_of_answers()
    {
        await using var engine = await RunningEngine.StartAsync();
        var run = Program.Run(
            "bench", engine.Url, "--sessions-per-second", "5", "--turns-mean", "2", "--user-tokens", "20", "--requests", "2", "--json");
        Assert.True(run.Code == 0, run.Err + run.Out);
    }

    private static double Of(System.Text.Json.JsonElement row, string key) => row.GetProperty(key).GetDouble();

    /// <summary>The verb 'engine', running until it is disposed of.</summary>
    private sealed partial class RunningEngine(StringWriter output, Task<int> run, Action stop) : IAsyncDisposable
    {
        public string Url => Address().Match(output.ToString()).Value;

        public static async Task<RunningEngine> StartAsync()
        {
            Directory.SetCurrentDirectory(Repository.Root);
            var (output, stopped) = (new StringWriter(CultureInfo.InvariantCulture), false);
            var shared = TextWriter.Synchronized(output);
            var terminal = new Terminal(shared, TextWriter.Null, null, Colour: false, Program.Day, Program.NoCatalog)
            {
                Stopped = () => Volatile.Read(ref stopped),
            };
            var run = Task.Run(() => App.Run(Engine, terminal), TestContext.Current.CancellationToken);
            using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(120));
            while (!run.IsCompleted && !output.ToString().Contains("Ctrl-C ends it", StringComparison.Ordinal))
                await Task.Delay(5, guard.Token);
            return new RunningEngine(output, run, () => Volatile.Write(ref stopped, true));
        }

        public async ValueTask DisposeAsync()
        {
            stop();
            Assert.Equal(0, await run);
        }

        [GeneratedRegex(@"http://127\.0\.0\.1:\d+")]
        private static partial Regex Address();
    }
}
