using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using TokenFactory.Gateway.Hosting;
using TokenFactory.Store;
using TokenFactory.Tests.Laws;
using TokenFactory.Units;

namespace TokenFactory.Cli.Tests.Serve;

/// <summary>Law 6: every answer that a client saw in full has exactly one usage record, through any crash of the gateway.</summary>
public sealed class CrashTests
{
    private const int Clients = 24;
    private const string Key = "sk-crash";
    private const string Body = """{"model":"llama-3.1-8b","max_tokens":4,"messages":[{"role":"user","content":"hello"}],"stream":""";

    [Fact]
    public async Task Killed_under_load_again_and_again_it_has_every_answer_that_was_seen_once()
    {
        var kills = Cases.Long ? 200 : 4;
        using var folder = new TemporaryFolder();
        var file = folder.Write("factory.yaml", Factory());
        var (seen, dice) = (new ConcurrentDictionary<string, byte>(), new Dice(20261122));
        for (var i = 0; i < kills; i++)
        {
            using var gateway = await GatewayProcess.StartAsync(file, folder.Root);
            using var stop = new CancellationTokenSource();
            var before = seen.Count;
            var load = LoadAsync(gateway.Address, seen, stop.Token);
            var enough = dice.Whole(1, 400);
            while (seen.Count < before + enough && !load.IsCompleted)
                await Task.Yield();
            gateway.Kill();
            await stop.CancelAsync();
            await load;
        }

        using (var last = await GatewayProcess.StartAsync(file, folder.Root))
            Assert.Equal(0, await last.StopAsync());
        var recorded = await RecordsAsync(folder.Root);
        Assert.True(seen.Count >= kills, $"only {seen.Count} answers were seen");
        Assert.Equal(recorded.Count, recorded.Distinct().Count());
        Assert.Empty(seen.Keys.Except(recorded));
    }

    private static string Factory() => $$"""
        listen: 127.0.0.1:0
        admin: 127.0.0.1:0
        models:
          - name: llama-3.1-8b
            usd_per_million_input: 1
            usd_per_million_output: 2
        pools:
          - name: h100
            model: llama-3.1-8b
            gpu: h100-sxm
            usd_per_gpu_hour: 2.5
        tenants:
          - name: crash
            key_sha256: [{{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Key)))}}]
        """;

    /// <summary>Clients that ask as fast as they are answered, half of them for streams, until the gateway is gone.</summary>
    private static Task LoadAsync(Uri address, ConcurrentDictionary<string, byte> seen, CancellationToken stop) =>
        Task.WhenAll(Enumerable.Range(0, Clients).Select(i => Task.Run(() => AskAsync(address, i % 2 == 0, seen, stop), CancellationToken.None)));

    private static async Task AskAsync(Uri address, bool stream, ConcurrentDictionary<string, byte> seen, CancellationToken stop)
    {
        using var client = new HttpClient { BaseAddress = address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        var body = Body + (stream ? "true}" : "false}");
        try
        {
            while (!stop.IsCancellationRequested)
            {
                using var content = new StringContent(body, Encoding.UTF8, "application/json");
                using var answer = await client.PostAsync("/v1/chat/completions", content, CancellationToken.None);
                var text = await answer.Content.ReadAsStringAsync(CancellationToken.None);
                if (answer.IsSuccessStatusCode && (!stream || text.EndsWith("data: [DONE]\n\n", StringComparison.Ordinal)))
                    Assert.True(seen.TryAdd(answer.Headers.GetValues("x-request-id").Single(), 0), "an identity was given twice");
            }
        }
        catch (HttpRequestException)
        {
            // it was killed
        }
    }

    private static async Task<List<string>> RecordsAsync(string folder)
    {
        await using var store = UsageStores.Open(StoreLocation.Sqlite(Path.Combine(folder, ".tokenfactory", GatewayHost.LedgerFile)));
        return await store.UsageAsync(Instant.Start, Instant.Never, TestContext.Current.CancellationToken)
            .Select(record => record.Id).ToListAsync(TestContext.Current.CancellationToken);
    }
}
