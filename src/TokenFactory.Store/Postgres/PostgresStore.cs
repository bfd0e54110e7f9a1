using System.Data.Common;
using System.Net.Sockets;
using Dapper;
using Npgsql;
using TokenFactory.Store.Ledger;
using TokenFactory.Store.Sql;

namespace TokenFactory.Store.Postgres;

/// <summary>A ledger in PostgreSQL, which several gateways may share.</summary>
internal sealed class PostgresStore : SqlStore
{
    /// <summary>Any number; all that make the tables take turns by it.</summary>
    private const long TablesLock = 0x746f6b656e73;

    private readonly NpgsqlDataSource _source;

    public PostgresStore(string connectionString)
    {
        var settings = Read(connectionString);
        settings.ApplicationName ??= "tokenfactory";
        What = $"postgresql {settings.Host}:{settings.Port}/{settings.Database ?? settings.Username}";
        _source = NpgsqlDataSource.Create(settings);
    }

    /// <inheritdoc/>
    public override string What { get; }

    /// <inheritdoc/>
    public override Task PrepareAsync(CancellationToken cancel = default) => DoAsync(
        async connection =>
        {
            await using var transaction = await connection.BeginTransactionAsync(cancel);
            Task Run(string sql) =>
                connection.ExecuteAsync(new CommandDefinition(Schema.Postgres(sql), null, transaction, cancellationToken: cancel));
            await Run($"SELECT pg_advisory_xact_lock({TablesLock})");
            await Run(Schema.VersionTable);
            var version = await connection.ExecuteScalarAsync<long?>(Schema.ReadVersion, transaction: transaction) ?? 0;
            foreach (var statement in Schema.From(version, What))
                await Run(statement);
            await transaction.CommitAsync(cancel);
            return true;
        },
        cancel);

    /// <inheritdoc/>
    public override Task AddAsync(
        IReadOnlyList<UsageRecord> usage, IReadOnlyList<MeterRecord> meters, CancellationToken cancel = default) => DoAsync(
        async connection =>
        {
            await using var batch = ((NpgsqlConnection)connection).CreateBatch();
            if (usage.Count > 0)
                batch.BatchCommands.Add(PostgresInserts.Usage(usage));
            if (meters.Count > 0)
                batch.BatchCommands.Add(PostgresInserts.Meters(meters));
            return batch.BatchCommands.Count > 0 ? await batch.ExecuteNonQueryAsync(cancel) : 0;
        },
        cancel);

    /// <inheritdoc/>
    public override ValueTask DisposeAsync() => _source.DisposeAsync();

    /// <inheritdoc/>
    protected override async Task<DbConnection> ConnectAsync(CancellationToken cancel) => await _source.OpenConnectionAsync(cancel);

    /// <inheritdoc/>
    protected override void Forget() => _source.Clear();

    /// <inheritdoc/>
    protected override Exception? Meaning(Exception exception) => exception switch
    {
        PostgresException refusal => Meaning(refusal),
        NpgsqlException or SocketException or IOException or TimeoutException => new StoreAwayException(
            $"{What} cannot be reached: {exception.Message}", exception),
        _ => null,
    };

    /// <summary>By the first two characters of its code, its class.</summary>
    private Exception? Meaning(PostgresException refusal) => refusal.SqlState[..2] switch
    {
        // Broken connections; no resources (memory, disk, connections); shut down, starting up, cancelled; the system's own errors.
        "08" or "53" or "57" or "58" or "XX" => new StoreAwayException($"{What} cannot take it now: {refusal.MessageText}", refusal),

        // Deadlocks and the like; a standby that was asked to write.
        "40" or "55" or "25" => new StoreAwayException($"{What} cannot take it now: {refusal.MessageText}", refusal),

        // Values out of range, and broken rules.
        "22" or "23" => new UnfitRecordException($"{What} does not take the record: {refusal.MessageText}", refusal),

        // Wrong user, password or database.
        "28" or "3D" =>
            new StoreSetupException($"{What} refuses the connection: {refusal.MessageText}. Check what store.postgres_env names.", refusal),
        _ => null,
    };

    /// <summary>What a connection string says; its words are in no message, as a password may be among them.</summary>
    public static NpgsqlConnectionStringBuilder Read(string connectionString)
    {
        try
        {
            return new NpgsqlConnectionStringBuilder(connectionString);
        }
        catch (Exception exception) when (exception is ArgumentException or FormatException or OverflowException or InvalidCastException)
        {
#pragma warning disable MA0054 // the exception within may hold the password
            throw new StoreSetupException(
                "What store.postgres_env names is no connection string of PostgreSQL. Write it as Host=HOST;Database=NAME;Username=USER;Password=SECRET.");
#pragma warning restore MA0054
        }
    }
}
