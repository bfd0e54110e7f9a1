using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using TokenFactory.Catalog;
using TokenFactory.Engine;
using TokenFactory.Fleet;
using TokenFactory.Gateway.Live;
using TokenFactory.Gateway.Setup;
using TokenFactory.Performance;
using TokenFactory.Performance.Calibration;
using TokenFactory.Performance.Kernels;
using TokenFactory.Policies;
using TokenFactory.Tests;

namespace TokenFactory.Gateway.Tests.Live;

/// <summary>Live fleets on a clock that is moved by hand, with engines that are healthy until told otherwise.</summary>
internal static class Fleets
{
    private static readonly ConcurrentDictionary<string, ReplicaModel> Models = new(StringComparer.Ordinal);

    private static readonly Lazy<(CatalogContents Catalog, KernelTable Kernels, CalibrationSet Calibration)> Shipped = new(Read);

    public static readonly ServiceClass Chat = new("chat") { TtftSeconds = 1, TpotSeconds = 0.05 };

    public static readonly ServiceClass Batch = new("batch") { Priority = 2, FillsSlack = true, DeadlineSeconds = 3600 };

    public static PoolFacts Facts(
        string gpu = "h100-sxm", double usd = 3, double kv = 400_000, int most = 64, double longest = 1e9) => new()
        {
            Name = gpu,
            Role = ReplicaRole.Aggregated,
            Model = Models.GetOrAdd(gpu, ModelOf),
            UsdPerHour = usd,
            KvTokens = kv,
            MaxSequences = most,
            LongestTokens = longest,
        };

    public static PoolSetup Pool(int replicas = 2, PoolFacts? facts = null, EngineKind engine = EngineKind.Vllm)
    {
        facts ??= Facts();
        var names = Enumerable.Range(0, replicas).Select(i => $"{facts.Name}-{i}");
        return new PoolSetup(facts, engine, [.. names.Select(name => new ReplicaSetup(name, new Uri($"http://{name}.test")))])
        {
            Settings = new EngineSettings { MaxSequences = 64, TokenBudget = 2048, BlockTokens = 16 },
        };
    }

    public static GatewaySetup Setup(params PoolSetup[] pools) => new()
    {
        Name = "test",
        Listen = new ListenSetup(new IPEndPoint(IPAddress.Loopback, 0), new IPEndPoint(IPAddress.Loopback, 0)),
        Models = [new ModelSetup("m", pools) { ContextTokens = 100_000 }],
        Classes = [Chat, Batch],
        Policies = new PolicySetup("marginal-cost", () => new MarginalCostRouter(), new Eligibility(), new Recovery()),
        Tenants = [],
        Store = new StoreSetup("."),
    };

    public static LiveFleet Fleet(
        GatewaySetup setup, HandClock clock, HttpMessageHandler http, EventLog? log = null,
        Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null) =>
        new(setup.Models[0], setup, new WallClock(clock), log, new HttpMessageInvoker(http), NullLogger.Instance, null, resolve);

    public static async Task<LiveFleet> StartAsync(
        GatewaySetup setup, HandClock clock, HttpMessageHandler? http = null, EventLog? log = null,
        Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null)
    {
        var fleet = Fleet(setup, clock, http ?? new Answers(), log, resolve);
        await fleet.StartAsync(TestContext.Current.CancellationToken);
        return fleet;
    }

    /// <summary>Moves the clock on until something holds; others' threads have time to do their part.</summary>
    public static async Task Until(HandClock clock, Func<bool> holds, double seconds = 1)
    {
        var guard = DateTime.UtcNow.AddSeconds(60);
        while (!holds())
        {
            Assert.True(DateTime.UtcNow < guard, "it never came to be");
            clock.Advance(seconds);
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }
    }

    private static ReplicaModel ModelOf(string gpu)
    {
        var (catalog, kernels, calibration) = Shipped.Value;
        var model = catalog.Models.Single(one => one.Key == "llama-3.1-8b");
        var accelerator = catalog.Accelerators.Single(one => one.Key == gpu);
        var deployment = new Deployment
        {
            Model = model,
            Gpu = accelerator,
            Engine = "vllm",
            Weights = NumberFormat.Bf16,
            Precision = PrecisionPlan.For(model, NumberFormat.Bf16),
            Parallelism = new Parallelism(1, 1, 1, 1),
        };
        return new ReplicaModel(deployment, kernels.For(accelerator)!, calibration);
    }

    private static (CatalogContents Catalog, KernelTable Kernels, CalibrationSet Calibration) Read()
    {
        var mistakes = new List<Mistake>();
        var root = Repository.Path("catalog");
        var files = Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories)
            .Select(file => new CatalogFile(Path.GetRelativePath(root, file).Replace('\\', '/'), File.ReadAllText(file)));
        var catalog = CatalogReader.Read([[.. files.OrderBy(file => file.Path, StringComparer.Ordinal)]], mistakes);
        var kernels = KernelTable.Read(
            Repository.Text("catalog", "calibration", "kernels.csv"),
            Repository.Text("catalog", "calibration", "collectives.csv"),
            [.. catalog.Accelerators],
            mistakes);
        var (calibration, _) = CalibrationTables.Read(Repository.Text("catalog", "calibration", "serving.csv"), "serving.csv", mistakes);
        Assert.Empty(mistakes);
        return (catalog, kernels, calibration);
    }
}

/// <summary>Engines without sockets: each host answers as it is told, or refuses; healthy where nothing is said.</summary>
internal sealed class Answers : HttpMessageHandler
{
    private const HttpStatusCode Refused = HttpStatusCode.Unused;

    private readonly ConcurrentDictionary<string, HttpStatusCode> _statuses = new(StringComparer.Ordinal);

    /// <summary>Null: it refuses connections.</summary>
    public void Set(string host, HttpStatusCode? status) => _statuses[host] = status ?? Refused;

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var status = _statuses.GetValueOrDefault(request.RequestUri!.Host.Split('.')[0], HttpStatusCode.OK);
        return status == Refused
            ? throw new HttpRequestException(HttpRequestError.ConnectionError, "refused")
            : Task.FromResult(new HttpResponseMessage(status) { Content = new StringContent("") });
    }
}
