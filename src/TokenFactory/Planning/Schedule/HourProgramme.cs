using TokenFactory.Planning.Programme;

namespace TokenFactory.Planning.Schedule;

/// <summary>One hour as a programme: replicas by shape and way to pay, for firm and all work, within commitments and stock.</summary>
internal sealed class HourProgramme
{
    private readonly ScheduleProblem _problem;
    private readonly Dictionary<string, HourlyGpu> _hourly;
    private readonly bool[] _densest;

    public HourProgramme(ScheduleProblem problem)
    {
        _problem = problem;
        _hourly = problem.Hourly.ToDictionary(gpu => gpu.Gpu, StringComparer.Ordinal);
        _densest = [.. problem.Shapes.Select((shape, k) => problem.Shapes.Index()
            .Where(other => other.Item.Service == shape.Service && other.Item.Gpu == shape.Gpu)
            .MaxBy(other => other.Item.RequestsPerSecond / other.Item.Gpus).Index == k)];
        Services = [.. problem.Services.Select((service, s) => s)];
        Uses = [.. Enumerable.Range(0, problem.Shapes.Count).SelectMany(UsesOf)];
        Prices = [.. Uses.Select(Price)];
        var committed = problem.Commitments.SelectMany(c => problem.Shapes.Select(shape => c.Fixed * shape.Gpus));
        var least = problem.Shapes.Select(shape => shape.RequestsPerSecond).DefaultIfEmpty(1).Min();
        Penalty = 10 * (1 + problem.Hours) * (Prices.Concat(committed).DefaultIfEmpty(0).Max() + 1) / least;
    }

    /// <summary>Numbers of the services.</summary>
    public IReadOnlyList<int> Services { get; }

    /// <summary>What a replica can be and how it can be paid for.</summary>
    public IReadOnlyList<ReplicaUse> Uses { get; }

    /// <summary>Dollars per replica and hour of each use.</summary>
    public IReadOnlyList<double> Prices { get; }

    /// <summary>Dollars per request a second left unserved for an hour: ten times what the dearest replica costs for all hours.</summary>
    public double Penalty { get; }

    /// <summary>Adds an hour to a programme.</summary>
    /// <param name="programme">The programme.</param>
    /// <param name="demand">Per service, requests a second: firm, and all.</param>
    /// <param name="weight">How many such hours there are.</param>
    /// <param name="committed">Variables: GPUs committed, by commitment.</param>
    /// <param name="whole">
    /// Whether replicas are whole. Where they are not, the shape that serves most per GPU is as good as all of a service and GPU together,
    /// as every price is per GPU; the others are left out.
    /// </param>
    /// <returns>The variables: uses, then firm demand and all demand of each service, then what is left unserved of each.</returns>
    public HourVariables Add(
        IntegerProgramme programme,
        IReadOnlyList<(double Firm, double All)> demand,
        double weight,
        IReadOnlyList<int> committed,
        bool whole)
    {
        var uses = Uses.Select((use, u) => whole ? programme.Whole(weight * Prices[u], 0, Most(use, demand))
            : _densest[use.Shape] ? programme.Continuous(weight * Prices[u]) : -1).ToArray();
        var firm = demand.Select(d => programme.Continuous(0, d.Firm, d.Firm)).ToArray();
        var all = demand.Select(d => programme.Continuous(0, d.All, d.All)).ToArray();
        var unserved = Services.Select(s => Always(s) ? programme.Continuous(0, 0, 0) : programme.Continuous(weight * Penalty)).ToArray();
        foreach (var s in Services)
        {
            var served = Uses.Select((use, u) => (Use: use, Term: (uses[u], _problem.Shapes[use.Shape].RequestsPerSecond)))
                .Where(item => item.Term.Item1 >= 0 && _problem.Shapes[item.Use.Shape].Service == _problem.Services[s].Name).ToList();
            var kept = served.Where(item => !item.Use.Spot).Select(item => item.Term);
            programme.Row([.. kept, (firm[s], -1), (unserved[s], 1)], RowSense.AtLeast, 0);
            programme.Row([.. served.Select(item => item.Term), (all[s], -1), (unserved[s], 1)], RowSense.AtLeast, 0);
        }

        for (var c = 0; c < committed.Count; c++)
            programme.Row(Gpus(uses, use => use.Commitment == c).Append((committed[c], -1)), RowSense.AtMost, 0);
        foreach (var gpu in _problem.Hourly.Where(gpu => gpu.MostGpus is not null))
        {
            var rented = Gpus(uses, use => use.Commitment < 0 && _problem.Shapes[use.Shape].Gpu == gpu.Gpu);
            programme.Row(rented, RowSense.AtMost, gpu.MostGpus!.Value);
        }

        return new HourVariables(uses, firm, all, unserved);
    }

    /// <summary>Whether as much of the service can be had on demand as is asked for.</summary>
    private bool Always(int service) => Uses.Any(use => use.OnDemand
        && _problem.Shapes[use.Shape].Service == _problem.Services[service].Name
        && _hourly[_problem.Shapes[use.Shape].Gpu].MostGpus is null);

    private double Most(ReplicaUse use, IReadOnlyList<(double Firm, double All)> demand)
    {
        var shape = _problem.Shapes[use.Shape];
        var s = Services.First(s => _problem.Services[s].Name == shape.Service);
        return Math.Ceiling((demand[s].All / shape.RequestsPerSecond) + 1e-6);
    }

    private IEnumerable<(int, double)> Gpus(int[] uses, Func<ReplicaUse, bool> which) =>
        Uses.Select((use, u) => (use, u)).Where(item => uses[item.u] >= 0 && which(item.use))
            .Select(item => (uses[item.u], (double)_problem.Shapes[item.use.Shape].Gpus));

    private IEnumerable<ReplicaUse> UsesOf(int shape)
    {
        for (var c = 0; c < _problem.Commitments.Count; c++)
        {
            if (_problem.Commitments[c].Gpu == _problem.Shapes[shape].Gpu)
                yield return new ReplicaUse(shape, c, false);
        }

        if (!_hourly.TryGetValue(_problem.Shapes[shape].Gpu, out var hourly))
            yield break;
        if (hourly.OnDemand is not null)
            yield return new ReplicaUse(shape, -1, false);
        if (hourly.Spot is not null)
            yield return new ReplicaUse(shape, -1, true);
    }

    private double Price(ReplicaUse use)
    {
        var shape = _problem.Shapes[use.Shape];
        return shape.Gpus * (use.Commitment >= 0 ? _problem.Commitments[use.Commitment].WhileUsed
            : use.Spot ? _hourly[shape.Gpu].Spot!.Value : _hourly[shape.Gpu].OnDemand!.Value);
    }
}

/// <summary>The variables of an hour.</summary>
/// <param name="Uses">Replicas by use; below zero where a use is left out.</param>
/// <param name="Firm">Firm demand of each service: fixed.</param>
/// <param name="All">All demand of each service: fixed.</param>
/// <param name="Unserved">What is left unserved of each service.</param>
internal sealed record HourVariables(int[] Uses, int[] Firm, int[] All, int[] Unserved);
