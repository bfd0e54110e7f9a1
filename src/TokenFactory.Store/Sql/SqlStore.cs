using System.Data.Common;
using System.Runtime.CompilerServices;
using Dapper;
using TokenFactory.Store.Ledger;
using TokenFactory.Store.Reports;
using TokenFactory.Store.Tenants;
using TokenFactory.Units;

namespace TokenFactory.Store.Sql;

/// <summary>
/// What SQLite and PostgreSQL do with the same words: everything but connecting, making tables and taking records in bulk.
/// </summary>
internal abstract class SqlStore : IUsageStore
{
    /// <inheritdoc/>
    public abstract string What { get; }

    /// <inheritdoc/>
    public abstract Task PrepareAsync(CancellationToken cancel = default);

    /// <inheritdoc/>
    public abstract Task AddAsync(IReadOnlyList<UsageRecord> usage, IReadOnlyList<MeterRecord> meters, CancellationToken cancel = default);

    /// <inheritdoc/>
    public abstract ValueTask DisposeAsync();

    /// <inheritdoc/>
    public Task<Usd> ChargedAsync(string tenant, Instant from, CancellationToken cancel = default) => DoAsync(
        async connection => Money.Dollars(await connection.ExecuteScalarAsync<long>(new CommandDefinition(
            "SELECT CAST(COALESCE(SUM(charged_nanousd), 0) AS bigint) FROM tokenfactory_usage WHERE tenant = @tenant AND ended_ns >= @from",
            new { tenant, from = from.Nanoseconds },
            cancellationToken: cancel))),
        cancel);

    /// <inheritdoc/>
    public IAsyncEnumerable<UsageRecord> UsageAsync(Instant from, Instant to, CancellationToken cancel = default) =>
        RowsAsync(UsageRows.SelectUsage, from, to, UsageRows.ReadUsage, cancel);

    /// <inheritdoc/>
    public IAsyncEnumerable<MeterRecord> MetersAsync(Instant from, Instant to, CancellationToken cancel = default) =>
        RowsAsync(UsageRows.SelectMeters, from, to, UsageRows.ReadMeter, cancel);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<UsageSum>> SumUsageAsync(
        Instant from, Instant to, IReadOnlyList<Dimension> by, CancellationToken cancel = default) =>
        await RowsAsync(ReportSql.Usage(by), from, to, row => ReportSql.ReadUsage(row, by), cancel).ToListAsync(cancel);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<MeterSum>> SumMetersAsync(
        Instant from, Instant to, IReadOnlyList<Dimension> by, CancellationToken cancel = default) =>
        await RowsAsync(ReportSql.Meters(by), from, to, row => ReportSql.ReadMeter(row, by), cancel).ToListAsync(cancel);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<TimeSpread>> SpreadAsync(
        Instant from, Instant to, IReadOnlyList<Dimension> by, CancellationToken cancel = default)
    {
        var groups = new SortedDictionary<string, TimeSpread>(StringComparer.Ordinal);
        var rows = RowsAsync(ReportSql.Spread(by), from, to, row => (OfToken: row.GetInt32(0) == 1, Names: ReportSql.Names(row, 1, by),
            Rounded: row.GetInt64(by.Count + 1), Count: row.GetInt64(by.Count + 2)), cancel);
        await foreach (var row in rows)
        {
            var key = string.Join('\0', row.Names);
            var spread = groups[key] = groups.GetValueOrDefault(key) ?? new TimeSpread(row.Names, new Spread(), new Spread());
            (row.OfToken ? spread.Tpot : spread.Ttft).Add(row.Rounded, row.Count);
        }

        return [.. groups.Values];
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<TenantRecord>> TenantsAsync(CancellationToken cancel = default) => DoAsync<IReadOnlyList<TenantRecord>>(
        async connection => [.. (await connection.QueryAsync<TenantRow>(new CommandDefinition(TenantRow.Select, cancellationToken: cancel)))
            .Select(row => row.Record())],
        cancel);

    /// <inheritdoc/>
    public Task PutTenantAsync(TenantRecord tenant, CancellationToken cancel = default) =>
        ExecuteAsync(TenantRow.Put, TenantRow.Of(tenant), cancel);

    /// <inheritdoc/>
    public Task<bool> RemoveTenantAsync(string name, CancellationToken cancel = default) => DoAsync(
        async connection =>
        {
            await using var transaction = await connection.BeginTransactionAsync(cancel);
            Task<int> Run(string sql) =>
                connection.ExecuteAsync(new CommandDefinition(sql, new { name }, transaction, cancellationToken: cancel));
            var removed = await Run("DELETE FROM tokenfactory_tenants WHERE name = @name");
            await Run("DELETE FROM tokenfactory_keys WHERE tenant = @name");
            await transaction.CommitAsync(cancel);
            return removed > 0;
        },
        cancel);

    /// <inheritdoc/>
    public Task<IReadOnlyList<KeyRecord>> KeysAsync(CancellationToken cancel = default) => DoAsync<IReadOnlyList<KeyRecord>>(
        async connection => [.. (await connection.QueryAsync<KeyRow>(new CommandDefinition(KeyRow.Select, cancellationToken: cancel)))
            .Select(row => row.Record())],
        cancel);

    /// <inheritdoc/>
    public Task PutKeyAsync(KeyRecord key, CancellationToken cancel = default) => ExecuteAsync(KeyRow.Put, KeyRow.Of(key), cancel);

    /// <inheritdoc/>
    public async Task<bool> RemoveKeyAsync(string id, CancellationToken cancel = default) =>
        await ExecuteAsync("DELETE FROM tokenfactory_keys WHERE id = @id", new { id }, cancel) > 0;

    /// <summary>A connection for one call, open.</summary>
    protected abstract Task<DbConnection> ConnectAsync(CancellationToken cancel);

    /// <summary>What a database's exception means to callers: that it is away, or that a record is unfit; null of all others.</summary>
    protected abstract Exception? Meaning(Exception exception);

    /// <summary>Lets go of connections that are kept: after one has broken, others may have too.</summary>
    protected virtual void Forget()
    {
    }

    /// <summary>Does something with a connection; exceptions become what they mean.</summary>
    protected Task<T> DoAsync<T>(Func<DbConnection, Task<T>> work, CancellationToken cancel) => GuardAsync(async () =>
    {
        await using var connection = await ConnectAsync(cancel);
        return await work(connection);
    });

    private Task<int> ExecuteAsync(string sql, object values, CancellationToken cancel) => DoAsync(
        connection => connection.ExecuteAsync(new CommandDefinition(sql, values, cancellationToken: cancel)), cancel);

    private async IAsyncEnumerable<T> RowsAsync<T>(
        string sql, Instant from, Instant to, Func<DbDataReader, T> read, [EnumeratorCancellation] CancellationToken cancel)
    {
        var span = new { from = from.Nanoseconds, to = to.Nanoseconds };
        var (connection, rows) = await FirstAsync(new CommandDefinition(sql, span, cancellationToken: cancel));
        await using var open = connection;
        await using var reader = rows;
        Func<Task<bool>> next = () => rows.ReadAsync(cancel);
        while (await GuardAsync(next))
            yield return read(rows);
    }

    /// <summary>Begins to read; again, where a connection that was kept turns out to be broken.</summary>
    private async Task<(DbConnection Connection, DbDataReader Rows)> FirstAsync(CommandDefinition command)
    {
        try
        {
            return await GuardAsync(() => BeginAsync(command));
        }
        catch (StoreAwayException)
        {
            return await GuardAsync(() => BeginAsync(command));
        }
    }

    private async Task<(DbConnection Connection, DbDataReader Rows)> BeginAsync(CommandDefinition command)
    {
        var connection = await ConnectAsync(command.CancellationToken);
        try
        {
            return (connection, await connection.ExecuteReaderAsync(command));
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    private async Task<T> GuardAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        catch (Exception exception) when (Meaning(exception) is not null)
        {
            var meaning = Meaning(exception)!;
            if (meaning is StoreAwayException)
                Forget();
            throw meaning;
        }
    }
}
