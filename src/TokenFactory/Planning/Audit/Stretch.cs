using TokenFactory.Simulation;
using TokenFactory.Units;
using TokenFactory.Workload;

namespace TokenFactory.Planning.Audit;

/// <summary>
/// When the requests of a traffic come, if answers take as long as on a quiet replica: how much there is, and when most of it.
/// </summary>
public sealed class TrafficLook
{
    /// <summary>Most requests that are looked at.</summary>
    public const int MostLooked = 2_000_000;

    /// <summary>Seconds within which rates are told apart.</summary>
    public const double SpanSeconds = 300;

    private const double SecondsPerToken = 0.02;

    private TrafficLook(IReadOnlyList<double> seconds, bool closed) => (Seconds, IsClosed) = (seconds, closed);

    /// <summary>When requests arrive, ascending.</summary>
    public IReadOnlyList<double> Seconds { get; }

    /// <summary>Whether clients wait for answers before they send more: how much is sent follows the fleet then.</summary>
    public bool IsClosed { get; }

    /// <summary>From the first request to the last.</summary>
    public double Length => Seconds.Count > 0 ? Seconds[^1] - Seconds[0] : 0;

    /// <summary>Looks at a traffic.</summary>
    /// <param name="traffic">The traffic.</param>
    /// <param name="seed">Its seed.</param>
    /// <param name="stop">Seconds at which it is cut off; null for its own end.</param>
    public static TrafficLook At(Func<ulong, ITraffic> traffic, ulong seed, double? stop)
    {
        var watched = new Watched(traffic(seed));
        var seconds = new List<double>();
        foreach (var request in IdealFleet.Asked(watched, SecondsPerToken))
        {
            if (request.Arrival.Seconds >= stop || seconds.Count == MostLooked)
                break;
            seconds.Add(request.Arrival.Seconds);
        }

        return new TrafficLook(seconds, watched.Closed);
    }

    /// <summary>The busiest five minutes over the mean; 1 where there are not even six such spans.</summary>
    public double PeakToMean(double from, double until)
    {
        var spans = new int[Math.Max(1, (int)Math.Ceiling((until - from) / SpanSeconds))];
        foreach (var at in Seconds)
        {
            if (at >= from && at <= until)
                spans[Math.Min(spans.Length - 1, (int)((at - from) / SpanSeconds))]++;
        }

        return spans.Length < 6 || spans.Sum() == 0 ? 1 : spans.Max() / spans.Average();
    }

    /// <summary>Tells whether any request waited for another that is no turn of its session.</summary>
    private sealed class Watched(ITraffic inner) : ITraffic
    {
        public bool Closed { get; private set; }

        public IReadOnlyList<string> Classes => inner.Classes;

        public IReadOnlyList<string> Tenants => inner.Tenants;

        public long? Expected => inner.Expected;

        public Request? Next() => inner.Next();

        public Request? After(Request ended, Instant at, bool completed)
        {
            var next = inner.After(ended, at, completed);
            Closed |= next is { Session: < 0 };
            return next;
        }
    }
}

/// <summary>The part of a traffic that is simulated: all of it, or its busiest stretch of so many requests.</summary>
/// <param name="Traffic">Its requests from a seed.</param>
/// <param name="FromSeconds">When it begins in the whole.</param>
/// <param name="Seconds">How long requests arrive in it.</param>
/// <param name="Requests">How many there are, as far as the fleet does not decide that.</param>
/// <param name="Of">How many there are in the whole.</param>
/// <param name="PeakToMean">Its busiest five minutes over its mean rate.</param>
/// <param name="IsClosed">Whether clients wait for answers before they send more.</param>
public sealed record Stretch(
    Func<ulong, ITraffic> Traffic, double FromSeconds, double Seconds, long Requests, long Of, double PeakToMean, bool IsClosed)
{
    /// <summary>Whether it is all of the traffic.</summary>
    public bool IsWhole => Requests >= Of;

    /// <summary>The busiest stretch of at most so many requests; the first ones where clients wait for answers.</summary>
    /// <param name="traffic">The traffic.</param>
    /// <param name="look">When its requests come.</param>
    /// <param name="most">Most requests.</param>
    public static Stretch Busiest(Func<ulong, ITraffic> traffic, TrafficLook look, long most)
    {
        var (times, count) = (look.Seconds, (int)Math.Min(most, look.Seconds.Count));
        if (count == times.Count)
            return new Stretch(traffic, 0, look.Length, count, count, look.PeakToMean(0, look.Length), look.IsClosed);
        if (look.IsClosed)
        {
            return new Stretch(First, 0, times[count - 1], count, times.Count, 1, true);
        }

        var first = 0;
        for (var i = 1; i + count <= times.Count; i++)
        {
            if (times[i + count - 1] - times[i] < times[first + count - 1] - times[first])
                first = i;
        }

        var (from, until) = (times[first], times[first + count - 1]);
        return new Stretch(
            seed => new TrafficStretch(traffic(seed), Instant.AtSeconds(from), Instant.AtSeconds(until)),
            from,
            until - from,
            count,
            times.Count,
            look.PeakToMean(from, until),
            false);

        ITraffic First(ulong seed) => new TrafficStretch(traffic(seed), Instant.Start, Instant.Never, count);
    }

    /// <summary>The policies of a fleet under this stretch: its traffic, and of the faults at a time those within it.</summary>
    /// <param name="policies">As they stand for the whole.</param>
    public FleetPlan Under(FleetPlan policies) => IsWhole ? policies : policies with
    {
        Traffic = Traffic,
        StopSeconds = null,
        Faults = [.. policies.Faults.Select(Shifted).OfType<Fault>()],
    };

    private Fault? Shifted(Fault fault) => fault switch
    {
        Crashes crashes => crashes with { AtSeconds = [.. crashes.AtSeconds.Select(at => at - FromSeconds).Where(at => at >= 0)] },
        Slowdown one => Within(one.AtSeconds, one.ForSeconds) is { } at ? one with { AtSeconds = at.At, ForSeconds = at.For } : null,
        StaleReports one => Within(one.AtSeconds, one.ForSeconds) is { } at ? one with { AtSeconds = at.At, ForSeconds = at.For } : null,
        LinkLoss one => Within(one.AtSeconds, one.ForSeconds) is { } at ? one with { AtSeconds = at.At, ForSeconds = at.For } : null,
        _ => fault,
    };

    private (double At, double For)? Within(double at, double length)
    {
        var (begin, end) = (Math.Max(0, at - FromSeconds), at + length - FromSeconds);
        return end > begin ? (begin, end - begin) : null;
    }
}
