namespace TokenFactory.Workload;

/// <summary>The standard normal distribution and the logarithm of the gamma function.</summary>
public static class Normal
{
    private static readonly double[] Above =
    [
        3.52624965998911e-02, 0.700383064443688, 6.37396220353165, 33.912866078383, 112.079291497871, 221.213596169931, 220.206867912376,
    ];

    private static readonly double[] Below =
    [
        8.83883476483184e-02, 1.75566716318264, 16.064177579207, 86.7807322029461,
        296.564248779674, 637.333633378831, 793.826512519948, 440.413735824752,
    ];

    private static readonly double[] Lanczos =
    [
        676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
        12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
    ];

    private static readonly double[] MiddleAbove =
    [
        -3.969683028665376e+01, 2.209460984245205e+02, -2.759285104469687e+02,
        1.383577518672690e+02, -3.066479806614716e+01, 2.506628277459239,
    ];

    private static readonly double[] MiddleBelow =
    [
        -5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02, 6.680131188771972e+01, -1.328068155288572e+01, 1,
    ];

    private static readonly double[] TailAbove =
    [
        -7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838, -2.549732539343734, 4.374664141464968, 2.938163982698783,
    ];

    private static readonly double[] TailBelow = [7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996, 3.754408661907416, 1];

    /// <summary>Share of the distribution below <paramref name="z"/> (Hart's rational approximation; within 1E-8 of it far out).</summary>
    public static double Share(double z)
    {
        const double switchover = 7.07106781186547;
        var size = Math.Abs(z);
        if (size > 37)
            return z > 0 ? 1 : 0;
        var bell = Math.Exp(-size * size / 2);
        var tail = size < switchover
            ? bell * Polynomial(Above, size) / Polynomial(Below, size)
            : bell / Continued(size) / Math.Sqrt(2 * Math.PI);
        return z > 0 ? 1 - tail : tail;
    }

    /// <summary>The number below which a share of the distribution lies (Acklam's approximation, then a step of Halley's).</summary>
    /// <param name="share">Above 0 and below 1.</param>
    public static double Quantile(double share)
    {
        if (share <= 0 || share >= 1)
            return share <= 0 ? double.NegativeInfinity : double.PositiveInfinity;
        if (share > 0.5)
            return -Quantile(1 - share);
        var z = Rough(share);
        var wrong = (Share(z) - share) * Math.Sqrt(2 * Math.PI) * Math.Exp(z * z / 2);
        return double.IsFinite(wrong) ? z - (wrong / (1 + (z * wrong / 2))) : z;
    }

    /// <summary>Logarithm of the gamma function of a positive number (Lanczos).</summary>
    public static double LogGamma(double x)
    {
        x--;
        var sum = 0.99999999999980993;
        for (var i = 0; i < Lanczos.Length; i++)
            sum += Lanczos[i] / (x + i + 1);
        var t = x + Lanczos.Length - 0.5;
        return (0.5 * Math.Log(2 * Math.PI)) + ((x + 0.5) * Math.Log(t)) - t + Math.Log(sum);
    }

    private static double Rough(double share)
    {
        const double low = 0.02425;
        if (share < low)
        {
            var q = Math.Sqrt(-2 * Math.Log(share));
            return Polynomial(TailAbove, q) / Polynomial(TailBelow, q);
        }

        var centred = share - 0.5;
        var square = centred * centred;
        return centred * Polynomial(MiddleAbove, square) / Polynomial(MiddleBelow, square);
    }

    private static double Continued(double x)
    {
        var build = x + 0.65;
        for (var i = 4; i >= 1; i--)
            build = x + (i / build);
        return build;
    }

    private static double Polynomial(ReadOnlySpan<double> factors, double x)
    {
        var sum = 0.0;
        foreach (var factor in factors)
            sum = (sum * x) + factor;
        return sum;
    }
}
