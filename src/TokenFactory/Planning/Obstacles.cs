using TokenFactory.Performance.SteadyState;
using TokenFactory.Planning.Mix;
using TokenFactory.Planning.Search;

namespace TokenFactory.Planning;

/// <summary>Promises that no replica on offer keeps even for a lone request, and the least that one would keep.</summary>
internal static class Obstacles
{
    /// <summary>A share of the demand that is not worth telling.</summary>
    private const double NextToNothing = 0.01;

    /// <summary>What stands in a service's way before any fleet is put together.</summary>
    public static IEnumerable<Infeasibility> Of(ServiceSearch search)
    {
        var profile = search.Profile;
        if (profile.Requests == 0 || (profile.TooLongShare > ServiceRun.Unanswered && !search.Service.RejectsTooLong))
        {
            yield return new Infeasibility(
                Obstacle.Context,
                search.Service.Name,
                "",
                search.Service.Model.MaxContextTokens?.Value ?? 0,
                profile.LongestTokens,
                search.Service.Model.Key);
            yield break;
        }

        if (search.Count.Replicas == search.Count.Misfits)
        {
            yield return new Infeasibility(Obstacle.Memory, search.Service.Name, "", 0, null, "");
            yield break;
        }

        foreach (var promise in search.Service.Promises)
        {
            var buckets = search.Profile.Buckets.Select((bucket, i) => (bucket, i)).Where(pair => pair.bucket.Class == promise.Class)
                .Select(pair => pair.i).ToList();
            if (buckets.Count == 0 || search.Whole.Any(one => buckets.TrueForAll(i => one.Limits[i].Possible)) || Paired(search, buckets))
                continue;
            foreach (var (bound, time, given) in Times(promise))
            {
                if (Nearest(search, buckets, bound, time) is { } best && best.Seconds > given)
                    yield return new Infeasibility(OfBound(bound), search.Service.Name, promise.Class, given, best.Seconds, best.On);
            }
        }
    }

    /// <summary>Limits that forbid every fleet, each with the least that works by itself, or all together where none does.</summary>
    public static IEnumerable<Infeasibility> Of(MixAnswer answer, PlanAsk ask)
    {
        if (answer.Infeasible is not { } why)
            return [];
        return why.Hopeless
            .Select(limit => new Infeasibility(
                limit.Kind == MixLimitKind.JointPreemption ? Obstacle.Spot : Obstacle.Machines, "", ClassOf(limit.Key), 0, null, ""))
            .Distinct()
            .Concat(why.Alone.Concat(why.Together).Select(relaxation => Of(relaxation, ask))
                .Where(one => one.Obstacle != Obstacle.Demand || one.Needed > NextToNothing));
    }

    private static Infeasibility Of(MixRelaxation relaxation, PlanAsk ask)
    {
        var by = relaxation.By;
        return relaxation.Limit.Kind switch
        {
            MixLimitKind.Stock => Limit(
                Obstacle.Stock,
                ask.Supplies.First(supply => supply.StockKey == relaxation.Limit.Key).Stock!.Value,
                by,
                relaxation.Limit.Key),
            MixLimitKind.UsdPerHour => Limit(Obstacle.Budget, ask.Limits.UsdPerMonth!.Value, by * PlanLimits.HoursPerMonth, ""),
            MixLimitKind.Watts => Limit(Obstacle.Power, ask.Limits.MostWatts!.Value, by, ""),
            MixLimitKind.Gpus => Limit(Obstacle.Stock, ask.Limits.Gpus!.Value, by, ""),
            _ => new Infeasibility(Obstacle.Demand, "", "", 1, 1 - by, ""),
        };

        static Infeasibility Limit(Obstacle obstacle, double given, double by, string on) => new(obstacle, "", "", given, given + by, on);
    }

    /// <summary>The class in a bucket's name: "service class 3".</summary>
    private static string ClassOf(string bucket) => string.Join(' ', bucket.Split(' ')[1..^1]);

    private static bool Paired(ServiceSearch search, List<int> buckets) =>
        search.Prompts.Any(one => buckets.TrueForAll(i => one.Limits[i].Possible))
        && search.Answers.Any(one => buckets.TrueForAll(i => one.Limits[i].Possible));

    private static IEnumerable<(RateBound Bound, Func<RateLimit, LatencyTargets, double> Time, double Given)> Times(Promise promise)
    {
        if (promise.Targets.Ttft is { } ttft)
            yield return (
                RateBound.Ttft,
                (limit, targets) => Percentiles.OfFirstToken(limit.At, Arrival.OpenLoop).At(targets.TtftShare),
                ttft);
        if (promise.Targets.Tpot is { } tpot)
            yield return (RateBound.Tpot, (limit, _) => limit.At.Tpot, tpot);
        if (promise.Targets.EndToEnd is { } end)
            yield return (RateBound.EndToEnd, (limit, targets) => limit.At.EndToEnd * (end / (targets.EndToEnd ?? end)), end);
    }

    /// <summary>The least time that a lone request meets in the worst of the buckets, over all replicas.</summary>
    private static (double Seconds, string On)? Nearest(
        ServiceSearch search, List<int> buckets, RateBound bound, Func<RateLimit, LatencyTargets, double> time)
    {
        var best = search.Whole.Concat(search.Hopeless).Where(one => buckets.TrueForAll(i => one.Limits[i].Bound != RateBound.Misfit))
            .Select(one => (Worst: buckets.Max(i => one.Limits[i].Bound == bound || !one.Limits[i].Possible
                ? time(one.Limits[i], search.Targets[i])
                : 0), one.Deployment))
            .OrderBy(pair => pair.Worst).ToList();
        return best.Count == 0 ? null : (best[0].Worst, $"{best[0].Deployment.Gpus} x {best[0].Deployment.Gpu.Key}");
    }

    private static Obstacle OfBound(RateBound bound) => bound switch
    {
        RateBound.Ttft => Obstacle.Ttft,
        RateBound.Tpot => Obstacle.Tpot,
        _ => Obstacle.EndToEnd,
    };
}
