using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using TokenFactory.Gateway.Setup;
using TokenFactory.Gateway.Tests.Api;
using TokenFactory.Gateway.Wire;
using TokenFactory.Policies;
using TokenFactory.Store.Ledger;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Gateway.Tests.Faults;

/// <summary>
/// Mutated requests and mutated answers over real sockets: whatever comes, the gateway lives, blames nobody wrongly, keeps its books, and
/// keeps nothing else. 5,000 together in the short form, a million with TOKENFACTORY_LONG=1.
/// </summary>
[Collection(nameof(Alone))]
public sealed class FuzzTests
{
    private const long MostGrowthBytes = 24 << 20;
    private static readonly TimeSpan Impatience = TimeSpan.FromMilliseconds(100);
    private static readonly string[] Paths = ["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses"];

    private static int Count => Cases.Long ? 500_000 : 2_500;

    [Fact]
    public async Task Mutated_requests_are_served_or_refused_and_leave_nothing_behind()
    {
        var seen = new Engine();
        await using var engine = new RawEngine(seen.AnswerAsync);
        using var logs = new StringLogs(LogLevel.Error);
        await using var gateway = await RunningGateway.StartAsync(
            [engine.Address], setup => setup with { Limits = setup.Limits with { BodyBytes = 64 << 10, HeldBodyBytes = 16 << 20 } }, logs: logs.Provider);

        Task Case(Dice dice) => AskAsync(gateway, new OddRequests(dice, gateway.Host.FirstKey!).Draw());
        await OrTellAsync(logs, GrowsNotAsync(gateway, Case));

        var records = await gateway.StopAsync();
        AssertQuiet(logs);
        Assert.True(engine.Fault is null, $"{engine.Fault?.Message}\n{logs.Text}");
        Assert.Equal(records.Count, records.Select(record => record.Id).Distinct().Count());
        Assert.Equal(seen.Ids.Count, records.Count(record => seen.Ids.Holds(record.Id)));
        Assert.True(seen.Ids.Count > records.Count / 2 && records.Count > Count / 10, $"{seen.Ids.Count} of {records.Count} records reached the engine");
        Assert.All(records.Where(record => !seen.Ids.Holds(record.Id)), record => Assert.Equal(Outcome.Cancelled, record.Outcome));
    }

    [Fact]
    public async Task Mutated_answers_reach_the_right_client_or_none_and_leave_nothing_behind()
    {
        var (seen, whole, number) = (new Tally(2 * Count), new Tally(2 * Count), 0);
        var looks = 0;
        await using var engine = new RawEngine(AnswerAsync, LookAsync);
        ValueTask<bool> LookAsync(RawLine line)
        {
            var dice = new Dice(Interlocked.Increment(ref looks));
            return dice.Chance(0.5) ? RawEngine.ShowAsync(line) : new OddAnswers(dice, Endpoint.Chat, dice.Chance(0.2), "look").Draw().SendAsync(line);
        }

        async ValueTask<bool> AnswerAsync(RawLine line)
        {
            var dice = new Dice(int.Parse(Member(line.Body, "seed")) + seen.Add(line.Id));
            var endpoint = (Endpoint)Array.IndexOf(Paths, line.Path);
            return await new OddAnswers(dice, endpoint, line.Body.Span.IndexOf("\"stream\":true"u8) >= 0, line.Id).Draw().SendAsync(line);
        }

        using var logs = new StringLogs(LogLevel.Error);
        await using var gateway = await RunningGateway.StartAsync([engine.Address], Hardy, logs: logs.Provider);

        await OrTellAsync(logs, GrowsNotAsync(gateway, async dice =>
        {
            var (path, stream) = (Paths[dice.Whole(0, 3)], dice.Chance(0.6));
            var body = RunningGateway.Body(stream, $",\"prompt\":\"a\",\"input\":\"a\",\"seed\":\"{dice.Whole(0, int.MaxValue - 9)}\"");
            Interlocked.Increment(ref number);
            await HearAsync(gateway, path, body, whole);
        }));

        Assert.Null(engine.Fault);
        var before = Volatile.Read(ref looks);
        await Storm.UntilAsync(() => Volatile.Read(ref looks) > before + 10, "it goes on to look at its replica");
        var spent = gateway.Host.Tenants.UsageOf("acme")!.SpentMonth;
        var records = await gateway.StopAsync();
        AssertQuiet(logs);
        Assert.All(records, record => Assert.True(seen.Holds(record.Id), "a record of what no engine saw"));
        Assert.Equal((number, number), (seen.Count, records.Select(record => record.Id).Distinct().Count()));
        Assert.InRange(seen.Sum, records.Count, records.Sum(record => record.Attempts)); // some find a connection that has just closed
        Assert.Equal(spent.Value, records.Sum(record => record.Charged.Value));
        Assert.Equal(whole.Count, records.Count(record => record.Outcome == Outcome.Completed && whole.Holds(record.Id)));
        Assert.All(records, record => Assert.True(record.Outcome != Outcome.Failed || record.Charged.Value == 0));
    }

    /// <summary>One replica that is never given up, so that all answers are drawn and not the circuit breaker's refusals.</summary>
    private static GatewaySetup Hardy(GatewaySetup setup) => setup with
    {
        Health = setup.Health with { Failures = int.MaxValue, OutlierFactor = 0, EverySeconds = 0.01, TimeoutSeconds = 0.2 },
        Policies = setup.Policies with { Recovery = new Recovery { FreeRetries = int.MaxValue } },
        Limits = setup.Limits with { FirstByteSeconds = 0.15, IdleSeconds = 0.15 },
    };

    /// <summary>Where something fails, the gateway's log may say why.</summary>
    private static async Task OrTellAsync(StringLogs logs, Task cases)
    {
        try
        {
            await cases;
        }
        catch (Exception broken)
        {
            throw new InvalidOperationException($"{broken.Message}\n{string.Join('\n', Errors(logs))}", broken);
        }
    }

    /// <summary>Runs all cases; the later ones must not take memory that the first did not.</summary>
    private static async Task GrowsNotAsync(RunningGateway gateway, Func<Dice, Task> law)
    {
        var first = Count / 5;
        await Storm.RunAsync(0, first, law);
        await IdleAsync(gateway);
        var before = Storm.LivingBytes();
        await Storm.RunAsync(first, Count - first, law);
        await IdleAsync(gateway);
        var grown = Storm.LivingBytes() - before;
        TestContext.Current.TestOutputHelper?.WriteLine($"{Count} cases; {grown / 1024:N0} KiB grown");
        Assert.True(grown < MostGrowthBytes, $"{grown / 1024.0:N0} KiB more live after {Count} cases");
    }

    /// <summary>All is back: places at replicas, held bytes, reservations.</summary>
    private static async Task IdleAsync(RunningGateway gateway)
    {
        var host = gateway.Host;
        await Storm.UntilAsync(() => host.InFlight == 0, "no request at a replica");
        await Storm.UntilAsync(() => host.HeldBodyBytes == 0, "no bytes of bodies held");
        await Storm.UntilAsync(() => host.Tenants.UsageOf("acme") is { Running: 0, Reserved.Value: 0 }, "nothing reserved");
    }

    private static async Task AskAsync(RunningGateway gateway, OddRequest request)
    {
        using var client = await RawClient.ConnectAsync(gateway.Host.Address);
        var piece = Math.Max(1, request.Bytes.Length / request.Pieces);
        for (var at = 0; at < request.Bytes.Length; at += piece)
        {
            if (!await client.SendAsync(request.Bytes.AsMemory(at, Math.Min(piece, request.Bytes.Length - at))))
                break;
        }

        if (request.Ends == ClientEnd.Breaks)
            client.Break();
        if (request.Ends is ClientEnd.Breaks or ClientEnd.Closes)
            return;
        if (request.Ends == ClientEnd.HalfCloses)
            client.HalfClose();
        var heard = await client.ReadAsync(Impatience);
        if (request.Bytes.AsSpan().IndexOf("HEAD "u8) >= 0)
            return; // its answer has a length and no body: what follows cannot be told apart without a parser of requests
        foreach (var answer in RawClient.Answers(heard))
            AssertFair(answer);
    }

    /// <summary>What is refused is refused in OpenAI's shape, or by the web server with no words at all; nothing is our fault.</summary>
    private static void AssertFair(RawAnswer answer)
    {
        Assert.True(answer.Status is < 500 or 501 or 505 or 504, $"{answer.Head}\n{answer.Text}");
        if (answer.Status < 400 || !answer.Whole)
            return;
        if (answer.Body.Length == 0)
        {
            Assert.True(answer.Status is 400 or 404 or 405 or 408 or 411 or 413 or 414 or 431 or 501 or 505, answer.Head);
            return;
        }

        if (answer.Head.Contains("text/plain", StringComparison.Ordinal) || answer.Text.Contains("admin_key", StringComparison.Ordinal))
            return;
        Assert.StartsWith("{\"error\":{", answer.Text, StringComparison.Ordinal);
        var error = JsonDocument.Parse(answer.Body).RootElement.GetProperty("error");
        foreach (var name in (string[])["message", "type", "code"])
            Assert.True(error.TryGetProperty(name, out var value) && value.GetString() is { Length: > 0 }, $"no {name} in {answer.Text}");
    }

    private static async Task HearAsync(RunningGateway gateway, string path, string body, Tally whole)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = content };
        using var answer = await gateway.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        var id = answer.Headers.TryGetValues("x-request-id", out var ids) ? ids.Single() : throw new InvalidDataException($"no identity: {answer}");
        string text;
        try
        {
            text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        }
        catch (Exception cut) when (cut is HttpRequestException or IOException or InvalidOperationException)
        {
            return; // told as broken, by breaking; or an encoding that does not exist
        }

        Assert.DoesNotContain("internal_error", text, StringComparison.Ordinal);
        Assert.True((int)answer.StatusCode is < 500 or 502 or 503, $"{answer.StatusCode}: {text}");
        foreach (var mark in OddAnswers.MarksIn(text))
            Assert.Equal(id, mark);
        if (answer.IsSuccessStatusCode && text.EndsWith("data: [DONE]\n\n", StringComparison.Ordinal))
            whole.Add(id);
    }

    private static string Member(ReadOnlyMemory<byte> body, string name) =>
        JsonDocument.Parse(body).RootElement.GetProperty(name).GetString()!;

    private static List<string> Errors(StringLogs logs) =>
        [.. logs.Text.Split('\n').Where(line => line.Contains("\"level\":\"error\"", StringComparison.Ordinal))];

    private static void AssertQuiet(StringLogs logs)
    {
        var errors = Errors(logs);
        Assert.True(errors.Count == 0, string.Join('\n', errors));
    }

    /// <summary>An engine that answers well, and looks at what it gets: only whole requests in JSON, on its own paths, without keys of clients.</summary>
    private sealed class Engine
    {
        private const string Answer = """{"id":"a","choices":[{"message":{"content":"hi"}}],"usage":{"prompt_tokens":9,"completion_tokens":3}}""";
        private const string Event = "data: {\"id\":\"a\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"w\"}}]}\n\n";

        public Tally Ids { get; } = new(2 * Count);

        public async ValueTask<bool> AnswerAsync(RawLine line)
        {
            Assert.True(Ids.Add(line.Id) == 1, "an identity came twice");
            Assert.Contains(line.Path, Paths);
            Assert.StartsWith("POST ", line.Head, StringComparison.Ordinal);
            Assert.DoesNotContain("sk-tf-", line.Head, StringComparison.Ordinal);
            Assert.DoesNotContain("x-tokenfactory", line.Head, StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain("forwarded", line.Head, StringComparison.OrdinalIgnoreCase);
            if (!Streams(line.Body))
            {
                await line.AnswerAsync(200, Answer);
                return true;
            }

            await line.BeginStreamAsync();
            await line.ChunkAsync(Event + Event);
            await line.ChunkAsync("data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n");
            await line.EndStreamAsync();
            return true;
        }

        /// <summary>Whether a body, which must be whole JSON, asks for a stream.</summary>
        private static bool Streams(ReadOnlyMemory<byte> bytes)
        {
            using var body = JsonDocument.Parse(bytes, new JsonDocumentOptions { MaxDepth = 1000 });
            try
            {
                return body.RootElement.TryGetProperty("stream", out var stream) && stream.ValueKind == JsonValueKind.True;
            }
            catch (InvalidOperationException)
            {
                return false; // half a surrogate pair in a name, which this parser cannot compare
            }
        }
    }
}
