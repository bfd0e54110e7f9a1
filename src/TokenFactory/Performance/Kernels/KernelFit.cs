using TokenFactory.Catalog;

namespace TokenFactory.Performance.Kernels;

/// <summary>Fitted constants and how well they meet the measurements they were fitted to.</summary>
/// <param name="Row">The constants.</param>
/// <param name="Samples">Shapes that were fitted.</param>
/// <param name="MedianError">Median of the absolute relative error, as a share.</param>
/// <param name="HighError">Its 90th percentile.</param>
public sealed record FittedKernel(KernelRow Row, int Samples, double MedianError, double HighError);

/// <summary>
/// Fits the constants of operators to measured kernel times. At each shape the fastest kernel counts; errors are relative and outliers
/// weigh little. Deterministic: the same measurements give the same table.
/// </summary>
public sealed class KernelFit
{
    private const int FewestSamples = 20;

    private readonly IReadOnlyDictionary<string, Accelerator> _gpus;
    private readonly Func<string, Source> _source;
    private readonly List<FittedKernel> _fitted = [];

    private KernelFit(IReadOnlyDictionary<string, Accelerator> gpus, Func<string, Source> source) => (_gpus, _source) = (gpus, source);

    /// <summary>Fits one row per operator, GPU and precision that has enough samples, in the order of the tables.</summary>
    /// <param name="gemms">Matrix products.</param>
    /// <param name="attentions">Attention of both kinds.</param>
    /// <param name="experts">Routed experts.</param>
    /// <param name="gpus">Accelerators by key; samples of others are left out.</param>
    /// <param name="source">Who measured on a GPU.</param>
    public static IReadOnlyList<FittedKernel> Fit(
        IReadOnlyList<GemmSample> gemms,
        IReadOnlyList<AttentionSample> attentions,
        IReadOnlyList<ExpertsSample> experts,
        IReadOnlyDictionary<string, Accelerator> gpus,
        Func<string, Source> source)
    {
        var fit = new KernelFit(gpus, source);
        foreach (var group in gemms.GroupBy(s => (s.Gpu, s.Precision)).OrderBy(g => g.Key))
            fit.Gemm(group.Key.Gpu, group.Key.Precision, [.. group]);
        foreach (var group in attentions.GroupBy(s => (s.Operator, s.Gpu, s.Precision)).OrderBy(g => g.Key))
            fit.Attention(group.Key.Operator, group.Key.Gpu, group.Key.Precision, [.. group]);
        foreach (var group in experts.GroupBy(s => (s.Gpu, s.Precision)).OrderBy(g => g.Key))
            fit.Experts(group.Key.Gpu, group.Key.Precision, [.. group]);
        return
        [
            .. fit._fitted
                .OrderBy(fitted => KernelRow.Operators[(int)fitted.Row.Operator], StringComparer.Ordinal)
                .ThenBy(fitted => fitted.Row.Gpu, StringComparer.Ordinal)
                .ThenBy(fitted => fitted.Row.Precision, StringComparer.Ordinal),
        ];
    }

    private void Gemm(string key, string precision, List<GemmSample> all)
    {
        if (!_gpus.TryGetValue(key, out var gpu) || NumberFormats.Read(precision, gpu) is not { } format)
            return;
        var samples = Fastest(all, s => s with { By = "", Seconds = 0 }, s => s.Seconds);
        var fit = new KernelFitGroup<GemmSample>(
            samples,
            s => s.Seconds,
            constants =>
            {
                var model = KernelModels.Gemm(gpu, format, constants);
                return s => model.Seconds(s.M, s.N, s.K);
            });
        fit.Free(KernelColumn.ComputeEfficiency, 0.7, 0.05, 1);
        fit.Free(KernelColumn.HalfRows, 50, 1, 2000);
        fit.Free(KernelColumn.HalfDepth, 200, 1, 4000);
        fit.Free(KernelColumn.ActivationBytes, 1, 0.001, 60);
        var note = "fastest of " + Names(all.Select(s => s.By));
        if (precision == "fp8-block" && Fitted(KernelOperator.Gemm, key, "fp8") is { } graphed)
        {
            // These kernels were measured with their launches, which outlast small products: what a captured graph would take is unseen.
            foreach (var column in new[] { KernelColumn.FloorMicroseconds, KernelColumn.StreamEfficiency, KernelColumn.HalfColumns })
                fit.Hold(column, graphed[column]);
            fit.FreeLaunch(100, 10, 600);
            note += "; launch time in the measurement removed, floor and streaming as fp8";
        }
        else
        {
            fit.Free(KernelColumn.FloorMicroseconds, 5, 0.5, 60);
            fit.Free(KernelColumn.StreamEfficiency, 0.8, 0.1, 1);
            fit.Free(KernelColumn.HalfColumns, 800, 1, 20000);
        }

        Add(KernelOperator.Gemm, key, precision, fit, note);
    }

    private void Attention(KernelOperator op, string key, string precision, List<AttentionSample> all)
    {
        if (!_gpus.TryGetValue(key, out var gpu) || NumberFormats.Read(precision, gpu) is not { } format)
            return;
        var prefills = op is KernelOperator.AttentionPrefill or KernelOperator.LatentPrefill;
        var cache = prefills ? 0 : Caches.Bytes(gpu);
        var samples = Fastest(all, s => s with { By = "", Seconds = 0 }, s => s.Seconds)
            .Where(s => cache == 0 || s.CacheBytes < 0.05 * cache || s.CacheBytes > 1.25 * cache)
            .ToList();
        var fit = new KernelFitGroup<AttentionSample>(
            samples,
            s => s.Seconds,
            constants =>
            {
                var model = KernelModels.Attention(gpu, format, constants, constants);
                if (!prefills)
                    return s => model.DecodeSeconds(s.CacheBytes, s.DecodeFlops, s.Context + s.Queries, s.Sequences * s.KvHeads);
                var scored = op == KernelOperator.LatentPrefill ? 160 : 128; // mean of 192 and 128 elements
                return s => model.PrefillSeconds(s.Heads, scored, s.Sequences * s.Queries, s.Pairs, s.Context + s.Queries);
            });
        fit.Free(KernelColumn.FloorMicroseconds, 10, 1, 200);
        fit.Free(KernelColumn.ChainMicroseconds, 0.2, 0.0001, 500);
        var note = "fastest of " + Names(all.Select(s => s.By));
        if (prefills)
        {
            fit.Free(KernelColumn.ComputeEfficiency, 0.5, 0.02, 1);
            fit.Free(KernelColumn.HalfRows, 200, 0.1, 3000);
        }
        else
        {
            fit.Free(KernelColumn.StreamEfficiency, 0.7, 0.02, 1);
            fit.Free(KernelColumn.TileNanoseconds, 2, 0.001, 1000);
            note += "; without caches that fit on the chip";
            if (op == KernelOperator.AttentionDecode && Fitted(KernelOperator.AttentionPrefill, key, precision) is { } prefill)
            {
                fit.Hold(KernelColumn.ComputeEfficiency, prefill[KernelColumn.ComputeEfficiency]);
                note += "; arithmetic as in prefill, since it never binds here";
            }
            else
            {
                fit.Free(KernelColumn.ComputeEfficiency, 0.4, 0.02, 1);
            }
        }

        Add(op, key, precision, fit, note);
    }

    private void Experts(string key, string precision, List<ExpertsSample> all)
    {
        if (!_gpus.TryGetValue(key, out var gpu) || NumberFormats.Read(precision, gpu) is not { } format)
            return;
        var (samples, note) = ExpertsChoice.Choose(all);
        var fit = new KernelFitGroup<(ExpertsSample Sample, double Hit)>(
            [.. samples.Select(s => (s, s.Hit))],
            s => s.Sample.Seconds,
            constants =>
            {
                var model = KernelModels.Experts(gpu, format, constants);
                return s => model.Seconds(
                    s.Sample.Pairs, s.Hit, s.Sample.Hidden, s.Sample.Intermediate, s.Sample.Tokens * s.Sample.TopK);
            });
        fit.Free(KernelColumn.FloorMicroseconds, 15, 2, 200);
        fit.Free(KernelColumn.ComputeEfficiency, 0.5, 0.02, 1);
        fit.Free(KernelColumn.HalfRows, 20, 1, 1000);
        fit.Free(KernelColumn.StreamEfficiency, 0.7, 0.05, 1);
        fit.Free(KernelColumn.ActivationBytes, 2, 0.001, 100);
        fit.Free(KernelColumn.InputBytes, 1, 0.001, 100);
        fit.Hold(KernelColumn.Imbalance, ExpertsChoice.Imbalance(all) ?? 1);
        Add(KernelOperator.Experts, key, precision, fit, $"fastest of {Names(samples.Select(s => s.By))}, {note}");
    }

    private KernelRow? Fitted(KernelOperator op, string gpu, string precision) =>
        _fitted.Find(f => f.Row.Operator == op && f.Row.Gpu == gpu && f.Row.Precision == precision)?.Row;

    private void Add<T>(KernelOperator op, string gpu, string precision, KernelFitGroup<T> fit, string note)
    {
        if (fit.Count < FewestSamples)
            return;
        var (constants, median, high) = fit.Solve();
        _fitted.Add(new FittedKernel(new KernelRow(op, gpu, precision, constants, _source(gpu), note), fit.Count, median, high));
    }

    /// <summary>At each shape the fastest sample, in the order in which shapes came.</summary>
    internal static List<T> Fastest<T, TShape>(IEnumerable<T> all, Func<T, TShape> shape, Func<T, double> seconds)
        where TShape : notnull
    {
        var best = new Dictionary<TShape, T>();
        foreach (var sample in all)
        {
            if (!best.TryGetValue(shape(sample), out var other) || seconds(sample) < seconds(other))
                best[shape(sample)] = sample;
        }

        return [.. best.Values];
    }

    internal static string Names(IEnumerable<string> by) =>
        string.Join(", ", by.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));
}

/// <summary>Memory on the chip that a repeated measurement keeps its data in, though a serving step would not.</summary>
internal static class Caches
{
    /// <summary>Bytes of the last-level cache, from the makers' architecture papers; zero where unknown.</summary>
    public static double Bytes(Accelerator gpu) => (gpu.Architecture.Split('+', ' ')[0], Kinship.IsStacked(gpu)) switch
    {
        ("Ampere", true) => 40e6,
        ("Hopper", _) => 50e6,
        ("Blackwell", true) => 126e6,
        ("Blackwell", _) => 128e6,
        ("Ada", _) => 96e6,
        _ => 0,
    };
}
