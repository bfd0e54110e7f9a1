namespace TokenFactory.Cli.Verbs;

/// <summary>A mean with the half-width of its 95 % confidence interval.</summary>
/// <param name="Mean">The mean.</param>
/// <param name="HalfWidth">By Student's t; null where one value says nothing of its spread.</param>
/// <param name="Count">Of how many values.</param>
internal readonly record struct SimulateInterval(double Mean, double? HalfWidth, int Count)
{
    /// <summary>97.5th percentiles of Student's t with 1, 2, ... 30 degrees of freedom.</summary>
    private static readonly double[] T =
    [
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
        2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
    ];

    /// <summary>Whether the interval leaves out zero.</summary>
    public bool ExcludesZero => HalfWidth is { } half && Math.Abs(Mean) > half;

    /// <summary>The interval of some values; null without any.</summary>
    public static SimulateInterval? Of(IReadOnlyList<double> values)
    {
        if (values.Count == 0)
            return null;
        var mean = values.Average();
        if (values.Count == 1)
            return new SimulateInterval(mean, null, 1);
        var variance = values.Sum(value => (value - mean) * (value - mean)) / (values.Count - 1);
        return new SimulateInterval(mean, Quantile(values.Count - 1) * Math.Sqrt(variance / values.Count), values.Count);
    }

    /// <summary>97.5th percentile of Student's t; between entries of the table the wider one.</summary>
    public static double Quantile(int degrees) => degrees switch
    {
        <= 30 => T[degrees - 1],
        < 40 => T[^1],
        < 60 => 2.021,
        < 120 => 2.000,
        _ => 1.980,
    };
}
