using TokenFactory.Planning.Programme;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Tests.Planning.Programme;

/// <summary>Medium programmes, too large to try everything, against another solver.</summary>
public sealed class CbcTests
{
    [Fact]
    public void Fleet_mixes_of_medium_size_have_the_objective_that_cbc_finds()
    {
        Assert.SkipUnless(Cbc.Here, Cbc.Missing);
        Cases.Check(120, dice => Agree(Fleet(dice, dice.Whole(2, 10), dice.Whole(2, 12))));
    }

    [Fact]
    public void Programmes_of_any_rows_have_the_objective_that_cbc_finds()
    {
        Assert.SkipUnless(Cbc.Here, Cbc.Missing);
        Cases.Check(120, dice => Agree(Any(dice, dice.Whole(4, 12), dice.Whole(0, 6), dice.Whole(2, 8))));
    }

    /// <summary>Buckets over options, a stock and a power limit: rows as a fleet mix has them.</summary>
    internal static IntegerProgramme Fleet(Dice dice, int buckets, int options)
    {
        var programme = new IntegerProgramme();
        var replicas = Enumerable.Range(0, options).Select(_ => programme.Whole(Math.Round(dice.Scale(0.5, 60), 2), 0, dice.Whole(3, 60))).ToList();
        var shares = new List<(int Bucket, int Option, int Variable, double Load)>();
        for (var i = 0; i < buckets; i++)
        {
            var total = dice.Scale(0.1, 20);
            for (var j = 0; j < options; j++)
            {
                if (j == 0 || dice.Chance(0.8))
                    shares.Add((i, j, programme.Continuous(0), total * 30 / (1 + programme.Variables[j].Cost) * dice.Scale(0.5, 2)));
            }
        }

        for (var i = 0; i < buckets; i++)
            programme.Row(shares.Where(share => share.Bucket == i).Select(share => (share.Variable, 1.0)), RowSense.Equal, 1);
        for (var j = 0; j < options; j++)
        {
            var option = shares.Where(share => share.Option == j).Select(share => (share.Variable, share.Load));
            programme.Row(option.Append((replicas[j], -1)), RowSense.AtMost, 0);
        }

        programme.Row(replicas.Select(j => (j, programme.Variables[j].Cost * dice.Scale(200, 900))), RowSense.AtMost, dice.Scale(1e4, 1e6));
        return programme;
    }

    private static IntegerProgramme Any(Dice dice, int whole, int continuous, int rows)
    {
        var programme = new IntegerProgramme();
        for (var j = 0; j < whole; j++)
            programme.Whole(dice.Whole(-5, 20), 0, dice.Whole(1, 30));
        for (var j = 0; j < continuous; j++)
            programme.Continuous(dice.Real(-5, 20), 0, dice.Real(1, 30));
        for (var i = 0; i < rows; i++)
        {
            var terms = Enumerable.Range(0, whole + continuous).Select(j => (j, dice.Chance(0.6) ? Math.Round(dice.Real(-9, 20), 1) : 0)).ToList();
            var sense = continuous > 0 && dice.Chance(0.1) ? RowSense.Equal : dice.Chance(0.5) ? RowSense.AtMost : RowSense.AtLeast;
            programme.Row(terms, sense, Math.Round(dice.Real(0, 200), 1));
        }

        return programme;
    }

    private static void Agree(IntegerProgramme programme)
    {
        var (ours, theirs) = (programme.Solve(), Cbc.Objective(programme));
        if (double.IsFinite(theirs))
        {
            Assert.Equal(ProgrammeStatus.Optimal, ours.Status);
            Assert.Equal(theirs, ours.Objective, 1e-6 * Math.Max(1, Math.Abs(theirs)));
            IntegerProgrammeLaws.Holds(programme, ours);
        }
        else
        {
            Assert.Equal(double.IsPositive(theirs) ? ProgrammeStatus.Infeasible : ProgrammeStatus.Unbounded, ours.Status);
        }
    }
}
