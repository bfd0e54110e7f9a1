namespace TokenFactory.Performance.Kernels;

/// <summary>The larger of two times that mostly overlap: smooth where they are alike.</summary>
internal static class Smooth
{
    /// <summary>Square root of the sum of squares: they overlap little near the ridge.</summary>
    public static double Max2(double a, double b) => Math.Sqrt((a * a) + (b * b));

    /// <summary>Fourth root of the sum of fourth powers: 19 % above the larger where both are equal.</summary>
    public static double Max4(double a, double b)
    {
        var (a2, b2) = (a * a, b * b);
        return Math.Sqrt(Math.Sqrt((a2 * a2) + (b2 * b2)));
    }
}

/// <summary>
/// Time of a matrix product C[m,n] = A[m,k] B[k,n] with weights B on one GPU in one format:
/// floor + max4(arithmetic, weight and output traffic) + activation traffic. Fitted from measured kernels, catalog/calibration/kernels.csv.
/// </summary>
/// <param name="FloorSeconds">Seconds that the shortest such kernel takes, inside a captured graph.</param>
/// <param name="SecondsPerFlop">Seconds per operation at many rows.</param>
/// <param name="HalfRows">Rows at which the arithmetic runs at half its best rate.</param>
/// <param name="HalfDepth">Inputs per output whose work a product costs on top of k: filling and emptying its tiles.</param>
/// <param name="SecondsPerByte">Seconds per byte of weights and output.</param>
/// <param name="HalfColumns">Columns at which the weights stream at half their best rate.</param>
/// <param name="BytesPerWeight">Bytes of a stored weight with its scales.</param>
/// <param name="SecondsPerActivation">Seconds per element of A for reading, quantising and scaling it.</param>
public readonly record struct GemmConstants(
    double FloorSeconds,
    double SecondsPerFlop,
    double HalfRows,
    double HalfDepth,
    double SecondsPerByte,
    double HalfColumns,
    double BytesPerWeight,
    double SecondsPerActivation)
{
    /// <summary>Seconds of the product; zero where there are no rows.</summary>
    /// <param name="m">Rows: tokens of the step.</param>
    /// <param name="n">Columns of the weights: outputs on this rank.</param>
    /// <param name="k">Rows of the weights: inputs on this rank.</param>
    public double Seconds(double m, double n, double k)
    {
        if (!(m > 0))
            return 0;
        var arithmetic = 2 * SecondsPerFlop * (m + HalfRows) * n * (k + HalfDepth);
        var traffic = SecondsPerByte * ((BytesPerWeight * (n + HalfColumns) * k) + (2 * m * n));
        return FloorSeconds + Smooth.Max4(arithmetic, traffic) + (SecondsPerActivation * m * k);
    }
}
