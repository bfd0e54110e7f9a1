using System.Net;
using System.Text.Json;
using TokenFactory.Fleet;
using TokenFactory.Store.Ledger;

namespace TokenFactory.Gateway.Tests.Api;

/// <summary>Engines on real sockets that misbehave in every way that was seen in the field: what the client gets, and what the ledger holds.</summary>
public sealed class MisbehavingEngineTests
{
    private const string Answer =
        """{"id":"a","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"hi"}}],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12,"prompt_tokens_details":{"cached_tokens":4}}}""";

    private const string Final = "data: {\"id\":\"a\",\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":3}}\n\n";
    private const string Done = "data: [DONE]\n\n";

    [Fact]
    public async Task An_answer_leaves_as_the_engine_wrote_it_and_is_charged_by_token_class()
    {
        await using var engine = new ScriptedEngine(async line => await line.AnswerAsync(200, Answer));
        await using var gateway = await RunningGateway.StartAsync([engine.Address]);

        var answer = await gateway.ChatAsync(RunningGateway.Body(more: ",\"x_unknown\":{\"a\":[1,2]}"));

        Assert.Equal(Answer, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        Assert.Contains("\"x_unknown\":{\"a\":[1,2]}", engine.Requests[0].Body, StringComparison.Ordinal);
        Assert.DoesNotContain("sk-tf-", engine.Requests[0].Head, StringComparison.Ordinal);
        var record = Assert.Single(await gateway.StopAsync());
        Assert.Equal(new TokenCounts(5, 4, 3), record.Tokens);
        Assert.Equal(0.000013m, record.Charged.Value);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1000)]
    public async Task Frames_that_are_split_or_merged_anyhow_reach_the_client_whole(int pieceBytes)
    {
        var events = string.Concat(Enumerable.Range(0, 3).Select(Word)) + Final + Done;
        await using var engine = new ScriptedEngine(async line =>
        {
            await line.BeginStreamAsync();
            foreach (var piece in events.Chunk(pieceBytes))
                await line.ChunkAsync(new string(piece));
            await line.EndStreamAsync();
        });
        await using var gateway = await RunningGateway.StartAsync([engine.Address]);

        var answer = await gateway.ChatAsync(RunningGateway.Body(stream: true));

        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Equal(string.Concat(Enumerable.Range(0, 3).Select(Word)) + Done, text); // nobody asked for usage
        Assert.Contains("\"include_usage\":true", engine.Requests[0].Body, StringComparison.Ordinal);
        Assert.Equal((3, TokensFrom.Engine), Tokens(Assert.Single(await gateway.StopAsync())));
    }

    [Fact]
    public async Task A_stream_without_usage_is_counted()
    {
        await using var engine = new ScriptedEngine(async line =>
        {
            await line.BeginStreamAsync();
            await line.ChunkAsync(Word(0) + Word(1) + Done);
            await line.EndStreamAsync();
        });
        await using var gateway = await RunningGateway.StartAsync([engine.Address]);

        await gateway.ChatAsync(RunningGateway.Body(stream: true));

        Assert.Equal((2, TokensFrom.Counted), Tokens(Assert.Single(await gateway.StopAsync())));
    }

    [Fact]
    public async Task Usage_that_cannot_be_is_not_believed_and_never_charged_beyond_what_was_reserved()
    {
        await using var engine = new ScriptedEngine(async line =>
            await line.AnswerAsync(200, Answer.Replace("\"completion_tokens\":3", "\"completion_tokens\":999999999", StringComparison.Ordinal)));
        await using var gateway = await RunningGateway.StartAsync([engine.Address]);

        await gateway.ChatAsync(RunningGateway.Body());

        var record = Assert.Single(await gateway.StopAsync());
        Assert.True(record.Charged.Value is > 0 and < 0.01m, $"{record.Charged.Value}");
    }

    [Theory]
    [InlineData("500")]
    [InlineData("503")]
    [InlineData("429")]
    [InlineData("refused")]
    [InlineData("closed")]
    [InlineData("reset")]
    [InlineData("half")]
    [InlineData("garbage")]
    public async Task A_failure_before_the_first_byte_is_retried_elsewhere_and_the_client_never_knows(string how)
    {
        var bad = new ScriptedEngine(line => FailAsync(line, how));
        await using var good = new ScriptedEngine(async line => await line.AnswerAsync(200, Answer));
        await using var gateway = await RunningGateway.StartAsync([bad.Address, good.Address]);
        if (how == "refused")
            await bad.DisposeAsync();

        for (var i = 0; i < 6; i++)
        {
            var answer = await gateway.ChatAsync(RunningGateway.Body());
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        var records = await gateway.StopAsync();
        Assert.Equal(6, records.Count);
        Assert.All(records, record => Assert.Equal((Outcome.Completed, "engine-1"), (record.Outcome, record.Replica)));
        await bad.DisposeAsync();
    }

    [Fact]
    public async Task A_stream_that_breaks_off_is_told_as_broken_recorded_as_failed_and_not_charged()
    {
        var seen = new TaskCompletionSource();
        await using var engine = new ScriptedEngine(async line =>
        {
            await line.BeginStreamAsync();
            await line.ChunkAsync(Word(0) + Word(1));
            await seen.Task;
            line.Break();
        });
        await using var gateway = await RunningGateway.StartAsync([engine.Address]);

        using var answer = await gateway.ChatAsync(RunningGateway.Body(stream: true), whole: false);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
        var text = await reader.ReadLineAsync(TestContext.Current.CancellationToken) + "\n";
        seen.SetResult();
        text += await reader.ReadToEndAsync(TestContext.Current.CancellationToken);

        Assert.StartsWith(Word(0), text, StringComparison.Ordinal);
        Assert.DoesNotContain("[DONE]", text, StringComparison.Ordinal);
        Assert.Contains("replica_failed", text, StringComparison.Ordinal);
        var record = Assert.Single(await gateway.StopAsync());
        Assert.Equal((Outcome.Failed, 0m, 2L), (record.Outcome, record.Charged.Value, record.Tokens.Output));
    }

    [Fact]
    public async Task A_stream_that_breaks_off_before_anything_of_it_left_is_sent_elsewhere()
    {
        var broken = 0;
        await using var bad = new ScriptedEngine(async line =>
        {
            Interlocked.Increment(ref broken);
            await line.BeginStreamAsync();
            await line.ChunkAsync("data: {\"id\""); // half an event, which does not leave by itself
            line.Break();
        });
        await using var good = new ScriptedEngine(async line => await line.AnswerAsync(200, Answer));
        await using var gateway = await RunningGateway.StartAsync([bad.Address, good.Address]);

        while (broken == 0)
        {
            var answer = await gateway.ChatAsync(RunningGateway.Body(stream: true));
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        Assert.All(await gateway.StopAsync(), record => Assert.Equal((Outcome.Completed, "engine-1"), (record.Outcome, record.Replica)));
    }

    [Fact]
    public async Task A_client_that_leaves_is_known_to_the_engine_at_once_and_charged_for_what_was_generated()
    {
        var gone = new TaskCompletionSource();
        await using var engine = new ScriptedEngine(async line =>
        {
            await line.BeginStreamAsync();
            await line.ChunkAsync(Word(0) + Word(1) + Word(2));
            await line.GoneAsync();
            gone.SetResult();
        });
        await using var gateway = await RunningGateway.StartAsync([engine.Address]);
        using (var answer = await gateway.ChatAsync(RunningGateway.Body(stream: true), whole: false))
        {
            using var stream = await answer.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
            await stream.ReadExactlyAsync(new byte[Word(0).Length], TestContext.Current.CancellationToken);
        }

        await gone.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        var record = Assert.Single(await gateway.StopAsync());
        Assert.Equal((Outcome.Cancelled, 3L), (record.Outcome, record.Tokens.Output));
        Assert.True(record.Charged.Value > 0);
    }

    [Fact]
    public async Task What_the_engine_refuses_as_wrong_is_passed_on_as_it_said_it_and_costs_nothing()
    {
        const string refusal = """{"error":{"message":"too long","code":"context_length_exceeded"}}""";
        await using var engine = new ScriptedEngine(async line => await line.AnswerAsync(400, refusal));
        await using var gateway = await RunningGateway.StartAsync([engine.Address]);

        var answer = await gateway.ChatAsync(RunningGateway.Body());

        Assert.Equal((HttpStatusCode.BadRequest, refusal), (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)));
        Assert.Single(engine.Requests);
        Assert.Equal(0m, Assert.Single(await gateway.StopAsync()).Charged.Value);
    }

    [Fact]
    public async Task A_silent_engine_is_given_up_in_time()
    {
        await using var engine = new ScriptedEngine(line => line.GoneAsync());
        await using var gateway = await RunningGateway.StartAsync(
            [engine.Address], setup => setup with { Limits = setup.Limits with { FirstByteSeconds = 0.2 } });

        var answer = await gateway.ChatAsync(RunningGateway.Body());

        var error = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).RootElement.GetProperty("error");
        Assert.Equal(HttpStatusCode.BadGateway, answer.StatusCode);
        Assert.Contains("limits.first_byte_s", error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.True(engine.Requests.Count > 1, "it is tried again before it is given up");
        Assert.Equal(Outcome.Failed, Assert.Single(await gateway.StopAsync()).Outcome);
    }

    [Fact]
    public async Task The_deadline_that_a_client_sets_ends_its_request()
    {
        await using var engine = new ScriptedEngine(line => line.GoneAsync());
        await using var gateway = await RunningGateway.StartAsync([engine.Address]);
        gateway.Http.DefaultRequestHeaders.Add("x-tokenfactory-deadline-s", "1");

        var answer = await gateway.ChatAsync(RunningGateway.Body());

        Assert.Equal(HttpStatusCode.GatewayTimeout, answer.StatusCode);
        Assert.Equal(Outcome.Cancelled, Assert.Single(await gateway.StopAsync()).Outcome);
    }

    [Fact]
    public async Task Who_waits_longer_than_the_class_allows_is_told_when_to_come_back()
    {
        await using var engine = new ScriptedEngine(line => line.GoneAsync());
        await using var gateway = await RunningGateway.StartAsync([engine.Address], setup => setup with
        {
            Classes = [new ServiceClass("chat") { MaxWaitSeconds = 0.2 }],
            Models = [.. setup.Models.Select(model => model with
            {
                Pools = [.. model.Pools.Select(pool => pool with { Facts = pool.Facts with { MaxSequences = 1 } })],
            })],
        });
        var first = Enumerable.Range(0, 3).Select(_ => gateway.ChatAsync(RunningGateway.Body())).ToList();
        while (engine.Requests.Count < 3)
            await Task.Yield();

        var late = await gateway.ChatAsync(RunningGateway.Body());

        Assert.Equal(HttpStatusCode.TooManyRequests, late.StatusCode);
        Assert.True(late.Headers.RetryAfter!.Delta >= TimeSpan.FromSeconds(1));
        Assert.Contains("max_wait_s of class 'chat' is 0.2", await late.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        gateway.Http.CancelPendingRequests();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Task.WhenAll(first));
    }

    private static string Word(int i) => $"data: {{\"id\":\"a\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"w{i}\"}}}}]}}\n\n";

    private static (long Output, TokensFrom From) Tokens(UsageRecord record) => (record.Tokens.Output, record.TokensFrom);

    private static async Task FailAsync(EngineLine line, string how)
    {
        switch (how)
        {
            case "refused": // nobody listens there soon
            case "closed":
                await line.SendAsync("HTTP/1.1 200 OK\r\n");
                line.Break();
                break;
            case "reset":
                line.Break();
                break;
            case "half":
                await line.SendAsync("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"id\"");
                line.Break();
                break;
            case "garbage":
                await line.SendAsync("\0\u0001nonsense\r\n\r\n");
                line.Break();
                break;
            default:
                await line.AnswerAsync(int.Parse(how), "{}");
                break;
        }
    }
}
