using System.Net.Sockets;
using TokenFactory.Gateway.Tests.Faults;
using Ended = TokenFactory.Store.Ledger.Outcome;

namespace TokenFactory.Cli.Tests.Serve;

/// <summary>SIGTERM: answers that run end, nothing new is taken, and all that was recorded is there at the next start.</summary>
public sealed class StopTests
{
    private const string Event = "data: {\"id\":\"a\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"w\"}}]}\n\n";
    private const int Streams = 20;

    [Fact]
    public async Task Streams_that_run_end_whole_and_are_in_the_ledger_at_the_next_start()
    {
        using var folder = new TemporaryFolder();
        var (release, begun) = (new TaskCompletionSource(), 0);
        await using var engine = new RawEngine(async line =>
        {
            await line.BeginStreamAsync();
            await line.ChunkAsync(Event);
            Interlocked.Increment(ref begun);
            await release.Task;
            await line.ChunkAsync(Event + "data: [DONE]\n\n");
            await line.EndStreamAsync();
            return true;
        });
        var file = folder.Write("factory.yaml", Factories.Yaml([engine.Address]));
        using var gateway = await GatewayProcess.StartAsync(file, folder.Root);
        using var client = Factories.Client(gateway);
        var running = Enumerable.Range(0, Streams).Select(_ => Factories.ChatAsync(client, Factories.Body(stream: true))).ToList();
        await gateway.UntilAsync(() => Task.FromResult(Volatile.Read(ref begun) == Streams), "all streams run");

        gateway.Terminate();
        await gateway.SaysAsync("Stopping");
        await gateway.UntilAsync(() => IsRefusedAsync(gateway.Address), "new connections are refused");
        release.SetResult();

        foreach (var stream in running)
            Assert.EndsWith("data: [DONE]\n\n", await (await stream).Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.Equal(0, await gateway.ExitAsync());
        using (var next = await GatewayProcess.StartAsync(file, folder.Root))
            Assert.Equal(0, await next.StopAsync());
        var records = await Factories.RecordsAsync(folder.Root);
        Assert.Equal(Streams, records.Count(record => record.Outcome == Ended.Completed));
        Assert.Equal(Streams, records.Count);
    }

    [Fact]
    public async Task What_still_runs_after_drain_s_is_cut_off_and_not_charged()
    {
        using var folder = new TemporaryFolder();
        await using var engine = new RawEngine(async line =>
        {
            await line.BeginStreamAsync();
            await line.ChunkAsync(Event);
            await line.GoneAsync();
            return false;
        });
        var file = folder.Write("factory.yaml", Factories.Yaml([engine.Address], more: "limits: {drain_s: 0.3}"));
        using var gateway = await GatewayProcess.StartAsync(file, folder.Root);
        using var client = Factories.Client(gateway);
        using var answer = await Factories.ChatAsync(client, Factories.Body(stream: true), whole: false);

        Assert.Equal(0, await gateway.StopAsync());

        await Assert.ThrowsAnyAsync<Exception>(() => answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        var record = Assert.Single(await Factories.RecordsAsync(folder.Root));
        Assert.Equal((Ended.Failed, "gateway_stopped", 0m, 1L), (record.Outcome, record.Error, record.Charged.Value, record.Tokens.Output));
    }

    private static async Task<bool> IsRefusedAsync(Uri address)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(address.Host, address.Port, TestContext.Current.CancellationToken);
            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    }
}
