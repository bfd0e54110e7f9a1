using System.Diagnostics;
using TokenFactory.Performance.SteadyState;
using TokenFactory.Planning;
using TokenFactory.Planning.Search;
using TokenFactory.Workload;

namespace TokenFactory.Bench;

/// <summary>How long a plan takes, and what pruning saves.</summary>
internal static class PlanRuns
{
    private static readonly string[] Gpus = ["h100-sxm", "h200-sxm", "b200", "mi300x", "l40s"];

    public static void Run()
    {
        var catalog = BenchCatalog.Read();
        foreach (var model in (string[])["llama-3.1-70b", "gpt-oss-120b"])
        {
            Sweeps(catalog, model, prunes: true);
            Sweeps(catalog, model, prunes: true);
            Sweeps(catalog, model, prunes: false);
        }
    }

    private static void Sweeps(BenchCatalog catalog, string model, bool prunes)
    {
        var promise = new Promise("chat") { Targets = new LatencyTargets { Ttft = 1, Tpot = 0.04 } };
        var plan = new OpenPlan
        {
            Name = "chat",
            Class = "chat",
            Arrivals = new ArrivalPlan(ArrivalKind.Poisson, new RateCurve { PerSecond = 4 }),
            Requests = 20_000,
            Lengths = new PairedLengths(Lognormal.OfMean(1500, 1, 1), Lognormal.OfMean(300, 0.8, 1)),
        };
        var watch = Stopwatch.StartNew();
        var profile = TrafficProfile.Of(plan.Traffic(1), [promise]);
        var profiled = watch.Elapsed.TotalMilliseconds;
        var targets = profile.Buckets.Select(bucket => bucket.Exempt ? promise.Targets with { Ttft = null } : promise.Targets).ToList();
        var sweep = new Sweep(catalog.Calibration, catalog.Kernels.For, catalog.Catalog.Site) { Prunes = prunes };
        var (kept, count) = (0, default(SweepCount));
        foreach (var part in Enum.GetValues<ReplicaPart>())
        {
            foreach (var gpu in Gpus)
            {
                var found = sweep.Of(catalog.Catalog.ModelNames.Find(model)!, catalog.Catalog.AcceleratorNames.Find(gpu)!, new SearchSpace(), profile, targets, part);
                kept += found.Kept.Count;
                count = count.And(found.Count);
            }

            Console.WriteLine(
                $"{model} {(prunes ? "pruned" : "whole")} {part}: {profile.Buckets.Count} buckets, profile {profiled:0} ms, "
                + $"all {watch.Elapsed.TotalMilliseconds:0} ms, {count}, kept {kept}");
        }
    }
}
