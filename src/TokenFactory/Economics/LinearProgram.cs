namespace TokenFactory.Economics;

/// <summary>The optimum of a linear programme.</summary>
/// <param name="Objective">The greatest value.</param>
/// <param name="Values">The variables at it.</param>
/// <param name="ShadowPrices">By how much the objective grows per unit of each limit.</param>
public sealed record LinearOptimum(double Objective, IReadOnlyList<double> Values, IReadOnlyList<double> ShadowPrices);

/// <summary>Maximise c x subject to A x &lt;= b, x &gt;= 0 with b &gt;= 0. Meant for the tens of variables of a site plan.</summary>
public static class LinearProgram
{
    /// <summary>Solves the programme.</summary>
    /// <param name="objective">c, one number per variable.</param>
    /// <param name="rows">A, one row per limit.</param>
    /// <param name="limits">b, none below zero.</param>
    /// <returns>Null where the objective grows without bound.</returns>
    /// <exception cref="ArgumentException">A limit is below zero.</exception>
    public static LinearOptimum? Maximise(IReadOnlyList<double> objective, IReadOnlyList<double[]> rows, IReadOnlyList<double> limits)
    {
        if (limits.Any(limit => !(limit >= 0)))
            throw new ArgumentException("Limits are zero or more.", nameof(limits));
        var anything = (0.0, double.PositiveInfinity);
        var simplex = new BoundedSimplex(
            [.. objective.Select(value => -value)], rows, limits, [.. rows.Select(_ => anything)], [.. objective.Select(_ => anything)]);
        return simplex.Solve() switch
        {
            SimplexStatus.Optimal => Read(simplex, objective.Count, rows.Count),
            SimplexStatus.Unbounded => null,
            var status => throw new InvalidOperationException($"Zero keeps every limit, yet the programme ended {status}."),
        };
    }

    private static LinearOptimum Read(BoundedSimplex simplex, int variables, int rows) => new(
        -simplex.Objective,
        [.. Enumerable.Range(0, variables).Select(j => Math.Max(0, simplex.Value(j)))],
        [.. Enumerable.Range(0, rows).Select(i => -simplex.ShadowPrice(i))]);
}
