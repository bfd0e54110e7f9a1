using TokenFactory.Fleet;
using TokenFactory.Performance;
using TokenFactory.Policies;
using TokenFactory.Simulation;

namespace TokenFactory.Bench;

/// <summary>A fleet with what it promises to the requests of a trace.</summary>
/// <param name="Name">In words.</param>
/// <param name="Plan">Its pools; traffic, classes and routing are filled in.</param>
/// <param name="Short">Promise to short prompts, as in the Azure traces.</param>
/// <param name="Long">Promise to long prompts, as in the Mooncake traces.</param>
internal sealed record BenchFleet(string Name, FleetPlan Plan, ServiceClass Short, ServiceClass Long)
{
    public ServiceClass Promise(string trace) => trace.Contains("mooncake", StringComparison.Ordinal) ? Long : Short;
}

/// <summary>
/// Two mixed fleets, fast GPUs beside cheap ones, and one of equal GPUs. Each pool's token budget is such that a full step about keeps the promise per token, as
/// an operator sets it: a step of 8,192 prompt tokens takes an L40S a second, and every short answer beside it would break its promise.
/// </summary>
internal static class BenchFleets
{
    public static IEnumerable<BenchFleet> All()
    {
        var catalog = BenchCatalog.Read();
        yield return new BenchFleet(
            "4 x H100 + 8 x L40S, llama-3.1-8b fp8",
            Plan(
                Pool(catalog, "h100", "llama-3.1-8b", "h100-sxm", NumberFormat.Fp8, 1, 4, 2.50, 2048),
                Pool(catalog, "l40s", "llama-3.1-8b", "l40s", NumberFormat.Fp8, 1, 8, 0.90, 512)),
            new ServiceClass("all") { TtftSeconds = 2, TpotSeconds = 0.05 },
            new ServiceClass("all") { TtftSeconds = 8, TpotSeconds = 0.06 });
        yield return new BenchFleet(
            "2 x (2 x H200 fp8) + 3 x (4 x A100 bf16), llama-3.1-70b",
            Plan(
                Pool(catalog, "h200", "llama-3.1-70b", "h200-sxm", NumberFormat.Fp8, 2, 2, 3.50, 1024),
                Pool(catalog, "a100", "llama-3.1-70b", "a100-sxm-80gb", NumberFormat.Bf16, 4, 3, 1.50, 512)),
            new ServiceClass("all") { TtftSeconds = 4, TpotSeconds = 0.12 },
            new ServiceClass("all") { TtftSeconds = 30, TpotSeconds = 0.12 });
        yield return new BenchFleet(
            "8 x (2 x H100), qwen3-32b bf16",
            Plan(Pool(catalog, "h100", "qwen3-32b", "h100-sxm", NumberFormat.Bf16, 2, 8, 2.50, 1024)),
            new ServiceClass("all") { TtftSeconds = 4, TpotSeconds = 0.12 },
            new ServiceClass("all") { TtftSeconds = 15, TpotSeconds = 0.12 });
    }

    private static FleetPlan Plan(params PoolPlan[] pools) => new()
    {
        Name = "policies",
        Pools = pools,
        Classes = [],
        Traffic = _ => throw new InvalidOperationException("The traffic is filled in."),
        Router = () => new LeastOutstandingRouter(),
    };

    private static PoolPlan Pool(
        BenchCatalog catalog,
        string name,
        string model,
        string gpu,
        NumberFormat weights,
        int tensor,
        int replicas,
        double usdPerGpuHour,
        int tokenBudget)
    {
        var shape = catalog.Catalog.Models.Single(one => one.Key == model);
        var accelerator = catalog.Catalog.Accelerators.Single(one => one.Key == gpu);
        var deployment = new Deployment
        {
            Model = shape,
            Gpu = accelerator,
            Engine = "vllm",
            Weights = weights,
            Precision = PrecisionPlan.For(shape, weights),
            Parallelism = new Parallelism(tensor),
            TokenBudget = tokenBudget,
        };
        return new PoolOrder
        {
            Name = name,
            Model = new ReplicaModel(deployment, catalog.Kernels.For(accelerator)!, catalog.Calibration),
            Site = catalog.Catalog.Site,
            Replicas = replicas,
            UsdPerGpuHour = usdPerGpuHour,
        }.Plan();
    }
}
