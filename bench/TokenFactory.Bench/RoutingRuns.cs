using System.Diagnostics;
using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using TokenFactory.Engine;
using TokenFactory.Fleet;
using TokenFactory.Gateway.Live;
using TokenFactory.Gateway.Setup;
using TokenFactory.Gateway.Wire;
using TokenFactory.Performance;
using TokenFactory.Policies;
using TokenFactory.Units;
using Leg = TokenFactory.Gateway.Live.Leg;

namespace TokenFactory.Bench;

/// <summary>
/// What a routing decision costs in the live fleet: 100 replicas of two kinds, a million indexed blocks, prompts of 100,000 tokens with as
/// many keys as the gateway makes of them. A third of the prompts go on with a conversation, a third begin one after a common system prompt, a third share nothing.
/// </summary>
internal static class RoutingRuns
{
    private const int Replicas = 50;
    private const int PromptTokens = 100_000;
    private const int BytesPerToken = 4;
    private const int IndexedBlocks = 1_000_000;
    private const int InFlight = 1500;
    private const int WarmUp = 20_000;
    private const int SystemBlocks = 24;

    private static readonly int[] Lengths =
        [.. PrefixHash.Keys(new byte[PromptTokens * BytesPerToken], 0, BytesPerToken).Select(key => key.Tokens)];

    private static readonly int Blocks = Lengths.Length;
    private static readonly int Conversations = (IndexedBlocks / Blocks) + 1;

    /// <summary>routing [--decisions N].</summary>
    public static async Task RunAsync(string[] arguments)
    {
        var decisions = arguments is ["--decisions", var text] ? int.Parse(text, CultureInfo.InvariantCulture) : 40_000;
        var before = GC.GetTotalMemory(forceFullCollection: true);
        foreach (var (name, router) in new (string, Func<IRouter>)[]
        {
            ("marginal-cost", () => new MarginalCostRouter()),
            ("prefix-affinity", () => new PrefixAffinityRouter()),
            ("least-outstanding", () => new LeastOutstandingRouter()),
        })
        {
            await RunAsync(name, router, decisions, before);
        }
    }

    private static async Task RunAsync(string name, Func<IRouter> router, int decisions, long before)
    {
        var setup = Setup(name, router);
        using var http = new HttpMessageInvoker(new Healthy());
        var clock = new WallClock(TimeProvider.System);
        await using var fleet = new LiveFleet(setup.Models[0], setup, clock, null, http, NullLogger.Instance);
        await fleet.StartAsync(CancellationToken.None);
        var (random, legs, talks) = (new Random(1), new Queue<Leg>(), new PrefixKey[Conversations][]);
        for (var i = 0; i < Conversations; i++)
            talks[i] = Prompt(random, i % 8, 0, null);
        await PlaceAll(fleet, clock, talks, legs);
        var memory = GC.GetTotalMemory(forceFullCollection: true) - before;
        var ticks = new long[decisions];
        var hits = 0L;
        for (var i = -WarmUp; i < decisions; i++)
        {
            var place = random.Next(Conversations);
            var prompt = Math.Abs(i % 3) switch
            {
                0 => Prompt(random, 0, Blocks - random.Next(1, 40), talks[place]),
                1 => Prompt(random, random.Next(8), 0, null),
                _ => Prompt(random, -1, 0, null),
            };
            talks[place] = prompt;
            var ask = Ask(i + WarmUp, prompt, clock.Now);
            var began = Stopwatch.GetTimestamp();
            var placed = fleet.PlaceAsync(ask, CancellationToken.None);
            ticks[Math.Max(i, 0)] = Stopwatch.GetTimestamp() - began;
            var leg = (await placed).Leg!;
            hits += i >= 0 && leg.Decision.FreshTokens < ask.PromptTokens ? 1 : 0;
            Keep(legs, leg, clock);
        }

        Array.Sort(ticks);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{name}: {decisions} decisions, p50 {Microseconds(ticks[decisions / 2]):0.0} us, p99 {Microseconds(ticks[decisions * 99 / 100]):0.0} us, "
            + $"p99.9 {Microseconds(ticks[decisions * 999L / 1000]):0.0} us, mean {Microseconds(ticks.Sum() / decisions):0.0} us, "
            + $"{Blocks} keys each, prefix found {(double)hits / decisions:0.00}, index and fleet {memory / 1e6:0} MB"));
    }

    private static async Task PlaceAll(LiveFleet fleet, WallClock clock, PrefixKey[][] talks, Queue<Leg> legs)
    {
        foreach (var (i, prompt) in talks.Index())
            Keep(legs, (await fleet.PlaceAsync(Ask(-1 - i, prompt, clock.Now), CancellationToken.None)).Leg!, clock);
    }

    private static void Keep(Queue<Leg> legs, Leg leg, WallClock clock)
    {
        leg.FirstToken(clock.Now);
        legs.Enqueue(leg);
        if (legs.Count > InFlight)
            legs.Dequeue().End(clock.Now, completed: true, 100, null, null);
    }

    private static Ask Ask(long id, PrefixKey[] prompt, Instant now) => new()
    {
        Id = id,
        Arrival = now,
        PromptTokens = PromptTokens,
        MaxTokens = 200,
        Prefix = prompt,
    };

    /// <summary>Keys after those of a system prompt, or of an earlier prompt as far as it is the same.</summary>
    private static PrefixKey[] Prompt(Random random, int system, int same, PrefixKey[]? earlier)
    {
        var keys = new PrefixKey[Blocks];
        for (var i = 0; i < Blocks; i++)
        {
            var key = i < same ? earlier![i].Key
                : system >= 0 && same == 0 && i < SystemBlocks ? (ulong)((system * 1000) + i) * 0x9E3779B97F4A7C15UL
                : (ulong)random.NextInt64();
            keys[i] = new PrefixKey(key, Lengths[i]);
        }

        return keys;
    }

    private static double Microseconds(long ticks) => ticks * 1e6 / Stopwatch.Frequency;

    private static GatewaySetup Setup(string name, Func<IRouter> router) => new()
    {
        Name = "bench",
        Listen = new ListenSetup(new IPEndPoint(IPAddress.Loopback, 0), new IPEndPoint(IPAddress.Loopback, 0)),
        Models = [new ModelSetup("m", [Pool("h100-sxm", 3), Pool("h200-sxm", 4)]) { ContextTokens = 131072 }],
        Classes = [new ServiceClass("chat") { TtftSeconds = 5, TpotSeconds = 0.1 }],
        Policies = new PolicySetup(name, router, new Eligibility { KvShare = 1e9 }, new Recovery()),
        Tenants = [],
        Store = new StoreSetup("."),
        Health = new HealthSetup { OutlierFactor = 0 },
    };

    private static PoolSetup Pool(string gpu, double usd)
    {
        var catalog = BenchCatalog.Read();
        var accelerator = catalog.Catalog.Accelerators.Single(one => one.Key == gpu);
        var model = catalog.Catalog.Models.Single(one => one.Key == "llama-3.1-8b");
        var deployment = new Deployment
        {
            Model = model,
            Gpu = accelerator,
            Engine = "vllm",
            Weights = NumberFormat.Bf16,
            Precision = PrecisionPlan.For(model, NumberFormat.Bf16),
            Parallelism = new Parallelism(1),
        };
        var facts = new PoolFacts
        {
            Name = gpu,
            Role = ReplicaRole.Aggregated,
            Model = new ReplicaModel(deployment, catalog.Kernels.For(accelerator)!, catalog.Calibration),
            UsdPerHour = usd,
            KvTokens = 4_000_000,
            MaxSequences = 256,
        };
        var addresses = Enumerable.Range(0, Replicas).Select(i => new ReplicaSetup($"{gpu}-{i}", new Uri($"http://{gpu}-{i}.test")));
        return new PoolSetup(facts, EngineKind.Ollama, [.. addresses])
        {
            Settings = new EngineSettings { MaxSequences = 256, TokenBudget = 2048, BlockTokens = 16 },
        };
    }

    private sealed class Healthy : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new StringContent("") });
    }
}
