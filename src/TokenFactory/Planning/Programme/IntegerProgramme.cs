namespace TokenFactory.Planning.Programme;

/// <summary>How a row compares with its right-hand side.</summary>
public enum RowSense
{
    /// <summary>a x &lt;= b.</summary>
    AtMost,

    /// <summary>a x &gt;= b.</summary>
    AtLeast,

    /// <summary>a x = b.</summary>
    Equal,
}

/// <summary>A variable of a programme.</summary>
/// <param name="Name">For people and for files; need not be unique.</param>
/// <param name="Cost">What a unit of it adds to the objective.</param>
/// <param name="Lower">Its least value, finite.</param>
/// <param name="Upper">Its greatest value; infinite for none.</param>
/// <param name="Whole">Whether it takes whole numbers only.</param>
public readonly record struct ProgrammeVariable(string Name, double Cost, double Lower, double Upper, bool Whole);

/// <summary>A row of a programme: a sum of variables times factors, compared with a number.</summary>
/// <param name="Terms">Variables by their number, each at most once, with their factors.</param>
/// <param name="Sense">The comparison.</param>
/// <param name="Right">The number.</param>
public sealed record ProgrammeRow(IReadOnlyList<(int Variable, double Factor)> Terms, RowSense Sense, double Right);

/// <summary>
/// Minimise c x subject to rows and bounds, with some variables whole: a mixed-integer linear programme. It is solved exactly by branch
/// and bound on a bounded simplex (<see cref="BranchAndBound"/>), the same way each time: there is no clock, and a limit counts nodes.
/// </summary>
public sealed class IntegerProgramme
{
    private readonly List<ProgrammeVariable> _variables = [];
    private readonly List<ProgrammeRow> _rows = [];

    /// <summary>Its variables.</summary>
    public IReadOnlyList<ProgrammeVariable> Variables => _variables;

    /// <summary>Its rows.</summary>
    public IReadOnlyList<ProgrammeRow> Rows => _rows;

    /// <summary>Adds a variable of any value within its bounds.</summary>
    /// <returns>Its number.</returns>
    public int Continuous(double cost, double lower = 0, double upper = double.PositiveInfinity, string name = "x") =>
        Add(new ProgrammeVariable(name, cost, lower, upper, false));

    /// <summary>Adds a variable of whole values within its bounds.</summary>
    /// <returns>Its number.</returns>
    public int Whole(double cost, double lower = 0, double upper = double.PositiveInfinity, string name = "n") =>
        Add(new ProgrammeVariable(name, cost, Math.Ceiling(lower - 1e-9) + 0.0, Math.Floor(upper + 1e-9), true));

    /// <summary>Adds a row; factors of the same variable are summed.</summary>
    /// <returns>Its number.</returns>
    /// <exception cref="ArgumentException">A number that is none, or a variable that does not exist.</exception>
    public int Row(IEnumerable<(int Variable, double Factor)> terms, RowSense sense, double right)
    {
        var summed = terms.GroupBy(term => term.Variable)
            .Select(group => (Variable: group.Key, Factor: group.Sum(term => term.Factor))).Where(term => term.Factor != 0).ToList();
        if (summed.Any(term => !double.IsFinite(term.Factor) || (uint)term.Variable >= (uint)_variables.Count) || !double.IsFinite(right))
            throw new ArgumentException("A row has finite factors of variables that exist, and a finite right-hand side.", nameof(terms));
        _rows.Add(new ProgrammeRow(summed, sense, right));
        return _rows.Count - 1;
    }

    /// <summary>Solves the programme.</summary>
    /// <param name="limits">When to stop; null for the defaults.</param>
    public IntegerOptimum Solve(SolveLimits? limits = null) => new BranchAndBound(this, limits ?? new SolveLimits()).Run();

    /// <summary>Value of the objective.</summary>
    public double Objective(IReadOnlyList<double> values) => _variables.Select((variable, j) => variable.Cost * values[j]).Sum();

    private int Add(ProgrammeVariable variable)
    {
        if (!double.IsFinite(variable.Cost) || !double.IsFinite(variable.Lower) || double.IsNaN(variable.Upper))
            throw new ArgumentException($"Variable '{variable.Name}' needs a finite cost and lower bound.", nameof(variable));
        _variables.Add(variable);
        return _variables.Count - 1;
    }
}
