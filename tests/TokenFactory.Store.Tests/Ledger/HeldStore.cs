using TokenFactory.Store.Ledger;
using TokenFactory.Store.Tenants;
using TokenFactory.Units;

namespace TokenFactory.Store.Tests.Ledger;

/// <summary>A real store behind a door: while it is shut the store is away; it can also break off after it took a batch.</summary>
internal sealed class HeldStore(IUsageStore store) : IUsageStore
{
    private int _attempts;

    /// <summary>Whether calls are refused.</summary>
    public bool Shut { get; set; }

    /// <summary>Whether the next batch is taken, and its caller told that it was not.</summary>
    public bool BreaksOff { get; set; }

    /// <summary>What every batch meets, where it is no absence.</summary>
    public Exception? Fault { get; set; }

    public int Attempts => Volatile.Read(ref _attempts);

    public string What => store.What;

    public Task PrepareAsync(CancellationToken cancel = default)
    {
        Knock();
        return store.PrepareAsync(cancel);
    }

    public async Task AddAsync(IReadOnlyList<UsageRecord> usage, IReadOnlyList<MeterRecord> meters, CancellationToken cancel = default)
    {
        Knock();
        await store.AddAsync(usage, meters, cancel);
        if (BreaksOff)
        {
            BreaksOff = false;
            throw new StoreAwayException("broke off");
        }
    }

    public IAsyncEnumerable<UsageRecord> UsageAsync(Instant from, Instant to, CancellationToken cancel = default) =>
        store.UsageAsync(from, to, cancel);

    public IAsyncEnumerable<MeterRecord> MetersAsync(Instant from, Instant to, CancellationToken cancel = default) =>
        store.MetersAsync(from, to, cancel);

    public Task<Usd> ChargedAsync(string tenant, Instant from, CancellationToken cancel = default) =>
        store.ChargedAsync(tenant, from, cancel);

    public Task<IReadOnlyList<TenantRecord>> TenantsAsync(CancellationToken cancel = default) => store.TenantsAsync(cancel);

    public Task PutTenantAsync(TenantRecord tenant, CancellationToken cancel = default) => store.PutTenantAsync(tenant, cancel);

    public Task<bool> RemoveTenantAsync(string name, CancellationToken cancel = default) => store.RemoveTenantAsync(name, cancel);

    public Task<IReadOnlyList<KeyRecord>> KeysAsync(CancellationToken cancel = default) => store.KeysAsync(cancel);

    public Task PutKeyAsync(KeyRecord key, CancellationToken cancel = default) => store.PutKeyAsync(key, cancel);

    public Task<bool> RemoveKeyAsync(string id, CancellationToken cancel = default) => store.RemoveKeyAsync(id, cancel);

    public ValueTask DisposeAsync() => store.DisposeAsync();

    private void Knock()
    {
        Interlocked.Increment(ref _attempts);
        if (Fault is { } fault)
            throw fault;
        if (Shut)
            throw new StoreAwayException("shut");
    }
}
