namespace TokenFactory.Performance.Kernels;

/// <summary>Which measurements of routed experts to fit, and what uneven load costs.</summary>
internal static class ExpertsChoice
{
    private const double MuchFaster = 1.5;
    private const double ManyTokens = 512;

    /// <summary>
    /// The fastest kernels under even load; those under uneven load on one rank where nothing else was measured, or where they are more
    /// than 1.5 times faster: then the kernels measured under even load were not the ones to use.
    /// </summary>
    public static (List<ExpertsSample> Samples, string Note) Choose(List<ExpertsSample> all)
    {
        var even = Best(all.Where(s => s.Even));
        var uneven = Best(all.Where(s => !s.Even && s.Ranks == 1));
        if (uneven.Count == 0 || (even.Count > 0 && Advantage(even, uneven) < MuchFaster))
            return (even, "balanced routing");
        return (uneven, "power-law routing on one rank" + (even.Count > 0 ? ", since those measured balanced are far slower" : ""));
    }

    /// <summary>
    /// Median over many tokens of uneven over even time of the same kernel, at several ranks where measured; null where never.
    /// </summary>
    public static double? Imbalance(List<ExpertsSample> all)
    {
        var even = new Dictionary<ExpertsSample, double>();
        foreach (var sample in all.Where(s => s.Even && s.Tokens >= ManyTokens))
            even[Shape(sample) with { Kernel = sample.Kernel }] = sample.Seconds;
        var ratios = (from sample in all
                      where !sample.Even && sample.Tokens >= ManyTokens
                      let shape = Shape(sample) with { Kernel = sample.Kernel }
                      where even.ContainsKey(shape)
                      select (sample.Ranks, Ratio: sample.Seconds / even[shape])).ToList();
        double[] spread = [.. ratios.Where(r => r.Ranks > 1).Select(r => r.Ratio).Order()];
        if (spread.Length == 0)
            spread = [.. ratios.Select(r => r.Ratio).Order()];
        return spread.Length == 0 ? null : Math.Max(1, KernelFitGroup<double>.Quantile(spread, 0.5));
    }

    /// <summary>Geometric mean of even over uneven time where both were measured.</summary>
    private static double Advantage(List<ExpertsSample> even, List<ExpertsSample> uneven)
    {
        var times = even.ToDictionary(Shape, s => s.Seconds);
        double[] logs = [.. uneven.Where(s => times.ContainsKey(Shape(s))).Select(s => Math.Log(times[Shape(s)] / s.Seconds))];
        return logs.Length == 0 ? 1 : Math.Exp(logs.Average());
    }

    private static List<ExpertsSample> Best(IEnumerable<ExpertsSample> samples) => KernelFit.Fastest(samples, Shape, s => s.Seconds);

    private static ExpertsSample Shape(ExpertsSample sample) => sample with { Even = true, Kernel = "", By = "", Seconds = 0 };
}
