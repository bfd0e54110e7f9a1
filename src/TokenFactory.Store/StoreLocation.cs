using TokenFactory.Store.Postgres;

namespace TokenFactory.Store;

/// <summary>
/// Where a store is: a file of SQLite, or a database of PostgreSQL. It may hold a password, so it is never printed whole.
/// </summary>
public sealed class StoreLocation
{
    private StoreLocation(string? file, string? connection) => (File, Connection) = (file, connection);

    /// <summary>Path of the SQLite file; null where it is PostgreSQL.</summary>
    public string? File { get; }

    /// <summary>Connection string of PostgreSQL; null where it is SQLite.</summary>
    internal string? Connection { get; }

    /// <summary>A file of SQLite; it is made, with its folder, where it is not there.</summary>
    public static StoreLocation Sqlite(string path) => new(path, null);

    /// <summary>A database of PostgreSQL by its connection string: "Host=db;Database=ledger;Username=tf;Password=...".</summary>
    /// <exception cref="StoreSetupException">It is no connection string.</exception>
    public static StoreLocation Postgres(string connectionString)
    {
        PostgresStore.Read(connectionString);
        return new(null, connectionString);
    }

    /// <summary>"sqlite ledger.db" or "postgresql"; no secret.</summary>
    public override string ToString() => File is { } file ? $"sqlite {file}" : "postgresql";
}
