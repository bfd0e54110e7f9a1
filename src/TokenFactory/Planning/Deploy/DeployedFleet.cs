namespace TokenFactory.Planning.Deploy;

/// <summary>A fleet with everything that its files follow from.</summary>
internal sealed class DeployedFleet
{
    private readonly FleetDesign _design;
    private readonly DeployOptions _options;
    private readonly Dictionary<string, EngineLaunch> _launches;

    public DeployedFleet(FleetDesign design, DeployOptions options)
    {
        (_design, _options) = (design, options);
        Name = ObjectNames.Label(design.Name, "fleet");
        var names = new ObjectNames([GatewayFile.ServiceName]);
        Pools = [.. design.Pools.Select(pool => Place(pool, names))];
        _launches = Pools.ToDictionary(pool => pool.Name, EngineCommands.Of, StringComparer.Ordinal);
        Clusters = [.. Pools.Select(pool => pool.Site).Distinct()];
        ClusterNames = NameClusters();
        Hosts = ComposeHosts.Of(Pools);
    }

    /// <summary>The settings of the Prometheus adapter.</summary>
    public const string AdapterPath = "kubernetes/values/prometheus-adapter.yaml";

    /// <summary>The name of the fleet as clusters take it.</summary>
    public string Name { get; }

    public FleetDesign Design => _design;

    public DeployOptions Options => _options;

    public IReadOnlyList<PoolSite> Pools { get; }

    /// <summary>Where its pools stand, each a cluster of Kubernetes; the gateway stands in the first.</summary>
    public IReadOnlyList<Site> Clusters { get; }

    /// <summary>The names of the clusters.</summary>
    public IReadOnlyDictionary<Site, string> ClusterNames { get; }

    /// <summary>The machines of its Compose files, also where there are too many to write.</summary>
    public IReadOnlyList<ComposeHost> Hosts { get; }

    /// <summary>Whether Compose files are written.</summary>
    public bool HasCompose => Hosts.Count > 0 && Hosts.Count <= _options.MostComposeHosts;

    public EngineLaunch Launch(PoolSite pool) => _launches[pool.Name];

    /// <summary>The folder of a cluster's manifests.</summary>
    public string Folder(Site site) => Clusters.Count == 1 ? "kubernetes" : $"kubernetes/{ClusterNames[site]}";

    /// <summary>Its files, in the order of their paths.</summary>
    public IReadOnlyList<DeployFile> Files()
    {
        var files = new List<DeployFile>();
        files.AddRange(Engines());
        files.AddRange(Kubernetes());
        if (HasCompose)
            files.AddRange(Compose());
        files.AddRange(Sky());
        files.AddRange(Scenarios());
        files.Add(new DeployFile("gateway.yaml", GatewayText(InCluster)));
        files.Add(new DeployFile("README.md", ReadmeFile.Of(this)));
        return [.. files.OrderBy(file => file.Path, StringComparer.Ordinal)];
    }

    /// <summary>The files of all scenarios that are written.</summary>
    public IEnumerable<string> ScenarioPaths() =>
        _design.Services().Where(service => _options.Services.GetValueOrDefault(service)?.Workload is not null).Select(ScenarioPath);

    /// <summary>The file of a service's scenario.</summary>
    private string ScenarioPath(string service)
    {
        var services = _design.Services().ToList();
        if (services.Count == 1)
            return "scenario.yaml";
        var names = new ObjectNames();
        var labels = services.ToDictionary(one => one, one => names.Take(one, "service"), StringComparer.Ordinal);
        return $"scenario-{labels[service]}.yaml";
    }

    private PoolSite Place(PlannedPool pool, ObjectNames names)
    {
        var d = pool.Order.Deployment;
        var engine = _options.Engines.First(one => one.Key == d.Engine);
        var service = _options.Services.GetValueOrDefault(pool.Service);
        var classes = _design.Classes.Where(made => service?.Classes?.Contains(made.Name, StringComparer.Ordinal) ?? true);
        return new PoolSite
        {
            Pool = pool,
            Name = names.Take(pool.Order.Name, "pool"),
            Engine = engine,
            Release = engine.Release!,
            Checkpoint = Checkpoint.Of(d, service?.Checkpoint),
            Draft = service?.Draft,
            Priorities = classes.Select(made => made.Priority).Distinct().Count() > 1,
            DrainSeconds = _options.DrainSeconds,
        };
    }

    private Dictionary<Site, string> NameClusters()
    {
        var names = new ObjectNames(["gateway", "values"]);
        return Clusters.ToDictionary(site => site, site => names.Take($"{site.Provider}-{site.Region}", "cluster"));
    }

    private IEnumerable<DeployFile> Engines()
    {
        foreach (var pool in Pools)
        {
            var launch = Launch(pool);
            var script = $"#!/bin/sh\n{Comments(pool, launch)}set -eu\n{LaunchScript.Of(pool, launch)}";
            yield return new DeployFile($"engines/{pool.Name}.sh", script);
            if (launch.Configuration is { } configuration)
                yield return new DeployFile($"engines/{pool.Name}.yaml", Yaml.Write(configuration, Heading(pool)));
        }
    }

    private static string Comments(PoolSite pool, EngineLaunch launch)
    {
        IEnumerable<string> lines = [Heading(pool), .. launch.Notes];
        if (pool.Nodes > 1)
        {
            lines = lines.Append(
                $"Runs on each of its {pool.Nodes} machines, with LEADER_ADDRESS (the first one's address) and NODE_RANK (from 0) set"
                + (launch.WorkerScript is null ? "." : ", and NODES (all addresses)."));
        }

        return string.Concat(lines.Select(line => $"# {line.ReplaceLineEndings(" ")}\n"));
    }

    /// <summary>What a file about a pool says first.</summary>
    private static string Heading(PoolSite pool) =>
        $"{new string([.. pool.Order.Name.Select(c => char.IsControl(c) ? ' ' : c)])}: {pool.Gpus} per replica, "
        + $"{pool.Deployment.Model.Key}, "
        + $"{pool.Engine.Name} {pool.Release.Version}.";

    private IEnumerable<DeployFile> Kubernetes()
    {
        foreach (var site in Clusters)
        {
            var pools = Pools.Where(pool => pool.Site == site).ToList();
            yield return new DeployFile($"{Folder(site)}/00-base.yaml", Yaml.Write(KubernetesShared.Base(Name, pools, _options)));
            foreach (var pool in pools)
            {
                var remarks = string.Join('\n', [Heading(pool), .. Launch(pool).Notes]);
                var documents = new KubernetesPool(pool, Launch(pool), _options, Name).Documents();
                yield return new DeployFile($"{Folder(site)}/{pool.Name}.yaml", Yaml.Write(documents, remarks));
            }
        }

        var gateway = KubernetesGateway.Of(Name, GatewayText(InCluster), _options);
        yield return new DeployFile($"{Folder(Clusters[0])}/gateway/gateway.yaml", Yaml.Write(gateway));
        var scaled = Pools.Where(pool => pool.Most is not null).Select(pool => pool.Engine.Key).Distinct(StringComparer.Ordinal).ToList();
        if (scaled.Count > 0)
            yield return new DeployFile(AdapterPath, Yaml.Write(Measure.Adapter(scaled)));
    }

    private IEnumerable<DeployFile> Compose()
    {
        var compose = new ComposeFile(Hosts, Launch, _options, Name);
        foreach (var host in Hosts)
            yield return new DeployFile($"compose/{host.Name}.yaml", Yaml.Write(compose.Of(host), $"{host.Name}: {Machine(host.Like)}."));
        const string both = "The gateway, beside the engines of host-1:\n"
            + "docker compose -f compose/host-1.yaml -f compose/with-gateway.yaml up -d";
        yield return new DeployFile("compose/with-gateway.yaml", Yaml.Write(compose.WithGateway(), both));
        var urls = Hosts.SelectMany(host => host.Replicas).ToLookup(replica => replica.Pool.Name, compose.Url, StringComparer.Ordinal);
        yield return new DeployFile("compose/gateway.yaml", GatewayText(pool => urls.Contains(pool.Name)
            ? new Reach([.. urls[pool.Name]], null, null)
            : InCluster(pool) with { Remark = "Several machines a replica: Compose does not run it. Put its address here." }));
    }

    /// <summary>A pool's machine in words.</summary>
    public static string Machine(PoolSite pool) => string.Join(
        ", ",
        new[] { $"{pool.MachineGpus} x {pool.Deployment.Gpu.Key}", pool.Pool.InstanceType, pool.Site.Provider, pool.Site.Region }
            .Where(part => part.Length > 0));

    private IEnumerable<DeployFile> Sky() =>
        from pool in Pools
        where SkyPilotTask.Refusal(pool, Launch(pool)) is null
        let task = SkyPilotTask.Of(pool, Launch(pool), _options, Name)
        select new DeployFile($"skypilot/{pool.Name}.yaml", Yaml.Write(task, string.Join('\n', [Heading(pool), .. Launch(pool).Notes])));

    private IEnumerable<DeployFile> Scenarios() =>
        from service in _design.Services()
        let known = _options.Services.GetValueOrDefault(service)
        where known?.Workload is not null
        let scenario = ScenarioFile.Of(_design, service, known, Pools)
        let path = ScenarioPath(service)
        select new DeployFile(path, Yaml.Write(scenario, $"The plan as a scenario: tokenfactory simulate {path}"));

    private string GatewayText(Func<PoolSite, Reach> reach) =>
        Yaml.Write(GatewayFile.Of(_design, [.. Pools.Select(pool => (pool, Launch(pool)))], reach, _options.DrainSeconds), GatewayFile.Header);

    /// <summary>Where replicas are for a gateway in the first cluster.</summary>
    private Reach InCluster(PoolSite pool) => pool.Site == Clusters[0]
        ? new Reach(null, $"{ObjectNames.Replicas(pool.Name)}.{Name}.svc.cluster.local:8000", null)
        : new Reach(
            null, $"{pool.Name}.{ClusterNames[pool.Site]}.invalid:8000",
            $"In the cluster {ClusterNames[pool.Site]}: put the address here at which this cluster reaches it.");
}
