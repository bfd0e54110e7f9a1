using TokenFactory.Catalog;

namespace TokenFactory.Performance.Kernels;

/// <summary>Fitted constants of a collective and how well they meet the measurements.</summary>
/// <param name="Row">The constants.</param>
/// <param name="Samples">Sizes that were fitted.</param>
/// <param name="MedianError">Median of the absolute relative error, as a share.</param>
/// <param name="HighError">Its 90th percentile.</param>
public sealed record FittedCollective(CollectiveRow Row, int Samples, double MedianError, double HighError);

/// <summary>Fits the constants of collectives to measured times; at each size the fastest kernel counts. Deterministic.</summary>
public static class CollectiveFit
{
    private const int FewestSamples = 8;

    /// <summary>
    /// Share of the link that long messages reach at least, between cards that reach each other directly: 0.23 among eight on PCIe. Less
    /// than this is the host that was measured (the L40S of the published tables: 0.04 among eight), and kin say more of the GPU:
    /// TensorRT-LLM's published tables of eight L40S run 7 times faster than that host would let them.
    /// </summary>
    private const double LeastLink = 0.1;

    /// <summary>
    /// Fits one row per collective, GPU and number of ranks, in the order of the tables; collectives of a GPU whose host was the limit are
    /// left out.
    /// </summary>
    /// <param name="samples">Measured collectives inside a scale-up domain.</param>
    /// <param name="gpus">Accelerators by key; samples of others are left out.</param>
    /// <param name="source">Who measured on a GPU.</param>
    public static IReadOnlyList<FittedCollective> Fit(
        IReadOnlyList<CollectiveSample> samples, IReadOnlyDictionary<string, Accelerator> gpus, Func<string, Source> source) =>
    [
        .. samples
            .Where(s => gpus.ContainsKey(s.Gpu))
            .GroupBy(s => (s.Operator, s.Gpu, s.Ranks))
            .Select(group => FitOne(gpus[group.Key.Gpu], [.. group], source))
            .OfType<FittedCollective>()
            .GroupBy(fitted => (fitted.Row.Operator, fitted.Row.Gpu))
            .Where(group => group.All(fitted => fitted.Row.LinkEfficiency >= LeastLink))
            .SelectMany(group => group)
            .OrderBy(fitted => CollectiveRow.Operators[(int)fitted.Row.Operator], StringComparer.Ordinal)
            .ThenBy(fitted => fitted.Row.Gpu, StringComparer.Ordinal)
            .ThenBy(fitted => fitted.Row.Ranks),
    ];

    private static FittedCollective? FitOne(Accelerator gpu, List<CollectiveSample> all, Func<string, Source> source)
    {
        var (op, ranks) = (all[0].Operator, all[0].Ranks);
        var tokens = op >= CollectiveOperator.DispatchLowLatency;
        var best = tokens ? all : KernelFit.Fastest(all, s => s.Bytes, s => s.Seconds);
        if (best.Count < FewestSamples)
            return null;
        var perTokens = op is CollectiveOperator.DispatchNormal or CollectiveOperator.CombineNormal;
        List<FitBound> bounds = [new(10, 1, 300), new(0.5, 0.002, 1)];
        if (perTokens)
            bounds.Add(new FitBound(10, 0.001, 1000));
        else if (!tokens)
            bounds.Add(new FitBound(5, 0.0001, 500));
        double[] link = [.. best.Select(s => s.Bytes * CollectiveConstants.Sent(op, ranks) / LinkSpeeds.Of(gpu).ScaleUp)];
        var found = RobustFit.Fit(bounds, [.. best.Select(s => s.Seconds)], Predict);
        for (var i = 0; i < found.Length; i++)
            found[i] = KernelFitGroup<double>.Round(found[i]);
        var times = new double[best.Count];
        Predict(found, times);
        double[] errors = [.. best.Select((s, i) => Math.Abs((times[i] / s.Seconds) - 1)).Order()];
        var row = new CollectiveRow(
            op,
            gpu.Key,
            ranks,
            1,
            found[0],
            found[1],
            tokens ? 0 : found[2],
            perTokens ? found[2] : 0,
            source(gpu.Key),
            "fastest of " + KernelFit.Names(all.Select(s => s.By)));
        return new FittedCollective(
            row, best.Count, KernelFitGroup<double>.Quantile(errors, 0.5), KernelFitGroup<double>.Quantile(errors, 0.9));

        void Predict(double[] at, double[] into)
        {
            for (var i = 0; i < into.Length; i++)
            {
                into[i] = (at[0] * 1e-6) + (link[i] / at[1]);
                if (perTokens)
                    into[i] += at[2] * 1e-9 * best[i].Tokens;
                else if (!tokens)
                    into[i] += Math.Sqrt(link[i] * at[2] * 1e-6);
            }
        }
    }
}
