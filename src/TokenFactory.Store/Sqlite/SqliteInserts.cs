using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;
using TokenFactory.Store.Ledger;
using TokenFactory.Store.Sql;

namespace TokenFactory.Store.Sqlite;

/// <summary>
/// Statements that take records in bulk, prepared once: values go from records to SQLite without boxes, strings through one buffer. For one
/// thread at a time.
/// </summary>
internal sealed class SqliteInserts(sqlite3 database) : IDisposable
{
    private readonly sqlite3_stmt _begin = Prepare(database, "BEGIN IMMEDIATE");
    private readonly sqlite3_stmt _commit = Prepare(database, "COMMIT");
    private readonly sqlite3_stmt _usage = Prepare(database, Insert("tokenfactory_usage", UsageRows.Usage, "id"));
    private readonly sqlite3_stmt _meter = Prepare(database, Insert("tokenfactory_meters", UsageRows.Meters, "replica, from_ns"));
    private byte[] _text = new byte[256];

    public void Begin() => Run(_begin);

    public void Commit() => Run(_commit);

    public void Add(UsageRecord record)
    {
        var to = new Row(this, _usage);
        to.Text(record.Id);
        to.Text(record.Tenant);
        to.Text(record.Key);
        to.Text(record.Model);
        to.Text(record.Pool);
        to.Text(record.Replica);
        to.Text(record.Class);
        to.Text(record.Endpoint);
        to.Text(Words.Of(record.Outcome));
        to.Text(record.Error);
        to.Whole(record.Arrival.Nanoseconds);
        to.Whole(record.Dispatched.Nanoseconds);
        to.Whole(record.FirstToken?.Nanoseconds);
        to.Whole(record.Ended.Nanoseconds);
        to.Whole(record.Attempts);
        to.Whole(record.Tokens.Fresh);
        to.Whole(record.Tokens.Cached);
        to.Whole(record.Tokens.Output);
        to.Whole(record.Tokens.Reasoning);
        to.Text(Words.Of(record.TokensFrom));
        to.Whole(Money.Nanos(record.Charged));
        to.Whole(Money.Nanos(record.UsageCost));
        to.Whole(Money.Nanos(record.AllocationCost));
        to.Real(record.Joules);
        to.Text(record.JoulesAt);
        to.Text(record.JoulesFrom);
        Run(_usage);
    }

    public void Add(MeterRecord meter)
    {
        var to = new Row(this, _meter);
        to.Text(meter.Replica);
        to.Text(meter.Pool);
        to.Text(meter.Model);
        to.Whole(meter.From.Nanoseconds);
        to.Whole(meter.To.Nanoseconds);
        to.Real(meter.BusySeconds);
        to.Whole(Money.Nanos(meter.Paid));
        to.Whole(Money.Nanos(meter.Idle));
        to.Real(meter.Joules);
        to.Real(meter.IdleJoules);
        to.Text(meter.JoulesAt);
        to.Text(meter.JoulesFrom);
        Run(_meter);
    }

    public void Dispose()
    {
        _begin.Dispose();
        _commit.Dispose();
        _usage.Dispose();
        _meter.Dispose();
    }

    private static string Insert(string table, string[] columns, string identity) =>
        $"INSERT INTO {table} ({string.Join(", ", columns)}) VALUES ({string.Join(", ", columns.Select(_ => "?"))}) "
        + $"ON CONFLICT ({identity}) DO NOTHING";

    private static sqlite3_stmt Prepare(sqlite3 database, string sql)
    {
        SqliteException.ThrowExceptionForRC(raw.sqlite3_prepare_v2(database, sql, out var statement), database);
        return statement;
    }

    private void Run(sqlite3_stmt statement)
    {
        var code = raw.sqlite3_step(statement);
        var reset = raw.sqlite3_reset(statement);
        if (code != raw.SQLITE_DONE)
            SqliteException.ThrowExceptionForRC(reset == raw.SQLITE_OK ? code : reset, database);
    }

    /// <summary>Binds the values of one row from left to right.</summary>
    private ref struct Row(SqliteInserts owner, sqlite3_stmt statement)
    {
        private int _column;

        public void Text(string text)
        {
            text = Words.Text(text);
            if (text.Length == 0)
            {
                raw.sqlite3_bind_text(statement, ++_column, text);
                return;
            }

            var most = Encoding.UTF8.GetMaxByteCount(text.Length);
            if (most > owner._text.Length)
                owner._text = new byte[most * 2];
            var length = Encoding.UTF8.GetBytes(text, owner._text);
            raw.sqlite3_bind_text(statement, ++_column, owner._text.AsSpan(0, length));
        }

        public void Whole(long? value)
        {
            if (value is { } number)
                raw.sqlite3_bind_int64(statement, ++_column, number);
            else
                raw.sqlite3_bind_null(statement, ++_column);
        }

        public void Real(double value) => raw.sqlite3_bind_double(statement, ++_column, value);
    }
}
