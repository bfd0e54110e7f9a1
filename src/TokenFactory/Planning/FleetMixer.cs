using TokenFactory.Planning.Mix;
using TokenFactory.Planning.Programme;
using TokenFactory.Planning.Search;

namespace TokenFactory.Planning;

/// <summary>A fleet mix for all services: what was found, and of which units.</summary>
/// <param name="Answer">The answer of the integer programme, in the order of the units.</param>
/// <param name="Units">What it could choose among.</param>
internal sealed record MixedFleet(MixAnswer Answer, IReadOnlyList<PlanUnit> Units)
{
    /// <summary>The units that were chosen.</summary>
    public IReadOnlyList<Chosen> Chosen =>
        [
            .. Answer.Replicas.Select((count, i) => (count, i))
                .Where(pair => pair.count > 0)
                .Select(pair => new Chosen(Units[pair.i], pair.count)),
        ];
}

/// <summary>Puts the sweeps of all services into one integer programme, and its answer back into units.</summary>
internal sealed class FleetMixer(PlanAsk ask, IReadOnlyList<ServiceSearch> searches)
{
    /// <summary>Linear programmes that a mix may cost: beyond them the best found is taken, with its gap.</summary>
    private const int MostNodes = 1000;

    /// <summary>Linear programmes times shares that a mix may cost.</summary>
    private const int MostWork = 200_000;

    /// <summary>Relative distance to the bound that counts as the optimum: far finer than what is known of speeds.</summary>
    private const double Gap = 1e-4;

    /// <summary>Shares that a mix may choose among; with more, only the cheapest units of each supply compete.</summary>
    private const int MostShares = 1500;

    private const int FewestUnits = 8;
    private const double ClearlyLess = 0.9;

    /// <summary>The best mix that carries so many times the traffic of each service.</summary>
    /// <param name="factors">By service.</param>
    /// <param name="spare">Replicas in reserve.</param>
    public MixedFleet Of(IReadOnlyList<double> factors, int spare)
    {
        var units = searches.SelectMany((search, i) => Best(search, Units(search, factors[i]))).ToList();
        return new MixedFleet(FleetMix.Solve(Problem(units, factors, spare), new SolveLimits { Nodes = Nodes(units), Gap = Gap }), units);
    }

    /// <summary>
    /// Replicas that do prompts and answers, or, where that is clearly better for the service by itself, pools of their own: a service has
    /// one of the two, as routers send a request either way.
    /// </summary>
    private List<PlanUnit> Units(ServiceSearch search, double factor)
    {
        var whole = search.WholeUnits(ask.Supplies).ToList();
        // A pair is made for all of the traffic: it fills no site.
        var pairs = whole.Count == 0 || (searches.Count > 1 && ask.Objective != PlanObjective.Profit);
        var split = pairs ? search.SplitUnits(search.Firm(ask.Supplies), factor * Scale(search), ask.Objective).ToList() : [];
        if (split.Count == 0 || whole.Count == 0)
            return whole.Count == 0 ? split : whole;
        var together = whole.Min(unit => Whole(unit) * unit.Weighs(ask.Objective));
        return split.Min(unit => unit.Weighs(ask.Objective)) < together * ClearlyLess ? split : whole;

        double Whole(PlanUnit unit) => Math.Ceiling(unit.Needed(search.Profile) * factor * Scale(search));
    }

    private int Nodes(List<PlanUnit> units)
    {
        var shares = units.Count * searches.Sum(search => search.Profile.Buckets.Count) * (1 + Pools(units));
        return Math.Clamp(MostWork / Math.Max(1, shares), 50, MostNodes);
    }

    private static int Pools(IEnumerable<PlanUnit> units) => units.SelectMany(unit => unit.Pools)
        .Where(pool => pool.Supply.Unavailable > 0).Select(pool => Domain(pool.Supply)).Distinct().Count();

    /// <summary>
    /// The units of a service that compete: of each GPU, size, precision and supply the one that carries the traffic for least, so that a
    /// fleet has no two of a kind that differ in an engine's flag; of those all where the programme stays small, else the cheapest, the
    /// best of each supply always.
    /// </summary>
    private List<PlanUnit> Best(ServiceSearch search, List<PlanUnit> units)
    {
        var pools = Pools(units);
        var buckets = searches.Sum(one => one.Profile.Buckets.Count);
        var most = Math.Max(FewestUnits, MostShares / Math.Max(1, buckets * (1 + pools) * searches.Count));
        var ordered = units.OrderByDescending(Able).ThenBy(Cost).DistinctBy(unit => (unit.Look, Supplied(unit))).ToList();
        if (ordered.Count <= most)
            return ordered;
        var first = ordered.GroupBy(Supplied, StringComparer.Ordinal)
            .Select(group => group.First()).OrderByDescending(Able).ThenBy(Cost).Take(most).ToList();
        return [.. first.Concat(ordered.Except(first)).Take(most)];

        static string Supplied(PlanUnit unit) => string.Join('+', unit.Pools.Select(pool => pool.Supply.Key));

        int Able(PlanUnit unit) => unit.Loads.Count(double.IsFinite);

        double Cost(PlanUnit unit) => unit.Weighs(ask.Objective)
            * search.Profile.Buckets
                .Select((bucket, i) => double.IsFinite(unit.Loads[i]) ? bucket.RequestsPerSecond * unit.Loads[i] : 0)
                .Sum();
    }

    private static string Domain(Supply supply) => $"{supply.Gpu.Key} {supply.Provider} {supply.Region}";

    /// <summary>The integer programme over these units.</summary>
    public MixProblem Problem(IReadOnlyList<PlanUnit> units, IReadOnlyList<double> factors, int spare)
    {
        var limits = ask.Limits;
        return new MixProblem
        {
            Options = [.. units.Select(Option)],
            Buckets = [.. searches.SelectMany(
                (search, i) => search.Profile.Buckets.Select((bucket, b) => Bucket(search, bucket, b, factors[i])))],
            Stocks = ask.Supplies.Where(supply => supply.Stock is not null).DistinctBy(supply => supply.StockKey)
                .ToDictionary(supply => supply.StockKey, supply => supply.Stock!.Value, StringComparer.Ordinal),
            Machines = ask.Supplies.Where(ByMachine).DistinctBy(supply => supply.Key).ToDictionary(
                supply => supply.Key,
                supply => new MixMachine(supply.GpusPerInstance, supply.GpusPerInstance * supply.Marginal.Value) { Stock = supply.StockKey },
                StringComparer.Ordinal),
            MostUsdPerHour = limits.UsdPerHour,
            MostWatts = limits.MostWatts,
            MostGpus = limits.Gpus,
            Spare = spare,
            Objective = ask.Objective switch
            {
                PlanObjective.TokensPerWatt => MixObjective.Watts,
                PlanObjective.Profit => MixObjective.Profit,
                _ => MixObjective.UsdPerHour,
            },
        };
    }

    private MixOption Option(PlanUnit unit, int index)
    {
        var spot = unit.Pools.Where(pool => pool.Supply.Unavailable > 0).Select(pool => pool.Supply).ToList();
        var watts = ask.Objective == PlanObjective.TokensPerWatt || ask.Limits.MostWatts is not null;
        return new MixOption
        {
            Name = $"{index}",
            Gpu = unit.Pools[0].Candidate.Deployment.Gpu.Key,
            Gpus = unit.Gpus,
            UsdPerHour = unit.Pools.Where(pool => !ByMachine(pool.Supply)).Sum(pool => pool.Gpus * pool.Supply.Marginal.Value),
            PaidUsdPerHour = unit.PaidUsdPerHour,
            Watts = watts ? unit.FacilityWatts : 0,
            Loads = [.. searches.SelectMany(search => search.Profile.Buckets.Select((_, b) =>
                search.Index == unit.Service ? unit.Loads[b] : double.PositiveInfinity))],
            Draws = unit.Pools.GroupBy(pool => ByMachine(pool.Supply) ? pool.Supply.Key : pool.Supply.StockKey, StringComparer.Ordinal)
                .ToDictionary(same => same.Key, same => same.Sum(pool => pool.Gpus), StringComparer.Ordinal),
            Interruptible = spot.Count > 0,
            Pool = spot.Count > 0 ? Domain(spot[0]) : "",
            Unavailable = spot.Select(supply => supply.Unavailable).DefaultIfEmpty().Max(),
            Most = unit.Disaggregated ? 1 : null,
        };
    }

    private static bool ByMachine(Supply supply) => supply.GpusPerInstance > 1 && !supply.Sunk;

    private MixBucket Bucket(ServiceSearch search, LengthBucket bucket, int index, double factor)
    {
        var promise = search.PromiseOf(bucket);
        var value = (bucket.OutputTokens * (promise.UsdPerMillionOutput ?? 0)) + (bucket.InputTokens * (promise.UsdPerMillionInput ?? 0));
        return new MixBucket
        {
            Name = $"{search.Service.Name} {bucket.Class} {index}",
            Service = search.Service.Name,
            RequestsPerSecond = bucket.RequestsPerSecond * factor * Scale(search),
            LostTolerated = promise.LostTolerated,
            ValuePerRequest = value / 1e6,
            MayBeRefused = ask.Objective == PlanObjective.Profit,
        };
    }

    /// <summary>
    /// How many times its traffic a service with unlimited demand could be asked: more than all power or GPUs would serve.
    /// </summary>
    public double Scale(ServiceSearch search)
    {
        if (!search.Service.Unlimited || ask.Objective != PlanObjective.Profit)
            return 1;
        var needs = search.WholeUnits(ask.Supplies).Select(unit => (Unit: unit, Needed: unit.Needed(search.Profile)))
            .Where(one => double.IsFinite(one.Needed) && one.Needed > 0).ToList();
        if (needs.Count == 0)
            return 1;
        return Math.Max(1, Math.Min(
            ask.Limits.MostWatts is { } watts ? watts / needs.Min(one => one.Needed * one.Unit.FacilityWatts) : double.PositiveInfinity,
            ask.Limits.Gpus is { } gpus ? gpus / needs.Min(one => one.Needed * one.Unit.Gpus) : double.PositiveInfinity));
    }
}
