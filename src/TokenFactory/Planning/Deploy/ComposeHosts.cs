using System.Globalization;

namespace TokenFactory.Planning.Deploy;

/// <summary>A replica on a host.</summary>
/// <param name="Pool">Its pool.</param>
/// <param name="Service">Its name in Compose, no two alike in the whole fleet.</param>
/// <param name="FirstGpu">Its first GPU on the host.</param>
/// <param name="PublishedPort">The host's port that reaches it.</param>
internal sealed record ComposeReplica(PoolSite Pool, string Service, int FirstGpu, int PublishedPort);

/// <summary>A machine that Compose runs replicas on.</summary>
/// <param name="Name">"host-1".</param>
/// <param name="Like">A pool whose machine it is.</param>
/// <param name="Replicas">What runs on it.</param>
internal sealed record ComposeHost(string Name, PoolSite Like, IReadOnlyList<ComposeReplica> Replicas);

/// <summary>Lays replicas out on hosts: those of one provider, place, machine and GPU side by side, each host filled in turn.</summary>
internal static class ComposeHosts
{
    private const int FirstPort = 8001;

    /// <summary>The hosts of all pools whose replicas fit on one machine.</summary>
    public static IReadOnlyList<ComposeHost> Of(IEnumerable<PoolSite> pools)
    {
        var hosts = new List<ComposeHost>();
        var kinds = pools.Where(pool => pool.Nodes == 1)
            .GroupBy(pool => (pool.Site, pool.Pool.InstanceType, pool.Deployment.Gpu.Key, pool.MachineGpus));
        foreach (var kind in kinds)
        {
            var open = new List<ComposeReplica>();
            var used = 0;
            foreach (var pool in kind)
            {
                for (var i = 1; i <= pool.Replicas; i++)
                {
                    if (used + pool.Deployment.Gpus > pool.MachineGpus)
                        Close(kind.First());
                    var service = $"{pool.Name}-{i.ToString(CultureInfo.InvariantCulture)}";
                    open.Add(new ComposeReplica(pool, service, used, FirstPort + open.Count));
                    used += pool.Deployment.Gpus;
                }
            }

            Close(kind.First());

            void Close(PoolSite like)
            {
                if (open.Count > 0)
                    hosts.Add(new ComposeHost($"host-{(hosts.Count + 1).ToString(CultureInfo.InvariantCulture)}", like, [.. open]));
                open.Clear();
                used = 0;
            }
        }

        return hosts;
    }
}

/// <summary>Writes Docker Compose files, one per host.</summary>
internal sealed class ComposeFile(
    IReadOnlyList<ComposeHost> hosts, Func<PoolSite, EngineLaunch> launch, DeployOptions options, string design)
{
    private const double Gibibyte = 1024.0 * 1024 * 1024;
    private const int MoreThanDrainSeconds = 30;

    /// <summary>The volume of the gateway's journal, ledger and keys.</summary>
    public const string GatewayStore = "gateway-store";

    /// <summary>The URL of a replica as the gateway on the first host reaches it.</summary>
    public string Url(ComposeReplica replica)
    {
        var host = hosts.First(host => host.Replicas.Contains(replica));
        var (name, port) = ReferenceEquals(host, hosts[0]) ? (replica.Service, EngineLaunch.Port) : (host.Name, replica.PublishedPort);
        return $"http://{name}:{port.ToString(CultureInfo.InvariantCulture)}";
    }

    /// <summary>The file of a host.</summary>
    public DocMap Of(ComposeHost host)
    {
        var services = new DocMap();
        foreach (var limited in host.Replicas.Select(replica => replica.Pool).Where(pool => pool.IsLimited).DistinctBy(pool => pool.Name))
            services.Add(Limiter(limited), Limits(limited, [.. host.Replicas.Where(replica => replica.Pool.Name == limited.Name)]));
        foreach (var replica in host.Replicas)
            services.Add(replica.Service, Engine(replica));
        return new DocMap { { "name", $"{design}-{host.Name}" }, { "services", services } };
    }

    /// <summary>The gateway, which Compose joins to the engines of the first host.</summary>
    public DocMap WithGateway() => new()
    {
        { "services", new DocMap { { GatewayFile.ServiceName, Gateway() } } },
        { "volumes", new DocMap { { GatewayStore, new DocMap() } } },
    };

    private static string Limiter(PoolSite pool) => $"{pool.Name}-limits";

    private DocMap Engine(ComposeReplica replica)
    {
        var (pool, start) = (replica.Pool, launch(replica.Pool));
        var map = new DocMap
        {
            { "image", KubernetesPod.Image(pool, options) },
            { "entrypoint", DocList.Of(start.Program) },
            { "command", DocList.Of(start.Words.Select(word => Shell.ForCompose(word.Text))) },
            { "environment", Environment(replica, start) },
            { "ports", new DocList { Published(replica.PublishedPort, EngineLaunch.Port) } },
            { "volumes", Volumes(pool, start) },
            { "shm_size", "16gb" },
            { "ulimits", new DocMap { { "memlock", -1 }, { "stack", 67108864 } } },
            { "stop_grace_period", Grace },
            { "restart", "unless-stopped" },
            { "healthcheck", Health(pool, start) },
        };
        if (pool.IsLimited)
            map.Add("depends_on", new DocMap { { Limiter(pool), new DocMap { { "condition", "service_completed_successfully" } } } });
        Devices(map, pool, Indices(replica), "gpu");
        return map;
    }

    private static string Published(int outside, int inside) =>
        $"{outside.ToString(CultureInfo.InvariantCulture)}:{inside.ToString(CultureInfo.InvariantCulture)}";

    private static DocMap Environment(ComposeReplica replica, EngineLaunch start)
    {
        var map = new DocMap { { "HF_HOME", $"{Checkpoint.Folder}/huggingface" }, { "HF_TOKEN", "${HF_TOKEN:-}" } };
        if (start.AddressVariable is { } address)
            map.Add(address, replica.Service);
        foreach (var (name, value) in start.Environment)
            map.Add(name, value);
        if (replica.Pool.IsAmd)
            map.Add("HIP_VISIBLE_DEVICES", string.Join(',', Indices(replica)));
        return map;
    }

    private DocList Volumes(PoolSite pool, EngineLaunch start)
    {
        var source = options.HostWeights is { } folder ? Shell.ForCompose(folder) : "${MODELS:-./models}";
        var list = new DocList { new DocMap { { "type", "bind" }, { "source", source }, { "target", Checkpoint.Folder } } };
        if (start.Configuration is not null)
            list.Add($"../engines/{pool.Name}.yaml:{TensorRtCommand.Folder}/{pool.Name}.yaml:ro");
        return list;
    }

    private static DocMap Health(PoolSite pool, EngineLaunch launch)
    {
        var url = $"http://localhost:{EngineLaunch.Port.ToString(CultureInfo.InvariantCulture)}{launch.HealthPath}";
        var test = new DocList { "CMD", "python3", "-c", $"import urllib.request; urllib.request.urlopen('{url}', timeout=5)" };
        var start = $"{pool.StartLimitSeconds.ToString(CultureInfo.InvariantCulture)}s";
        return new DocMap
        {
            { "test", test },
            { "interval", "10s" },
            { "timeout", "10s" },
            { "retries", 6 },
            { "start_period", start, PoolSite.StartRemark },
        };
    }

    /// <summary>Limits power or clock once, before the engines start. Only root on the machine may: the container is privileged.</summary>
    private DocMap Limits(PoolSite pool, IReadOnlyList<ComposeReplica> replicas)
    {
        var map = new DocMap
        {
            { "image", KubernetesPod.Image(pool, options) },
            { "entrypoint", new DocList { "/bin/sh", "-c" } },
            { "command", new DocList { Shell.ForCompose(BoardLimits.Script(pool)) } },
            { "privileged", true },
            { "restart", "no" },
        };
        Devices(map, pool, [.. replicas.SelectMany(Indices)], "gpu");
        return map;
    }

    private static void Devices(DocMap map, PoolSite pool, IReadOnlyList<string> indices, string capability)
    {
        if (pool.IsAmd)
        {
            map.Add("devices", new DocList { "/dev/kfd", "/dev/dri" });
            map.Add("group_add", new DocList { "video" });
            return;
        }

        var device = new DocMap
        {
            { "driver", "nvidia" }, { "device_ids", DocList.Of(indices) }, { "capabilities", new DocList { capability } },
        };
        var reservations = new DocMap { { "devices", new DocList { device } } };
        if (pool.NodeHostBytes > 0)
            reservations.Add("memory", $"{Math.Ceiling(pool.NodeHostBytes / Gibibyte).ToString("0", CultureInfo.InvariantCulture)}g");
        map.Add("deploy", new DocMap { { "resources", new DocMap { { "reservations", reservations } } } });
    }

    private static string[] Indices(ComposeReplica replica) =>
    [
        .. Enumerable.Range(replica.FirstGpu, replica.Pool.Deployment.Gpus).Select(gpu => gpu.ToString(CultureInfo.InvariantCulture)),
    ];

    private DocMap Gateway()
    {
        var others = hosts.Skip(1).Select(host => $"{host.Name}:${{{Variable(host)}:?the address of {host.Name}}}");
        var map = new DocMap
        {
            { "image", options.GatewayImage },
            { "command", new DocList { "serve", Configuration } },
            { "working_dir", GatewayFile.StoreMount },
            { "ports", new DocList { Published(GatewayFile.Port, GatewayFile.Port) } },
            { "volumes", new DocList { $"./{GatewayFile.FileName}:{Configuration}:ro", $"{GatewayStore}:{GatewayFile.StoreMount}" } },
            { "stop_grace_period", Grace },
            { "restart", "unless-stopped" },
            { "healthcheck", GatewayHealth() },
        };
        if (hosts.Count > 1)
            map.Add("extra_hosts", DocList.Of(others));
        return map;
    }

    /// <summary>Its image has no program that asks for a page, but a shell that can.</summary>
    private static DocMap GatewayHealth()
    {
        var port = GatewayFile.Port.ToString(CultureInfo.InvariantCulture);
        var ask = $"exec 3<>/dev/tcp/127.0.0.1/{port} && printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3 && grep -q '^ok' <&3";
        return new DocMap
        {
            { "test", new DocList { "CMD", "bash", "-c", ask } },
            { "interval", "10s" }, { "timeout", "5s" }, { "retries", 6 }, { "start_period", "300s" },
        };
    }

    private const string Configuration = $"{GatewayFile.Folder}/{GatewayFile.FileName}";

    private string Grace => $"{(options.DrainSeconds + MoreThanDrainSeconds).ToString(CultureInfo.InvariantCulture)}s";

    /// <summary>The variable that holds a host's address: HOST_2.</summary>
    public static string Variable(ComposeHost host) => host.Name.ToUpperInvariant().Replace('-', '_');
}
