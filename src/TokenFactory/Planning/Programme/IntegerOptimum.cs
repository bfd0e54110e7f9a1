namespace TokenFactory.Planning.Programme;

/// <summary>How a solve ended.</summary>
public enum ProgrammeStatus
{
    /// <summary>The answer is the best there is, within the gap asked for.</summary>
    Optimal,

    /// <summary>The limit of nodes was reached; the answer is the best found, and the bound says how far from the best it may be.</summary>
    Feasible,

    /// <summary>The limit of nodes was reached before any answer was found.</summary>
    Unknown,

    /// <summary>No values keep every row and bound.</summary>
    Infeasible,

    /// <summary>The objective falls for ever.</summary>
    Unbounded,
}

/// <summary>When to stop.</summary>
public sealed record SolveLimits
{
    /// <summary>Linear programmes solved at most.</summary>
    public int Nodes { get; init; } = 200_000;

    /// <summary>Relative distance between the answer and the bound that counts as optimal.</summary>
    public double Gap { get; init; } = 1e-9;
}

/// <summary>What a solve found.</summary>
public sealed record IntegerOptimum
{
    /// <summary>How it ended.</summary>
    public required ProgrammeStatus Status { get; init; }

    /// <summary>Objective of the answer; infinite where there is none.</summary>
    public double Objective { get; init; } = double.PositiveInfinity;

    /// <summary>The variables of the answer, whole ones exactly whole; empty where there is none.</summary>
    public IReadOnlyList<double> Values { get; init; } = [];

    /// <summary>No answer has an objective below this.</summary>
    public double Bound { get; init; } = double.NegativeInfinity;

    /// <summary>Linear programmes solved.</summary>
    public int Nodes { get; init; }

    /// <summary>
    /// By how much the objective changes per unit of each row's right-hand side, in the linear relaxation of the whole programme (the
    /// root): what a limit is worth before counts are rounded to whole ones. Empty where the relaxation has no optimum.
    /// </summary>
    public IReadOnlyList<double> ShadowPrices { get; init; } = [];

    /// <summary>Objective of the linear relaxation of the whole programme.</summary>
    public double Relaxation { get; init; } = double.NegativeInfinity;

    /// <summary>Whether there is an answer.</summary>
    public bool Found => Status is ProgrammeStatus.Optimal or ProgrammeStatus.Feasible;

    /// <summary>Distance between objective and bound over the objective; 0 where it is proven.</summary>
    public double Gap => Objective <= Bound ? 0
        : double.IsFinite(Objective - Bound) ? (Objective - Bound) / Math.Max(1e-12, Math.Abs(Objective))
        : double.PositiveInfinity;
}
