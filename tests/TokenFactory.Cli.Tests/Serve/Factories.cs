using System.Security.Cryptography;
using System.Text;
using TokenFactory.Gateway.Hosting;
using TokenFactory.Store;
using TokenFactory.Store.Ledger;
using TokenFactory.Units;

namespace TokenFactory.Cli.Tests.Serve;

/// <summary>Factory files over engines of a test's own, and what the ledger then holds.</summary>
internal static class Factories
{
    public const string Key = "sk-tf-planted-client-key";
    public const string Model = "llama-3.1-8b";

    /// <summary>A factory that one tenant may use.</summary>
    /// <param name="engines">Where its replicas answer.</param>
    /// <param name="pool">More of the pool, a line each.</param>
    /// <param name="more">More of the file.</param>
    public static string Yaml(IEnumerable<Uri> engines, string pool = "", string more = "") => $"""
        listen: 127.0.0.1:0
        admin: 127.0.0.1:0
        models:
          - name: {Model}
            usd_per_million_input: 1
            usd_per_million_output: 2
        pools:
          - name: h100
            model: {Model}
            gpu: h100-sxm
            usd_per_gpu_hour: 2.5
            software: vllm
            endpoints: [{string.Join(", ", engines.Select(engine => engine.ToString().TrimEnd('/')))}]
            {pool}
        tenants:
          - name: acme
            key_sha256: [{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Key)))}]
        {more}
        """;

    /// <summary>A request's body.</summary>
    public static string Body(bool stream, string words = "hello") =>
        $$"""{"model":"{{Model}}","stream":{{(stream ? "true" : "false")}},"max_tokens":64,"messages":[{"role":"user","content":"{{words}}"}]}""";

    /// <summary>A client with the key.</summary>
    public static HttpClient Client(GatewayProcess gateway)
    {
        var client = new HttpClient { BaseAddress = gateway.Address, Timeout = TimeSpan.FromMinutes(2) };
        client.DefaultRequestHeaders.Authorization = new("Bearer", Key);
        return client;
    }

    /// <summary>Sends a chat request.</summary>
    public static Task<HttpResponseMessage> ChatAsync(HttpClient client, string body, bool whole = true) => client.SendAsync(
        new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new StringContent(body, Encoding.UTF8, "application/json") },
        whole ? HttpCompletionOption.ResponseContentRead : HttpCompletionOption.ResponseHeadersRead,
        TestContext.Current.CancellationToken);

    /// <summary>What the ledger in a gateway's folder holds.</summary>
    public static Task<List<UsageRecord>> RecordsAsync(string folder) =>
        RecordsAsync(StoreLocation.Sqlite(Path.Combine(folder, ".tokenfactory", GatewayHost.LedgerFile)));

    /// <summary>What a ledger holds.</summary>
    public static async Task<List<UsageRecord>> RecordsAsync(StoreLocation location)
    {
        await using var store = UsageStores.Open(location);
        return await store.UsageAsync(Instant.Start, Instant.Never, TestContext.Current.CancellationToken)
            .ToListAsync(TestContext.Current.CancellationToken);
    }
}
