using TokenFactory.Planning.Search;

namespace TokenFactory.Planning;

/// <summary>A kind of fleet, whatever its size.</summary>
/// <param name="At">The fleet that carries so many times the traffic in closed form; null where a limit forbids it.</param>
internal sealed record FleetKind(Func<double, Finalist?> At);

/// <summary>Puts fleets together of what the sweeps left.</summary>
internal sealed class FleetChoice
{
    private const double Rounding = 1e-9;

    private readonly PlanAsk _ask;
    private readonly IReadOnlyList<ServiceSearch> _searches;
    private readonly FleetBuilder _builder;
    private readonly FleetMixer _mixer;
    private readonly Lazy<IReadOnlyList<(Finalist Fleet, FleetKind Kind)>> _uniform;

    public FleetChoice(PlanAsk ask, PlanKnowledge knowledge, IReadOnlyList<ServiceSearch> searches, bool offloads = false)
    {
        (_ask, _searches) = (ask, searches);
        _builder = new FleetBuilder(ask, knowledge, searches, offloads);
        _mixer = new FleetMixer(ask, searches);
        _uniform = new Lazy<IReadOnlyList<(Finalist Fleet, FleetKind Kind)>>(() => [.. Uniform()]);
    }

    /// <summary>The best of a kind; null where there is none within the limits.</summary>
    public FleetKind? Kind(string look) =>
        _uniform.Value.Where(one => one.Fleet.Units[0].Unit.Look == look).Select(one => one.Kind).FirstOrDefault();

    /// <summary>The kinds worth a run in the twin: the best of each choice of GPUs, size of replica and split, the best first.</summary>
    public IEnumerable<FleetKind> Kinds() =>
        _uniform.Value.GroupBy(one => one.Fleet.Units[0].Unit.Look).Select(group => group.First())
            .OrderBy(one => one.Fleet.Weighs(_ask.Objective)).ThenBy(one => one.Fleet.Gpus)
            .Select(one => one.Kind);

    /// <summary>Fleets of one kind of unit, the best first.</summary>
    public IReadOnlyList<Finalist> Alternatives(int most) => [.. _uniform.Value.Select(one => one.Fleet).Take(most)];

    /// <summary>The best mix of all units for all services, in whole replicas.</summary>
    /// <param name="factors">How many times its traffic each service plans for.</param>
    public MixedFleet Mix(IReadOnlyList<double> factors) => _mixer.Of(factors, 0);

    /// <summary>The fleet of a mix; null where there is none.</summary>
    public Finalist? Mixed(IReadOnlyList<double> factors)
    {
        var bare = _mixer.Of(factors, 0);
        var whole = _ask.Spare == 0 ? bare : _mixer.Of(factors, _ask.Spare);
        if (!bare.Answer.Found || !whole.Answer.Found || whole.Chosen.Count == 0 || Within(bare.Chosen, whole.Chosen) is not { } fleet)
            return null;
        return fleet with
        {
            Gap = whole.Answer.Gap,
            Served = _ask.Objective == PlanObjective.Profit ? Served(whole.Answer.Assigned) : fleet.Served,
        };
    }

    private ServedTokens Served(IReadOnlyList<IReadOnlyList<double>> assigned)
    {
        var (sum, row) = (default(ServedTokens), 0);
        foreach (var search in _searches)
        {
            foreach (var bucket in search.Profile.Buckets)
                sum = sum.And(search.Serving(bucket, assigned[row++].Sum()));
        }

        return sum;
    }

    /// <summary>Fleets of a single service that are made of one kind of unit, within the limits.</summary>
    private IEnumerable<(Finalist Fleet, FleetKind Kind)> Uniform()
    {
        if (_searches.Count != 1)
            return [];
        var search = _searches[0];
        var whole = search.WholeUnits(search.Firm(_ask.Supplies)).Select(unit => (Unit: unit, Kind: new FleetKind(at => Fleet(unit, search, at))));
        var split = search.SplitUnits(search.Firm(_ask.Supplies), 1, _ask.Objective)
            .Select(unit => (Unit: unit, Kind: new FleetKind(at => Split(unit, search, at))));
        return whole.Concat(split)
            .Select(one => (Fleet: one.Kind.At(1), one.Kind))
            .Where(one => one.Fleet is not null)
            .OrderBy(one => one.Fleet!.Weighs(_ask.Objective)).ThenBy(one => one.Fleet!.Gpus)
            .Select(one => (one.Fleet!, one.Kind));
    }

    private Finalist? Fleet(PlanUnit unit, ServiceSearch search, double factor)
    {
        var needed = unit.Needed(search.Profile) * factor;
        if (!double.IsFinite(needed))
            return null;
        var count = Math.Max(1, (int)Math.Ceiling(needed - Rounding));
        return Within([new Chosen(unit, count)], [new Chosen(unit, count + Spare(search))]);
    }

    /// <summary>The same pools of prompts and answers, as large as the factor asks.</summary>
    private Finalist? Split(PlanUnit unit, ServiceSearch search, double factor)
    {
        return Within([new Chosen(Pools(0), 1)], [new Chosen(Pools(Spare(search)), 1)]);

        PlanUnit Pools(int spare)
        {
            var pools = unit.Pools.Select(pool => pool with
            {
                Replicas = Math.Max(1, (int)Math.Ceiling((pool.Candidate.Replicas(search.Profile) * factor) - Rounding)) + spare,
            }).ToList();
            return PlanUnit.Of(search.Index, pools[0], pools[1], search.Profile.Buckets.Count);
        }
    }

    private int Spare(ServiceSearch search) => search.Service.Promises.Any(promise => !promise.Interruptible) ? _ask.Spare : 0;

    /// <summary>The fleet, unless a limit forbids it.</summary>
    /// <param name="proven">What must carry the traffic.</param>
    /// <param name="units">The same with what is held in reserve.</param>
    private Finalist? Within(IReadOnlyList<Chosen> proven, IReadOnlyList<Chosen> units)
    {
        var design = _builder.Of(units);
        var (limits, fleet) = (_ask.Limits, new Finalist
        {
            Design = design,
            Proven = _ask.Spare == 0 ? design : _builder.Of(proven),
            Units = units,
            Served = _searches.Aggregate(default(ServedTokens), (sum, search) => sum.And(search.ServingAll)),
        });
        var bought = fleet.Bought.GroupBy(
            one => one.Supply.StockKey,
            (_, same) => (Stock: same.First().Supply.Stock, Gpus: same.Sum(one => one.Paid)));
        var within = bought.All(one => one.Gpus <= (one.Stock ?? int.MaxValue))
            && fleet.Gpus <= (limits.Gpus ?? int.MaxValue)
            && fleet.MarginalUsdPerHour <= (limits.UsdPerHour ?? double.PositiveInfinity)
            && fleet.FullWatts <= (limits.MostWatts ?? double.PositiveInfinity);
        return within ? fleet : null;
    }
}
