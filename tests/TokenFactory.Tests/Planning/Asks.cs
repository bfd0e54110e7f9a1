using TokenFactory.Catalog;
using TokenFactory.Performance;
using TokenFactory.Performance.SteadyState;
using TokenFactory.Planning;
using TokenFactory.Planning.Search;
using TokenFactory.Tests.Catalog;
using TokenFactory.Tests.Laws;
using TokenFactory.Tests.Performance;
using TokenFactory.Units;
using TokenFactory.Workload;

namespace TokenFactory.Tests.Planning;

/// <summary>Asks for tests: a plain one, and small ones drawn.</summary>
internal static class Asks
{
    public static PlanKnowledge Knowledge { get; } = new(Serving.Shipped, Serving.Kernels, CatalogFiles.Shipped.Site);

    public static Supply Supply(string gpu, double usd, Billing billing = Billing.OnDemand, int? stock = null) => new()
    {
        Gpu = Serving.Gpu(gpu),
        Billing = billing,
        PerGpu = new Sourced<UsdPerHour>(new UsdPerHour(usd), Provenance.Of(new Source(SourceKind.Estimated, "a test", SourceDate.On(new DateOnly(2026, 11, 21))))),
        Stock = stock,
    };

    public static PlanService Service(
        string model = "llama-3.1-8b", double rate = 20, double input = 800, double output = 200, LatencyTargets? targets = null, double cv = 0.5) => new()
        {
            Name = "default",
            Model = Serving.Model(model),
            Traffic = seed => new OpenPlan
            {
                Name = "all",
                Class = "chat",
                Arrivals = new ArrivalPlan(ArrivalKind.Poisson, new RateCurve { PerSecond = rate }),
                Lengths = new PairedLengths(Around(input, cv), Around(output, cv)),
                Requests = 3000,
            }.Traffic(seed),
            Promises = [new Promise("chat") { Targets = targets ?? new LatencyTargets { Ttft = 0.8, Tpot = 0.03 } }],
        };

    public static PlanAsk Plain { get; } = new()
    {
        Name = "plain",
        Services = [Service()],
        Supplies = [Supply("h100-sxm", 2), Supply("l40s", 0.8)],
        TwinRequests = 2000,
        TwinSeconds = 0,
        Finalists = 3,
    };

    /// <summary>A small ask of any shape.</summary>
    public static PlanAsk Draw(Dice dice)
    {
        var gpus = dice.Shuffled((string[])["h100-sxm", "l40s", "h200-sxm", "a100-sxm-80gb"]).Take(dice.Whole(1, 3)).ToList();
        var targets = new LatencyTargets
        {
            Ttft = dice.Chance(0.7) ? dice.Scale(0.2, 5) : null,
            Tpot = dice.Chance(0.7) ? dice.Scale(0.01, 0.1) : null,
            EndToEnd = dice.Chance(0.2) ? dice.Scale(5, 60) : null,
        };
        var service = Service(dice.Chance(0.7) ? "llama-3.1-8b" : "qwen3-30b-a3b", dice.Scale(1, 60), dice.Scale(100, 6000), dice.Scale(20, 800), targets, dice.Real(0, 1));
        return new PlanAsk
        {
            Name = "drawn",
            Services =
            [
                service with
                {
                    Space = new SearchSpace
                    {
                        TokenBudgets = dice.Chance(0.5) ? [512, 8192] : [2048],
                        KvCache = dice.Chance(0.5) ? [NumberFormat.Bf16] : [NumberFormat.Bf16, NumberFormat.Fp8],
                        Disaggregated = dice.Chance(0.5),
                        MostGpus = dice.Whole(1, 4),
                    },
                },
            ],
            Supplies = [.. gpus.Select(gpu => Supply(gpu, dice.Scale(0.5, 5)))],
            TwinRequests = 0,
            Finalists = 3,
        };
    }

    private static TokenFactory.Workload.Spread Around(double mean, double cv) => cv > 0 ? Lognormal.OfMean(mean, cv, 1) : new Constant(Math.Ceiling(mean));
}
