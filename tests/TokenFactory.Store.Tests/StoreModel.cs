using System.Text.Json;
using TokenFactory.Store.Ledger;
using TokenFactory.Store.Tenants;
using TokenFactory.Units;

namespace TokenFactory.Store.Tests;

/// <summary>What a store must do, in a few lines of memory.</summary>
internal sealed class StoreModel
{
    public SortedDictionary<string, UsageRecord> Usage { get; } = new(StringComparer.Ordinal);

    public SortedDictionary<(Instant From, string Replica), MeterRecord> Meters { get; } = [];

    public SortedDictionary<string, TenantRecord> Tenants { get; } = new(StringComparer.Ordinal);

    public SortedDictionary<string, KeyRecord> Keys { get; } = new(StringComparer.Ordinal);

    public void Add(IEnumerable<UsageRecord> usage, IEnumerable<MeterRecord> meters)
    {
        foreach (var record in usage)
            Usage.TryAdd(record.Id, record);
        foreach (var meter in meters)
            Meters.TryAdd((meter.From, meter.Replica), meter);
    }

    public bool RemoveTenant(string name)
    {
        foreach (var key in Keys.Values.Where(key => key.Tenant == name).ToList())
            Keys.Remove(key.Id);
        return Tenants.Remove(name);
    }

    public Usd Charged(string tenant, Instant from) =>
        new(Usage.Values.Where(record => record.Tenant == tenant && record.Ended >= from).Sum(record => record.Charged.Value));

    /// <summary>The store holds what the model holds, in the order that is promised.</summary>
    public async Task MatchesAsync(IUsageStore store, Instant from, Instant to)
    {
        var usage = await store.UsageAsync(from, to).ToListAsync();
        Assert.Equal(usage.OrderBy(record => record.Ended), usage);
        var expected = Usage.Values.Where(record => record.Ended >= from && record.Ended < to);
        Assert.Equal(expected, usage.OrderBy(record => record.Id, StringComparer.Ordinal));
        Assert.Equal(Meters.Values.Where(meter => meter.From >= from && meter.From < to), await store.MetersAsync(from, to).ToListAsync());
        Assert.Equal(Tenants.Values.Select(Spelled), (await store.TenantsAsync()).Select(Spelled));
        Assert.Equal(Keys.Values.Select(Spelled), (await store.KeysAsync()).Select(Spelled));
    }

    private static string Spelled(TenantRecord tenant) => JsonSerializer.Serialize(tenant);

    private static string Spelled(KeyRecord key) =>
        JsonSerializer.Serialize(key with { Sha256 = default }) + Convert.ToHexString(key.Sha256.Span);
}
