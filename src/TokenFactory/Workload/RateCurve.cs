namespace TokenFactory.Workload;

/// <summary>A rate that rises and falls like the sun: a sine about the mean.</summary>
/// <param name="PeakToTrough">Highest rate over lowest, at least 1.</param>
/// <param name="PeriodSeconds">Time from peak to peak, above 0.</param>
/// <param name="PhaseSeconds">A time at which the rate is at its mean and rises; the peak comes a quarter of a period later.</param>
public readonly record struct Diurnal(double PeakToTrough, double PeriodSeconds = 86_400, double PhaseSeconds = 0)
{
    /// <summary>How far the peak lies above the mean, as a share of the mean.</summary>
    public double Swing => (PeakToTrough - 1) / (PeakToTrough + 1);

    /// <summary>The rate at a time, over its mean.</summary>
    public double At(double seconds) => 1 + (Swing * Math.Sin(Angle(seconds)));

    /// <summary>The same, summed up from a time to another.</summary>
    public double Between(double from, double to) =>
        to - from - (Swing * PeriodSeconds / (2 * Math.PI) * (Math.Cos(Angle(to)) - Math.Cos(Angle(from))));

    private double Angle(double seconds) => 2 * Math.PI * ((seconds - PhaseSeconds) / PeriodSeconds);
}

/// <summary>From a time on, the rate is the mean times a factor, until the next step.</summary>
/// <param name="AtSeconds">When it begins.</param>
/// <param name="Factor">The factor, at least 0.</param>
public readonly record struct RateStep(double AtSeconds, double Factor);

/// <summary>For a while, the rate is a multiple of what it would be.</summary>
/// <param name="AtSeconds">When it begins.</param>
/// <param name="ForSeconds">How long it lasts.</param>
/// <param name="Factor">The multiple, at least 0.</param>
public readonly record struct Burst(double AtSeconds, double ForSeconds, double Factor);

/// <summary>A rate over time: a mean, shaped by the time of day, by steps and by bursts, which multiply.</summary>
public sealed record RateCurve
{
    /// <summary>The mean rate per second, above 0, before steps and bursts.</summary>
    public required double PerSecond { get; init; }

    /// <summary>How it follows the time of day; null where it does not.</summary>
    public Diurnal? Daily { get; init; }

    /// <summary>Steps in the order of time; before the first the factor is 1.</summary>
    public IReadOnlyList<RateStep> Steps { get; init; } = [];

    /// <summary>Bursts, in any order.</summary>
    public IReadOnlyList<Burst> Bursts { get; init; } = [];

    /// <summary>The rate per second at a time.</summary>
    public double At(double seconds) => PerSecond * FactorAt(seconds) * (Daily?.At(seconds) ?? 1);

    /// <summary>What is expected to arrive from a time to another.</summary>
    public double Between(double from, double to)
    {
        var sum = 0.0;
        foreach (var end in Breaks().Where(at => at > from && at < to).Append(to))
        {
            sum += Smooth(from, end) * FactorAt(from);
            from = end;
        }

        return sum;
    }

    /// <summary>What steps and bursts make of the rate at a time.</summary>
    internal double FactorAt(double seconds)
    {
        var factor = 1.0;
        foreach (var step in Steps)
        {
            if (step.AtSeconds <= seconds)
                factor = step.Factor;
        }

        foreach (var burst in Bursts)
        {
            if (burst.AtSeconds <= seconds && seconds < burst.AtSeconds + burst.ForSeconds)
                factor *= burst.Factor;
        }

        return factor;
    }

    /// <summary>What would arrive from a time to another without steps and bursts.</summary>
    internal double Smooth(double from, double to) => PerSecond * (Daily?.Between(from, to) ?? (to - from));

    /// <summary>The times at which the factor changes, rising.</summary>
    internal IEnumerable<double> Breaks() =>
        Steps.Select(step => step.AtSeconds)
            .Concat(Bursts.SelectMany(burst => new[] { burst.AtSeconds, burst.AtSeconds + burst.ForSeconds }))
            .Where(at => at > 0)
            .Distinct()
            .Order();
}

/// <summary>
/// Walks along a rate curve by expected arrivals instead of seconds. A renewal process of rate one whose steps are walked this way has
/// exactly the curve's rate at every time.
/// </summary>
internal sealed class CurveWalk(RateCurve curve)
{
    private const int MostSteps = 100;

    private readonly double[] _breaks = [.. curve.Breaks()];
    private double _factor = curve.FactorAt(0);
    private int _next;

    /// <summary>Where it stands, in seconds; infinite when nothing arrives any more.</summary>
    public double Seconds { get; private set; }

    /// <summary>Walks on until so much more was expected to arrive.</summary>
    public double Advance(double expected)
    {
        while (_next < _breaks.Length)
        {
            var room = _factor * curve.Smooth(Seconds, _breaks[_next]);
            if (expected < room)
                return Seconds = Solve(expected / _factor);
            expected -= room;
            Seconds = _breaks[_next++];
            _factor = curve.FactorAt(Seconds);
        }

        return Seconds = _factor > 0 ? Solve(expected / _factor) : double.PositiveInfinity;
    }

    /// <summary>The time by which so much arrives on the smooth curve: Newton's method inside a bracket.</summary>
    private double Solve(double expected)
    {
        if (curve.Daily is not { Swing: > 0 } daily || !double.IsFinite(Seconds))
            return Seconds + (expected / curve.PerSecond);
        var wanted = expected / curve.PerSecond;
        var (low, high) = (Seconds + (wanted / (1 + daily.Swing)), Seconds + (wanted / (1 - daily.Swing)));
        var at = Math.Min(high, Seconds + (wanted / daily.At(Seconds)));
        for (var i = 0; i < MostSteps && high - low > 1e-10; i++)
        {
            var over = daily.Between(Seconds, at) - wanted;
            (low, high) = over > 0 ? (low, at) : (at, high);
            var next = at - (over / daily.At(at));
            next = next > low && next < high ? next : (low + high) / 2;
            if (Math.Abs(next - at) < 1e-11)
                return next;
            at = next;
        }

        return at;
    }
}
