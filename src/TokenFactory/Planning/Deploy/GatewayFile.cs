using System.Globalization;

namespace TokenFactory.Planning.Deploy;

/// <summary>
/// Writes the gateway's configuration: the pools and classes as scenarios have them, so that what was simulated is what runs, and beside
/// them what a scenario does not need: the names of models, and where replicas are.
/// </summary>
internal static class GatewayFile
{
    public const string ServiceName = "gateway";

    public const string FileName = "gateway.yaml";

    public const int Port = 8080;

    /// <summary>Where its container finds the file.</summary>
    public const string Folder = "/etc/token-factory";

    /// <summary>Where its container has a volume, and is started.</summary>
    public const string StoreMount = "/var/lib/token-factory";

    private const string Charging =
        "Models without prices are not charged for, and budgets need prices. Beside a model's name:\n"
        + "  usd_per_million_input: 0.10     prompt tokens that are computed\n"
        + "  usd_per_million_cached: 0.05    prompt tokens that a prefix cache held\n"
        + "  usd_per_million_output: 0.40    tokens of answers";

    private const string Keeping =
        "Journal, ledger and the admin key, below the folder in which the gateway starts: containers have a volume there.";

    private const string FirstKey =
        "Output of containers is kept by others: no key is printed at the first start. The README says how to make one.";

    /// <summary>What stands above the file.</summary>
    public const string Header =
        "The gateway's configuration: tokenfactory serve gateway.yaml --check says what it comes to. Pools, classes and policies have\n"
        + "the keys of a scenario ('tokenfactory simulate').\n"
        + "listen     where the gateway takes OpenAI requests; its admin API stays on 127.0.0.1:8081 inside its container\n"
        + "models     what clients ask for, and which pools serve it\n"
        + "pools      service: whose requests it takes; engine_model: what its engine calls the model; provider, region,\n"
        + "           instance_type: where it runs; endpoints: a URL per replica; discover: a name that resolves to the\n"
        + "           address of every replica, and their port";

    /// <summary>The configuration.</summary>
    /// <param name="design">The design.</param>
    /// <param name="pools">Its pools, with the way their engines are started.</param>
    /// <param name="reach">Where the replicas of a pool are: URLs, or a name to discover them by.</param>
    /// <param name="drainSeconds">For how long answers may go on when the gateway stops.</param>
    public static DocMap Of(
        FleetDesign design, IReadOnlyList<(PoolSite Pool, EngineLaunch Launch)> pools, Func<PoolSite, Reach> reach, int drainSeconds)
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
            { "listen", $"0.0.0.0:{Port.ToString(CultureInfo.InvariantCulture)}" },
            { "store", new DocMap { { "folder", ".tokenfactory" } }, Keeping },
            { "first_key", false, FirstKey },
            { "limits", new DocMap { { "drain_s", drainSeconds } } },
            { "models", Models(pools), Charging },
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
