using System.Data.Common;
using Dapper;
using Microsoft.Data.Sqlite;
using SQLitePCL;
using TokenFactory.Store.Ledger;
using TokenFactory.Store.Sql;

namespace TokenFactory.Store.Sqlite;

/// <summary>
/// A ledger in one file. One connection writes records and stays open; every other call has a connection of its own from the pool.
/// </summary>
internal sealed class SqliteStore : SqlStore
{
    /// <summary>What it waits for others that write, in seconds, before it says that the file is locked.</summary>
    private const int BusySeconds = 5;

    private readonly string _file;
    private readonly string _connectionString;
    private readonly SemaphoreSlim _writing = new(1, 1);
    private SqliteConnection? _writer;
    private SqliteInserts? _inserts;

    public SqliteStore(string file, int busySeconds = BusySeconds)
    {
        SqliteLibrary.Require();
        _file = file;
        var settings = new SqliteConnectionStringBuilder { DataSource = file, DefaultTimeout = busySeconds, Pooling = true };
        _connectionString = settings.ToString();
    }

    /// <inheritdoc/>
    public override string What => $"sqlite {_file}";

    /// <inheritdoc/>
    public override async Task PrepareAsync(CancellationToken cancel = default)
    {
        MakeFile();
        await DoAsync(
            async connection =>
            {
                await connection.ExecuteAsync("PRAGMA journal_mode = WAL");
                await using var transaction = await connection.BeginTransactionAsync(cancel);
                Task Run(string sql) =>
                    connection.ExecuteAsync(new CommandDefinition(Schema.Sqlite(sql), null, transaction, cancellationToken: cancel));
                await Run(Schema.VersionTable);
                var version = await connection.ExecuteScalarAsync<long?>(Schema.ReadVersion, transaction: transaction) ?? 0;
                foreach (var statement in Schema.From(version, What))
                    await Run(statement);
                await transaction.CommitAsync(cancel);
                return true;
            },
            cancel);
    }

    /// <inheritdoc/>
    public override async Task AddAsync(
        IReadOnlyList<UsageRecord> usage, IReadOnlyList<MeterRecord> meters, CancellationToken cancel = default)
    {
        await _writing.WaitAsync(cancel);
        try
        {
            Insert(usage, meters);
        }
        catch (Exception exception)
        {
            Close();
            if (Meaning(exception) is { } meaning)
                throw Meaning(exception)!;
            throw;
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await _writing.WaitAsync();
        Close();
        _writing.Dispose();
        using var pool = new SqliteConnection(_connectionString);
        SqliteConnection.ClearPool(pool);
    }

    /// <inheritdoc/>
    protected override Task<DbConnection> ConnectAsync(CancellationToken cancel) =>
        Task.FromResult<DbConnection>(Connect(_connectionString));

    /// <inheritdoc/>
    protected override Exception? Meaning(Exception exception) => exception switch
    {
        SqliteException { SqliteErrorCode: raw.SQLITE_BUSY or raw.SQLITE_LOCKED } busy =>
            new StoreAwayException($"{What} is locked: another program writes to it.", busy),
        SqliteException { SqliteErrorCode: raw.SQLITE_FULL } full => new StoreAwayException($"{What}: the disk is full.", full),
        SqliteException { SqliteErrorCode: raw.SQLITE_CANTOPEN or raw.SQLITE_IOERR or raw.SQLITE_READONLY or raw.SQLITE_PERM } away =>
            new StoreAwayException($"{What} cannot be used: {away.Message}", away),
        SqliteException { SqliteErrorCode: raw.SQLITE_PROTOCOL or raw.SQLITE_NOMEM } away =>
            new StoreAwayException($"{What} cannot be used: {away.Message}", away),
        SqliteException { SqliteErrorCode: raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB } broken =>
            new InvalidDataException(
                $"{What} is damaged: {broken.Message} Restore it from a copy, or move it away to begin a new one.", broken),
        SqliteException { SqliteErrorCode: raw.SQLITE_CONSTRAINT or raw.SQLITE_MISMATCH or raw.SQLITE_TOOBIG } unfit =>
            new UnfitRecordException($"{What} does not take the record: {unfit.Message}", unfit),
        UnauthorizedAccessException or IOException => new StoreAwayException($"{What} cannot be used: {exception.Message}", exception),
        _ => null,
    };

    private static SqliteConnection Connect(string connectionString)
    {
        var connection = new SqliteConnection(connectionString);
        try
        {
            connection.Open();
            connection.Execute($"PRAGMA busy_timeout = {connection.DefaultTimeout * 1000}; PRAGMA synchronous = FULL");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private void Insert(IReadOnlyList<UsageRecord> usage, IReadOnlyList<MeterRecord> meters)
    {
        if (_writer is null)
        {
            _writer = Connect(_connectionString + ";Pooling=False"); // what breaks off in it must not come back from the pool
            _inserts = new SqliteInserts(_writer.Handle!);
        }

        _inserts!.Begin();
        foreach (var record in usage)
            _inserts.Add(record);
        foreach (var meter in meters)
            _inserts.Add(meter);
        _inserts.Commit();
    }

    /// <summary>After any error the connection is made anew, so that no half-done transaction stays.</summary>
    private void Close()
    {
        _inserts?.Dispose();
        _inserts = null;
        if (_writer is { } writer)
        {
            _writer = null;
            writer.Dispose();
        }
    }

    /// <summary>
    /// Makes the file, readable by its owner only: it holds who asked how much. One that is there is left alone: a process that closes any
    /// handle of a file loses all its locks on it (POSIX), and with SQLite's own the next process to leave would take the log with it.
    /// </summary>
    private void MakeFile()
    {
        if (File.Exists(_file))
            return;
        try
        {
            if (Path.GetDirectoryName(Path.GetFullPath(_file)) is { } folder)
                Directory.CreateDirectory(folder);
            var options = new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.ReadWrite,
            };
            if (!OperatingSystem.IsWindows())
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            using var file = new FileStream(_file, options);
        }
        catch (Exception exception) when (Meaning(exception) is not null)
        {
            throw Meaning(exception)!;
        }
    }
}
