using System.Diagnostics;
using TokenFactory.Catalog;
using TokenFactory.Performance.SteadyState;
using TokenFactory.Planning;
using TokenFactory.Units;
using TokenFactory.Workload;

namespace TokenFactory.Bench;

/// <summary>How long a plan takes: the sweep with its bounds and without, and the whole with fleets verified in the twin.</summary>
internal static class PlanRuns
{
    private const int Times = 5;

    private static readonly (string Gpu, double Usd)[] Offers =
        [("h100-sxm", 2.4), ("h200-sxm", 3.2), ("b200", 4.8), ("mi300x", 2.0), ("l40s", 0.9)];

    public static void Run()
    {
        var bench = BenchCatalog.Read();
        var knowledge = new PlanKnowledge(bench.Calibration, bench.Kernels.For, bench.Catalog.Site);
        Console.WriteLine(
            "model           requests/s  replicas  fit, evaluated  sweep s  without bounds s  ratio  plan with twin s  runs  $/h");
        foreach (var (model, rate) in
            (ReadOnlySpan<(string, double)>)[("llama-3.1-8b", 40), ("llama-3.1-70b", 12), ("gpt-oss-120b", 30), ("deepseek-r1", 4)])
        {
            var ask = Ask(bench, model, rate);
            new Planner(knowledge).Solve(ask);
            var planner = new Planner(knowledge);
            var (pruned, searches) = Median(() => planner.Searches(ask));
            var (whole, _) = Median(() => planner.Searches(ask with { Prunes = false }));
            var (all, answer) = Median(() => planner.Solve(ask));
            var count = searches[0].Count;
            Console.WriteLine(
                $"{model,-15} {rate,10:0} {count.Replicas,9} "
                + $"{count.Replicas - count.Misfits,7},{count.Evaluated,8} {pruned,8:0.00} {whole,17:0.00} "
                + $"{pruned / whole,6:0.00} {all,17:0.00} {answer.TwinRuns,5} {answer.Best?.PaidUsdPerHour,5:0.00}");
        }
    }

    private static PlanAsk Ask(BenchCatalog bench, string model, double rate)
    {
        var promise = new Promise("chat") { Targets = new LatencyTargets { Ttft = 1.5, Tpot = 0.04 } };
        var plan = new OpenPlan
        {
            Name = "chat",
            Class = "chat",
            Arrivals = new ArrivalPlan(ArrivalKind.Poisson, new RateCurve { PerSecond = rate }),
            Requests = 20_000,
            Lengths = new PairedLengths(Lognormal.OfMean(1500, 0.9, 1), Lognormal.OfMean(300, 0.7, 1)),
        };
        return new PlanAsk
        {
            Name = "bench",
            Services =
            [
                new PlanService
                {
                    Name = "chat",
                    Model = bench.Catalog.ModelNames.Find(model)!,
                    Traffic = plan.Traffic,
                    Promises = [promise],
                },
            ],
            Supplies = [.. Offers.Select(offer => new Supply
            {
                Gpu = bench.Catalog.AcceleratorNames.Find(offer.Gpu)!,
                Billing = Billing.OnDemand,
                PerGpu = new Sourced<UsdPerHour>(
                    new UsdPerHour(offer.Usd),
                    Provenance.Of(new Source(SourceKind.Estimated, "the benchmark", SourceDate.On(new DateOnly(2026, 11, 21))))),
            })],
            Limits = new PlanLimits { Gpus = 64 },
        };
    }

    private static (double Seconds, T Last) Median<T>(Func<T> run)
    {
        var (seconds, last) = (new double[Times], default(T)!);
        for (var i = 0; i < Times; i++)
        {
            var watch = Stopwatch.StartNew();
            last = run();
            seconds[i] = watch.Elapsed.TotalSeconds;
        }

        Array.Sort(seconds);
        return (seconds[Times / 2], last);
    }
}
