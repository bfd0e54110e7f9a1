using TokenFactory.Store.Ledger;
using TokenFactory.Store.Reports;
using TokenFactory.Store.Tenants;
using TokenFactory.Units;

namespace TokenFactory.Store;

/// <summary>
/// Where records end up: SQLite or PostgreSQL. What is written twice is kept once; a call either does all of what it was asked or throws
/// <see cref="StoreAwayException"/> and may be made again.
/// </summary>
public interface IUsageStore : IAsyncDisposable
{
    /// <summary>What it is, without secrets: "sqlite .tokenfactory/ledger.db".</summary>
    string What { get; }

    /// <summary>Makes the tables, or brings them up to date.</summary>
    Task PrepareAsync(CancellationToken cancel = default);

    /// <summary>Adds usage and meter records in one transaction; those whose identity is there already are passed over.</summary>
    Task AddAsync(IReadOnlyList<UsageRecord> usage, IReadOnlyList<MeterRecord> meters, CancellationToken cancel = default);

    /// <summary>Dollars charged to a tenant for requests that ended from an instant on.</summary>
    Task<Usd> ChargedAsync(string tenant, Instant from, CancellationToken cancel = default);

    /// <summary>Usage records that ended in a span of time (from included, to not), in the order of their ends.</summary>
    IAsyncEnumerable<UsageRecord> UsageAsync(Instant from, Instant to, CancellationToken cancel = default);

    /// <summary>Meter records whose spans began in a span of time (from included, to not), in the order of their beginnings.</summary>
    IAsyncEnumerable<MeterRecord> MetersAsync(Instant from, Instant to, CancellationToken cancel = default);

    /// <summary>Sums over usage records that ended in a span of time, by dimensions, in the order of the groups' names.</summary>
    Task<IReadOnlyList<UsageSum>> SumUsageAsync(
        Instant from, Instant to, IReadOnlyList<Dimension> by, CancellationToken cancel = default) =>
        Sums.OfAsync(UsageAsync(from, to, cancel), by, cancel);

    /// <summary>
    /// Sums over meter records whose spans began in a span of time, by dimensions that meters know, in the order of the groups' names.
    /// </summary>
    Task<IReadOnlyList<MeterSum>> SumMetersAsync(
        Instant from, Instant to, IReadOnlyList<Dimension> by, CancellationToken cancel = default) =>
        Sums.OfAsync(MetersAsync(from, to, cancel), by, cancel);

    /// <summary>How the times of requests that ended in a span of time spread, by dimensions, in the order of the groups' names.</summary>
    Task<IReadOnlyList<TimeSpread>> SpreadAsync(
        Instant from, Instant to, IReadOnlyList<Dimension> by, CancellationToken cancel = default) =>
        Sums.SpreadAsync(UsageAsync(from, to, cancel), by, cancel);

    /// <summary>Tenants that were made while the gateway ran, by name.</summary>
    Task<IReadOnlyList<TenantRecord>> TenantsAsync(CancellationToken cancel = default);

    /// <summary>Adds a tenant, or replaces it.</summary>
    Task PutTenantAsync(TenantRecord tenant, CancellationToken cancel = default);

    /// <summary>Removes a tenant and its keys; its usage stays. False where there was none.</summary>
    Task<bool> RemoveTenantAsync(string name, CancellationToken cancel = default);

    /// <summary>All keys, by their public parts.</summary>
    Task<IReadOnlyList<KeyRecord>> KeysAsync(CancellationToken cancel = default);

    /// <summary>Adds a key, or replaces what is known of it.</summary>
    Task PutKeyAsync(KeyRecord key, CancellationToken cancel = default);

    /// <summary>Removes a key. False where there was none.</summary>
    Task<bool> RemoveKeyAsync(string id, CancellationToken cancel = default);
}
