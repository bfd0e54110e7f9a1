using TokenFactory.Catalog;
using TokenFactory.Performance.Kernels;
using TokenFactory.Performance.Measured;
using TokenFactory.Performance.SteadyState;

namespace TokenFactory.Performance.Calibration;

/// <summary>A measured row that nothing looks at.</summary>
/// <param name="RowId">Its name.</param>
/// <param name="Reason">Why.</param>
public sealed record UnusedRow(string RowId, string Reason);

/// <summary>Lays measured rows out as samples, or says why a row cannot be one.</summary>
public sealed class SampleReader
{
    private const string ImpossibleText =
        "a token takes less time than reading the weights does at the data sheet's bandwidth: is its unit ms?";

    private readonly CatalogContents _catalog;
    private readonly PointInterpreter _interpreter;
    private readonly Dictionary<string, KernelSet?> _kernels;

    /// <summary>A reader; safe to be used by several callers at once.</summary>
    /// <param name="catalog">Where models and accelerators are looked up.</param>
    /// <param name="kernels">Constants of their kernels.</param>
    public SampleReader(CatalogContents catalog, KernelTable kernels)
    {
        _catalog = catalog;
        _interpreter = new PointInterpreter(catalog);
        _kernels = catalog.Accelerators.ToDictionary(gpu => gpu.Key, kernels.For, StringComparer.Ordinal);
    }

    /// <summary>The sample of a row, or why there is none.</summary>
    public (Sample? Sample, UnusedRow? Unused) Read(ServingPoint point)
    {
        if (!Measures(point))
            return (null, new UnusedRow(point.RowId, "the row measures nothing that is predicted (TPOT, mean TTFT, tokens/s, W per GPU)"));
        var (scenario, reason) = _interpreter.Interpret(point);
        if (scenario is null)
            return (null, new UnusedRow(point.RowId, reason ?? "the row cannot be read as a deployment"));
        var gpu = scenario.Decode.Deployment.Gpu;
        if (_kernels[gpu.Key] is not { } set)
            return (null, new UnusedRow(point.RowId, $"no kernel constants can stand in for {gpu.Name}"));
        var named = point.ModelKey.Length > 0 ? point : point with { ModelKey = _catalog.ModelNames.Find(point.Model)?.Key ?? "" };
        var sample = new Sample(named, Prepared.Of(scenario, set));
        if (!sample.Counts)
            return (null, new UnusedRow(point.RowId, "the model may be another than it is called, or the times are mostly start-up"));
        return Impossible(sample) ? (null, new UnusedRow(point.RowId, ImpossibleText)) : (sample, null);
    }

    /// <summary>Whether tokens are measured faster than memory can be read; a fifth is left to clocks above the data sheet's.</summary>
    private static bool Impossible(Sample sample)
    {
        const double most = 0.8;
        if (!sample.Plain || sample.Point.MeasuredTpot is not > 0)
            return false;
        var p = sample.Prepared;
        var inFlight = (sample.Load.Concurrency ?? 1) / p.Scenario.Decode.Replicas;
        var busy = StepMix.Of(p.Decode.Deployment, sample.Load, inFlight, p.Policy).TokenBusy(p.Decode, p.Policy);
        return sample.Point.MeasuredTpot < 1e3 * most * busy.Weights;
    }

    private static bool Measures(ServingPoint point) =>
        point.MeasuredTpot > 0 || point.MeasuredTtft > 0 || point.MeasuredTotalPerGpu > 0
        || point.MeasuredOutput > 0 || point.MeasuredWatts > 0;
}
