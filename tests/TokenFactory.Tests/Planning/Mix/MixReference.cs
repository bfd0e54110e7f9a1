using TokenFactory.Economics;
using TokenFactory.Planning.Mix;

namespace TokenFactory.Tests.Planning.Mix;

/// <summary>
/// The best mix by trying every number of replicas and, for spare replicas, every set of options with promised work. For each, one linear
/// programme of another form asks how much can be served.
/// </summary>
internal static class MixReference
{
    private const double Must = 1e5;

    /// <summary>The least objective; infinite where there is no mix.</summary>
    public static double Least(MixProblem problem)
    {
        var most = problem.Options.Select(option => Most(problem, option)).ToArray();
        var counts = problem.Options.Select(option => option.Least).ToArray();
        var all = new List<(double Cost, int[] Replicas)>();
        while (true)
        {
            if (Within(problem, counts))
                all.Add((Cost(problem, counts), [.. counts]));
            var digit = 0;
            while (digit < counts.Length && ++counts[digit] > most[digit])
                counts[digit] = problem.Options[digit++].Least;
            if (digit == counts.Length)
                break;
        }

        var (best, richest) = (double.PositiveInfinity, problem.Objective == MixObjective.Profit ? problem.Buckets.Sum(Revenue) : 0);
        foreach (var (cost, replicas) in all.OrderBy(entry => entry.Cost))
        {
            if (cost - richest >= best)
                break;
            if (Served(problem, replicas) is { } revenue)
                best = Math.Min(best, cost - (problem.Objective == MixObjective.Profit ? revenue : 0));
        }

        return best;
    }

    /// <summary>Whether these replicas keep stocks, dollars, watts and GPUs.</summary>
    public static bool Within(MixProblem problem, int[] replicas)
    {
        double Sum(Func<MixOption, double> each) => problem.Options.Select((option, j) => replicas[j] * each(option)).Sum();
        return problem.Stocks.All(stock => Taken(problem, stock.Key, replicas) <= stock.Value)
            && !(Sum(option => option.UsdPerHour) + Machines(problem, replicas) > problem.MostUsdPerHour + 1e-9)
            && !(Sum(option => option.Watts) > problem.MostWatts + 1e-9)
            && !(Sum(option => option.Gpus) > problem.MostGpus);
    }

    private static double Cost(MixProblem problem, int[] replicas) => problem.Options
        .Select((option, j) => replicas[j] * (problem.Objective == MixObjective.Watts ? option.Watts : option.UsdPerHour)).Sum()
        + (problem.Objective == MixObjective.Watts ? 0 : Machines(problem, replicas));

    /// <summary>What whole machines cost, counted one by one.</summary>
    private static double Machines(MixProblem problem, int[] replicas) => problem.Machines.Sum(pair =>
        Rented(problem, pair.Key, problem.Options.Select((option, j) => replicas[j] * option.Draws.GetValueOrDefault(pair.Key)).Sum())
        / pair.Value.Gpus * pair.Value.UsdPerHour);

    /// <summary>GPUs of a stock that are used one by one, or rented in machines that count to it.</summary>
    private static int Taken(MixProblem problem, string stock, int[] replicas)
    {
        int Used(string key) => problem.Options.Select((option, j) => replicas[j] * option.Draws.GetValueOrDefault(key)).Sum();
        var taken = problem.Machines.ContainsKey(stock) ? 0 : Used(stock);
        foreach (var (key, machine) in problem.Machines)
            taken += (machine.Stock ?? key) == stock ? Rented(problem, key, Used(key)) : 0;
        return taken;
    }

    /// <summary>GPUs that are rented where so many are used.</summary>
    private static int Rented(MixProblem problem, string stock, int gpus)
    {
        var rented = gpus;
        while (problem.Machines.TryGetValue(stock, out var machine) && rented % machine.Gpus != 0)
            rented++;
        return rented;
    }

    private static double Revenue(MixBucket bucket) => 3600 * bucket.RequestsPerSecond * bucket.ValuePerRequest;

    private static int Most(MixProblem problem, MixOption option)
    {
        var work = problem.Buckets.Select((bucket, i) => double.IsFinite(option.Loads[i]) ? bucket.RequestsPerSecond * option.Loads[i] : 0).Sum();
        return Math.Max(option.Least, Math.Min(option.Most ?? int.MaxValue, (int)Math.Ceiling(work) + problem.Spare));
    }

    /// <summary>The most revenue that these replicas can bring; null where they cannot serve what they must.</summary>
    private static double? Served(MixProblem problem, int[] replicas)
    {
        double? best = null;
        var sets = problem.Spare > 0 ? 1 << replicas.Length : 1;
        for (var set = 0; set < sets; set++)
        {
            var left = replicas.Select((count, j) => problem.Spare == 0 ? count : (set >> j & 1) == 0 ? 0 : count - problem.Spare).ToArray();
            if (left.All(count => count >= 0) && new Programme(problem, replicas, left).Best() is { } revenue)
                best = Math.Max(best ?? revenue, revenue);
        }

        return best;
    }

    /// <summary>Maximise what is served, normally and without each pool that is gone too often.</summary>
    private sealed class Programme(MixProblem problem, int[] replicas, int[] promised)
    {
        private readonly List<(int Scenario, int Bucket, int Option)> _shares = [];
        private readonly List<double[]> _rows = [];
        private readonly List<double> _limits = [];

        public double? Best()
        {
            var pools = problem.Options.Where(option => option.Interruptible).Select(option => option.Pool).Distinct().ToList();
            for (var s = 0; s <= pools.Count; s++)
                AddShares(s, s == 0 ? null : pools[s - 1]);
            var needed = 0;
            for (var s = 0; s <= pools.Count; s++)
                needed += AddRows(s, s == 0 ? null : pools[s - 1]);
            var objective = _shares.Select(share => (Refusable(share.Bucket) ? 0 : Must)
                + (share.Scenario == 0 ? Revenue(problem.Buckets[share.Bucket]) : 0)).ToList();
            var optimum = LinearProgram.Maximise(objective, _rows, _limits)!;
            var served = _shares.Select((share, k) => Refusable(share.Bucket) ? 0 : optimum.Values[k]).Sum();
            return served < needed - 1e-7 ? null
                : _shares.Select((share, k) => share.Scenario == 0 ? optimum.Values[k] * Revenue(problem.Buckets[share.Bucket]) : 0).Sum();
        }

        private bool Refusable(int bucket) => problem.Objective == MixObjective.Profit && problem.Buckets[bucket].MayBeRefused;

        private bool Strict(int bucket, string? pool) => problem.Buckets[bucket].RequestsPerSecond > 0 && (pool is null
            || problem.Buckets[bucket].LostTolerated < problem.Options.Where(o => o.Interruptible && o.Pool == pool).Max(o => o.Unavailable));

        private void AddShares(int scenario, string? pool)
        {
            for (var i = 0; i < problem.Buckets.Count; i++)
            {
                for (var j = 0; j < replicas.Length; j++)
                {
                    var option = problem.Options[j];
                    if (Strict(i, pool) && double.IsFinite(option.Loads[i]) && (pool is null || !option.Interruptible || option.Pool != pool))
                        _shares.Add((scenario, i, j));
                }
            }
        }

        private int AddRows(int scenario, string? pool)
        {
            var must = 0;
            for (var i = 0; i < problem.Buckets.Count; i++)
            {
                var bucket = i;
                if (!Strict(i, pool))
                    continue;
                must += Refusable(i) ? 0 : 1;
                Row(share => share.Scenario == scenario && share.Bucket == bucket ? 1 : 0, 1);
                if (Refusable(i) && scenario > 0)
                    Row(share => share.Bucket != bucket ? 0 : share.Scenario == 0 ? 1 : share.Scenario == scenario ? -1 : 0, 0);
            }

            for (var j = 0; j < replicas.Length; j++)
            {
                var option = j;
                Row(share => share.Scenario == scenario && share.Option == option ? Load(share.Bucket, option) : 0, replicas[j]);
                if (scenario == 0)
                    Row(share => share.Scenario == 0 && share.Option == option && problem.Buckets[share.Bucket].LostTolerated < 1 ? Load(share.Bucket, option) : 0, promised[j]);
            }

            return must;
        }

        private double Load(int bucket, int option) => problem.Options[option].Loads[bucket] * problem.Buckets[bucket].RequestsPerSecond;

        private void Row(Func<(int Scenario, int Bucket, int Option), double> weight, double limit)
        {
            _rows.Add([.. _shares.Select(weight)]);
            _limits.Add(limit);
        }
    }
}
