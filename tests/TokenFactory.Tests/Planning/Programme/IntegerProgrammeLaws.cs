using TokenFactory.Planning.Programme;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Tests.Planning.Programme;

/// <summary>Branch and bound against trying everything.</summary>
public sealed class IntegerProgrammeLaws
{
    [Fact]
    public void Whole_programmes_have_the_objective_that_trying_everything_finds() => Cases.Check(3000, dice =>
    {
        var programme = Small(dice, dice.Whole(1, 5), dice.Whole(0, 5));
        Agree(programme, Everything(programme, 0), programme.Solve());
    });

    [Fact]
    public void Programmes_with_one_variable_of_any_value_too() => Cases.Check(2000, dice =>
    {
        var programme = Small(dice, dice.Whole(1, 4), dice.Whole(1, 5), continuous: true);
        Agree(programme, Everything(programme, 1), programme.Solve());
    });

    [Fact]
    public void Prices_in_cents_and_loads_of_any_size_change_nothing() => Cases.Check(1000, dice =>
    {
        var programme = new IntegerProgramme();
        var count = dice.Whole(1, 5);
        for (var j = 0; j < count; j++)
            programme.Whole(Math.Round(dice.Scale(0.1, 500), 2), 0, dice.Whole(1, 4));
        for (var i = dice.Whole(1, 3); i > 0; i--)
        {
            var scale = dice.Scale(1e-4, 1e6);
            var terms = Enumerable.Range(0, count).Select(j => (j, dice.Chance(0.8) ? scale * dice.Scale(0.1, 10) : 0)).ToList();
            programme.Row(terms, dice.Chance(0.7) ? RowSense.AtLeast : RowSense.AtMost, scale * dice.Scale(0.1, 20));
        }

        Agree(programme, Everything(programme, 0), programme.Solve());
    });

    [Fact]
    public void A_programme_that_falls_for_ever_says_so() => Cases.Check(300, dice =>
    {
        var programme = new IntegerProgramme();
        var count = dice.Whole(1, 5);
        for (var j = 0; j < count; j++)
            programme.Whole(dice.Whole(1, 5));
        var free = dice.Chance(0.5) ? programme.Whole(-dice.Whole(1, 5)) : programme.Continuous(-dice.Whole(1, 5));
        for (var i = dice.Whole(0, 4); i > 0; i--)
        {
            var terms = Enumerable.Range(0, count).Select(j => (j, (double)dice.Whole(0, 5))).Append((free, -dice.Whole(0, 3)));
            programme.Row(terms, RowSense.AtMost, dice.Whole(0, 9));
        }

        Assert.Equal(ProgrammeStatus.Unbounded, programme.Solve().Status);
        programme.Row([(free, 2)], RowSense.AtMost, 7);
        Assert.Equal(ProgrammeStatus.Optimal, programme.Solve().Status);
    });

    [Fact]
    public void A_relaxation_without_bound_does_not_hide_that_no_whole_values_fit()
    {
        var programme = new IntegerProgramme();
        var (x, y) = (programme.Whole(-1), programme.Whole(0));
        programme.Row([(x, 0), (y, 2)], RowSense.Equal, 3);
        Assert.Equal(ProgrammeStatus.Infeasible, programme.Solve().Status);
    }

    [Fact]
    public void A_limit_of_nodes_gives_an_answer_with_a_bound_that_holds() => Cases.Check(300, dice =>
    {
        var programme = Small(dice, dice.Whole(3, 6), dice.Whole(1, 4));
        var (full, stopped) = (programme.Solve(), programme.Solve(new SolveLimits { Nodes = dice.Whole(1, 6) }));
        if (full.Status == ProgrammeStatus.Infeasible)
        {
            Assert.False(stopped.Found);
            return;
        }

        Assert.True(stopped.Bound <= full.Objective + 1e-6, $"bound {stopped.Bound}, optimum {full.Objective}");
        Assert.True(stopped.Objective >= full.Objective - 1e-6);
        if (stopped.Status == ProgrammeStatus.Optimal)
            Nearly.Equal(full.Objective, stopped.Objective, 1e-9);
    });

    [Fact]
    public void A_gap_that_is_allowed_is_kept_and_told() => Cases.Check(300, dice =>
    {
        var programme = Small(dice, dice.Whole(3, 6), dice.Whole(1, 4));
        var (full, rough) = (programme.Solve(), programme.Solve(new SolveLimits { Gap = 0.1 }));
        Assert.Equal(full.Status, rough.Status);
        if (!full.Found)
            return;
        Assert.True(rough.Gap <= 0.1 + 1e-6, $"{rough.Objective} bound {rough.Bound}");
        Assert.True(rough.Bound <= full.Objective + 1e-6, $"bound {rough.Bound}, optimum {full.Objective}");
        Assert.True(rough.Objective - full.Objective <= (0.1 * Math.Abs(rough.Objective)) + 1e-6);
    });

    [Fact]
    public void The_same_programme_is_solved_the_same_way() => Cases.Check(100, dice =>
    {
        var programme = Small(dice, 6, 4);
        var (first, second) = (programme.Solve(), programme.Solve());
        Assert.Equal(first.Nodes, second.Nodes);
        Assert.Equal(first.Values, second.Values);
    });

    [Fact]
    public void Numbers_that_are_none_are_refused()
    {
        var programme = new IntegerProgramme();
        Assert.Throws<ArgumentException>(() => programme.Whole(double.NaN));
        Assert.Throws<ArgumentException>(() => programme.Continuous(1, double.NegativeInfinity));
        Assert.Throws<ArgumentException>(() => programme.Row([(0, 1)], RowSense.Equal, 1));
    }

    /// <summary>Whole numbers throughout, so that ties and degenerate corners are common; the continuous variable comes last.</summary>
    internal static IntegerProgramme Small(Dice dice, int whole, int rows, bool continuous = false)
    {
        var programme = new IntegerProgramme();
        for (var j = 0; j < whole; j++)
        {
            var lower = dice.Whole(-2, 2);
            programme.Whole(dice.Whole(-5, 9), lower, lower + dice.Whole(0, 4));
        }

        if (continuous)
            programme.Continuous(dice.Whole(-5, 9), dice.Whole(-3, 0), dice.Chance(0.3) ? double.PositiveInfinity : dice.Whole(0, 6));
        for (var i = 0; i < rows; i++)
        {
            var terms = Enumerable.Range(0, programme.Variables.Count).Select(j => (j, (double)dice.Whole(-4, 6))).ToList();
            var sense = dice.Chance(0.15) ? RowSense.Equal : dice.Chance(0.5) ? RowSense.AtMost : RowSense.AtLeast;
            programme.Row(terms, sense, dice.Whole(-6, 14));
        }

        return programme;
    }

    /// <summary>Keeps all rows and bounds, is whole where it must be, and is worth what is said.</summary>
    internal static void Holds(IntegerProgramme programme, IntegerOptimum optimum)
    {
        for (var j = 0; j < programme.Variables.Count; j++)
        {
            var (variable, value) = (programme.Variables[j], optimum.Values[j]);
            Assert.True(!variable.Whole || value == Math.Round(value), $"v_{j} = {value:R}");
            Assert.True(value >= variable.Lower - 1e-7 && value <= variable.Upper + 1e-7, $"v_{j} = {value:R}");
        }

        foreach (var row in programme.Rows)
        {
            var sum = row.Terms.Sum(term => term.Factor * optimum.Values[term.Variable]);
            var room = 1e-7 * row.Terms.Select(term => Math.Abs(term.Factor * optimum.Values[term.Variable])).Append(Math.Abs(row.Right)).Append(1).Max();
            Assert.True(row.Sense == RowSense.AtLeast || sum <= row.Right + room, $"{sum:R} above {row.Right:R}");
            Assert.True(row.Sense == RowSense.AtMost || sum >= row.Right - room, $"{sum:R} below {row.Right:R}");
        }

        Nearly.Equal(programme.Objective(optimum.Values), optimum.Objective, 1e-9);
    }

    private static void Agree(IntegerProgramme programme, double best, IntegerOptimum optimum)
    {
        if (double.IsPositiveInfinity(best))
        {
            Assert.Equal(ProgrammeStatus.Infeasible, optimum.Status);
            return;
        }

        if (double.IsNegativeInfinity(best))
        {
            Assert.Equal(ProgrammeStatus.Unbounded, optimum.Status);
            return;
        }

        Assert.Equal(ProgrammeStatus.Optimal, optimum.Status);
        Assert.Equal(best, optimum.Objective, 1e-6 * Math.Max(1, Math.Abs(best)));
        Assert.True(optimum.Bound <= optimum.Objective && optimum.Gap <= 1e-9);
        Assert.True(optimum.Relaxation <= optimum.Objective + 1e-6);
        Holds(programme, optimum);
    }

    /// <summary>The least objective over all whole values; the variables after them, at most one, takes the better end of its range.</summary>
    private static double Everything(IntegerProgramme programme, int continuous)
    {
        var whole = programme.Variables.Count - continuous;
        var values = programme.Variables.Select(variable => variable.Lower).ToArray();
        var best = double.PositiveInfinity;
        while (true)
        {
            best = Math.Min(best, Rest(programme, values, whole));
            var digit = 0;
            while (digit < whole && ++values[digit] > programme.Variables[digit].Upper)
                values[digit] = programme.Variables[digit++].Lower;
            if (digit == whole)
                return best;
        }
    }

    private static double Rest(IntegerProgramme programme, double[] values, int whole)
    {
        var last = whole < values.Length ? programme.Variables[whole] : default;
        var (least, most) = (last.Lower, last.Upper);
        foreach (var row in programme.Rows)
        {
            var sum = row.Terms.Where(term => term.Variable < whole).Sum(term => term.Factor * values[term.Variable]);
            var factor = whole < values.Length ? row.Terms.Where(term => term.Variable == whole).Select(term => term.Factor).SingleOrDefault() : 0;
            var room = row.Right - sum;
            var grace = 1e-9 * Math.Max(1, Math.Abs(row.Right));
            if (factor == 0 && ((row.Sense != RowSense.AtLeast && room < -grace) || (row.Sense != RowSense.AtMost && room > grace)))
                return double.PositiveInfinity;
            if (factor == 0)
                continue;
            if (row.Sense == RowSense.Equal || factor > 0 == (row.Sense == RowSense.AtMost))
                most = Math.Min(most, room / factor);
            if (row.Sense == RowSense.Equal || factor < 0 == (row.Sense == RowSense.AtMost))
                least = Math.Max(least, room / factor);
        }

        if (least > most + 1e-9)
            return double.PositiveInfinity;
        var fixedCost = Enumerable.Range(0, whole).Sum(j => programme.Variables[j].Cost * values[j]);
        return fixedCost + (last.Cost == 0 ? 0 : last.Cost * (last.Cost > 0 ? least : most));
    }
}
