using System.Data.Common;
using TokenFactory.Store.Ledger;
using TokenFactory.Units;

namespace TokenFactory.Store.Sql;

/// <summary>Usage and meter records as rows: names of the columns in their order, and rows read back.</summary>
internal static class UsageRows
{
    /// <summary>Columns of a usage record.</summary>
    public static readonly string[] Usage =
    [
        "id", "tenant", "key_id", "model", "pool", "replica", "class", "endpoint", "outcome", "error",
        "arrival_ns", "dispatched_ns", "first_token_ns", "ended_ns", "attempts", "fresh", "cached", "output", "reasoning", "tokens_from",
        "charged_nanousd", "usage_cost_nanousd", "allocation_cost_nanousd", "joules", "joules_at", "joules_from",
    ];

    /// <summary>Columns of a meter record.</summary>
    public static readonly string[] Meters =
    [
        "replica", "pool", "model", "from_ns", "to_ns", "busy_seconds", "paid_nanousd", "idle_nanousd", "joules", "idle_joules",
        "joules_at", "joules_from",
    ];

    public static readonly string SelectUsage =
        $"SELECT {string.Join(", ", Usage)} FROM tokenfactory_usage WHERE ended_ns >= @from AND ended_ns < @to ORDER BY ended_ns";

    public static readonly string SelectMeters =
        $"SELECT {string.Join(", ", Meters)} FROM tokenfactory_meters WHERE from_ns >= @from AND from_ns < @to ORDER BY from_ns, replica";

    public static UsageRecord ReadUsage(DbDataReader row) => new()
    {
        Id = row.GetString(0),
        Tenant = row.GetString(1),
        Key = row.GetString(2),
        Model = row.GetString(3),
        Pool = row.GetString(4),
        Replica = row.GetString(5),
        Class = row.GetString(6),
        Endpoint = row.GetString(7),
        Outcome = Words.Outcome(row.GetString(8)),
        Error = row.GetString(9),
        Arrival = new Instant(row.GetInt64(10)),
        Dispatched = new Instant(row.GetInt64(11)),
        FirstToken = row.IsDBNull(12) ? null : new Instant(row.GetInt64(12)),
        Ended = new Instant(row.GetInt64(13)),
        Attempts = (int)row.GetInt64(14),
        Tokens = new TokenCounts(row.GetInt64(15), row.GetInt64(16), row.GetInt64(17), row.GetInt64(18)),
        TokensFrom = Words.Counter(row.GetString(19)),
        Charged = Money.Dollars(row.GetInt64(20)),
        UsageCost = Money.Dollars(row.GetInt64(21)),
        AllocationCost = Money.Dollars(row.GetInt64(22)),
        Joules = row.GetDouble(23),
        JoulesAt = row.GetString(24),
        JoulesFrom = row.GetString(25),
    };

    public static MeterRecord ReadMeter(DbDataReader row) => new()
    {
        Replica = row.GetString(0),
        Pool = row.GetString(1),
        Model = row.GetString(2),
        From = new Instant(row.GetInt64(3)),
        To = new Instant(row.GetInt64(4)),
        BusySeconds = row.GetDouble(5),
        Paid = Money.Dollars(row.GetInt64(6)),
        Idle = Money.Dollars(row.GetInt64(7)),
        Joules = row.GetDouble(8),
        IdleJoules = row.GetDouble(9),
        JoulesAt = row.GetString(10),
        JoulesFrom = row.GetString(11),
    };
}
