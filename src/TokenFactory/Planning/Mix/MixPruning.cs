namespace TokenFactory.Planning.Mix;

/// <summary>
/// Drops options that another can replace in every mix. An option gives way where so many replicas of the other cost no more dollars,
/// watts and GPUs of any limited stock than one of its own, and serve each bucket as well; where the other comes in any number; and where
/// the other cannot be taken away, or only with it. Taking the other's replicas for its own then keeps every row of the
/// programme, so that a winner is never lost.
/// </summary>
internal static class MixPruning
{
    private const int MostForOne = 8;

    /// <summary>Numbers of the options that are left.</summary>
    public static List<int> Keep(MixProblem problem)
    {
        var kept = Enumerable.Range(0, problem.Options.Count)
            .Where(j => problem.Options[j].Least > 0 || Serves(problem, problem.Options[j])).ToList();
        foreach (var j in kept.ToList())
        {
            if (kept.Exists(other => other != j && GivesWay(problem, problem.Options[j], problem.Options[other])))
                kept.Remove(j);
        }

        return kept;
    }

    private static bool Serves(MixProblem problem, MixOption option) =>
        Enumerable.Range(0, problem.Buckets.Count).Any(i => problem.Buckets[i].RequestsPerSecond > 0 && double.IsFinite(option.Loads[i]));

    private static bool GivesWay(MixProblem problem, MixOption option, MixOption other)
    {
        if (option.Least > 0 || other.Most is not null || !AsSafe(option, other))
            return false;
        for (var count = 1; count <= MostForOne; count++)
        {
            if (count * other.UsdPerHour > option.UsdPerHour || count * other.Watts > option.Watts || count * other.Gpus > option.Gpus)
                return false;
            if (!DrawsNoMore(problem, option, other, count))
                return false;
            if (ServesAsWell(problem, option, other, count))
                return true;
        }

        return false;
    }

    private static bool AsSafe(MixOption option, MixOption other) => !other.Interruptible
        || (option.Interruptible && other.Domain == option.Domain && other.Unavailable == option.Unavailable);

    private static bool DrawsNoMore(MixProblem problem, MixOption option, MixOption other, int count) => other.Draws.All(draw =>
        (!problem.Stocks.ContainsKey(draw.Key) && !problem.Machines.ContainsKey(draw.Key)) || count * draw.Value <= option.Draw(draw.Key));

    private static bool ServesAsWell(MixProblem problem, MixOption option, MixOption other, int count)
    {
        for (var i = 0; i < problem.Buckets.Count; i++)
        {
            if (problem.Buckets[i].RequestsPerSecond > 0 && other.Loads[i] > count * option.Loads[i])
                return false;
        }

        return true;
    }
}
