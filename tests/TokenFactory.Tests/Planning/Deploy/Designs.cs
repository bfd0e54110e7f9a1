using TokenFactory.Engine;
using TokenFactory.Fleet;
using TokenFactory.Performance;
using TokenFactory.Planning;
using TokenFactory.Planning.Deploy;
using TokenFactory.Policies;
using TokenFactory.Simulation;
using TokenFactory.Tests.Catalog;
using TokenFactory.Tests.Laws;
using TokenFactory.Tests.Performance;
using TokenFactory.Tests.Simulation;
using TokenFactory.Units;

namespace TokenFactory.Tests.Planning.Deploy;

/// <summary>Planned fleets for tests: three whose files are kept, and ones drawn.</summary>
internal static class Designs
{
    private static readonly string[] OddNames =
    [
        "pool", "Pool", "h100 (spot)", "-x-", "", "4090s", "ß ü", "a\"b'c", "name: with # yaml",
        "tab\there", "line\nbreak", "$HOME $(id)", "gateway",
        "a-very-long-name-that-no-label-of-any-cluster-would-take-as-it-stands-here", "true", "null", "🚀", "x",
        "x-replicas", "X replicas",
    ];

    public static DeployOptions Options(FleetDesign design) => new()
    {
        Engines = CatalogFiles.Shipped.Engines,
        Services = design.Pools.Select(pool => pool.Service).Distinct().ToDictionary(service => service, service => new DeployService
        {
            Workload = Workload(design.Classes.Count > 0 ? Mine(design, service) : "default"),
            Classes = design.Classes.Count > 0 ? [Mine(design, service)] : null,
        }),
    };

    /// <summary>The class of a service: one of its name, or the first.</summary>
    private static string Mine(FleetDesign design, string service) =>
        (design.Classes.FirstOrDefault(made => made.Name == service) ?? design.Classes[0]).Name;

    private static DocMap Workload(string name) => new()
    {
        { "duration_s", 60 },
        {
            "streams",
            new DocList
            {
                new DocMap { { "class", name }, { "requests_per_second", 2 }, { "input_tokens", 800 }, { "output_tokens", 100 } },
            }
        },
    };

    private static Deployment Llama70 => Serving.Deploy("llama-3.1-70b", "h100-sxm", NumberFormat.Fp8, tp: 4);

    private static Deployment Llama8(string gpu, int sequences) =>
        Serving.Deploy("llama-3.1-8b", gpu, NumberFormat.Fp8) with { MaxSequences = sequences };

    private static Deployment Qwen =>
        Serving.Deploy("qwen3-30b-a3b", "h100-sxm", NumberFormat.Bf16, tp: 2, engine: "tensorrt-llm") with { MaxSequences = 256 };

    /// <summary>One dense model on one machine, with everything that a single pool may have.</summary>
    public static FleetDesign Dense { get; } = new()
    {
        Name = "dense-70b",
        Pools =
        [
            new PlannedPool(Fleets.Order(Llama70 with { MaxSequences = 192, PowerCap = new Watts(500) }, "h100") with
            {
                Replicas = 2,
                UsdPerGpuHour = 2.5,
            }),
        ],
        Classes = [new ServiceClass("default") { TtftSeconds = 1, TpotSeconds = 0.05 }],
    };

    /// <summary>A mixture of experts, prefill and decode apart, over several machines, with its own prediction layers.</summary>
    public static FleetDesign Split { get; } = new()
    {
        Name = "split-r1",
        Pools =
        [
            Disaggregated("prompts", ReplicaRole.Prefill, 8, 2, 16384, null),
            Disaggregated("answers", ReplicaRole.Decode, 16, 1, 512, new SpeculativeDecoding(2, 0.7)),
        ],
        Classes = [new ServiceClass("default") { TtftSeconds = 2, TpotSeconds = 0.03 }],
    };

    /// <summary>Two services on three kinds of GPU from two providers, one pool on spot and scaled, one with host memory.</summary>
    public static FleetDesign Mixed { get; } = new()
    {
        Name = "mixed",
        Pools =
        [
            new PlannedPool(Fleets.Order(Llama8("h100-sxm", 128), "chat-h100") with
            {
                Replicas = 2,
                UsdPerGpuHour = 6.88,
            })
            {
                Service = "chat", Provider = "AWS", Region = "us-east-1/use1-az4", InstanceType = "p5.48xlarge",
            },
            new PlannedPool(Fleets.Order(Llama8("l4", 32), "chat-l4-spot") with
            {
                Replicas = 3,
                Least = 2,
                Most = 6,
                Scaler = () => new TargetUtilisationScaler { Target = 0.7 },
                Billing = "spot",
                UsdPerGpuHour = 0.25,
            })
            {
                Service = "chat", Provider = "GCP", Region = "europe-west4", InstanceType = "g2-standard-48", GpusPerMachine = 4,
            },
            new PlannedPool(WithHost(Fleets.Order(Qwen, "summaries")))
            {
                Service = "summaries", Provider = "AWS", Region = "us-east-1/use1-az4", InstanceType = "p5.48xlarge",
            },
        ],
        Classes =
        [
            new ServiceClass("chat") { TtftSeconds = 0.5, TpotSeconds = 0.04 },
            new ServiceClass("summaries") { Priority = 1, DeadlineSeconds = 600, FillsSlack = true },
        ],
    };

    /// <summary>A replica over two machines.</summary>
    public static FleetDesign Wide(string engine) => new()
    {
        Name = "wide",
        Pools =
        [
            new PlannedPool(Fleets.Order(
                Serving.Deploy("deepseek-r1", "h200-sxm", NumberFormat.Fp8, dp: 16, ep: 16, engine: engine), "wide")),
        ],
    };

    public static IReadOnlyDictionary<string, FleetDesign> Kept { get; } =
        new Dictionary<string, FleetDesign> { ["dense"] = Dense, ["split"] = Split, ["mixed"] = Mixed };

    private static PoolOrder WithHost(PoolOrder order) => order with
    {
        Engine = EngineSettings.Of(order.Deployment) with { HostBytes = 40e9, ContextTokens = 32768 },
        UsdPerGpuHour = 6.88,
    };

    private static PlannedPool Disaggregated(
        string name, ReplicaRole role, int groups, int replicas, int budget, SpeculativeDecoding? speculation)
    {
        var d = Serving.Deploy("deepseek-r1", "h200-sxm", NumberFormat.Fp8, tp: 1, dp: groups, ep: groups, engine: "sglang") with
        {
            TokenBudget = budget,
            MaxSequences = groups * 64,
            Speculation = speculation,
        };
        return new PlannedPool(Fleets.Order(d, name) with { Role = role, Replicas = replicas, UsdPerGpuHour = 3.2 });
    }

    /// <summary>A design of any shape that <see cref="Manifests.Check"/> lets pass.</summary>
    public static FleetDesign Draw(Dice dice)
    {
        var split = dice.Chance(0.2);
        var pools = split
            ? [Pool(dice, ReplicaRole.Prefill), Pool(dice, ReplicaRole.Decode)]
            : Enumerable.Range(0, dice.Whole(1, 4)).Select(_ => Pool(dice, ReplicaRole.Aggregated)).ToList();
        return new FleetDesign
        {
            Name = Serving.Of(dice, OddNames),
            Pools = pools,
            Classes = dice.Chance(0.5)
                ? [new ServiceClass(Serving.Of(dice, OddNames)) { TtftSeconds = 1 }, new ServiceClass("zz") { Priority = 1 }]
                : [],
        };
    }

    private static PlannedPool Pool(Dice dice, ReplicaRole role)
    {
        var engine = Serving.Of(dice, (string[])["vllm", "sglang", "tensorrt-llm"]);
        var (model, gpu, weights, spread) = Serving.Of(dice, Shapes);
        NumberFormat? cache = dice.Chance(0.3) ? Serving.Of(dice, Enum.GetValues<NumberFormat>()) : null;
        var d = Serving.Deploy(model, gpu, weights, spread.Tensor, spread.Pipeline, spread.AttentionData, spread.Expert, engine) with
        {
            TokenBudget = 1 << dice.Whole(8, 14),
            MaxSequences = dice.Chance(0.5) ? dice.Whole(1, 2000) * spread.AttentionData : null,
            Speculation = dice.Chance(0.3) ? new SpeculativeDecoding(dice.Whole(1, 4), 0.6) : null,
            PowerCap = dice.Chance(0.2) ? new Watts(dice.Whole(300, 600)) : null,
            ClockLock = dice.Chance(0.2) ? dice.Real(0.4, 1) : null,
            Precision = PrecisionPlan.For(Serving.Model(model), weights, cache),
        };
        var scaled = dice.Chance(0.3);
        var settings = EngineSettings.Of(d) with
        {
            PrefixCaching = dice.Chance(0.7),
            HostBytes = dice.Chance(0.3) ? dice.Scale(1e8, 1e11) : 0,
            StaticBatches = dice.Chance(0.1),
            BlockTokens = dice.Chance(0.2) ? 64 : EngineSettings.Of(d).BlockTokens,
        };
        return new PlannedPool(Fleets.Order(d, Serving.Of(dice, OddNames)) with
        {
            Role = role,
            Engine = dice.Chance(0.5) ? settings : null,
            Replicas = dice.Chance(0.1) ? dice.Whole(20, 300) : dice.Whole(1, 6),
            Billing = dice.Chance(0.3) ? "spot" : "on-demand",
            Scaler = scaled ? () => new PredictiveScaler() : null,
            Least = scaled ? dice.Whole(0, 3) : null,
            Most = scaled ? dice.Whole(4, 400) : null,
        })
        {
            Service = Serving.Of(dice, (string[])["default", "a", "b: #"]),
            Provider = Serving.Of(dice, (string[])["", "AWS", "GCP", "Azure", "CoreWeave", "Vast.ai", "owned"]),
            Region = Serving.Of(dice, (string[])["", "us-east-1", "all 17 regions", "FIN-01"]),
            InstanceType = Serving.Of(dice, (string[])["", "p5.48xlarge", "ND H100", "Standard_ND96isr_H100_v5", "1x-H100_SXM-32-65536"]),
            GpusPerMachine = dice.Chance(0.3) ? 8 : null,
        };
    }

    private static readonly (string Model, string Gpu, NumberFormat Weights, Parallelism Spread)[] Shapes =
    [
        ("llama-3.1-8b", "h100-sxm", NumberFormat.Bf16, new Parallelism(1)),
        ("llama-3.1-8b", "l4", NumberFormat.Fp8, new Parallelism(1)),
        ("llama-3.1-70b", "mi300x", NumberFormat.Fp8, new Parallelism(4)),
        ("llama-3.1-405b", "h100-sxm", NumberFormat.Bf16, new Parallelism(8, 2)),
        ("gpt-oss-120b", "b200", NumberFormat.Mxfp4, new Parallelism(2)),
        ("qwen3-32b", "h100-sxm", NumberFormat.Int4, new Parallelism(2)),
        ("deepseek-r1", "b200", NumberFormat.Nvfp4, new Parallelism(1, 1, 8, 8)),
        ("deepseek-r1", "h200-sxm", NumberFormat.Fp8, new Parallelism(1, 1, 16, 16)),
        ("deepseek-r1", "gb200-nvl72", NumberFormat.Nvfp4, new Parallelism(1, 1, 16, 16)),
        ("qwen3-30b-a3b", "h200-sxm", NumberFormat.Fp8, new Parallelism(2, 1, 2, 4)),
    ];
}
