using System.Collections.Concurrent;
using TokenFactory.Store;
using TokenFactory.Store.Ledger;
using TokenFactory.Store.Tenants;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Tests.Tenants;

/// <summary>A store in memory that can be told to be away.</summary>
internal sealed class MemoryStore : IUsageStore
{
    private readonly ConcurrentDictionary<string, TenantRecord> _tenants = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, KeyRecord> _keys = new(StringComparer.Ordinal);

    public bool Away { get; set; }

    public List<(string Tenant, Instant Ended, decimal Usd)> Charges { get; } = [];

    /// <summary>Ends when the tenants were asked for once more.</summary>
    public TaskCompletionSource Asked { get; set; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string What => "memory";

    public Task PrepareAsync(CancellationToken cancel = default) => Task.CompletedTask;

    public Task AddAsync(IReadOnlyList<UsageRecord> usage, IReadOnlyList<MeterRecord> meters, CancellationToken cancel = default) =>
        throw new NotSupportedException();

    public Task<Usd> ChargedAsync(string tenant, Instant from, CancellationToken cancel = default) =>
        Answer(() => new Usd(Charges.Where(charge => charge.Tenant == tenant && charge.Ended >= from).Sum(charge => charge.Usd)));

    public IAsyncEnumerable<UsageRecord> UsageAsync(Instant from, Instant to, CancellationToken cancel = default) =>
        throw new NotSupportedException();

    public IAsyncEnumerable<MeterRecord> MetersAsync(Instant from, Instant to, CancellationToken cancel = default) =>
        throw new NotSupportedException();

    public Task<IReadOnlyList<TenantRecord>> TenantsAsync(CancellationToken cancel = default)
    {
        Asked.TrySetResult();
        return Answer<IReadOnlyList<TenantRecord>>(() => [.. _tenants.Values]);
    }

    public Task PutTenantAsync(TenantRecord tenant, CancellationToken cancel = default) => Answer(() => _tenants[tenant.Name] = tenant);

    public Task<bool> RemoveTenantAsync(string name, CancellationToken cancel = default) => Answer(() =>
    {
        foreach (var key in _keys.Values.Where(key => key.Tenant == name))
            _keys.TryRemove(key.Id, out _);
        return _tenants.TryRemove(name, out _);
    });

    public Task<IReadOnlyList<KeyRecord>> KeysAsync(CancellationToken cancel = default) =>
        Answer<IReadOnlyList<KeyRecord>>(() => [.. _keys.Values]);

    public Task PutKeyAsync(KeyRecord key, CancellationToken cancel = default) => Answer(() => _keys[key.Id] = key);

    public Task<bool> RemoveKeyAsync(string id, CancellationToken cancel = default) => Answer(() => _keys.TryRemove(id, out _));

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private Task<T> Answer<T>(Func<T> answer) =>
        Away ? Task.FromException<T>(new StoreAwayException("The store is away.")) : Task.FromResult(answer());
}
