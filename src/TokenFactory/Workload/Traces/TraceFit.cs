namespace TokenFactory.Workload.Traces;

/// <summary>
/// A made workload that resembles a trace: gamma arrivals of its rate and variation, a day's rise and fall where the trace is long enough,
/// lognormal lengths with their correlation, and sessions as often and as long as its prompts go on from earlier ones.
/// </summary>
public static class TraceFit
{
    /// <summary>Seconds of a day.</summary>
    private const double Day = 86_400;

    /// <summary>Highest rate that is made.</summary>
    private const double MostPerSecond = 1e7;

    /// <summary>Least turns per session for which sessions are made.</summary>
    private const double LeastTurns = 1.01;

    /// <summary>The stream that resembles a trace, without an end.</summary>
    /// <param name="profile">The trace, of at least two requests.</param>
    /// <param name="name">The name of the stream; its class too.</param>
    public static StreamPlan Of(TraceProfile profile, string name)
    {
        var (input, output) = Shapes(profile);
        if (Turns(profile) is not (>= LeastTurns and var turns))
        {
            return new OpenPlan
            {
                Name = name,
                Class = name,
                Arrivals = Arrivals(profile, 1),
                Lengths = new PairedLengths(input, output, Math.Round(profile.Correlation, 3)),
                SystemPromptTokens = Opening(profile),
            };
        }

        var opening = Opening(profile);
        var first = profile.Sessions.Sessions > 0 ? profile.Sessions.FirstTokens : profile.Reuse.FirstTokens;
        var growth = (profile.Input.Mean - opening - Started(profile, opening)) / (turns - 1);
        return new SessionPlan
        {
            Name = name,
            Class = name,
            Arrivals = Arrivals(profile, turns),
            Turns = new Geometric(Rounded(turns)),
            SystemPromptTokens = opening,
            FirstTokens = Like(Started(profile, opening), Math.Max(first.Cv, 0.01), 1, first.Max),
            Lengths = new PairedLengths(new Constant(Math.Max(1, Math.Round(growth - profile.Output.Mean))), output),
            Think = Pause(profile),
            MaxContextTokens = (int)Math.Min(Figures.MostTokens, 1 + profile.Input.Max + profile.Output.Max),
        };
    }

    /// <summary>
    /// Turns per session: as the trace names them, else as its prompts go on from one another; null where it says neither.
    /// </summary>
    private static double? Turns(TraceProfile profile) =>
        profile.Sessions.Sessions > 0 ? (double)profile.Sessions.Turns / profile.Sessions.Sessions
        : profile.Reuse.Known ? (double)profile.Requests / Math.Max(1, profile.Requests - profile.Reuse.Followers)
        : null;

    private static int Opening(TraceProfile profile) =>
        profile.Reuse.Known && profile.Reuse.OpeningTokens(profile.Requests) is var tokens && tokens < profile.Input.Mean / 2 ? tokens : 0;

    /// <summary>Mean tokens of a first turn beyond the opening.</summary>
    private static double Started(TraceProfile profile, int opening) => Math.Max(
        1, profile.Sessions.Sessions > 0 ? profile.Sessions.FirstTokens.Mean - opening : profile.Reuse.FirstTokens.Mean);

    private static Spread Pause(TraceProfile profile)
    {
        var pauses = profile.Sessions.Sessions > 0 ? profile.Sessions.Pauses : profile.Reuse.Pauses;
        return pauses.Mean > 0 ? Like(pauses.Mean, Math.Max(0.01, pauses.Cv), 0, double.PositiveInfinity) : new Constant(0);
    }

    private static ArrivalPlan Arrivals(TraceProfile profile, double turns)
    {
        if (profile.MeanRate <= 0)
            return new ArrivalPlan(ArrivalKind.AtOnce, new RateCurve { PerSecond = 1 });
        var curve = new RateCurve
        {
            PerSecond = Math.Min(MostPerSecond, Rounded(profile.MeanRate / turns)),
            Daily = profile.Rate.Sine(Day, profile.DurationSeconds),
        };
        return new ArrivalPlan(ArrivalKind.Gamma, curve, Math.Min(ArrivalPlan.MostCv, Rounded(profile.Gaps.Cv)));
    }

    private static (Spread Input, Spread Output) Shapes(TraceProfile profile)
    {
        var opening = Opening(profile);
        return (
            Like(Math.Max(1, profile.Input.Mean - opening), profile.LogDeviations.Input, profile.Input, opening),
            Like(profile.Output.Mean, profile.LogDeviations.Output, profile.Output, 0));
    }

    private static Spread Like(double mean, double sigma, LogHistogram lengths, int opening)
    {
        var (least, most) = (Math.Max(1, lengths.Min - opening), Math.Max(1, lengths.Max - opening));
        return sigma < 1e-6 || least >= most ? new Constant(Math.Round(mean)) : Cut(mean, sigma, least, most);
    }

    private static Spread Like(double mean, double cv, double least, double most) =>
        most <= least || cv < 0.02
            ? new Constant(least >= 1 ? Math.Round(mean) : Rounded(mean))
            : Cut(mean, Lognormal.SigmaOf(cv), least, most);

    /// <summary>
    /// The lognormal distribution of a shape whose mean is the one wanted after it was cut at the bounds: its median is sought.
    /// </summary>
    private static Lognormal Cut(double mean, double sigma, double least, double most)
    {
        var (low, high) = (Math.Max(least, 1e-9), double.IsPositiveInfinity(most) ? mean * 10 : most);
        for (var i = 0; i < 100; i++)
        {
            var median = Math.Sqrt(low * high);
            (low, high) = new Lognormal(median, sigma, least, most).Mean < mean ? (median, high) : (low, median);
        }

        return new Lognormal(Rounded(Math.Sqrt(low * high)), Rounded(sigma), least, most);
    }

    /// <summary>Five digits: more would claim more than a trace knows.</summary>
    private static double Rounded(double value)
    {
        if (value <= 0)
            return 0;
        var unit = Math.Pow(10, Math.Floor(Math.Log10(value)) - 4);
        return unit >= 1 ? Math.Round(value) : Math.Round(value / unit) * unit;
    }
}
