using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using TokenFactory.Catalog;
using TokenFactory.Fleet;
using TokenFactory.Performance;
using TokenFactory.Performance.Calibration;
using TokenFactory.Performance.Kernels;
using TokenFactory.Policies;
using TokenFactory.Simulation;
using TokenFactory.Workload;
using TokenFactory.Workload.Traces;

namespace TokenFactory.Bench;

/// <summary>Whole simulated runs: how long they take, what they allocate, and how that grows with replicas and load.</summary>
internal static class SimulationRuns
{
    public static void Run(string[] arguments)
    {
        var wanted = arguments.FirstOrDefault() ?? "all";
        var traces = arguments.Skip(1).FirstOrDefault();
        if (wanted is "all" or "blis")
        {
            Measure("10,000 requests, 1 replica, 10/s", 10_000, Fleet(1), Poisson(10, 10_000));
            Measure("100,000 requests, 8 replicas, 80/s", 100_000, Fleet(8), Poisson(80, 100_000));
            Measure("the same, marginal cost", 100_000, Fleet(8) with { Router = () => new MarginalCostRouter() }, Poisson(80, 100_000));
        }

        if (wanted is "all" or "million")
            Measure("1,000,000 requests, 8 replicas, 80/s", 1_000_000, Fleet(8), Poisson(80, 1_000_000));
        if (wanted is "all" or "replicas")
        {
            foreach (var replicas in (int[])[1, 10, 100, 1000])
                Measure($"100,000 requests, {replicas} replicas", 100_000, Fleet(replicas), Poisson(10 * replicas, 100_000));
        }

        if (wanted is "all" or "batch")
        {
            foreach (var rate in (double[])[1, 4, 16, 32])
                Measure($"20,000 requests, 1 replica, {rate}/s", 20_000, Fleet(1), Poisson(rate, 20_000));
        }

        foreach (var file in traces is null ? Enumerable.Empty<string>() : Directory.GetFiles(traces, "*").Order(StringComparer.Ordinal))
        {
            ITraffic Traffic(ulong seed) => new TraceTraffic(Trace(file), seed);
            var rows = File.ReadLines(file).Count();
            Measure($"{Path.GetFileName(file)}, 8 replicas", rows, Fleet(8) with { Router = () => new PrefixAffinityRouter() }, Traffic);
        }
    }

    private static TracePlan Trace(string file) => new()
    {
        Name = file,
        Lines = () => File.ReadLines(file),
        Contents = TraceCheck.Of(File.ReadLines(file), new Workload.Traces.TraceOptions()),
    };

    private static void Measure(string what, long requests, FleetPlan plan, Func<ulong, ITraffic> traffic)
    {
        GC.Collect();
        var (allocated, watch) = (GC.GetTotalAllocatedBytes(), Stopwatch.StartNew());
        var report = Simulator.Run(plan with { Traffic = traffic }, 1);
        var seconds = watch.Elapsed.TotalSeconds;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{what,-50} {seconds,8:0.00} s {seconds / requests * 1e6,8:0.0} us/request {requests / seconds * 60,12:0} requests/min "
            + $"{report.Seconds / seconds,8:0} x real time, {(GC.GetTotalAllocatedBytes() - allocated) / (double)requests,6:0} B/request, "
            + $"peak {Process.GetCurrentProcess().PeakWorkingSet64 / 1048576.0:0} MiB, completed {report.Requests.Requests.Completed}, "
            + $"TTFT p99 {report.Requests.Ttft.P99:0.000} s, TPOT p50 {report.Requests.Tpot.P50 * 1e3:0.00} ms, hit {report.Requests.HitShare:0.00}, util {report.Machines.Utilisation:0.00}"));
    }

    private static Func<ulong, ITraffic> Poisson(double rate, long requests) => seed => new OpenPlan
    {
        Name = "all",
        Arrivals = ArrivalPlan.Poisson(rate),
        Lengths = new PairedLengths(new Constant(1000), new Constant(250)),
        Requests = requests,
    }.Traffic(seed);

    private static FleetPlan Fleet(int replicas)
    {
        var catalog = BenchCatalog.Read();
        var gpu = catalog.Catalog.Accelerators.Single(one => one.Key == "h100-sxm");
        var deployment = new Deployment
        {
            Model = catalog.Catalog.Models.Single(one => one.Key == "llama-3.1-8b"),
            Gpu = gpu,
            Engine = "vllm",
            Weights = NumberFormat.Bf16,
            Precision = PrecisionPlan.For(catalog.Catalog.Models.Single(one => one.Key == "llama-3.1-8b"), NumberFormat.Bf16),
            Parallelism = new Parallelism(1),
        };
        return new FleetPlan
        {
            Name = "bench",
            Pools =
            [
                new PoolOrder
                {
                    Name = "h100",
                    Model = new ReplicaModel(deployment, catalog.Kernels.For(gpu)!, catalog.Calibration),
                    Site = catalog.Catalog.Site,
                    Replicas = replicas,
                    UsdPerGpuHour = 2.5,
                }.Plan(),
            ],
            Classes = [new ServiceClass("default")],
            Traffic = Poisson(1, 1),
            Router = () => new LeastOutstandingRouter(),
        };
    }
}

/// <summary>The shipped catalog and calibration.</summary>
internal sealed record BenchCatalog(CatalogContents Catalog, KernelTable Kernels, CalibrationSet Calibration)
{
    public static BenchCatalog Read()
    {
        var catalog = CatalogReader.Read(
            [
                [
                    .. Directory.EnumerateFiles(Root(), "*", SearchOption.AllDirectories)
                        .Select(file => new CatalogFile(Path.GetRelativePath(Root(), file).Replace('\\', '/'), File.ReadAllText(file)))
                        .Where(file => !file.Path.StartsWith("calibration/", StringComparison.Ordinal)),
                ],
            ],
            []);
        var kernels = KernelTable.Read(Text("kernels.csv"), Text("collectives.csv"), catalog.Accelerators, []);
        return new BenchCatalog(catalog, kernels, CalibrationTables.Read(Text("serving.csv"), "serving.csv", []).Set);
    }

    private static string Text(string file) => File.ReadAllText(Path.Combine(Root(), "calibration", file));

    private static string Root([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "catalog"));
}
