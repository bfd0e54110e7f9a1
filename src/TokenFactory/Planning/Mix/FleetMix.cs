using TokenFactory.Planning.Programme;

namespace TokenFactory.Planning.Mix;

/// <summary>
/// The best mix of replicas for several services and classes of requests, exact: integer replicas, buckets split over options, stocks,
/// dollars, watts, spare replicas and pools that may be taken away. A superset of Melange, which has one service, no limits and no spot.
/// </summary>
public static class FleetMix
{
    private const double Rounding = 1e-7;

    /// <summary>The best mix, or why there is none.</summary>
    /// <param name="problem">What is asked for and what can be had.</param>
    /// <param name="limits">When to stop; null for the defaults.</param>
    /// <param name="prune">Whether to drop options first that others replace; changes no objective.</param>
    /// <exception cref="ArgumentException">An option without a load for each bucket, or a number below zero.</exception>
    public static MixAnswer Solve(MixProblem problem, SolveLimits? limits = null, bool prune = true)
    {
        Check(problem);
        var options = prune ? MixPruning.Keep(problem) : [.. Enumerable.Range(0, problem.Options.Count)];
        var model = new MixModel(problem, options);
        var optimum = model.Programme.Solve(limits);
        if (optimum.Found)
            return Read(problem, options, model, optimum);
        return new MixAnswer
        {
            Infeasible = optimum.Status == ProgrammeStatus.Infeasible ? MixFeasibility.Explain(problem, limits) : null,
            Proven = optimum.Status == ProgrammeStatus.Infeasible,
            Bound = optimum.Bound,
            Nodes = optimum.Nodes,
        };
    }

    /// <summary>The programme that a problem is solved as, to hand it to another solver (<see cref="LpFile"/>).</summary>
    /// <param name="problem">What is asked for and what can be had.</param>
    public static IntegerProgramme Programme(MixProblem problem)
    {
        Check(problem);
        return new MixModel(problem, MixPruning.Keep(problem)).Programme;
    }

    private static MixAnswer Read(MixProblem problem, List<int> options, MixModel model, IntegerOptimum optimum)
    {
        var assigned = problem.Buckets.Select(_ => new double[problem.Options.Count]).ToArray();
        foreach (var ((bucket, option), variable) in model.Shares)
        {
            var share = optimum.Values[variable];
            assigned[bucket][option] = share > Rounding ? share * problem.Buckets[bucket].RequestsPerSecond : 0;
        }

        var replicas = new int[problem.Options.Count];
        var needed = model.Needed(optimum);
        for (var at = 0; at < options.Count; at++)
            replicas[options[at]] = needed[at];
        var prices = Prices(problem, model, optimum);
        var answer = Account(problem, replicas, assigned);
        return answer with
        {
            Objective = problem.Objective switch
            {
                MixObjective.UsdPerHour => answer.UsdPerHour,
                MixObjective.Watts => answer.Watts,
                _ => answer.UsdPerHour - answer.RevenueUsdPerHour,
            },
            Bound = optimum.Bound,
            Gap = optimum.Gap,
            Proven = optimum.Status == ProgrammeStatus.Optimal,
            Nodes = optimum.Nodes,
            Prices = prices,
            Binding = [.. Binding(problem, answer, prices)],
        };
    }

    private static MixAnswer Account(MixProblem problem, int[] replicas, double[][] assigned)
    {
        double Sum(Func<MixOption, double> each) => problem.Options.Select((option, j) => replicas[j] * each(option)).Sum();
        var machines = problem.Machines.Sum(pair => pair.Value.UsdPerHour * pair.Value.For((int)Sum(option => option.Draw(pair.Key))));
        return new MixAnswer
        {
            Replicas = replicas,
            Assigned = assigned,
            UsdPerHour = Sum(option => option.UsdPerHour) + machines,
            PaidUsdPerHour = Sum(option => option.PaidUsdPerHour) + machines,
            Watts = Sum(option => option.Watts),
            RevenueUsdPerHour = problem.Buckets.Select((bucket, i) => 3600 * bucket.ValuePerRequest * assigned[i].Sum()).Sum(),
        };
    }

    /// <summary>Rows are minimised: more of a limit lowers the objective, more demand raises it.</summary>
    private static List<MixPrice> Prices(MixProblem problem, MixModel model, IntegerOptimum optimum)
    {
        var rates = problem.Buckets.ToLookup(bucket => bucket.Name, bucket => bucket.RequestsPerSecond, StringComparer.Ordinal);
        return [.. model.Rows.Select(row =>
        {
            var dual = optimum.ShadowPrices[row.Value];
            return new MixPrice(row.Key, row.Key.Kind == MixLimitKind.Demand ? dual / rates[row.Key.Key].First() : Math.Max(0, -dual));
        })];
    }

    private static IEnumerable<MixLimit> Binding(MixProblem problem, MixAnswer answer, List<MixPrice> prices)
    {
        foreach (var price in prices.Where(price => price.Limit.Kind != MixLimitKind.Demand))
        {
            var (left, smallest) = Left(problem, answer, price.Limit);
            if (price.PerUnit > 0 || left < smallest - Rounding)
                yield return price.Limit;
        }

        for (var j = 0; j < problem.Options.Count; j++)
        {
            if (problem.Options[j].Most is { } most && most > 0 && answer.Replicas[j] == most)
                yield return new MixLimit(MixLimitKind.Most, problem.Options[j].Name);
        }
    }

    /// <summary>What is left of a limit, and the least that another replica takes of it.</summary>
    private static (double Left, double Smallest) Left(MixProblem problem, MixAnswer answer, MixLimit limit)
    {
        Func<MixOption, double> draw = limit.Kind switch
        {
            MixLimitKind.Stock => option => option.Draw(limit.Key),
            MixLimitKind.UsdPerHour => option => option.UsdPerHour,
            MixLimitKind.Watts => option => option.Watts,
            _ => option => option.Gpus,
        };
        var most = limit.Kind switch
        {
            MixLimitKind.Stock => problem.Stocks[limit.Key],
            MixLimitKind.UsdPerHour => problem.MostUsdPerHour!.Value,
            MixLimitKind.Watts => problem.MostWatts!.Value,
            _ => problem.MostGpus!.Value,
        };
        var used = problem.Options.Select((option, j) => answer.Replicas[j] * draw(option)).Sum();
        return (most - used, problem.Options.Select(draw).Where(value => value > 0).DefaultIfEmpty(0).Min());
    }

    private static void Check(MixProblem problem)
    {
        foreach (var option in problem.Options)
        {
            if (option.Loads.Count != problem.Buckets.Count)
                throw new ArgumentException(
                    $"'{option.Name}' has {option.Loads.Count} loads for {problem.Buckets.Count} buckets.", nameof(problem));
            if (!(option.UsdPerHour >= 0) || !(option.Watts >= 0) || option.Gpus < 1 || option.Loads.Any(load => !(load >= 0)))
                throw new ArgumentException($"'{option.Name}' has a number below its least.", nameof(problem));
        }

        foreach (var bucket in problem.Buckets.Where(bucket => !(bucket.RequestsPerSecond >= 0)))
            throw new ArgumentException($"'{bucket.Name}' has {bucket.RequestsPerSecond} requests a second.", nameof(problem));
        if (problem.Options.Select(option => option.Name).Distinct(StringComparer.Ordinal).Count() < problem.Options.Count)
            throw new ArgumentException("Two options have the same name.", nameof(problem));
        if (problem.Buckets.Select(bucket => bucket.Name).Distinct(StringComparer.Ordinal).Count() < problem.Buckets.Count)
            throw new ArgumentException("Two buckets have the same name.", nameof(problem));
    }
}
