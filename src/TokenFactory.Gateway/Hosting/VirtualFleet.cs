using TokenFactory.Gateway.Setup;
using TokenFactory.Gateway.Virtual;

namespace TokenFactory.Gateway.Hosting;

/// <summary>The virtual engines inside the gateway: one per replica without an address, each on a loopback port of its own.</summary>
internal sealed class VirtualFleet(TimeProvider time) : IAsyncDisposable
{
    private readonly Dictionary<string, (PoolSetup Pool, VirtualEngine Engine)> _engines = new(StringComparer.Ordinal);

    /// <summary>Starts those that a setup has and are not there yet. One whose pool has changed is another: it gets a new engine.</summary>
    /// <returns>Engines that the setup no longer has; whoever drains them disposes of them.</returns>
    public async Task<IReadOnlyList<VirtualEngine>> StartAsync(GatewaySetup setup, CancellationToken cancel)
    {
        var before = new Dictionary<string, (PoolSetup Pool, VirtualEngine Engine)>(_engines, StringComparer.Ordinal);
        foreach (var model in setup.Models)
        {
            foreach (var pool in model.Pools)
            {
                foreach (var replica in pool.Replicas)
                {
                    if (replica.Address is not null || (_engines.TryGetValue(replica.Name, out var there) && SameEngine(there.Pool, pool)))
                        continue;
                    var engine = await VirtualEngine.StartAsync(pool, model.Name, new VirtualOptions(), time, cancel).ConfigureAwait(false);
                    _engines[replica.Name] = (pool, engine);
                }
            }
        }

        var wanted = setup.Models.SelectMany(model => model.Pools).SelectMany(pool => pool.Replicas).Select(replica => replica.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var name in before.Keys.Where(name => !wanted.Contains(name)))
            _engines.Remove(name);
        return [.. before.Where(one => !_engines.TryGetValue(one.Key, out var now) || now.Engine != one.Value.Engine).Select(one => one.Value.Engine)];
    }

    /// <summary>Where a replica without an address answers.</summary>
    public Uri AddressOf(ReplicaSetup replica) => _engines[replica.Name].Engine.Address;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var (_, engine) in _engines.Values)
            await engine.DisposeAsync().ConfigureAwait(false);
        _engines.Clear();
    }

    private static bool SameEngine(PoolSetup a, PoolSetup b) =>
        a.What == b.What && a.Settings == b.Settings && a.Facts.KvTokens == b.Facts.KvTokens && a.Facts.UsdPerHour == b.Facts.UsdPerHour;
}
