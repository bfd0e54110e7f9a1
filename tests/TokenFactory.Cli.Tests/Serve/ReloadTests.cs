using System.Net;
using TokenFactory.Gateway.Tests.Faults;
using Ended = TokenFactory.Store.Ledger.Outcome;

namespace TokenFactory.Cli.Tests.Serve;

/// <summary>A factory file that changes while requests come without pause.</summary>
public sealed class ReloadTests
{
    private const int Clients = 12;
    private const string Answer = """{"id":"a","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3}}""";
    private const string Event = "data: {\"id\":\"a\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"w\"}}]}\n\n";

    [Fact]
    public async Task A_wrong_file_changes_nothing_and_a_right_one_loses_no_request()
    {
        using var folder = new TemporaryFolder();
        var (release, old, fresh) = (new TaskCompletionSource(), 0, 0);
        async ValueTask<bool> ServeAsync(RawLine line)
        {
            if (line.Body.Span.IndexOf("\"stream\":true"u8) < 0)
            {
                await line.AnswerAsync(200, Answer);
                return true;
            }

            await line.BeginStreamAsync();
            await line.ChunkAsync(Event);
            await release.Task;
            await line.ChunkAsync("data: [DONE]\n\n");
            await line.EndStreamAsync();
            return true;
        }

        await using var first = new RawEngine(line =>
        {
            Interlocked.Increment(ref old);
            return ServeAsync(line);
        });
        await using var second = new RawEngine(line =>
        {
            Interlocked.Increment(ref fresh);
            return ServeAsync(line);
        });
        const string log = "telemetry: {events: events.jsonl}";
        var file = folder.Write("factory.yaml", Factories.Yaml([first.Address], more: log));
        using var gateway = await GatewayProcess.StartAsync(file, folder.Root);
        using var client = Factories.Client(gateway);
        using var stop = new CancellationTokenSource();
        var load = LoadAsync(gateway, stop.Token);
        var stream = Factories.ChatAsync(client, Factories.Body(stream: true));
        await gateway.UntilAsync(() => Task.FromResult(Volatile.Read(ref old) > 10), "requests reach the first engine");

        var wrong = Factories.Yaml([second.Address], more: "limits: {drain_s: -1}\nnonsense: 1").Replace("h100-sxm", "h1000", StringComparison.Ordinal);
        folder.Write("factory.yaml", wrong);
        await gateway.SaysAsync("is not taken");
        var mistakes = gateway.Errors;
        Assert.Equal(0, Volatile.Read(ref fresh));
        folder.Write("factory.yaml", WithTwin(second.Address, log));
        await gateway.SaysAsync("is in force");
        var before = Volatile.Read(ref old);
        await gateway.UntilAsync(() => Task.FromResult(Volatile.Read(ref fresh) > 100), "requests reach the second engine");
        using var twin = await Factories.ChatAsync(client, Factories.Body(stream: false).Replace(Factories.Model, "twin", StringComparison.Ordinal));
        release.SetResult();

        Assert.Contains("drain_s", mistakes, StringComparison.Ordinal);
        Assert.Contains("nonsense", mistakes, StringComparison.Ordinal);
        Assert.Contains("h1000", mistakes, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, twin.StatusCode);
        Assert.EndsWith("data: [DONE]\n\n", await (await stream).Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        Assert.InRange(Volatile.Read(ref old), before, before + Clients); // those that were on their way
        await stop.CancelAsync();
        var asked = await load;
        Assert.Equal(0, await gateway.StopAsync());
        var records = await Factories.RecordsAsync(folder.Root);
        Assert.Equal(asked + 2, records.Count);
        Assert.All(records, record => Assert.Equal(Ended.Completed, record.Outcome));
        Assert.True(File.Exists(Path.Combine(folder.Root, "events.2.jsonl")), "another fleet begins another log");
    }

    /// <summary>Another model beside it, with a pool of its own.</summary>
    private static string WithTwin(Uri engine, string log) => Factories
        .Yaml([engine], pool: $"\n  - {{name: twins, model: {Factories.Model}, gpu: h100-sxm, usd_per_gpu_hour: 2.5, endpoints: [\"{engine}\"]}}", more: log)
        .Replace("models:", "models:\n  - {name: twin, pools: [twins]}", StringComparison.Ordinal)
        .Replace("    usd_per_million_input", "    pools: [h100]\n    usd_per_million_input", StringComparison.Ordinal);

    /// <summary>Clients that ask as fast as they are answered; how many were, each of them well.</summary>
    private static async Task<int> LoadAsync(GatewayProcess gateway, CancellationToken stop)
    {
        var answered = 0;
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(
            async () =>
            {
                using var client = Factories.Client(gateway);
                while (!stop.IsCancellationRequested)
                {
                    using var answer = await Factories.ChatAsync(client, Factories.Body(stream: false));
                    Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode}: {await answer.Content.ReadAsStringAsync(CancellationToken.None)}");
                    Interlocked.Increment(ref answered);
                }
            },
            CancellationToken.None)));
        return answered;
    }
}
