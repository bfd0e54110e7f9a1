using System.Globalization;

namespace TokenFactory.Planning.Deploy;

/// <summary>
/// Writes the gateway's configuration: the pools and classes as scenarios have them, so that what was simulated is what runs, and beside
/// them what a scenario does not need: the names of models, and where replicas are.
/// </summary>
internal static class GatewayFile
{
    public const string ServiceName = "gateway";

    /// <summary>What stands above the file.</summary>
    public const string Header =
        "The gateway's configuration. Pools, classes and policies have the keys of a scenario ('tokenfactory simulate').\n"
        + "listen     where the gateway takes OpenAI requests\n"
        + "models     what clients ask for, and which pools serve it\n"
        + "pools      service: whose requests it takes; engine_model: what its engine calls the model; provider, region,\n"
        + "           instance_type: where it runs; endpoints: a URL per replica; discover: a name that resolves to the\n"
        + "           address of every replica, and their port";

    /// <summary>The configuration.</summary>
    /// <param name="design">The design.</param>
    /// <param name="pools">Its pools, with the way their engines are started.</param>
    /// <param name="reach">Where the replicas of a pool are: URLs, or a name to discover them by.</param>
    public static DocMap Of(
        FleetDesign design, IReadOnlyList<(PoolSite Pool, EngineLaunch Launch)> pools, Func<PoolSite, Reach> reach)
    {
        var classes = ScenarioFile.Classes(design.Classes);
        var list = new DocList();
        foreach (var (pool, launch) in pools)
        {
            var map = ScenarioFile.Pool(pool);
            map.Add("service", pool.Pool.Service);
            map.Add("engine_model", launch.ServedName);
            map.Add("provider", pool.Pool.Provider.Length > 0 ? pool.Pool.Provider : null);
            map.Add("region", pool.Pool.Region.Length > 0 ? pool.Pool.Region : null);
            map.Add("instance_type", pool.Pool.InstanceType.Length > 0 ? pool.Pool.InstanceType : null);
            var place = reach(pool);
            map.Add("endpoints", place.Endpoints is { } urls ? DocList.Of(urls) : null, place.Remark);
            map.Add("discover", place.Discover, place.Remark);
            list.Add(map);
        }

        return new DocMap
        {
            { "name", design.Name },
            { "listen", $"0.0.0.0:{KubernetesShared.GatewayPort.ToString(CultureInfo.InvariantCulture)}" },
            { "models", Models(pools) },
            { "pools", list },
            { "classes", classes.Count > 0 ? classes : null },
            { "policies", new DocMap { { "routing", design.Routing } } },
        };
    }

    private static DocList Models(IReadOnlyList<(PoolSite Pool, EngineLaunch Launch)> pools)
    {
        var list = new DocList();
        foreach (var model in pools.GroupBy(pool => pool.Pool.Deployment.Model.Key, StringComparer.Ordinal))
        {
            list.Add(new DocMap
            {
                { "name", model.Key },
                { "pools", DocList.Of(model.Select(pool => pool.Pool.Order.Name)) },
            });
        }

        return list;
    }
}

/// <summary>Where the replicas of a pool are.</summary>
/// <param name="Endpoints">A URL per replica; null where they are discovered.</param>
/// <param name="Discover">A host name that resolves to the address of every replica, and their port; null where URLs are given.</param>
/// <param name="Remark">What to know of it; null for nothing.</param>
internal readonly record struct Reach(IReadOnlyList<string>? Endpoints, string? Discover, string? Remark);
