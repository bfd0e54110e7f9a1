using TokenFactory.Gateway.Setup;
using TokenFactory.Gateway.Virtual;

namespace TokenFactory.Gateway.Hosting;

/// <summary>The virtual engines inside the gateway: one per replica without an address, each on a loopback port of its own.</summary>
internal sealed class VirtualFleet(TimeProvider time) : IAsyncDisposable
{
    private readonly Dictionary<string, (PoolSetup Pool, VirtualEngine Engine)> _engines = new(StringComparer.Ordinal);
    private readonly List<VirtualEngine> _replaced = [];

    /// <summary>Starts those that a setup has and are not there yet. One whose pool has changed is another: it gets a new engine.</summary>
    public async Task StartAsync(GatewaySetup setup, CancellationToken cancel)
    {
        foreach (var model in setup.Models)
        {
            foreach (var pool in model.Pools)
            {
                foreach (var replica in pool.Replicas.Where(replica => replica.Address is null))
                {
                    var there = _engines.TryGetValue(replica.Name, out var known);
                    if (there && SameEngine(known.Pool, pool))
                        continue;
                    var engine = await VirtualEngine.StartAsync(pool, model.Name, new VirtualOptions(), time, cancel).ConfigureAwait(false);
                    if (there)
                        _replaced.Add(known.Engine);
                    _engines[replica.Name] = (pool, engine);
                }
            }
        }
    }

    /// <summary>Engines that a setup, which is in force now, does not have; whoever drains them disposes of them.</summary>
    public IReadOnlyList<VirtualEngine> Unused(GatewaySetup setup)
    {
        var wanted = setup.Models.SelectMany(model => model.Pools).SelectMany(pool => pool.Replicas).Select(replica => replica.Name).ToHashSet(StringComparer.Ordinal);
        var unused = new List<VirtualEngine>(_replaced);
        foreach (var (name, (_, engine)) in _engines.Where(one => !wanted.Contains(one.Key)).ToList())
        {
            unused.Add(engine);
            _engines.Remove(name);
        }

        _replaced.Clear();
        return unused;
    }

    /// <summary>Where a replica without an address answers.</summary>
    public Uri AddressOf(ReplicaSetup replica) => _engines[replica.Name].Engine.Address;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var engine in _engines.Values.Select(one => one.Engine).Concat(_replaced))
            await engine.DisposeAsync().ConfigureAwait(false);
        _engines.Clear();
        _replaced.Clear();
    }

    private static bool SameEngine(PoolSetup a, PoolSetup b) =>
        a.What == b.What && a.Settings == b.Settings && a.Facts.KvTokens == b.Facts.KvTokens && a.Facts.UsdPerHour == b.Facts.UsdPerHour;
}
