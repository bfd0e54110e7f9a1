using System.ClientModel;
using System.ClientModel.Primitives;
using System.Net;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using OpenAI;
using TokenFactory.Fleet;
using TokenFactory.Gateway.Hosting;
using TokenFactory.Gateway.Setup;
using TokenFactory.Gateway.Tests.Virtual;
using TokenFactory.Policies;
using TokenFactory.Store;
using TokenFactory.Store.Ledger;
using TokenFactory.Store.Tenants;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Tests.Api;

/// <summary>A gateway on loopback with a ledger of its own, its first key, and clients.</summary>
internal sealed class RunningGateway : IAsyncDisposable
{
    public const string Model = "llama-3.1-8b";

    private readonly string _folder;

    private RunningGateway(GatewayHost host, string folder)
    {
        (Host, _folder) = (host, folder);
        Http = new HttpClient { BaseAddress = host.Address, Timeout = TimeSpan.FromSeconds(60) };
        Http.DefaultRequestHeaders.Authorization = new("Bearer", host.FirstKey ?? "none");
    }

    public GatewayHost Host { get; }

    /// <summary>A client with the first key.</summary>
    public HttpClient Http { get; }

    /// <summary>A gateway over engines that answer at addresses; virtual ones where none is given.</summary>
    public static async Task<RunningGateway> StartAsync(
        IReadOnlyList<Uri>? engines = null,
        Func<GatewaySetup, GatewaySetup>? change = null,
        TimeProvider? time = null,
        ILoggerProvider? logs = null)
    {
        var folder = Path.Combine(Path.GetTempPath(), "tokenfactory-" + Guid.NewGuid().ToString("N"));
        var setup = Setup(folder, engines);
        var host = await GatewayHost.StartAsync(
            change?.Invoke(setup) ?? setup, time ?? TimeProvider.System, logs ?? NullLoggerProvider.Instance, TestContext.Current.CancellationToken);
        return new RunningGateway(host, folder);
    }

    public static GatewaySetup Setup(string folder, IReadOnlyList<Uri>? engines)
    {
        IReadOnlyList<ReplicaSetup> replicas = engines is null
            ? [new("virtual-0", null)]
            : [.. engines.Select((address, i) => new ReplicaSetup($"engine-{i}", address))];
        var pool = Engines.Pool() with { Replicas = replicas, Engine = engines is null ? EngineKind.Virtual : EngineKind.Vllm };
        return new GatewaySetup
        {
            Name = "test",
            Listen = new ListenSetup(new IPEndPoint(IPAddress.Loopback, 0), new IPEndPoint(IPAddress.Loopback, 0)),
            Models = [new ModelSetup(Model, [pool]) { Price = new TokenPrice(1, 0.5m, 2), ContextTokens = 32768 }],
            Classes = [new ServiceClass("chat"), new ServiceClass("batch") { Priority = 1 }],
            Policies = new PolicySetup("marginal-cost", () => new MarginalCostRouter(), new Eligibility(), new Recovery()),
            Tenants = [new TenantSetup(new TenantRecord("acme") { ShowsDecisions = true }, [])],
            Store = new StoreSetup(folder),
            Health = new HealthSetup { EverySeconds = 0.2, OpenSeconds = 0.2, SlowStartSeconds = 0 },
        };
    }

    /// <summary>The official client.</summary>
    /// <param name="retries">How often it tries again by itself.</param>
    /// <param name="watch">Sees each try.</param>
    public OpenAIClient OpenAi(int retries = 0, PipelinePolicy? watch = null)
    {
        var options = new OpenAIClientOptions { Endpoint = new Uri(Host.Address, "/v1"), RetryPolicy = new ClientRetryPolicy(retries) };
        if (watch is not null)
            options.AddPolicy(watch, PipelinePosition.PerTry);
        return new OpenAIClient(new ApiKeyCredential(Host.FirstKey!), options);
    }

    /// <summary>Sends a chat request as bytes.</summary>
    public Task<HttpResponseMessage> ChatAsync(string body, bool whole = true) => Http.SendAsync(
        new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = new StringContent(body, Encoding.UTF8, "application/json") },
        whole ? HttpCompletionOption.ResponseContentRead : HttpCompletionOption.ResponseHeadersRead,
        TestContext.Current.CancellationToken);

    /// <summary>A request's body.</summary>
    public static string Body(bool stream = false, string more = "") =>
        $$"""{"model":"{{Model}}","stream":{{(stream ? "true" : "false")}},"max_tokens":16,"messages":[{"role":"user","content":"hello"}]{{more}}}""";

    /// <summary>Stops the gateway; what its ledger then holds.</summary>
    public async Task<IReadOnlyList<UsageRecord>> StopAsync()
    {
        await Host.DisposeAsync();
        await using var store = UsageStores.Open(StoreLocation.Sqlite(Path.Combine(_folder, GatewayHost.LedgerFile)));
        return await store.UsageAsync(Instant.Start, Instant.Never, TestContext.Current.CancellationToken)
            .ToListAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Stops it; what its ledger then holds, with what replicas were paid and drew.</summary>
    public async Task<(IReadOnlyList<UsageRecord> Usage, IReadOnlyList<MeterRecord> Meters)> StopWithMetersAsync()
    {
        var usage = await StopAsync();
        await using var store = UsageStores.Open(StoreLocation.Sqlite(Path.Combine(_folder, GatewayHost.LedgerFile)));
        return (usage, await store.MetersAsync(Instant.Start, Instant.Never, TestContext.Current.CancellationToken)
            .ToListAsync(TestContext.Current.CancellationToken));
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Host.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
