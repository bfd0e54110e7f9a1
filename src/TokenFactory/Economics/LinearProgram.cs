namespace TokenFactory.Economics;

/// <summary>The optimum of a linear programme.</summary>
/// <param name="Objective">The greatest value.</param>
/// <param name="Values">The variables at it.</param>
/// <param name="ShadowPrices">By how much the objective grows per unit of each limit.</param>
public sealed record LinearOptimum(double Objective, IReadOnlyList<double> Values, IReadOnlyList<double> ShadowPrices);

/// <summary>
/// Maximise c x subject to A x &lt;= b, x &gt;= 0 with b &gt;= 0: the primal simplex method on a dense tableau,
/// with Bland's rule so that it ends. Meant for the tens of variables of a site plan.
/// </summary>
public static class LinearProgram
{
    private const double Tolerance = 1e-9;

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
        var tableau = Tableau(objective, rows, limits);
        var basis = Enumerable.Range(objective.Count, rows.Count).ToArray();
        while (Entering(tableau) is { } column)
        {
            if (Leaving(tableau, basis, column) is not { } row)
                return null;
            Pivot(tableau, row, column);
            basis[row] = column;
        }

        return Read(tableau, basis, objective.Count);
    }

    /// <summary>One row per limit and the objective's row last; columns: variables, slacks, right-hand side.</summary>
    private static double[][] Tableau(IReadOnlyList<double> objective, IReadOnlyList<double[]> rows, IReadOnlyList<double> limits)
    {
        var (n, m) = (objective.Count, rows.Count);
        var tableau = new double[m + 1][];
        for (var i = 0; i < m; i++)
        {
            tableau[i] = new double[n + m + 1];
            rows[i].CopyTo(tableau[i], 0);
            tableau[i][n + i] = 1;
            tableau[i][^1] = limits[i];
        }

        tableau[m] = new double[n + m + 1];
        for (var j = 0; j < n; j++)
            tableau[m][j] = -objective[j];
        return tableau;
    }

    private static int? Entering(double[][] tableau)
    {
        var last = tableau[^1];
        for (var j = 0; j < last.Length - 1; j++)
        {
            if (last[j] < -Tolerance)
                return j;
        }

        return null;
    }

    private static int? Leaving(double[][] tableau, int[] basis, int column)
    {
        var (leaving, least) = (-1, double.PositiveInfinity);
        for (var i = 0; i < basis.Length; i++)
        {
            if (tableau[i][column] <= Tolerance)
                continue;
            var ratio = tableau[i][^1] / tableau[i][column];
            if (ratio < least || (ratio == least && basis[i] < basis[leaving]))
                (leaving, least) = (i, ratio);
        }

        return leaving < 0 ? null : leaving;
    }

    private static void Pivot(double[][] tableau, int row, int column)
    {
        var pivot = tableau[row];
        var divisor = pivot[column];
        for (var j = 0; j < pivot.Length; j++)
            pivot[j] /= divisor;
        for (var i = 0; i < tableau.Length; i++)
        {
            var factor = tableau[i][column];
            if (i == row || factor == 0)
                continue;
            for (var j = 0; j < pivot.Length; j++)
                tableau[i][j] -= factor * pivot[j];
        }
    }

    private static LinearOptimum Read(double[][] tableau, int[] basis, int variables)
    {
        var values = new double[variables];
        for (var i = 0; i < basis.Length; i++)
        {
            if (basis[i] < variables)
                values[basis[i]] = Math.Max(0, tableau[i][^1]);
        }

        var last = tableau[^1];
        return new LinearOptimum(last[^1], values, last[variables..^1]);
    }
}
