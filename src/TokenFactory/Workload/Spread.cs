namespace TokenFactory.Workload;

/// <summary>
/// A distribution of lengths or times, told by its quantiles: each value costs exactly one draw, so that streams of the same seed stay in
/// step when one distribution takes the place of another.
/// </summary>
public abstract record Spread
{
    /// <summary>Its mean.</summary>
    public abstract double Mean { get; }

    /// <summary>The value below which a share of the distribution lies.</summary>
    /// <param name="share">Above 0 and below 1.</param>
    public abstract double At(double share);

    /// <summary>The whole number at a share of the distribution, at least 1.</summary>
    /// <param name="share">Above 0 and below 1.</param>
    public virtual int WholeAt(double share) => (int)Math.Clamp(Math.Round(At(share)), 1, int.MaxValue);

    /// <summary>A value.</summary>
    public double Draw(Draws draws) => At(draws.InnerShare());

    /// <summary>A count, at least 1.</summary>
    public int DrawWhole(Draws draws) => WholeAt(draws.InnerShare());
}

/// <summary>Always the same.</summary>
/// <param name="Value">That value.</param>
public sealed record Constant(double Value) : Spread
{
    /// <inheritdoc/>
    public override double Mean => Value;

    /// <inheritdoc/>
    public override double At(double share) => Value;
}

/// <summary>Evenly between two bounds; counts include both.</summary>
/// <param name="Low">The lower.</param>
/// <param name="High">The higher.</param>
public sealed record Uniform(double Low, double High) : Spread
{
    /// <inheritdoc/>
    public override double Mean => (Low + High) / 2;

    /// <summary>Evenly from a share of a nominal length to all of it, as InferenceX draws its prompts and answers.</summary>
    public static Uniform OfNominal(int tokens, double share = 0.8) => new(Math.Max(1, Math.Floor(tokens * share)), tokens);

    /// <inheritdoc/>
    public override double At(double share) => Low + (share * (High - Low));

    /// <inheritdoc/>
    public override int WholeAt(double share)
    {
        var least = Math.Ceiling(Low);
        return (int)Math.Max(1, least + Math.Floor(share * (Math.Floor(High) - least + 1)));
    }
}

/// <summary>Memoryless: as times between independent events are.</summary>
/// <param name="Mean">Its mean.</param>
public sealed record Exponential(double Mean) : Spread
{
    /// <inheritdoc/>
    public override double Mean { get; } = Mean;

    /// <inheritdoc/>
    public override double At(double share) => -Mean * Math.Log(1 - share);
}

/// <summary>Counts from 1 on, each followed by another with the same probability.</summary>
/// <param name="Mean">Its mean, at least 1.</param>
public sealed record Geometric(double Mean) : Spread
{
    /// <inheritdoc/>
    public override double Mean { get; } = Mean;

    /// <inheritdoc/>
    public override double At(double share) => Mean <= 1 ? 1 : Math.Max(1, Math.Ceiling(Math.Log(1 - share) / Math.Log(1 - (1 / Mean))));
}

/// <summary>A number whose logarithm is normal, cut at bounds: what lies outside is not drawn, and the rest keeps its shape.</summary>
public sealed record Lognormal : Spread
{
    private readonly double _from;
    private readonly double _to;

    /// <summary>A distribution by its median.</summary>
    /// <param name="median">Its median before it is cut, above 0.</param>
    /// <param name="sigma">Standard deviation of its logarithm, at least 0.</param>
    /// <param name="least">Lowest value.</param>
    /// <param name="most">Highest value, above the lowest.</param>
    public Lognormal(double median, double sigma, double least = 0, double most = double.PositiveInfinity)
    {
        (Median, Sigma, Least, Most) = (median, sigma, least, most);
        (_from, _to) = (ShareBelow(least), ShareBelow(most));
    }

    /// <summary>Its median before it is cut.</summary>
    public double Median { get; }

    /// <summary>Standard deviation of its logarithm.</summary>
    public double Sigma { get; }

    /// <summary>Lowest value.</summary>
    public double Least { get; }

    /// <summary>Highest value.</summary>
    public double Most { get; }

    /// <inheritdoc/>
    public override double Mean
    {
        get
        {
            if (Sigma <= 0 || _to - _from < 1e-12)
                return Math.Clamp(Median, Least, Most);
            var whole = Median * Math.Exp(Sigma * Sigma / 2);
            return whole * (Moment(Most) - Moment(Least)) / (_to - _from);
        }
    }

    /// <summary>A distribution by its mean and coefficient of variation, both before it is cut.</summary>
    public static Lognormal OfMean(double mean, double cv, double least = 0, double most = double.PositiveInfinity) =>
        new(mean / Math.Sqrt(1 + (cv * cv)), SigmaOf(cv), least, most);

    /// <summary>Standard deviation of the logarithm, from the coefficient of variation.</summary>
    public static double SigmaOf(double cv) => Math.Sqrt(Math.Log(1 + (cv * cv)));

    /// <inheritdoc/>
    public override double At(double share) =>
        Math.Clamp(Median * Math.Exp(Sigma * Normal.Quantile(_from + (share * (_to - _from)))), Least, Most);

    private double ShareBelow(double value) =>
        value <= 0 ? 0
        : double.IsPositiveInfinity(value) ? 1
        : Sigma > 0 ? Normal.Share(Math.Log(value / Median) / Sigma)
        : value >= Median ? 1
        : 0;

    /// <summary>Share of the mean that lies below a value.</summary>
    private double Moment(double value) =>
        value <= 0 ? 0 : double.IsPositiveInfinity(value) ? 1 : Normal.Share((Math.Log(value / Median) / Sigma) - Sigma);
}

/// <summary>One of some recorded values, each as likely as the others.</summary>
public sealed record Empirical : Spread
{
    private readonly double[] _sorted;

    /// <summary>A distribution of values, at least one.</summary>
    public Empirical(params IEnumerable<double> values)
    {
        _sorted = [.. values.Order()];
        if (_sorted.Length == 0)
            throw new ArgumentException("Nothing to draw from: give one value or more.", nameof(values));
        Mean = _sorted.Average();
    }

    /// <inheritdoc/>
    public override double Mean { get; }

    /// <inheritdoc/>
    public override double At(double share) => _sorted[(int)Math.Clamp(share * _sorted.Length, 0, _sorted.Length - 1)];
}
