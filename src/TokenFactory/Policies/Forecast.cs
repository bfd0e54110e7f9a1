using TokenFactory.Fleet;
using TokenFactory.Units;

namespace TokenFactory.Policies;

/// <summary>How many requests per second will come, by level and trend of the last minutes and by the same time yesterday.</summary>
internal static class Forecast
{
    private const double DaySeconds = 86400;
    private const double Level = 0.15;
    private const double Trend = 0.05;
    private const double MostGrowth = 3;
    private const int Around = 3;

    /// <summary>Requests per second.</summary>
    /// <param name="demand">What came so far.</param>
    /// <param name="now">The present.</param>
    /// <param name="aheadSeconds">How far to look ahead.</param>
    /// <param name="backSeconds">How far to look back for level and trend.</param>
    public static double Rate(DemandHistory demand, Instant now, double aheadSeconds, double backSeconds)
    {
        var span = demand.SpanSeconds;
        var last = demand.SpanOf(now) - 1;
        var first = Math.Max(demand.First, last - (long)(backSeconds / span));
        if (demand.First < 0)
            return 0;
        if (last < first)
            return demand.Of(demand.Newest).Arrivals / span;
        var (level, trend) = Holt(demand, first, last);
        var ahead = Math.Clamp(level + (trend * aheadSeconds / span), 0, level * MostGrowth);
        return Math.Max(ahead, Yesterday(demand, last, level, aheadSeconds)) / span;
    }

    /// <summary>Holt's double exponential smoothing; the first spans weigh as in a mean, so that it needs no guess to begin with.</summary>
    private static (double Level, double Trend) Holt(DemandHistory demand, long first, long last)
    {
        double level = demand.Of(first).Arrivals, trend = 0;
        for (var span = first + 1; span <= last; span++)
        {
            var seen = span - first + 1.0;
            var before = level;
            var expected = level + trend;
            level = expected + ((demand.Of(span).Arrivals - expected) * Math.Max(Level, 1 / seen));
            trend += (level - before - trend) * Trend;
        }

        return (Math.Max(0, level), trend);
    }

    /// <summary>
    /// Arrivals of a span at the same time yesterday, scaled by how today compares with yesterday; none before a day is known.
    /// </summary>
    private static double Yesterday(DemandHistory demand, long last, double level, double aheadSeconds)
    {
        var day = (long)Math.Round(DaySeconds / demand.SpanSeconds);
        if (demand.First > last - day - Around)
            return 0;
        var ahead = (long)Math.Round(aheadSeconds / demand.SpanSeconds);
        var (then, soon) = (Mean(demand, last - day), Mean(demand, last - day + ahead));
        return soon * (then > 0 ? Math.Clamp(level / then, 0.5, 2) : 1);
    }

    private static double Mean(DemandHistory demand, long span) =>
        demand.Between(span - Around, span + Around).Arrivals / ((2.0 * Around) + 1);
}
