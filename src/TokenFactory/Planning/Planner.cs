using TokenFactory.Planning.Search;

namespace TokenFactory.Planning;

/// <summary>
/// Finds the fleet that serves what is asked for least, in three passes: a sweep of replicas in closed form, with bounds; fleets put
/// together of what is left, exactly; and the twin, which replays the user's own traffic on the best of them and sizes them.
/// </summary>
/// <param name="knowledge">What is known beside the ask.</param>
/// <param name="progress">Told what is being done; returns whether to go on. An empty text only asks.</param>
public sealed class Planner(PlanKnowledge knowledge, Func<string, bool>? progress = null)
{
    /// <summary>Kinds of fleet that are shown beside the best.</summary>
    public const int MostAlternatives = 200;

    private const int MostRounds = 12;
    private const double Growth = 1.12;

    /// <summary>Share of the prompt tokens that come again above which a larger prefix cache is tried.</summary>
    private const double WorthCaching = 0.1;

    /// <summary>The answer.</summary>
    /// <exception cref="OperationCanceledException">The progress was told to stop.</exception>
    public PlanAnswer Solve(PlanAsk ask)
    {
        var searches = Searches(ask);
        var obstacles = searches.SelectMany(Obstacles.Of).ToList();
        if (obstacles.Count > 0)
            return new PlanAnswer { Ask = ask, Searches = searches, Finalists = [], Alternatives = [], Infeasible = obstacles };
        return Solve(ask, searches);
    }

    /// <summary>The answer from sweeps that were made before: prices, limits and demand may have changed since, replicas may not.</summary>
    public PlanAnswer Solve(PlanAsk ask, IReadOnlyList<ServiceSearch> searches)
    {
        var answer = Within(ask, searches);
        if (answer.Infeasible.Count == 0)
            return answer;
        var least = new LeastThatWorks(ask, relaxed => Within(relaxed, searches).Best);
        IReadOnlyList<Infeasibility> infeasible = answer.Infeasible[0].Obstacle == Obstacle.Twin
            ? [.. answer.Infeasible, .. least.Hidden()]
            : least.Of(answer.Infeasible);
        return least.Within is { } fleet
            ? answer with { Finalists = [fleet, .. answer.Finalists], Infeasible = [] }
            : answer with { Infeasible = infeasible };
    }

    /// <summary>The answer within the limits as they are.</summary>
    private PlanAnswer Within(PlanAsk ask, IReadOnlyList<ServiceSearch> searches)
    {
        var fleets = new FleetChoice(ask, knowledge, searches);
        var twin = new TwinCheck(ask, knowledge, searches, progress);
        var finalists = new List<Finalist>();
        if (Mixed(ask, fleets, twin, searches) is { } mixed)
            finalists.Add(mixed);
        foreach (var kind in ask.Objective == PlanObjective.Profit ? [] : fleets.Kinds().Take(ask.Finalists))
        {
            if ((ask.TwinRequests == 0 ? kind.At(1) : twin.Smallest(kind.At)) is { } sized)
                finalists.Add(sized);
        }

        if (Offloaded(ask, finalists, twin, searches) is { } offloaded)
            finalists.Add(offloaded);
        var ordered = finalists.OrderByDescending(fleet => fleet.Kept).ThenBy(fleet => fleet.Weighs(ask.Objective))
            .ThenBy(fleet => fleet.Design.Pools.Count).ThenBy(fleet => fleet.Gpus).DistinctBy(Same).ToList();
        return new PlanAnswer
        {
            Ask = ask,
            Searches = searches,
            Finalists = ordered,
            Alternatives = fleets.Alternatives(MostAlternatives),
            TwinRuns = twin.Runs,
            Infeasible = ordered.Count == 0
                ? [.. Obstacles.Of(fleets.Mix([.. searches.Select(_ => 1.0)]).Answer, ask)]
                : ordered[0].Runs.Count > 0 && !ordered[0].Kept ? [new Infeasibility(Obstacle.Twin, "", "", 0, null, "")] : [],
        };
    }

    /// <summary>
    /// The best mix of all units, sized by the twin: for one service like any kind of fleet, for several by asking more of the closed form
    /// for those whose promises break, until none does.
    /// </summary>
    private static Finalist? Mixed(PlanAsk ask, FleetChoice fleets, TwinCheck twin, IReadOnlyList<ServiceSearch> searches)
    {
        if (ask.TwinRequests == 0 || ask.Objective == PlanObjective.Profit)
            return fleets.Mixed([.. searches.Select(_ => 1.0)]);
        if (searches.Count == 1)
            return twin.Smallest(factor => fleets.Mixed([factor]));
        var factors = searches.Select(_ => 1.0).ToArray();
        for (var round = 0; ; round++)
        {
            if (fleets.Mixed(factors) is not { } fleet)
                return null;
            var checkedFleet = twin.Of(fleet with { Factor = factors.Max() });
            if (checkedFleet.Kept || round == MostRounds)
                return checkedFleet;
            foreach (var run in checkedFleet.Runs.Where(run => !run.Kept))
                factors[run.Service] *= Growth;
        }
    }

    /// <summary>
    /// The best kind so far with copies of its prefix caches in host memory, where prompts begin alike often enough; null where that saves
    /// nothing.
    /// </summary>
    private Finalist? Offloaded(PlanAsk ask, List<Finalist> finalists, TwinCheck twin, IReadOnlyList<ServiceSearch> searches)
    {
        var best = finalists.Where(fleet => fleet.Kept && fleet.Units.Count == 1).MinBy(fleet => fleet.Weighs(ask.Objective));
        if (best is null || searches.Count > 1 || searches[0].Service.Space.HostCacheBytesPerGpu <= 0
            || searches[0].Profile.Buckets.All(bucket => bucket.CachedShare < WorthCaching))
        {
            return null;
        }

        var kind = new FleetChoice(ask, knowledge, searches, offloads: true).Kind(best.Units[0].Unit.Look);
        return kind is not null && twin.Smallest(kind.At) is { Kept: true } fleet
            && fleet.Weighs(ask.Objective) < best.Weighs(ask.Objective)
            ? fleet
            : null;
    }

    /// <summary>The smallest fleet of a kind that keeps the promises; null where the kind is not to be had.</summary>
    /// <param name="ask">What is asked.</param>
    /// <param name="searches">Sweeps for it.</param>
    /// <param name="look">The kind, as <see cref="PlanUnit.Look"/> tells it.</param>
    public Finalist? Sized(PlanAsk ask, IReadOnlyList<ServiceSearch> searches, string look) =>
        new FleetChoice(ask, knowledge, searches).Kind(look) is { } kind
            ? new TwinCheck(ask, knowledge, searches, progress).Smallest(kind.At)
            : null;

    /// <summary>The sweeps of all services.</summary>
    public IReadOnlyList<ServiceSearch> Searches(PlanAsk ask)
    {
        var gpus = ask.Supplies.Select(supply => supply.Gpu).DistinctBy(gpu => gpu.Key).ToList();
        var sweep = new Sweep(knowledge.Calibration, knowledge.Kernels, knowledge.Site)
        {
            Prunes = ask.Prunes,
            CountsWatts = ask.Objective != PlanObjective.Cost || ask.Limits.MostWatts is not null,
            Pue = ask.Pue,
        };
        return [.. ask.Services.Select((service, i) => ServiceSearch.Of(service, i, ask, sweep, gpus))];
    }

    /// <summary>What makes two fleets the same: a mix may turn out to be of one kind.</summary>
    private static string Same(Finalist fleet) => string.Join(
        '+', fleet.Design.Pools.Select(pool =>
            $"{pool.Order.Replicas} {pool.Order.Name} {pool.Order.Deployment.Parallelism} "
            + $"{pool.Order.Deployment.TokenBudget} {pool.Provider}"));
}
