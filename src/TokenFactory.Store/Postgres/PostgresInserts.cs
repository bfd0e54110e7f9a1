using Npgsql;
using NpgsqlTypes;
using TokenFactory.Store.Ledger;
using TokenFactory.Store.Sql;

namespace TokenFactory.Store.Postgres;

/// <summary>
/// Statements that take many records at once: each column is sent as one array, and rows whose identity is there are passed over.
/// </summary>
internal static class PostgresInserts
{
    private static readonly string UsageText = Text("tokenfactory_usage", UsageRows.Usage);
    private static readonly string MetersText = Text("tokenfactory_meters", UsageRows.Meters);

    public static NpgsqlBatchCommand Usage(IReadOnlyList<UsageRecord> records)
    {
        var columns = new Columns<UsageRecord>(records, UsageText);
        columns.Text(record => record.Id);
        columns.Text(record => record.Tenant);
        columns.Text(record => record.Key);
        columns.Text(record => record.Model);
        columns.Text(record => record.Pool);
        columns.Text(record => record.Replica);
        columns.Text(record => record.Class);
        columns.Text(record => record.Endpoint);
        columns.Text(record => Words.Of(record.Outcome));
        columns.Text(record => record.Error);
        columns.Whole(record => record.Arrival.Nanoseconds);
        columns.Whole(record => record.Dispatched.Nanoseconds);
        columns.Maybe(record => record.FirstToken?.Nanoseconds);
        columns.Whole(record => record.Ended.Nanoseconds);
        columns.Whole(record => record.Attempts);
        columns.Whole(record => record.Tokens.Fresh);
        columns.Whole(record => record.Tokens.Cached);
        columns.Whole(record => record.Tokens.Output);
        columns.Whole(record => record.Tokens.Reasoning);
        columns.Text(record => Words.Of(record.TokensFrom));
        columns.Whole(record => Money.Nanos(record.Charged));
        columns.Whole(record => Money.Nanos(record.UsageCost));
        columns.Whole(record => Money.Nanos(record.AllocationCost));
        columns.Real(record => record.Joules);
        columns.Text(record => record.JoulesAt);
        columns.Text(record => record.JoulesFrom);
        return columns.Command;
    }

    public static NpgsqlBatchCommand Meters(IReadOnlyList<MeterRecord> records)
    {
        var columns = new Columns<MeterRecord>(records, MetersText);
        columns.Text(meter => meter.Replica);
        columns.Text(meter => meter.Pool);
        columns.Text(meter => meter.Model);
        columns.Whole(meter => meter.From.Nanoseconds);
        columns.Whole(meter => meter.To.Nanoseconds);
        columns.Real(meter => meter.BusySeconds);
        columns.Whole(meter => Money.Nanos(meter.Paid));
        columns.Whole(meter => Money.Nanos(meter.Idle));
        columns.Real(meter => meter.Joules);
        columns.Real(meter => meter.IdleJoules);
        columns.Text(meter => meter.JoulesAt);
        columns.Text(meter => meter.JoulesFrom);
        return columns.Command;
    }

    private static string Text(string table, string[] columns) =>
        $"INSERT INTO {table} ({string.Join(", ", columns)}) SELECT * FROM unnest({string.Join(", ", columns.Select((_, i) =>
            $"${i + 1}"))}) ON CONFLICT DO NOTHING";

    /// <summary>Columns of records, one parameter each.</summary>
    private readonly struct Columns<T>(IReadOnlyList<T> records, string text)
    {
        public NpgsqlBatchCommand Command { get; } = new(text);

        public void Text(Func<T, string> value) => Add(record => Words.Text(value(record)), NpgsqlDbType.Text);

        public void Whole(Func<T, long> value) => Add(value, NpgsqlDbType.Bigint);

        public void Maybe(Func<T, long?> value) => Add(value, NpgsqlDbType.Bigint);

        public void Real(Func<T, double> value) => Add(value, NpgsqlDbType.Double);

        private void Add<TValue>(Func<T, TValue> value, NpgsqlDbType type)
        {
            var column = new TValue[records.Count];
            for (var i = 0; i < column.Length; i++)
                column[i] = value(records[i]);
            Command.Parameters.Add(new NpgsqlParameter<TValue[]> { TypedValue = column, NpgsqlDbType = NpgsqlDbType.Array | type });
        }
    }
}
