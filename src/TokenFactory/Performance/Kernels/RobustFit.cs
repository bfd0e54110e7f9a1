namespace TokenFactory.Performance.Kernels;

/// <summary>A constant to be fitted.</summary>
/// <param name="Start">First guess.</param>
/// <param name="Least">Lower bound, above zero.</param>
/// <param name="Most">Upper bound.</param>
internal readonly record struct FitBound(double Start, double Least, double Most);

/// <summary>
/// Fits positive constants to measured times: Levenberg-Marquardt on the logarithms of constants and times, where errors beyond a tenth
/// weigh less and less, inside bounds, from several starts. Deterministic.
/// </summary>
internal static class RobustFit
{
    private const double ErrorScale = 0.1;
    private const double Step = 1e-5;
    private const int Iterations = 60;

    // Where the starts lie between the bounds, as shares of the way from the guess; the first is the guess itself.
    private static readonly double[][] Starts =
    [
        [0], [0.35, -0.35], [-0.35, 0.35], [0.2, 0.5, -0.4, -0.2], [-0.5, -0.2, 0.3, 0.4, 0.1],
    ];

    /// <summary>The best constants.</summary>
    /// <param name="bounds">What to fit.</param>
    /// <param name="observed">Measured times in seconds.</param>
    /// <param name="predict">Fills the times for constants.</param>
    public static double[] Fit(IReadOnlyList<FitBound> bounds, IReadOnlyList<double> observed, Action<double[], double[]> predict)
    {
        var best = (Cost: double.PositiveInfinity, At: Array.Empty<double>());
        foreach (var start in Starts)
        {
            var x = new double[bounds.Count];
            for (var i = 0; i < x.Length; i++)
            {
                var away = start[i % start.Length];
                var end = away > 0 ? bounds[i].Most : bounds[i].Least;
                x[i] = Math.Log(bounds[i].Start) + (Math.Abs(away) * Math.Log(end / bounds[i].Start));
            }

            var found = Descend(x, bounds, observed, predict);
            if (found.Cost < best.Cost)
                best = found;
        }

        return [.. best.At.Select(Math.Exp)];
    }

    private static (double Cost, double[] At) Descend(
        double[] x, IReadOnlyList<FitBound> bounds, IReadOnlyList<double> observed, Action<double[], double[]> predict)
    {
        var (rows, columns) = (observed.Count, x.Length);
        var residuals = new double[rows];
        var tried = new double[rows];
        var slopes = new double[columns][];
        for (var c = 0; c < columns; c++)
            slopes[c] = new double[rows];
        var cost = Residuals(x, observed, predict, residuals);
        var damping = 1e-2;
        for (var iteration = 0; iteration < Iterations; iteration++)
        {
            for (var c = 0; c < columns; c++)
            {
                var moved = (double[])x.Clone();
                moved[c] += Step;
                Residuals(moved, observed, predict, tried);
                for (var r = 0; r < rows; r++)
                    slopes[c][r] = (tried[r] - residuals[r]) / Step;
            }

            var (hessian, gradient) = Normal(slopes, residuals);
            var improved = false;
            for (var attempt = 0; attempt < 8 && !improved; attempt++)
            {
                var next = Clip(x, Solve(hessian, gradient, damping, x, bounds), bounds);
                var nextCost = Residuals(next, observed, predict, tried);
                improved = nextCost < cost;
                damping = improved ? Math.Max(damping / 5, 1e-9) : damping * 4;
                if (!improved)
                    continue;
                var gain = cost - nextCost;
                (x, cost) = (next, nextCost);
                (residuals, tried) = (tried, residuals);
                if (gain < 1e-9 * cost)
                    return (cost, x);
            }

            if (!improved)
                break;
        }

        return (cost, x);
    }

    /// <summary>Fills logarithmic errors and returns their cost, 2 s^2 (sqrt(1 + (e/s)^2) - 1) summed.</summary>
    private static double Residuals(double[] x, IReadOnlyList<double> observed, Action<double[], double[]> predict, double[] into)
    {
        predict([.. x.Select(Math.Exp)], into);
        var cost = 0.0;
        for (var r = 0; r < into.Length; r++)
        {
            into[r] = Math.Log(into[r] / observed[r]);
            cost += Math.Sqrt(1 + (into[r] / ErrorScale * (into[r] / ErrorScale))) - 1;
        }

        return double.IsFinite(cost) ? cost : double.PositiveInfinity;
    }

    private static (double[,] Hessian, double[] Gradient) Normal(double[][] slopes, double[] residuals)
    {
        var columns = slopes.Length;
        var (hessian, gradient) = (new double[columns, columns], new double[columns]);
        for (var r = 0; r < residuals.Length; r++)
        {
            var weight = 1 / Math.Sqrt(1 + (residuals[r] / ErrorScale * (residuals[r] / ErrorScale)));
            for (var c = 0; c < columns; c++)
            {
                var weighted = weight * slopes[c][r];
                gradient[c] -= weighted * residuals[r];
                for (var d = 0; d <= c; d++)
                    hessian[c, d] += weighted * slopes[d][r];
            }
        }

        for (var c = 0; c < columns; c++)
        {
            for (var d = c + 1; d < columns; d++)
                hessian[c, d] = hessian[d, c];
        }

        return (hessian, gradient);
    }

    /// <summary>The damped step; a constant at a bound that would cross it stays.</summary>
    private static double[] Solve(double[,] hessian, double[] gradient, double damping, double[] x, IReadOnlyList<FitBound> bounds)
    {
        var columns = gradient.Length;
        var matrix = (double[,])hessian.Clone();
        var right = (double[])gradient.Clone();
        for (var c = 0; c < columns; c++)
        {
            var stuck = (gradient[c] > 0 && x[c] >= Math.Log(bounds[c].Most) - 1e-12)
                || (gradient[c] < 0 && x[c] <= Math.Log(bounds[c].Least) + 1e-12);
            if (stuck)
            {
                for (var d = 0; d < columns; d++)
                    matrix[c, d] = matrix[d, c] = 0;
                (matrix[c, c], right[c]) = (1, 0);
            }
            else
            {
                matrix[c, c] += (damping * hessian[c, c]) + 1e-9;
            }
        }

        return Eliminate(matrix, right);
    }

    private static double[] Eliminate(double[,] matrix, double[] right)
    {
        var columns = right.Length;
        for (var c = 0; c < columns; c++)
        {
            for (var d = c + 1; d < columns; d++)
            {
                var share = matrix[d, c] / matrix[c, c];
                for (var e = c; e < columns; e++)
                    matrix[d, e] -= share * matrix[c, e];
                right[d] -= share * right[c];
            }
        }

        for (var c = columns - 1; c >= 0; c--)
        {
            for (var d = c + 1; d < columns; d++)
                right[c] -= matrix[c, d] * right[d];
            right[c] /= matrix[c, c];
        }

        return right;
    }

    private static double[] Clip(double[] x, double[] step, IReadOnlyList<FitBound> bounds)
    {
        var next = new double[x.Length];
        for (var i = 0; i < x.Length; i++)
        {
            var moved = x[i] + Math.Clamp(double.IsFinite(step[i]) ? step[i] : 0, -2, 2);
            next[i] = Math.Clamp(moved, Math.Log(bounds[i].Least), Math.Log(bounds[i].Most));
        }

        return next;
    }
}
