using TokenFactory.Store.Ledger;
using TokenFactory.Units;

namespace TokenFactory.Store.Reports;

/// <summary>The sums record by record: what a store without SQL does, and what those with SQL are held against.</summary>
public static class Sums
{
    /// <summary>Usage by dimensions, in the order of the groups' names.</summary>
    public static async Task<IReadOnlyList<UsageSum>> OfAsync(
        IAsyncEnumerable<UsageRecord> records, IReadOnlyList<Dimension> by, CancellationToken cancel)
    {
        var groups = new SortedDictionary<string, UsageSum>(StringComparer.Ordinal);
        await foreach (var record in records.WithCancellation(cancel))
        {
            var names = Group(record, by);
            var key = string.Join('\0', names);
            groups[key] = Add(groups.GetValueOrDefault(key) ?? new UsageSum(names), record);
        }

        return [.. groups.Values];
    }

    /// <summary>Meters by dimensions (model, replica, pool, hour, day), in the order of the groups' names.</summary>
    public static async Task<IReadOnlyList<MeterSum>> OfAsync(
        IAsyncEnumerable<MeterRecord> meters, IReadOnlyList<Dimension> by, CancellationToken cancel)
    {
        var groups = new SortedDictionary<string, MeterSum>(StringComparer.Ordinal);
        await foreach (var meter in meters.WithCancellation(cancel))
        {
            string[] names = [.. by.Select(dimension => Name(meter, dimension))];
            var key = string.Join('\0', names);
            groups[key] = Add(groups.GetValueOrDefault(key) ?? new MeterSum(names), meter);
        }

        return [.. groups.Values];
    }

    /// <summary>How times spread by dimensions, in the order of the groups' names.</summary>
    public static async Task<IReadOnlyList<TimeSpread>> SpreadAsync(
        IAsyncEnumerable<UsageRecord> records, IReadOnlyList<Dimension> by, CancellationToken cancel)
    {
        var groups = new SortedDictionary<string, TimeSpread>(StringComparer.Ordinal);
        await foreach (var record in records.WithCancellation(cancel))
        {
            if (record.FirstToken is not { } first)
                continue;
            var names = Group(record, by);
            var key = string.Join('\0', names);
            var spread = groups[key] = groups.GetValueOrDefault(key) ?? new TimeSpread(names, new Spread(), new Spread());
            spread.Ttft.Add(Spread.Round((first - record.Arrival).Nanoseconds), 1);
            if (record.Tokens.Output > 1)
                spread.Tpot.Add(Spread.Round((record.Ended - first).Nanoseconds / (record.Tokens.Output - 1)), 1);
        }

        return [.. groups.Values];
    }

    /// <summary>The whole of some parts.</summary>
    internal static UsageSum Whole(IEnumerable<UsageSum> parts) => parts.Aggregate(new UsageSum([]), Add);

    /// <summary>The whole of some parts.</summary>
    internal static MeterSum Whole(IEnumerable<MeterSum> parts) => parts.Aggregate(new MeterSum([]), (sum, part) => sum with
    {
        Paid = sum.Paid + part.Paid,
        Idle = sum.Idle + part.Idle,
        Joules = sum.Joules + part.Joules,
        IdleJoules = sum.IdleJoules + part.IdleJoules,
        Seconds = sum.Seconds + part.Seconds,
        BusySeconds = sum.BusySeconds + part.BusySeconds,
    });

    private static string[] Group(UsageRecord record, IReadOnlyList<Dimension> by) => [.. by.Select(dimension => dimension switch
    {
        Dimension.Tenant => record.Tenant,
        Dimension.Key => record.Key,
        Dimension.Model => record.Model,
        Dimension.Replica => record.Replica,
        Dimension.Pool => record.Pool,
        Dimension.Class => record.Class,
        Dimension.Hour => Period.Hour(Period.Number(record.Ended, Period.HourNanos)),
        _ => Period.Day(Period.Number(record.Ended, Period.DayNanos)),
    })];

    private static string Name(MeterRecord meter, Dimension dimension) => dimension switch
    {
        Dimension.Model => meter.Model,
        Dimension.Replica => meter.Replica,
        Dimension.Pool => meter.Pool,
        Dimension.Hour => Period.Hour(Period.Number(meter.From, Period.HourNanos)),
        Dimension.Day => Period.Day(Period.Number(meter.From, Period.DayNanos)),
        _ => throw new ArgumentException($"Meters know no {dimension}: they can be summed by model, replica, pool, hour and day."),
    };

    private static UsageSum Add(UsageSum sum, UsageRecord record) => Add(sum, new UsageSum([])
    {
        Completed = record.Outcome == Outcome.Completed ? 1 : 0,
        Cancelled = record.Outcome == Outcome.Cancelled ? 1 : 0,
        Failed = record.Outcome == Outcome.Failed ? 1 : 0,
        Tokens = record.Tokens,
        ChargedTokens = record.Charged.Value > 0 ? record.Tokens : default,
        Charged = record.Charged,
        UsageCost = record.UsageCost,
        AllocationCost = record.AllocationCost,
        Joules = record.Joules,
        FirstTokens = record.FirstToken is null ? 0 : 1,
        TtftSeconds = record.FirstToken is { } token ? (token - record.Arrival).Seconds : 0,
        Pace = record.FirstToken is { } first && record.Tokens.Output > 1
            ? (record.Tokens.Output - 1, (record.Ended - first).Seconds)
            : default,
    });

    private static UsageSum Add(UsageSum sum, UsageSum part) => sum with
    {
        Completed = sum.Completed + part.Completed,
        Cancelled = sum.Cancelled + part.Cancelled,
        Failed = sum.Failed + part.Failed,
        Tokens = Add(sum.Tokens, part.Tokens),
        ChargedTokens = Add(sum.ChargedTokens, part.ChargedTokens),
        Charged = sum.Charged + part.Charged,
        UsageCost = sum.UsageCost + part.UsageCost,
        AllocationCost = sum.AllocationCost + part.AllocationCost,
        Joules = sum.Joules + part.Joules,
        FirstTokens = sum.FirstTokens + part.FirstTokens,
        TtftSeconds = sum.TtftSeconds + part.TtftSeconds,
        Pace = (sum.Pace.Tokens + part.Pace.Tokens, sum.Pace.Seconds + part.Pace.Seconds),
    };

    private static TokenCounts Add(TokenCounts a, TokenCounts b) =>
        new(a.Fresh + b.Fresh, a.Cached + b.Cached, a.Output + b.Output, a.Reasoning + b.Reasoning);

    private static MeterSum Add(MeterSum sum, MeterRecord meter) => sum with
    {
        Paid = sum.Paid + meter.Paid,
        Idle = sum.Idle + meter.Idle,
        Joules = sum.Joules + meter.Joules,
        IdleJoules = sum.IdleJoules + meter.IdleJoules,
        Seconds = sum.Seconds + (meter.To - meter.From).Seconds,
        BusySeconds = sum.BusySeconds + meter.BusySeconds,
    };
}
