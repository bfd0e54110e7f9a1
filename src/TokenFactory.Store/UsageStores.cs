using TokenFactory.Store.Postgres;
using TokenFactory.Store.Sqlite;

namespace TokenFactory.Store;

/// <summary>Opens stores. Nothing is connected to before the first call.</summary>
public static class UsageStores
{
    /// <summary>The store at a place.</summary>
    /// <exception cref="StoreSetupException">What it needs is not installed.</exception>
    public static IUsageStore Open(StoreLocation location) =>
        location.File is { } file ? new SqliteStore(file) : new PostgresStore(location.Connection!);
}
