using System.Data.Common;
using TokenFactory.Store.Ledger;
using TokenFactory.Store.Reports;

namespace TokenFactory.Store.Sql;

/// <summary>Sums in SQL that both databases compute alike: integers, but for joules and seconds.</summary>
internal static class ReportSql
{
    private const string Ttft = "(first_token_ns - arrival_ns)";
    private const string Tpot = "((ended_ns - first_token_ns) / (output - 1))";
    private const string Paced = "first_token_ns IS NOT NULL AND output > 1";
    private const string OfSpan = "WHERE ended_ns >= @from AND ended_ns < @to";

    private static readonly string[] UsageSums =
    [
        Count("outcome = 'completed'"), Count("outcome = 'cancelled'"), Count("outcome = 'failed'"),
        Whole("fresh"), Whole("cached"), Whole("output"), Whole("reasoning"),
        WhereCharged("fresh"), WhereCharged("cached"), WhereCharged("output"), WhereCharged("reasoning"),
        Whole("charged_nanousd"), Whole("usage_cost_nanousd"), Whole("allocation_cost_nanousd"), "SUM(joules)",
        Count("first_token_ns IS NOT NULL"), Whole($"CASE WHEN first_token_ns IS NULL THEN 0 ELSE {Ttft} END"),
        Whole($"CASE WHEN {Paced} THEN output - 1 ELSE 0 END"), Whole($"CASE WHEN {Paced} THEN ended_ns - first_token_ns ELSE 0 END"),
    ];

    private static readonly string[] MeterSums =
        [Whole("paid_nanousd"), Whole("idle_nanousd"), "SUM(joules)", "SUM(idle_joules)", Whole("to_ns - from_ns"), "SUM(busy_seconds)"];

    public static string Usage(IReadOnlyList<Dimension> by) => Grouped(by, UsageSums, $"tokenfactory_usage {OfSpan}", "ended_ns");

    public static string Meters(IReadOnlyList<Dimension> by) =>
        Grouped(by, MeterSums, "tokenfactory_meters WHERE from_ns >= @from AND from_ns < @to", "from_ns");

    /// <summary>Rows of: which time (0 to the first token, 1 per token), groups, rounded nanoseconds, how many.</summary>
    public static string Spread(IReadOnlyList<Dimension> by)
    {
        return $"{Part(0, Ttft, "first_token_ns IS NOT NULL")} UNION ALL {Part(1, Tpot, Paced)}";

        string Part(int which, string time, string where)
        {
            var groups = string.Concat(by.Select((dimension, i) => $", {Column(dimension, "ended_ns")} AS g{i}"));
            var names = string.Concat(by.Select((_, i) => $", g{i}"));
            return $"SELECT {which}{names}, rounded, CAST(COUNT(*) AS bigint) FROM "
                + $"(SELECT {Reports.Spread.Sql("t")} AS rounded{names} FROM "
                + $"(SELECT {time} AS t{groups} FROM tokenfactory_usage {OfSpan} AND {where}) AS times) AS spread GROUP BY rounded{names}";
        }
    }

    public static UsageSum ReadUsage(DbDataReader row, IReadOnlyList<Dimension> by)
    {
        var at = by.Count;
        var sum = new UsageSum(Names(row, 0, by))
        {
            Completed = row.GetInt64(at),
            Cancelled = row.GetInt64(at + 1),
            Failed = row.GetInt64(at + 2),
            Tokens = Tokens(at + 3),
            ChargedTokens = Tokens(at + 7),
            Charged = Money.Dollars(row.GetInt64(at + 11)),
            UsageCost = Money.Dollars(row.GetInt64(at + 12)),
            AllocationCost = Money.Dollars(row.GetInt64(at + 13)),
            Joules = row.GetDouble(at + 14),
            FirstTokens = row.GetInt64(at + 15),
            TtftSeconds = row.GetInt64(at + 16) * 1e-9,
            Pace = (row.GetInt64(at + 17), row.GetInt64(at + 18) * 1e-9),
        };
        return sum;

        TokenCounts Tokens(int column) =>
            new(row.GetInt64(column), row.GetInt64(column + 1), row.GetInt64(column + 2), row.GetInt64(column + 3));
    }

    public static MeterSum ReadMeter(DbDataReader row, IReadOnlyList<Dimension> by) => new(Names(row, 0, by))
    {
        Paid = Money.Dollars(row.GetInt64(by.Count)),
        Idle = Money.Dollars(row.GetInt64(by.Count + 1)),
        Joules = row.GetDouble(by.Count + 2),
        IdleJoules = row.GetDouble(by.Count + 3),
        Seconds = row.GetInt64(by.Count + 4) * 1e-9,
        BusySeconds = row.GetDouble(by.Count + 5),
    };

    /// <summary>Names of a row's group, which begin at a column.</summary>
    public static string[] Names(DbDataReader row, int first, IReadOnlyList<Dimension> by) =>
        [.. by.Select((dimension, i) => dimension switch
    {
        Dimension.Hour => Period.Hour(row.GetInt64(first + i)),
        Dimension.Day => Period.Day(row.GetInt64(first + i)),
        _ => row.GetString(first + i),
    })];

    private static string Grouped(IReadOnlyList<Dimension> by, string[] sums, string from, string time)
    {
        var columns = string.Join(", ", by.Select(dimension => Column(dimension, time)));
        return by.Count == 0
            ? $"SELECT {string.Join(", ", sums)} FROM {from} HAVING COUNT(*) > 0"
            : $"SELECT {columns}, {string.Join(", ", sums)} FROM {from} GROUP BY {columns} ORDER BY {columns}";
    }

    private static string Column(Dimension dimension, string time) => dimension switch
    {
        Dimension.Tenant => "tenant",
        Dimension.Key => "key_id",
        Dimension.Model => "model",
        Dimension.Replica => "replica",
        Dimension.Pool => "pool",
        Dimension.Class => "class",
        Dimension.Hour => $"{time} / {Period.HourNanos}",
        _ => $"{time} / {Period.DayNanos}",
    };

    private static string Count(string when) => Whole($"CASE WHEN {when} THEN 1 ELSE 0 END");

    private static string WhereCharged(string column) => Whole($"CASE WHEN charged_nanousd > 0 THEN {column} ELSE 0 END");

    private static string Whole(string column) => $"CAST(SUM({column}) AS bigint)";
}
