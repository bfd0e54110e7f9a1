using TokenFactory.Economics;
using TokenFactory.Planning.Programme;

namespace TokenFactory.Planning.Schedule;

/// <summary>
/// What commitments are worth when replicas are not rounded: the cost of all hours is then a convex function of the GPUs committed. It is
/// built from below by its tangents (Benders' cuts): every hour's linear programme gives its cost and the price of each commitment there,
/// and a small whole programme over the tangents proposes the next commitments. Its optimum is a bound for every schedule.
/// </summary>
internal sealed class CommitmentBound
{
    private const int MostRounds = 60;
    private const double Enough = 1e-5;

    private readonly ScheduleProblem _problem;
    private readonly YearHours _hours;
    private readonly BoundedSimplex _simplex;
    private readonly HourVariables _variables;
    private readonly int[] _columns;
    private readonly double[] _reduced;

    public CommitmentBound(ScheduleProblem problem, YearHours hours, HourProgramme hour)
    {
        (_problem, _hours) = (problem, hours);
        var programme = new IntegerProgramme();
        _columns = [.. problem.Commitments.Select(_ => programme.Continuous(0, 0, 0))];
        _variables = hour.Add(programme, [.. problem.Services.Select(_ => (0.0, 0.0))], 1, _columns, whole: false);
        _simplex = BranchAndBound.Simplex(programme);
        _reduced = new double[programme.Variables.Count];
    }

    /// <summary>No schedule costs less; and the whole commitments that cost least when replicas are not rounded.</summary>
    public (double Bound, int[] Gpus) Solve(IReadOnlyList<double> useful)
    {
        var master = new IntegerProgramme();
        var gpus = _problem.Commitments
            .Select((c, k) => master.Whole(c.Fixed * _problem.Hours, 0, Math.Min(c.Most ?? double.PositiveInfinity, useful[k]))).ToArray();
        var rest = master.Continuous(1);
        var (bound, best, at) = (0.0, double.PositiveInfinity, new int[gpus.Length]);
        var point = new int[gpus.Length];
        for (var round = 0; round < MostRounds; round++)
        {
            var (cost, slopes) = Hours(point);
            var total = cost + point.Select((count, k) => count * _problem.Commitments[k].Fixed * _problem.Hours).Sum();
            if (total < best)
                (best, at) = (total, point);
            var reach = cost - slopes.Select((slope, k) => slope * point[k]).Sum();
            master.Row(slopes.Select((slope, k) => (gpus[k], -slope)).Append((rest, 1)), RowSense.AtLeast, reach);
            var next = master.Solve(new SolveLimits { Nodes = 2000, Gap = Enough / 10 });
            bound = Math.Max(bound, next.Bound);
            if (best - bound <= Enough * best || !next.Found)
                break;
            var proposed = gpus.Select(k => (int)next.Values[k]).ToArray();
            if (proposed.SequenceEqual(point))
                break;
            point = proposed;
        }

        return (bound, at);
    }

    /// <summary>Cost of all hours under commitments, without their fixed part, and its slope in each of them.</summary>
    private (double Cost, double[] Slopes) Hours(int[] gpus)
    {
        for (var c = 0; c < gpus.Length; c++)
        {
            var count = gpus[c] + _problem.Commitments[c].Already;
            _simplex.Bound(_columns[c], count, count);
        }

        var (cost, slopes) = (0.0, new double[gpus.Length]);
        foreach (var (demand, weight) in _hours.Distinct)
        {
            for (var s = 0; s < demand.Length; s++)
            {
                _simplex.Bound(_variables.Firm[s], demand[s].Firm, demand[s].Firm);
                _simplex.Bound(_variables.All[s], demand[s].All, demand[s].All);
            }

            if (_simplex.Solve() != SimplexStatus.Optimal)
                throw new InvalidOperationException("What is left unserved is free to grow, so an hour has an optimum.");
            cost += weight * _simplex.Objective;
            _simplex.ReducedCosts(_reduced);
            for (var c = 0; c < gpus.Length; c++)
                slopes[c] += weight * _reduced[_columns[c]];
        }

        return (cost, slopes);
    }
}

/// <summary>The hours of a year, those that are alike taken together.</summary>
internal sealed class YearHours
{
    private readonly int[] _kind;

    public YearHours(ScheduleProblem problem)
    {
        var kinds = new Dictionary<string, int>(StringComparer.Ordinal);
        var distinct = new List<((double Firm, double All)[] Demand, int Weight)>();
        _kind = new int[problem.Hours];
        foreach (var hour in Enumerable.Range(0, problem.Hours).OrderBy(h => problem.Services.Sum(service => service.All(h))))
        {
            var demand = problem.Services.Select(service => (service.Firm[hour], service.All(hour))).ToArray();
            var key = string.Join(' ', demand.Select(d => FormattableString.Invariant($"{d.Item1:R} {d.Item2:R}")));
            if (kinds.TryAdd(key, distinct.Count))
                distinct.Add((demand, 0));
            _kind[hour] = kinds[key];
            distinct[_kind[hour]] = (demand, distinct[_kind[hour]].Weight + 1);
        }

        Distinct = distinct;
    }

    /// <summary>Demand per service (firm, and all) and how many hours have it, in the order of all demand together.</summary>
    public IReadOnlyList<((double Firm, double All)[] Demand, int Weight)> Distinct { get; }

    /// <summary>Which of <see cref="Distinct"/> an hour is.</summary>
    public int Kind(int hour) => _kind[hour];
}
