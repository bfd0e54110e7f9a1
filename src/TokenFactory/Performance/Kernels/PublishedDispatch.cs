using TokenFactory.Catalog;

namespace TokenFactory.Performance.Kernels;

/// <summary>
/// Dispatch and combine among GPUs of several nodes, for which kernel collections hold no measurements: aiconfigurator's fits of DeepEP's
/// low-latency kernels, an overhead plus all bytes over a bandwidth. They enter collectives.csv as estimates.
/// </summary>
public static class PublishedDispatch
{
    private const int RanksPerNode = 8;

    /// <summary>Bandwidth of a 400 Gbit/s network card in GB/s.</summary>
    private const double CardGigabytesPerSecond = 50;

    private static readonly (CollectiveOperator Operator, int Nodes, double Microseconds, double GigabytesPerSecond)[] Fits =
    [
        (CollectiveOperator.CombineLowLatency, 2, 25.1, 93),
        (CollectiveOperator.CombineLowLatency, 4, 26.5, 62),
        (CollectiveOperator.CombineLowLatency, 8, 25.3, 53),
        (CollectiveOperator.DispatchLowLatency, 2, 19.3, 89),
        (CollectiveOperator.DispatchLowLatency, 4, 25, 62),
        (CollectiveOperator.DispatchLowLatency, 8, 27.6, 53),
    ];

    /// <summary>Accelerators that the fits are for.</summary>
    public static IReadOnlyList<string> Gpus { get; } = ["h100-sxm", "h200-sxm"];

    /// <summary>The rows of collectives.csv, in its order.</summary>
    /// <param name="source">Who measured on a GPU; the rows are estimated from it.</param>
    public static IReadOnlyList<CollectiveRow> Rows(Func<string, Source> source) =>
    [
        .. from op in Fits.GroupBy(fit => fit.Operator)
           from gpu in Gpus
           from fit in op
           select Row(gpu, fit.Operator, fit.Nodes, fit.Microseconds, fit.GigabytesPerSecond, source(gpu)),
    ];

    private static CollectiveRow Row(string gpu, CollectiveOperator op, int nodes, double overhead, double gigabytes, Source who) => new(
        op,
        gpu,
        RanksPerNode * nodes,
        nodes,
        overhead,
        Math.Round(Math.Min(1, gigabytes * (nodes - 1) / nodes / CardGigabytesPerSecond), 4),
        0,
        0,
        who with { Kind = SourceKind.Estimated },
        FormattableString.Invariant(
            $"published fit: {overhead} us and {gigabytes} GB/s over all bytes; here as the share that leaves the node over 50 GB/s"));
}
