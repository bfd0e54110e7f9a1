using TokenFactory.Economics;

namespace TokenFactory.Planning.Programme;

/// <summary>
/// Branch and bound. The steps: (1) solve the linear relaxation; (2) round it to a first answer; (3) split on a variable that is not
/// whole, chosen by what its splits have cost so far, tried out where nothing is known (strong branching); (4) dive into the cheaper half
/// and keep the other, in the order of their bounds; (5) drop what cannot beat the answer; until nothing is left. One simplex goes
/// through the whole tree, from basis to basis: after a change of bounds only a few dual pivots are left.
/// </summary>
internal sealed class BranchAndBound
{
    private const double Wholeness = 1e-6;

    private readonly IntegerProgramme _programme;
    private readonly SolveLimits _limits;
    private readonly SearchBounds _bounds;
    private readonly BranchingHistory _history;
    private readonly Rounding _rounding;
    private readonly double _step;
    private readonly int[] _whole;
    private readonly BoundedSimplex _simplex;
    private readonly PriorityQueue<Branch, (double Bound, long Order)> _open = new();
    private double _best = double.PositiveInfinity;
    private double[] _values = [];
    private double _discarded = double.PositiveInfinity;
    private int _nodes;
    private long _order;

    public BranchAndBound(IntegerProgramme programme, SolveLimits limits)
    {
        (_programme, _limits) = (programme, limits);
        _whole = [.. Enumerable.Range(0, programme.Variables.Count).Where(j => programme.Variables[j].Whole)];
        _step = ObjectiveStep.Of(programme);
        _simplex = Simplex(programme);
        _bounds = new SearchBounds(programme, _simplex);
        _history = new BranchingHistory(programme.Variables.Count);
        _rounding = new Rounding(programme);
    }

    private double Slack => Math.Max(_limits.Gap * Math.Abs(_best), _step * (1 - 1e-6));

    /// <summary>What a branch must stay below to be of interest.</summary>
    private double CutOff => double.IsPositiveInfinity(_best) ? _best : _best - Slack;

    public IntegerOptimum Run()
    {
        var status = Relax(null);
        if (status == SimplexStatus.Infeasible)
            return new IntegerOptimum { Status = ProgrammeStatus.Infeasible, Bound = double.PositiveInfinity, Nodes = _nodes };
        if (status == SimplexStatus.Unbounded)
            return WithoutBound();
        var prices = Enumerable.Range(0, _programme.Rows.Count).Select(_simplex.ShadowPrice).ToArray();
        var relaxation = _simplex.Objective;
        if (status == SimplexStatus.Optimal)
        {
            _bounds.Remember(relaxation);
            Plunge(new Branch(null, -1, 0, false, double.NegativeInfinity, 0), solved: true);
        }
        else
        {
            _discarded = double.NegativeInfinity;
        }

        while (_nodes < _limits.Nodes && _open.TryDequeue(out var branch, out _))
        {
            if (branch.Bound < CutOff)
                Plunge(branch, solved: false);
            else
                Discard(branch.Bound);
        }

        return Answer(relaxation, prices);
    }

    private IntegerOptimum Answer(double relaxation, double[] prices)
    {
        var open = _open.Count > 0 ? _open.UnorderedItems.Min(item => item.Priority.Bound) : double.PositiveInfinity;
        var bound = Math.Min(_best, Math.Min(open, _discarded));
        var found = double.IsFinite(_best);
        if (found && _best - bound <= Math.Max(2e-9 * Math.Max(1, Math.Abs(_best)), _step * (1 - 1e-6)))
            bound = _best;
        var proven = found ? _best - bound <= (_limits.Gap * Math.Abs(_best)) + 1e-9 : double.IsPositiveInfinity(bound);
        return new IntegerOptimum
        {
            Status = (found, proven) switch
            {
                (true, true) => ProgrammeStatus.Optimal,
                (true, false) => ProgrammeStatus.Feasible,
                (false, true) => ProgrammeStatus.Infeasible,
                _ => ProgrammeStatus.Unknown,
            },
            Objective = _best,
            Values = _values,
            Bound = bound,
            Nodes = _nodes,
            ShadowPrices = prices,
            Relaxation = relaxation,
        };
    }

    /// <summary>A relaxation that falls for ever: the programme does too, unless no whole values keep its rows.</summary>
    private IntegerOptimum WithoutBound()
    {
        var plain = new IntegerProgramme();
        foreach (var variable in _programme.Variables)
            _ = variable.Whole ? plain.Whole(0, variable.Lower, variable.Upper) : plain.Continuous(0, variable.Lower, variable.Upper);
        foreach (var row in _programme.Rows)
            plain.Row(row.Terms, row.Sense, row.Right);
        var feasible = plain.Solve(_limits);
        return new IntegerOptimum
        {
            Status = feasible.Found ? ProgrammeStatus.Unbounded : feasible.Status,
            Bound = feasible.Status == ProgrammeStatus.Infeasible ? double.PositiveInfinity : double.NegativeInfinity,
            Nodes = _nodes + feasible.Nodes,
        };
    }

    /// <summary>Follows a branch down until it ends.</summary>
    private void Plunge(Branch start, bool solved)
    {
        for (var branch = start; branch is not null; solved = false)
        {
            var status = solved ? SimplexStatus.Optimal : Relax(branch);
            if (status == SimplexStatus.CutOff)
                Discard(CutOff);
            else if (status == SimplexStatus.Stalled)
                _discarded = Math.Min(_discarded, branch.Bound);
            branch = status == SimplexStatus.Optimal ? Descend(branch) : null;
            if (_nodes >= _limits.Nodes && branch is not null)
                Keep(branch);
            if (_nodes >= _limits.Nodes)
                return;
        }
    }

    /// <summary>Splits a branch whose relaxation has just been solved.</summary>
    /// <returns>The half to go on with; null where it ends here.</returns>
    private Branch? Descend(Branch branch)
    {
        var bound = Math.Max(branch.Bound, _simplex.Objective);
        if (branch.Variable >= 0 && double.IsFinite(branch.Bound))
            _history.Learn(branch.Variable, branch.Up, branch.Distance, bound - branch.Bound);
        var point = _whole.ToDictionary(j => j, _simplex.Value);
        var split = point.Where(pair => Distance(pair.Value) > Wholeness).Select(pair => pair.Key).ToList();
        if (split.Count == 0)
            return Accept(branch, bound, point);
        if (branch.Depth <= 4 || branch.Depth % 8 == 0)
            Round(point);
        if (bound >= CutOff)
        {
            Discard(bound);
            return null;
        }

        var variable = Choose(branch, bound, point, split);
        return Split(branch, variable, Math.Floor(point[variable]), point[variable], bound);
    }

    private Branch Split(Branch branch, int variable, double floor, double value, double bound)
    {
        var down = new Branch(branch, variable, floor, false, bound, Math.Max(Wholeness, value - floor));
        var up = new Branch(branch, variable, floor + 1, true, bound, Math.Max(Wholeness, floor + 1 - value));
        var first = _history.Expected(variable, true, up.Distance) < _history.Expected(variable, false, down.Distance) ? up : down;
        Keep(first == up ? down : up);
        return first;
    }

    /// <summary>A relaxation of whole values: fixed at them, it is an answer. Where rounding spoils it, it is split.</summary>
    private Branch? Accept(Branch branch, double bound, Dictionary<int, double> point)
    {
        _bounds.Apply(branch);
        if (Try(point.ToDictionary(pair => pair.Key, pair => Math.Round(pair.Value) + 0.0)))
            return null;
        _bounds.Apply(branch);
        foreach (var (variable, value) in point.OrderByDescending(pair => Distance(pair.Value)))
        {
            var (lower, upper) = _bounds.Of(variable);
            if (upper > lower)
                return Split(branch, variable, Math.Round(value) < upper ? Math.Round(value) : upper - 1, value, bound);
        }

        return null;
    }

    private void Round(Dictionary<int, double> point)
    {
        if (_nodes < _limits.Nodes)
            Try(_rounding.Of(point));
    }

    /// <summary>Fixes the whole variables and solves for the rest; keeps the answer if it is the best.</summary>
    private bool Try(Dictionary<int, double> whole)
    {
        foreach (var (variable, value) in whole)
        {
            if (!_bounds.Fix(variable, value))
                return false;
        }

        _nodes++;
        var status = _simplex.Solve(_best);
        if (status != SimplexStatus.Optimal)
            return status == SimplexStatus.CutOff;
        var values = Enumerable.Range(0, _programme.Variables.Count)
            .Select(j => whole.TryGetValue(j, out var value) ? value : _simplex.Value(j)).ToArray();
        var objective = _programme.Objective(values);
        if (objective < _best)
        {
            (_best, _values) = (objective, values);
            if (_bounds.Tighten(CutOff))
                Discard(CutOff);
        }

        return true;
    }

    /// <summary>The variable whose halves promise the largest rise of the bound; those without a history are tried out first.</summary>
    private int Choose(Branch branch, double bound, Dictionary<int, double> point, List<int> split)
    {
        const int Tried = 8;
        var fresh = split.Where(j => !_history.Known(j)).OrderByDescending(j => Distance(point[j])).ThenBy(j => j).Take(Tried).ToList();
        foreach (var variable in fresh)
        {
            var floor = Math.Floor(point[variable]);
            TryOut(branch, variable, floor, false, point[variable] - floor, bound);
            TryOut(branch, variable, floor + 1, true, floor + 1 - point[variable], bound);
        }

        return split.MaxBy(j => _history.Score(j, point[j] - Math.Floor(point[j])));
    }

    private void TryOut(Branch branch, int variable, double value, bool up, double distance, double bound)
    {
        if (_nodes >= _limits.Nodes)
            return;
        var status = Relax(new Branch(branch, variable, value, up, bound, distance));
        var most = double.IsFinite(_best) ? _best - bound : Math.Max(1, Math.Abs(bound));
        _history.Learn(variable, up, distance, status == SimplexStatus.Optimal ? Math.Max(0, _simplex.Objective - bound) : most);
    }

    private SimplexStatus Relax(Branch? branch)
    {
        _nodes++;
        _bounds.Apply(branch);
        return _simplex.Solve(CutOff);
    }

    private void Keep(Branch branch) => _open.Enqueue(branch, (branch.Bound, _order++));

    /// <summary>Drops a part that has nothing below the bound: nothing below the next multiple of the step, then.</summary>
    private void Discard(double bound) =>
        _discarded = Math.Min(_discarded, _step > 0 ? Math.Ceiling((bound / _step) - 1e-7) * _step : bound);

    private static double Distance(double value) => Math.Abs(value - Math.Round(value));

    internal static BoundedSimplex Simplex(IntegerProgramme programme)
    {
        var dense = programme.Rows.Select(row =>
        {
            var factors = new double[programme.Variables.Count];
            foreach (var (variable, factor) in row.Terms)
                factors[variable] = factor;
            return factors;
        }).ToList();
        var slacks = programme.Rows.Select(row => row.Sense switch
        {
            RowSense.AtMost => (0.0, double.PositiveInfinity),
            RowSense.AtLeast => (double.NegativeInfinity, 0.0),
            _ => (0.0, 0.0),
        });
        return new BoundedSimplex(
            [.. programme.Variables.Select(variable => variable.Cost)], dense, [.. programme.Rows.Select(row => row.Right)], [.. slacks],
            [.. programme.Variables.Select(variable => (variable.Lower, variable.Upper))]);
    }
}
