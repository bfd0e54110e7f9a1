namespace TokenFactory.Economics;

/// <summary>Powers of two that bring the coefficients of a programme near one another.</summary>
internal static class SimplexScale
{
    private const int Rounds = 3;

    /// <summary>Factors by which to multiply rows and columns: geometric means, a few times in turn.</summary>
    public static (double[] Rows, double[] Columns) Of(IReadOnlyList<double[]> rows, int columns)
    {
        var (down, across) = (Ones(rows.Count), Ones(columns));
        for (var round = 0; round < Rounds; round++)
        {
            for (var i = 0; i < rows.Count; i++)
                down[i] = Middle(rows[i].Select((value, j) => value * across[j]));
            for (var j = 0; j < columns; j++)
            {
                var column = j;
                across[j] = Middle(rows.Select((row, i) => row[column] * down[i]));
            }
        }

        return (down, across);
    }

    /// <summary>The power of two that brings the least and the greatest of these equally far from 1; 1 where all are zero.</summary>
    public static double Middle(IEnumerable<double> values)
    {
        var (least, most) = (double.PositiveInfinity, 0.0);
        foreach (var value in values)
        {
            var size = Math.Abs(value);
            if (size > 0)
                (least, most) = (Math.Min(least, size), Math.Max(most, size));
        }

        return most > 0 ? Power(1 / Math.Sqrt(least) / Math.Sqrt(most)) : 1;
    }

    private static double[] Ones(int count)
    {
        var ones = new double[count];
        Array.Fill(ones, 1);
        return ones;
    }

    private static double Power(double value) => Math.ScaleB(1, (int)Math.Round(Math.Log2(value)));
}
