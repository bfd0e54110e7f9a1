using TokenFactory.Gateway.Tests.Api;
using TokenFactory.Store.Ledger;

namespace TokenFactory.Gateway.Tests.Faults;

/// <summary>Clients that do not read are cut off; clients that read slowly, but do, are not.</summary>
public sealed class SlowClientTests
{
    private const double Patience = 1;
    private const int PaceBytes = 32 << 10;
    private const int AnswerBytes = 12 << 20;
    private static readonly string Event = $"data: {{\"id\":\"a\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{new string('w', 4000)}\"}}}}]}}\n\n";

    [Fact]
    public async Task Who_takes_nothing_for_too_long_is_cut_off_and_its_engine_with_it()
    {
        var gone = new TaskCompletionSource();
        await using var engine = new RawEngine(async line =>
        {
            await line.BeginStreamAsync();
            try
            {
                while (true)
                    await line.ChunkAsync(Event);
            }
            finally
            {
                gone.TrySetResult();
            }
        });
        await using var gateway = await StartAsync(engine);
        using var client = await AskAsync(gateway, stream: true);

        await gone.Task.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);

        await Storm.UntilAsync(() => gateway.Host.InFlight == 0 && gateway.Host.HeldBodyBytes == 0, "its place is free again");
        var record = Assert.Single(await gateway.StopAsync());
        Assert.Equal((Outcome.Cancelled, "client_too_slow"), (record.Outcome, record.Error));
        Assert.True(record.Tokens.Output > 100 && record.Charged.Value > 0, $"{record.Tokens.Output} tokens"); // it was generated, and buffers held it
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_reads_slowly_but_steadily_gets_all_of_it(bool stream)
    {
        await using var engine = new RawEngine(async line =>
        {
            if (!stream)
            {
                await line.AnswerAsync(200, $"{{\"id\":\"{new string('w', AnswerBytes)}\",\"usage\":{{\"prompt_tokens\":9,\"completion_tokens\":3}}}}");
                return true;
            }

            await line.BeginStreamAsync();
            for (var sent = 0; sent < AnswerBytes; sent += Event.Length)
                await line.ChunkAsync(Event);
            await line.ChunkAsync("data: [DONE]\n\n");
            await line.EndStreamAsync();
            return true;
        });
        await using var gateway = await StartAsync(engine);
        using var client = await AskAsync(gateway, stream);
        var (began, bytes, paced) = (TimeProvider.System.GetTimestamp(), 0, 0);

        while (bytes < AnswerBytes)
        {
            // A pace, not a wait: at most 6 MB/s, so that all of it takes longer than a client may take nothing.
            if (bytes / PaceBytes > paced)
            {
                paced = bytes / PaceBytes;
                await Task.Delay(5, TestContext.Current.CancellationToken);
            }

            var some = await client.ReceiveAsync(TestContext.Current.CancellationToken);
            Assert.False(some.IsEmpty, $"cut off after {bytes} bytes");
            bytes += some.Length;
        }

        Assert.True(TimeProvider.System.GetElapsedTime(began).TotalSeconds > Patience);
        Assert.Equal(Outcome.Completed, Assert.Single(await gateway.StopAsync()).Outcome);
    }

    /// <summary>The web server looks at the pace each second, and not before 2 s.</summary>
    [Fact]
    public async Task Whose_body_trickles_in_is_told_so_and_who_sends_it_in_pieces_is_served()
    {
        await using var engine = new RawEngine(async line =>
        {
            await line.AnswerAsync(200, """{"id":"a","usage":{"prompt_tokens":9,"completion_tokens":3}}""");
            return true;
        });
        await using var gateway = await StartAsync(engine);
        var request = RawClient.Post(gateway.Host.FirstKey!, RunningGateway.Body(stream: false));
        var head = request[..(request.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)];
        using var slow = await RawClient.ConnectAsync(gateway.Host.Address);
        using var steady = await RawClient.ConnectAsync(gateway.Host.Address);

        await slow.SendAsync(head);
        foreach (var piece in request.Chunk(40))
            await steady.SendAsync(new string(piece));
        var answered = await steady.ReceiveAsync(TestContext.Current.CancellationToken);
        Assert.Equal(200, Assert.Single(RawClient.Answers(answered.ToArray())).Status);
        Assert.True(gateway.Host.HeldBodyBytes > 0);

        var refused = Assert.Single(RawClient.Answers(await slow.ReadAsync(TimeSpan.FromSeconds(60))));
        Assert.Equal(408, refused.Status);
        Assert.Contains("body_too_slow", refused.Text, StringComparison.Ordinal);
        await Storm.UntilAsync(() => gateway.Host.InFlight == 0 && gateway.Host.HeldBodyBytes == 0, "its place is free again");
        Assert.Single(await gateway.StopAsync());
    }

    private static Task<RunningGateway> StartAsync(RawEngine engine) => RunningGateway.StartAsync(
        [engine.Address], setup => setup with { Limits = setup.Limits with { SlowClientSeconds = Patience } });

    private static async Task<RawClient> AskAsync(RunningGateway gateway, bool stream)
    {
        var client = await RawClient.ConnectAsync(gateway.Host.Address, receiveBytes: 65536);
        await client.SendAsync(RawClient.Post(gateway.Host.FirstKey!, RunningGateway.Body(stream)));
        return client;
    }
}
