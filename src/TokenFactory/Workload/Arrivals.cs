using TokenFactory.Units;

namespace TokenFactory.Workload;

/// <summary>How arrivals follow one another.</summary>
public enum ArrivalKind
{
    /// <summary>Independently: the coefficient of variation of the time between is 1.</summary>
    Poisson,

    /// <summary>Times between follow a gamma distribution of a given variation: above 1 in clusters.</summary>
    Gamma,

    /// <summary>Times between follow a Weibull distribution of a given variation.</summary>
    Weibull,

    /// <summary>Like a metronome.</summary>
    Constant,

    /// <summary>All at the beginning.</summary>
    AtOnce,
}

/// <summary>How requests or sessions arrive over time.</summary>
/// <param name="Kind">How they follow one another.</param>
/// <param name="Rate">How many per second; not looked at where all come at once.</param>
/// <param name="Cv">Coefficient of variation of the time between, for gamma and Weibull.</param>
public sealed record ArrivalPlan(ArrivalKind Kind, RateCurve Rate, double Cv = 1)
{
    /// <summary>Least variation of a Weibull distribution that is solved for.</summary>
    public const double LeastWeibullCv = 0.05;

    /// <summary>Most variation of either.</summary>
    public const double MostCv = 20;

    /// <summary>Independent arrivals at a rate.</summary>
    public static ArrivalPlan Poisson(double perSecond) => new(ArrivalKind.Poisson, new RateCurve { PerSecond = perSecond });
}

/// <summary>Arrivals one after the other: a renewal process of rate one, its time stretched by the rate.</summary>
public sealed class Arrivals
{
    private readonly Draws _draws;
    private readonly ArrivalPlan _plan;
    private readonly CurveWalk _walk;
    private readonly double _shape;
    private long _last;

    /// <summary>The arrivals of a plan.</summary>
    public Arrivals(ArrivalPlan plan, Draws draws)
    {
        (_plan, _draws, _walk) = (plan, draws, new CurveWalk(plan.Rate));
        _shape = plan.Kind switch
        {
            ArrivalKind.Gamma when plan.Cv > 0 => 1 / (plan.Cv * plan.Cv),
            ArrivalKind.Weibull when plan.Cv > 0 => Renewal.WeibullShape(plan.Cv),
            _ => 0,
        };
    }

    /// <summary>The next; <see cref="Instant.Never"/> after the last.</summary>
    public Instant Next()
    {
        if (_plan.Kind == ArrivalKind.AtOnce)
            return Instant.Start;
        var seconds = _walk.Advance(Interval());
        if (!(seconds < 9e9))
            return Instant.Never;
        _last = Math.Max(_last, Instant.AtSeconds(seconds).Nanoseconds);
        return new Instant(_last);
    }

    private double Interval() => (_plan.Kind, _shape) switch
    {
        (ArrivalKind.Poisson, _) => -Math.Log(_draws.PositiveShare()),
        (ArrivalKind.Gamma, > 0) => Renewal.Gamma(_shape, _draws) / _shape,
        (ArrivalKind.Weibull, > 0) => Renewal.Weibull(_shape, _draws),
        _ => 1,
    };
}

/// <summary>Draws of the distributions of times between arrivals.</summary>
internal static class Renewal
{
    /// <summary>A gamma number of a shape and scale 1 (Marsaglia and Tsang); shapes below 1 are boosted.</summary>
    public static double Gamma(double shape, Draws draws)
    {
        if (shape < 1)
            return Gamma(shape + 1, draws) * Math.Pow(draws.PositiveShare(), 1 / shape);
        var d = shape - (1.0 / 3);
        var c = 1 / Math.Sqrt(9 * d);
        while (true)
        {
            var z = Normal.Quantile(draws.InnerShare());
            var cube = 1 + (c * z);
            if (cube <= 0)
                continue;
            cube = cube * cube * cube;
            if (Math.Log(draws.PositiveShare()) < (0.5 * z * z) + (d * (1 - cube + Math.Log(cube))))
                return d * cube;
        }
    }

    /// <summary>A Weibull number of a shape and mean 1.</summary>
    public static double Weibull(double shape, Draws draws) =>
        Math.Pow(-Math.Log(draws.PositiveShare()), 1 / shape) / Math.Exp(Normal.LogGamma(1 + (1 / shape)));

    /// <summary>The shape of the Weibull distribution of a coefficient of variation.</summary>
    public static double WeibullShape(double cv)
    {
        var (low, high) = (0.05, 100.0);
        for (var i = 0; i < 200; i++)
        {
            var middle = Math.Sqrt(low * high);
            var ratio = Math.Exp(Normal.LogGamma(1 + (2 / middle)) - (2 * Normal.LogGamma(1 + (1 / middle))));
            (low, high) = Math.Sqrt(Math.Max(0, ratio - 1)) > cv ? (middle, high) : (low, middle);
        }

        return Math.Sqrt(low * high);
    }
}
