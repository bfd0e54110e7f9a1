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
        var why = Impossible(sample) ?? (BeatsMemory(sample) ? ImpossibleText : null);
        return why is null ? (sample, null) : (null, new UnusedRow(point.RowId, why));
    }

    /// <summary>Why a measured figure cannot be; null where it can.</summary>
    private static string? Impossible(Sample sample)
    {
        const double minute = 60e3;
        const double day = 86400e3;
        const double least = 0.1;
        const double timesDesign = 3;
        var point = sample.Point;
        if (point.MeasuredTpot > minute)
            return "a token takes more than a minute: is its unit ms?";
        if (point.MeasuredTtft is > 0 and < least or > day)
            return "the first token comes within 0.1 ms or after more than a day: is its unit ms?";
        return point.MeasuredWatts is > 0 and var watts
            && sample.Prepared.Decode.Deployment.Gpu.Tdp is { Value.Value: var tdp }
            && (watts < 1 || watts > timesDesign * tdp)
            ? "the watts are below 1 or above three times the thermal design power: are they per GPU?"
            : null;
    }

    /// <summary>Whether tokens are measured faster than memory can be read; a fifth is left to clocks above the data sheet's.</summary>
    private static bool BeatsMemory(Sample sample)
    {
        const double most = 0.8;
        if (!sample.Plain || sample.Point.MeasuredTpot is not > 0)
            return false;
        var p = sample.Prepared;
        var busy = StepMix.Of(p.Decode.Deployment, sample.Load, p.InFlight, p.Policy).TokenBusy(p.Decode, p.Policy);
        return sample.Point.MeasuredTpot < 1e3 * most * busy.Weights;
    }

    private static bool Measures(ServingPoint point) =>
        point.MeasuredTpot > 0 || point.MeasuredTtft > 0 || point.MeasuredTotalPerGpu > 0
        || point.MeasuredOutput > 0 || point.MeasuredWatts > 0;
}
