using TokenFactory.Units;

namespace TokenFactory.Store.Reports;

/// <summary>One group of a report.</summary>
/// <param name="Sum">Its sums.</param>
/// <param name="Times">How its times spread; null where no first token came.</param>
/// <param name="Meters">What its replicas were paid and drew, where the groups are ones that meters know; null otherwise.</param>
public sealed record ReportRow(UsageSum Sum, TimeSpread? Times, MeterSum? Meters);

/// <summary>
/// What requests took, cost and were charged over a span of time, by one or two dimensions; beside it what was paid and drawn in all (law
/// 5).
/// </summary>
public sealed record UsageReport
{
    /// <summary>Beginning of the span, included.</summary>
    public required Instant From { get; init; }

    /// <summary>End of the span, not included.</summary>
    public required Instant To { get; init; }

    /// <summary>What it is by.</summary>
    public required IReadOnlyList<Dimension> By { get; init; }

    /// <summary>Groups in the order of their names; groups in which replicas only idled are among them.</summary>
    public required IReadOnlyList<ReportRow> Rows { get; init; }

    /// <summary>All groups together.</summary>
    public required UsageSum Total { get; init; }

    /// <summary>All meters together.</summary>
    public required MeterSum Meters { get; init; }

    /// <summary>
    /// Dollars paid that neither idle time nor a request of the span bears; negative where requests bear more. Requests that were in flight
    /// at either end of the span, meters that are still running, and rounding.
    /// </summary>
    public Usd NotAttributed => Meters.Paid - Meters.Idle - Total.UsageCost;

    /// <summary>The same in joules.</summary>
    public double NotAttributedJoules => Meters.Joules - Meters.IdleJoules - Total.Joules;

    /// <summary>Makes a report of requests that ended, and meters that began, in a span of time.</summary>
    /// <exception cref="StoreAwayException">The store is away.</exception>
    /// <exception cref="ArgumentException">More than two dimensions, or one twice.</exception>
    public static async Task<UsageReport> MakeAsync(
        IUsageStore store, Instant from, Instant to, IReadOnlyList<Dimension> by, CancellationToken cancel)
    {
        if (by.Count > 2 || by.Distinct().Count() < by.Count)
            throw new ArgumentException($"A report is by one or two different dimensions, not by {string.Join(", ", by)}.");
        var usage = await store.SumUsageAsync(from, to, by, cancel);
        var spreads = await store.SpreadAsync(from, to, by, cancel);
        var known = by.All(
            dimension => dimension is Dimension.Model or Dimension.Replica or Dimension.Pool or Dimension.Hour or Dimension.Day);
        var meters = await store.SumMetersAsync(from, to, known ? by : [], cancel);
        return new UsageReport
        {
            From = from,
            To = to,
            By = by,
            Rows = Join(usage, spreads, known ? meters : []),
            Total = Sums.Whole(usage),
            Meters = Sums.Whole(meters),
        };
    }

    private static List<ReportRow> Join(IReadOnlyList<UsageSum> usage, IReadOnlyList<TimeSpread> spreads, IReadOnlyList<MeterSum> meters)
    {
        var rows = new SortedDictionary<string, ReportRow>(StringComparer.Ordinal);
        foreach (var sum in usage)
            rows[Key(sum.Group)] = new ReportRow(sum, null, null);
        foreach (var spread in spreads)
            rows[Key(spread.Group)] = Row(spread.Group) with { Times = spread };
        foreach (var meter in meters)
            rows[Key(meter.Group)] = Row(meter.Group) with { Meters = meter };
        return [.. rows.Values];

        ReportRow Row(IReadOnlyList<string> group) => rows.GetValueOrDefault(Key(group)) ?? new ReportRow(new UsageSum(group), null, null);

        static string Key(IReadOnlyList<string> group) => string.Join('\0', group);
    }
}
