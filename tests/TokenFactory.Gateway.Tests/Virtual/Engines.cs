using System.Collections.Concurrent;
using TokenFactory.Catalog;
using TokenFactory.Engine;
using TokenFactory.Gateway.Setup;
using TokenFactory.Gateway.Virtual;
using TokenFactory.Performance;
using TokenFactory.Performance.Calibration;
using TokenFactory.Performance.Kernels;
using TokenFactory.Simulation;
using TokenFactory.Tests;

namespace TokenFactory.Gateway.Tests.Virtual;

/// <summary>Virtual engines of the shipped catalog.</summary>
internal static class Engines
{
    public const string Model = "llama-3.1-8b";

    private static readonly ConcurrentDictionary<string, PoolSetup> Pools = new(StringComparer.Ordinal);

    private static readonly Lazy<(CatalogContents Catalog, KernelTable Kernels, CalibrationSet Calibration)> Shipped = new(Read);

    /// <summary>One GPU that serves the model, as vLLM would.</summary>
    public static PoolSetup Pool(string gpu = "h100-sxm", Func<EngineSettings, EngineSettings>? change = null)
    {
        var pool = Pools.GetOrAdd(gpu, Of);
        return change is null ? pool : pool with { Settings = change(pool.Settings) };
    }

    /// <summary>One that answers on loopback.</summary>
    public static Task<VirtualEngine> StartAsync(VirtualOptions? options = null, PoolSetup? pool = null, TimeProvider? time = null) =>
        VirtualEngine.StartAsync(
            pool ?? Pool(), Model, options ?? new VirtualOptions(), time ?? TimeProvider.System, TestContext.Current.CancellationToken);

    private static PoolSetup Of(string gpu)
    {
        var (catalog, kernels, calibration) = Shipped.Value;
        var (model, accelerator) = (catalog.Models.Single(one => one.Key == Model), catalog.Accelerators.Single(one => one.Key == gpu));
        var deployment = new Deployment
        {
            Model = model,
            Gpu = accelerator,
            Engine = "vllm",
            Weights = NumberFormat.Bf16,
            Precision = PrecisionPlan.For(model, NumberFormat.Bf16),
            Parallelism = new Parallelism(1, 1, 1, 1),
        };
        var order = new PoolOrder
        {
            Name = gpu,
            Model = new ReplicaModel(deployment, kernels.For(accelerator)!, calibration),
            Site = catalog.Site,
            UsdPerGpuHour = 2,
        };
        var plan = order.Plan();
        return new PoolSetup(plan.Facts, EngineKind.Virtual, [new ReplicaSetup(gpu + "-0", null)])
        { Settings = plan.Engine, What = plan.What };
    }

    private static (CatalogContents Catalog, KernelTable Kernels, CalibrationSet Calibration) Read()
    {
        var mistakes = new List<Mistake>();
        var files = Directory.EnumerateFiles(Repository.Path("catalog"), "*", SearchOption.AllDirectories)
            .Select(file => new CatalogFile(
                Path.GetRelativePath(Repository.Path("catalog"), file).Replace('\\', '/'),
                File.ReadAllText(file)));
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
