using TokenFactory.Planning.Programme;

namespace TokenFactory.Planning.Mix;

/// <summary>Why a problem has no mix: each limit is made elastic in turn, and the least by which it must give is found.</summary>
internal static class MixFeasibility
{
    public static MixInfeasibility Explain(MixProblem problem, SolveLimits? limits)
    {
        var hopeless = Hopeless(problem).ToList();
        if (hopeless.Count > 0)
            return new MixInfeasibility { Hopeless = hopeless };
        var candidates = Limits(problem).ToList();
        var alone = candidates
            .SelectMany(limit => Relax(problem, new Dictionary<MixLimit, double> { [limit] = 1 }, limits)).ToList();
        if (alone.Exists(relaxation => relaxation.Limit.Kind != MixLimitKind.Demand))
            return new MixInfeasibility { Alone = alone };
        var supply = candidates.Where(limit => limit.Kind != MixLimitKind.Demand)
            .ToDictionary(limit => limit, limit => 1 / Math.Max(1, Size(problem, limit)));
        return new MixInfeasibility { Alone = alone, Together = supply.Count > 1 ? Relax(problem, supply, limits) : [] };
    }

    private static IEnumerable<MixLimit> Hopeless(MixProblem problem)
    {
        for (var i = 0; i < problem.Buckets.Count; i++)
        {
            var bucket = problem.Buckets[i];
            if (bucket.RequestsPerSecond == 0 || (bucket.MayBeRefused && problem.Objective == MixObjective.Profit))
                continue;
            var able = problem.Options.Where(option => double.IsFinite(option.Loads[i])).ToList();
            if (able.Count == 0)
                yield return new MixLimit(MixLimitKind.Promise, bucket.Name);
            else if (able.TrueForAll(option => option.Interruptible && option.Domain == able[0].Domain)
                && Gone(problem, able[0].Domain) > bucket.LostTolerated)
                yield return new MixLimit(MixLimitKind.JointPreemption, bucket.Name);
        }
    }

    /// <summary>Share of the time in which a pool is gone.</summary>
    private static double Gone(MixProblem problem, string domain) =>
        problem.Options.Where(option => option.Interruptible && option.Domain == domain).Max(option => option.Unavailable);

    private static IEnumerable<MixLimit> Limits(MixProblem problem)
    {
        foreach (var stock in problem.Stocks.Keys.Order(StringComparer.Ordinal))
            yield return new MixLimit(MixLimitKind.Stock, stock);
        if (problem.MostUsdPerHour is not null)
            yield return new MixLimit(MixLimitKind.UsdPerHour);
        if (problem.MostWatts is not null)
            yield return new MixLimit(MixLimitKind.Watts);
        if (problem.MostGpus is not null)
            yield return new MixLimit(MixLimitKind.Gpus);
        foreach (var option in problem.Options.Where(option => option.Most is not null))
            yield return new MixLimit(MixLimitKind.Most, option.Name);
        yield return new MixLimit(MixLimitKind.Demand);
    }

    private static double Size(MixProblem problem, MixLimit limit) => limit.Kind switch
    {
        MixLimitKind.Stock => problem.Stocks[limit.Key],
        MixLimitKind.UsdPerHour => problem.MostUsdPerHour!.Value,
        MixLimitKind.Watts => problem.MostWatts!.Value,
        MixLimitKind.Gpus => problem.MostGpus!.Value,
        _ => problem.Options.First(option => option.Name == limit.Key).Most!.Value,
    };

    /// <summary>The least amounts by which these limits must give; none where that does not help.</summary>
    private static List<MixRelaxation> Relax(MixProblem problem, Dictionary<MixLimit, double> elastic, SolveLimits? limits)
    {
        var model = new MixModel(problem, [.. Enumerable.Range(0, problem.Options.Count)], elastic);
        var optimum = model.Programme.Solve(limits);
        if (!optimum.Found)
            return [];
        var proven = optimum.Status == ProgrammeStatus.Optimal;
        return [.. elastic.Keys.Select(limit => new MixRelaxation(limit, model.Given(limit, optimum), proven))
            .Where(relaxation => relaxation.By > 1e-9)];
    }
}
