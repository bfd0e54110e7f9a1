using MathNet.Numerics.LinearAlgebra.Double;

namespace TokenFactory.Performance.Calibration;

/// <summary>Coefficients, and which of them the rows decided.</summary>
/// <param name="Coefficients">The coefficients.</param>
/// <param name="Held">Whether a coefficient stayed at its prior because the rows do not identify it.</param>
internal sealed record Regression(double[] Coefficients, bool[] Held);

/// <summary>
/// Robust linear regression within bounds: finds the coefficients whose predictions have the least absolute relative error, drawn towards
/// what is known before any measurement. Iteratively reweighted least squares; each round by coordinate descent, which keeps bounds
/// exactly. A coefficient that the rows hardly decide is held at what it is drawn towards: nothing is fitted to noise.
/// </summary>
internal static class BoundedRegression
{
    private const int Rounds = 15;
    private const int Sweeps = 200;

    /// <summary>Relative errors below this count as equal, so that no row pulls without limit.</summary>
    private const double Indifference = 0.03;

    /// <summary>Fits the coefficients.</summary>
    /// <param name="rows">Features of each row divided by its measured value: a perfect row sums to 1.</param>
    /// <param name="prior">What the coefficients are drawn towards.</param>
    /// <param name="pull">How strongly, in rows of unit weight.</param>
    /// <param name="most">Largest allowed coefficients; the smallest are zero.</param>
    /// <param name="decided">Share of a coefficient that the rows must decide for it to leave its prior.</param>
    public static Regression Fit(IReadOnlyList<double[]> rows, double[] prior, double pull, double[] most, double decided)
    {
        var nothing = new bool[prior.Length];
        var free = Solve(rows, prior, pull, most, nothing);
        var held = Undecided(rows, free, pull, decided);
        return Array.Exists(held, each => each)
            ? new Regression(Solve(rows, prior, pull, most, held), held)
            : new Regression(free, nothing);
    }

    /// <summary>The share of each coefficient that the rows decide is 1 - pull (Q^-1)ii.</summary>
    private static bool[] Undecided(IReadOnlyList<double[]> rows, double[] fit, double pull, double decided)
    {
        var weights = rows.Select(row => Weight(row, fit)).ToArray();
        var n = fit.Length;
        var (q, _) = Normal(rows, weights, fit, pull, n);
        var inverse = DenseMatrix.OfColumnMajor(n, n, q).Inverse();
        return [.. Enumerable.Range(0, n).Select(i => 1 - (pull * inverse[i, i]) < decided)];
    }

    private static double Weight(double[] row, double[] fit) => 1 / Math.Max(Math.Abs(Dot(row, fit) - 1), Indifference);

    private static double[] Solve(IReadOnlyList<double[]> rows, double[] prior, double pull, double[] most, bool[] held)
    {
        var n = prior.Length;
        var fit = (double[])prior.Clone();
        var weights = new double[rows.Count];
        Array.Fill(weights, 1.0);
        for (var round = 0; round < Rounds; round++)
        {
            var (q, b) = Normal(rows, weights, prior, pull, n);
            Descend(q, b, fit, most, held);
            for (var i = 0; i < rows.Count; i++)
                weights[i] = Weight(rows[i], fit);
        }

        return fit;
    }

    /// <summary>The sum of products.</summary>
    public static double Dot(double[] row, double[] coefficients)
    {
        double sum = 0;
        for (var i = 0; i < row.Length; i++)
            sum += row[i] * coefficients[i];
        return sum;
    }

    private static (double[] Q, double[] B) Normal(IReadOnlyList<double[]> rows, double[] weights, double[] prior, double pull, int n)
    {
        var (q, b) = (new double[n * n], new double[n]);
        for (var i = 0; i < n; i++)
        {
            q[(i * n) + i] = pull;
            b[i] = pull * prior[i];
        }

        for (var r = 0; r < rows.Count; r++)
        {
            var (row, w) = (rows[r], weights[r]);
            for (var i = 0; i < n; i++)
            {
                if (row[i] == 0)
                    continue;
                var scaled = w * row[i];
                b[i] += scaled;
                for (var j = i; j < n; j++)
                    q[(i * n) + j] += scaled * row[j];
            }
        }

        for (var i = 0; i < n; i++)
        {
            for (var j = 0; j < i; j++)
                q[(i * n) + j] = q[(j * n) + i];
        }

        return (q, b);
    }

    private static void Descend(double[] q, double[] b, double[] x, double[] most, bool[] held)
    {
        var n = b.Length;
        for (var sweep = 0; sweep < Sweeps; sweep++)
        {
            double moved = 0;
            for (var i = 0; i < n; i++)
            {
                if (held[i])
                    continue;
                double gradient = -b[i];
                for (var j = 0; j < n; j++)
                    gradient += q[(i * n) + j] * x[j];
                var next = Math.Clamp(x[i] - (gradient / q[(i * n) + i]), 0, most[i]);
                moved = Math.Max(moved, Math.Abs(next - x[i]));
                x[i] = next;
            }

            if (moved < 1e-6)
                return;
        }
    }
}
