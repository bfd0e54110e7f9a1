using TokenFactory.Economics;

namespace TokenFactory.Tests.Laws;

/// <summary>The simplex method against its mathematics: every vertex tried, and the dual.</summary>
public sealed class LinearProgramLaws
{
    private const double Tolerance = 1e-6; // objectives reach hundreds

    [Fact]
    public void The_optimum_is_the_best_vertex() => Cases.Check(500, dice =>
    {
        var (objective, rows, limits) = Bounded(dice, dice.Whole(1, 4), dice.Whole(0, 4));
        var optimum = LinearProgram.Maximise(objective, rows, limits);
        Assert.NotNull(optimum);
        Assert.Equal(BestVertex(objective, rows, limits), optimum.Objective, Tolerance);
    });

    [Fact]
    public void Primal_and_dual_are_feasible_and_worth_the_same() => Cases.Check(500, dice =>
    {
        var (objective, rows, limits) = Bounded(dice, dice.Whole(1, 12), dice.Whole(0, 10));
        var optimum = LinearProgram.Maximise(objective, rows, limits);
        Assert.NotNull(optimum);
        var (x, y) = (optimum.Values, optimum.ShadowPrices);
        Assert.All(x, value => Assert.True(value >= 0));
        Assert.All(y, price => Assert.True(price >= -Tolerance));
        for (var i = 0; i < rows.Count; i++)
            Assert.True(Dot(rows[i], x) <= limits[i] + Tolerance, $"row {i}");
        for (var j = 0; j < objective.Count; j++)
            Assert.True(rows.Select((row, i) => row[j] * y[i]).Sum() >= objective[j] - Tolerance, $"column {j}");
        Assert.Equal(optimum.Objective, Dot(objective, x), Tolerance);
        Assert.Equal(optimum.Objective, Dot(limits, y), Tolerance);
    });

    [Fact]
    public void A_programme_without_bound_has_no_optimum() => Cases.Check(200, dice =>
    {
        var (objective, rows, limits) = Bounded(dice, dice.Whole(1, 5), dice.Whole(0, 5));
        var free = dice.Whole(0, objective.Count - 1);
        foreach (var row in rows)
            row[free] = -dice.Whole(0, 5);
        objective[free] = dice.Whole(1, 9);
        Assert.Null(LinearProgram.Maximise(objective, rows, limits));
    });

    [Fact]
    public void It_ends_where_pivots_cycle_without_a_rule()
    {
        // Beale's example: the largest-coefficient rule cycles on it forever.
        var optimum = LinearProgram.Maximise(
            [0.75, -150, 0.02, -6], [[0.25, -60, -0.04, 9], [0.5, -90, -0.02, 3], [0, 0, 1, 0]], [0, 0, 1]);
        Assert.NotNull(optimum);
        Nearly.Equal(0.05, optimum.Objective, 1e-9);
    }

    [Fact]
    public void A_limit_below_zero_is_refused()
    {
        Assert.Throws<ArgumentException>(() => LinearProgram.Maximise([1], [[1]], [-1]));
        Assert.Throws<ArgumentException>(() => LinearProgram.Maximise([1], [[1]], [double.NaN]));
    }

    /// <summary>
    /// A programme of small whole numbers, so that ties and degenerate vertices are common; the last row bounds every variable.
    /// </summary>
    private static (List<double> Objective, List<double[]> Rows, List<double> Limits) Bounded(Dice dice, int variables, int rows)
    {
        double[] Row(int least, int most) => [.. Enumerable.Range(0, variables).Select(_ => (double)dice.Whole(least, most))];
        List<double[]> all = [.. Enumerable.Range(0, rows).Select(_ => Row(-4, 6)), Row(1, 5)];
        return ([.. Row(-5, 9)], all, [.. all.Select(_ => (double)dice.Whole(0, 20))]);
    }

    private static double Dot(IReadOnlyList<double> left, IReadOnlyList<double> right) => left.Zip(right, (a, b) => a * b).Sum();

    /// <summary>
    /// Takes every choice of as many tight limits as there are variables, solves for their corner, and keeps the best allowed one.
    /// </summary>
    private static double BestVertex(List<double> objective, List<double[]> rows, List<double> limits)
    {
        var n = objective.Count;
        var planes = rows.Select((row, i) => (Row: row, Limit: limits[i]))
            .Concat(Enumerable.Range(0, n).Select(j => (Row: Enumerable.Range(0, n).Select(k => k == j ? -1.0 : 0).ToArray(), Limit: 0.0))).ToList();
        var best = double.NegativeInfinity;
        foreach (var chosen in Choices(planes.Count, n))
        {
            var corner = Solve([.. chosen.Select(i => (double[])[.. planes[i].Row, planes[i].Limit])]);
            if (corner is not null && planes.All(plane => Dot(plane.Row, corner) <= plane.Limit + 1e-9))
                best = Math.Max(best, Dot(objective, corner));
        }

        return best;
    }

    private static IEnumerable<int[]> Choices(int count, int size)
    {
        for (var mask = 0; mask < 1 << count; mask++)
        {
            if (int.PopCount(mask) == size)
                yield return [.. Enumerable.Range(0, count).Where(i => (mask >> i & 1) == 1)];
        }
    }

    private static double[]? Solve(double[][] system)
    {
        var n = system.Length;
        for (var column = 0; column < n; column++)
        {
            var pivot = Enumerable.Range(column, n - column).MaxBy(row => Math.Abs(system[row][column]));
            if (Math.Abs(system[pivot][column]) < 1e-9)
                return null;
            (system[column], system[pivot]) = (system[pivot], system[column]);
            for (var row = 0; row < n; row++)
            {
                var factor = row == column ? 0 : system[row][column] / system[column][column];
                for (var k = column; k <= n; k++)
                    system[row][k] -= factor * system[column][k];
            }
        }

        return [.. system.Select((row, i) => row[n] / row[i])];
    }
}
