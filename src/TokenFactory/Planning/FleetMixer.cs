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
        [.. Answer.Replicas.Select((count, i) => (count, i)).Where(pair => pair.count > 0).Select(pair => new Chosen(Units[pair.i], pair.count))];
}

/// <summary>Puts the sweeps of all services into one integer programme, and its answer back into units.</summary>
internal sealed class FleetMixer(PlanAsk ask, IReadOnlyList<ServiceSearch> searches)
{
    /// <summary>Linear programmes that a mix may cost: beyond them the best found is taken, with its gap.</summary>
    private const int MostNodes = 3000;

    /// <summary>The best mix that carries so many times the traffic of each service.</summary>
    /// <param name="factors">By service.</param>
    /// <param name="spare">Replicas in reserve.</param>
    public MixedFleet Of(IReadOnlyList<double> factors, int spare)
    {
        var units = searches.SelectMany((search, i) => search.WholeUnits(ask.Supplies)
            .Concat(search.SplitUnits(Firm(search), factors[i] * Scale(search), ask.Objective))).ToList();
        return new MixedFleet(FleetMix.Solve(Problem(units, factors, spare), new SolveLimits { Nodes = MostNodes }), units);
    }

    /// <summary>The integer programme over these units.</summary>
    public MixProblem Problem(IReadOnlyList<PlanUnit> units, IReadOnlyList<double> factors, int spare)
    {
        var limits = ask.Limits;
        return new MixProblem
        {
            Options = [.. units.Select(Option)],
            Buckets = [.. searches.SelectMany((search, i) => search.Profile.Buckets.Select((bucket, b) => Bucket(search, bucket, b, factors[i])))],
            Stocks = ask.Supplies.Where(supply => supply.Stock is not null).DistinctBy(supply => supply.Key)
                .ToDictionary(supply => supply.Key, supply => supply.Stock!.Value, StringComparer.Ordinal),
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
            UsdPerHour = unit.MarginalUsdPerHour,
            PaidUsdPerHour = unit.PaidUsdPerHour,
            Watts = watts ? unit.FacilityWatts : 0,
            Loads = [.. searches.SelectMany(search => search.Profile.Buckets.Select((_, b) =>
                search.Index == unit.Service ? unit.Loads[b] : double.PositiveInfinity))],
            Stocks = [.. unit.Pools.Select(pool => pool.Supply.Key).Distinct()],
            Interruptible = spot.Count > 0,
            Pool = spot.Count > 0 ? $"{spot[0].Gpu.Key} {spot[0].Provider} {spot[0].Region}" : "",
            Unavailable = spot.Select(supply => supply.Unavailable).DefaultIfEmpty().Max(),
            Most = unit.Disaggregated ? 1 : null,
        };
    }

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

    /// <summary>How many times its traffic a service with unlimited demand could be asked: more than all power or GPUs would serve.</summary>
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

    private List<Supply> Firm(ServiceSearch search)
    {
        var tolerated = search.Profile.Buckets.Select(bucket => search.PromiseOf(bucket).LostTolerated).Min();
        return [.. ask.Supplies.Where(supply => supply.Unavailable <= tolerated)];
    }
}
