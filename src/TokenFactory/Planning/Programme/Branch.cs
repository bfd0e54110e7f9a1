using TokenFactory.Economics;

namespace TokenFactory.Planning.Programme;

/// <summary>A part of the search: all that its ancestors' splits leave, with one split more.</summary>
/// <param name="parent">The part that it was split from; null for the whole.</param>
/// <param name="variable">What was split; below zero for the whole.</param>
/// <param name="value">The variable's new bound.</param>
/// <param name="up">Whether that is a lower bound.</param>
/// <param name="bound">No answer in it has an objective below this.</param>
/// <param name="distance">How far the split moves the variable.</param>
internal sealed class Branch(Branch? parent, int variable, double value, bool up, double bound, double distance)
{
    public Branch? Parent => parent;

    public int Variable => variable;

    public double Value => value;

    public bool Up => up;

    public double Bound => bound;

    public double Distance => distance;

    /// <summary>Splits above it.</summary>
    public int Depth { get; } = parent is null ? 0 : parent.Depth + 1;
}

/// <summary>The bounds of the whole variables, of the whole search and of the branch in hand.</summary>
internal sealed class SearchBounds
{
    private readonly BoundedSimplex _simplex;
    private readonly int[] _whole;
    private readonly double[] _rootLower;
    private readonly double[] _rootUpper;
    private readonly double[] _lower;
    private readonly double[] _upper;
    private readonly double[] _reduced;
    private double _relaxation = double.NegativeInfinity;

    public SearchBounds(IntegerProgramme programme, BoundedSimplex simplex)
    {
        _simplex = simplex;
        _whole = [.. Enumerable.Range(0, programme.Variables.Count).Where(j => programme.Variables[j].Whole)];
        _rootLower = [.. programme.Variables.Select(variable => variable.Lower)];
        _rootUpper = [.. programme.Variables.Select(variable => variable.Upper)];
        (_lower, _upper) = ([.. _rootLower], [.. _rootUpper]);
        _reduced = new double[programme.Variables.Count];
    }

    public (double Lower, double Upper) Of(int variable) => (_lower[variable], _upper[variable]);

    /// <summary>Remembers the reduced costs of the relaxation of the whole.</summary>
    public void Remember(double relaxation)
    {
        _relaxation = relaxation;
        _simplex.ReducedCosts(_reduced);
    }

    /// <summary>Hands the bounds of a branch to the simplex.</summary>
    public void Apply(Branch? branch)
    {
        foreach (var j in _whole)
            (_lower[j], _upper[j]) = (_rootLower[j], _rootUpper[j]);
        for (var at = branch; at is { Variable: >= 0 }; at = at.Parent)
        {
            if (at.Up)
                _lower[at.Variable] = Math.Max(_lower[at.Variable], at.Value);
            else
                _upper[at.Variable] = Math.Min(_upper[at.Variable], at.Value);
        }

        foreach (var j in _whole)
            _simplex.Bound(j, _lower[j], _upper[j]);
    }

    /// <summary>Fixes a variable until the next branch.</summary>
    /// <returns>Whether its bounds at the root allow the value.</returns>
    public bool Fix(int variable, double value)
    {
        _simplex.Bound(variable, value, value);
        return value >= _rootLower[variable] && value <= _rootUpper[variable];
    }

    /// <summary>Drops values that no answer below the objective has: each unit off a bound costs at least its reduced cost.</summary>
    /// <returns>Whether there were any.</returns>
    public bool Tighten(double objective)
    {
        var tightened = false;
        foreach (var j in _whole)
        {
            var units = Math.Floor(((objective - _relaxation) / Math.Abs(_reduced[j])) + 1e-6);
            if (!(units < _rootUpper[j] - _rootLower[j]) || Math.Abs(_reduced[j]) <= 1e-9)
                continue;
            tightened = true;
            if (_reduced[j] > 0)
                _rootUpper[j] = _rootLower[j] + units;
            else
                _rootLower[j] = _rootUpper[j] - units;
        }

        return tightened;
    }
}
