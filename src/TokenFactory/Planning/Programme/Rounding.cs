namespace TokenFactory.Planning.Programme;

/// <summary>
/// Rounds the whole variables of a relaxation: up where no row minds more of them, down where none minds fewer, else to the nearest.
/// </summary>
internal sealed class Rounding
{
    private readonly bool[] _moreHurts;
    private readonly bool[] _fewerHurts;

    public Rounding(IntegerProgramme programme)
    {
        (_moreHurts, _fewerHurts) = (new bool[programme.Variables.Count], new bool[programme.Variables.Count]);
        foreach (var row in programme.Rows)
        {
            foreach (var (variable, factor) in row.Terms)
            {
                _moreHurts[variable] |= row.Sense == RowSense.Equal || factor > 0 == (row.Sense == RowSense.AtMost);
                _fewerHurts[variable] |= row.Sense == RowSense.Equal || factor < 0 == (row.Sense == RowSense.AtMost);
            }
        }
    }

    public Dictionary<int, double> Of(Dictionary<int, double> point) =>
        point.ToDictionary(pair => pair.Key, pair => (_moreHurts[pair.Key], _fewerHurts[pair.Key]) switch
        {
            (_, false) => Math.Floor(pair.Value + 1e-6),
            (false, true) => Math.Ceiling(pair.Value - 1e-6),
            _ => Math.Round(pair.Value),
        });
}

/// <summary>The step in which a programme's objective can change.</summary>
internal static class ObjectiveStep
{
    /// <summary>The greatest number of which every objective is a multiple; 0 where prices in cents or the like show none.</summary>
    public static double Of(IntegerProgramme programme)
    {
        var paid = programme.Variables.Where(variable => variable.Cost != 0).ToList();
        if (paid.Count == 0 || paid.Any(variable => !variable.Whole))
            return 0;
        for (var scale = 1L; scale <= 10_000; scale *= 10)
        {
            if (!paid.TrueForAll(variable => Math.Abs((variable.Cost * scale) - Math.Round(variable.Cost * scale)) < 1e-9))
                continue;
            var greatest = 0L;
            foreach (var variable in paid)
                greatest = Divisor(greatest, (long)Math.Abs(Math.Round(variable.Cost * scale)));
            return greatest / (double)scale;
        }

        return 0;
    }

    private static long Divisor(long left, long right)
    {
        while (right != 0)
            (left, right) = (right, left % right);
        return left;
    }
}
