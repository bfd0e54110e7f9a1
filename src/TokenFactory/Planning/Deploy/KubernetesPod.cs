using System.Globalization;

namespace TokenFactory.Planning.Deploy;

/// <summary>Writes the pods of a pool for Kubernetes.</summary>
internal sealed class KubernetesPod(PoolSite pool, EngineLaunch launch, DeployOptions options, string design)
{
    public const string Secret = "hf-token";
    public const string SshSecret = "mpi-ssh";
    public const string PoolLabel = "token-factory-pool";
    private const string Weights = "weights";
    private const string Memory = "shared-memory";
    private const string Configuration = "engine";
    private const string Keys = "ssh-keys";
    private const double Gibibyte = 1024.0 * 1024 * 1024;
    private const int SharedMemoryGib = 16;

    /// <summary>Labels of everything that belongs to the pool.</summary>
    public DocMap Labels() => new()
    {
        { "app.kubernetes.io/name", pool.Engine.Key },
        { "app.kubernetes.io/part-of", design },
        { "app.kubernetes.io/component", pool.Order.Role.ToString().ToLowerInvariant() },
        { PoolLabel, pool.Name },
    };

    /// <summary>A pod of it.</summary>
    /// <param name="leader">Whether it takes requests: the only pod of a replica, or the first.</param>
    public DocMap Template(bool leader)
    {
        var labels = Labels();
        if (pool.Nodes > 1)
            labels.Add("token-factory-node", leader ? "leader" : "worker");
        return new DocMap
        {
            { "metadata", new DocMap { { "labels", labels }, { "annotations", leader ? Scraped() : null } } },
            { "spec", Spec(leader) },
        };
    }

    private DocMap Scraped() => new()
    {
        { "prometheus.io/scrape", "true" },
        { "prometheus.io/port", EngineLaunch.Port.ToString(CultureInfo.InvariantCulture) },
        { "prometheus.io/path", launch.MetricsPath },
    };

    private DocMap Spec(bool leader) => new()
    {
        { "terminationGracePeriodSeconds", options.DrainSeconds + 30 },
        { "nodeSelector", Placement.Selector(pool) },
        { "affinity", Placement.Affinity(pool) },
        { "tolerations", Placement.Tolerations(pool) },
        { "topologySpreadConstraints", leader && pool.Replicas > 1 ? Spread() : null },
        { "initContainers", pool.IsLimited ? new DocList { Limits() } : null },
        { "containers", new DocList { Container(leader) } },
        { "volumes", Volumes() },
    };

    private DocList Spread()
    {
        var list = new DocList();
        foreach (var domain in (string[])["topology.kubernetes.io/zone", "kubernetes.io/hostname"])
        {
            list.Add(new DocMap
            {
                { "maxSkew", 1 },
                { "topologyKey", domain },
                { "whenUnsatisfiable", "ScheduleAnyway" },
                { "labelSelector", new DocMap { { "matchLabels", new DocMap { { PoolLabel, pool.Name } } } } },
            });
        }

        return list;
    }

    private DocMap Container(bool leader)
    {
        var port = leader ? new DocList { Port("http", EngineLaunch.Port) } : null;
        foreach (var (name, number) in leader ? launch.Ports : [])
            port!.Add(Port(name, number));
        return new DocMap
        {
            { "name", "engine" },
            { "image", Image(pool, options) },
            { "command", Command() },
            { "args", pool.Nodes > 1 ? null : DocList.Of(launch.Words.Select(word => Shell.ForKubernetes(word.Text))) },
            { "env", Environment() },
            { "ports", port },
            { "resources", Resources() },
            { "securityContext", pool.Nodes > 1 || pool.IsSplit ? Pinned() : null, "Fast networks pin the memory that they read." },
            { "startupProbe", leader ? Probe(10, pool.StartLimitSeconds / 10) : null, PoolSite.StartRemark },
            { "readinessProbe", leader ? Probe(5, 3) : null },
            { "livenessProbe", leader ? Probe(10, 6) : null },
            { "lifecycle", leader ? Drain() : null, "Routers learn that it leaves before it does." },
            { "volumeMounts", Mounts() },
        };
    }

    /// <summary>The image of a pool's engine.</summary>
    public static string Image(PoolSite pool, DeployOptions options) =>
        options.Images.TryGetValue(pool.Engine.Key, out var image)
            ? image
            : pool.Release.ImageFor(pool.Deployment.Gpu.Vendor) ?? MissingImage(pool);

    /// <summary>What stands in the place of an image that nobody knows.</summary>
    public static string MissingImage(PoolSite pool) =>
        $"image.invalid/{pool.Engine.Key}:{pool.Release.Version}-{pool.Deployment.Gpu.Vendor.ToLowerInvariant()}";

    private static DocMap Port(string name, int number) => new() { { "name", name }, { "containerPort", number } };

    private DocList Command() => pool.Nodes == 1
        ? DocList.Of(launch.Program)
        : new DocList { "/bin/sh", "-c", Shell.ForKubernetes(LaunchScript.OfLeaderWorkerSet(launch) + LaunchScript.Of(pool, launch)) };

    private DocList Environment()
    {
        var list = new DocList
        {
            Variable("HF_HOME", $"{Checkpoint.Folder}/huggingface"),
            new DocMap
            {
                { "name", "HF_TOKEN" },
                {
                    "valueFrom",
                    new DocMap { { "secretKeyRef", new DocMap { { "name", Secret }, { "key", "token" }, { "optional", true } } } }
                },
            },
        };
        if (launch.AddressVariable is { } address)
        {
            var field = new DocMap { { "fieldRef", new DocMap { { "fieldPath", "status.podIP" } } } };
            list.Add(new DocMap { { "name", address }, { "valueFrom", field } });
        }

        foreach (var (name, value) in launch.Environment)
            list.Add(Variable(name, value));
        return list;
    }

    private static DocMap Variable(string name, string value) => new() { { "name", name }, { "value", value } };

    private DocMap Resources()
    {
        var gpus = pool.NodeGpus.ToString(CultureInfo.InvariantCulture);
        var memory = (options.MemoryGibPerGpu * pool.NodeGpus) + (int)Math.Ceiling(pool.NodeHostBytes / Gibibyte);
        return new DocMap
        {
            {
                "requests",
                new DocMap
                {
                    { "cpu", (options.CpuPerGpu * pool.NodeGpus).ToString(CultureInfo.InvariantCulture) },
                    { "memory", $"{memory.ToString(CultureInfo.InvariantCulture)}Gi" },
                    { pool.GpuResource, gpus },
                }
            },
            { "limits", Boards() },
        };
    }

    private DocMap Probe(int period, int failures) => new()
    {
        { "httpGet", new DocMap { { "path", launch.HealthPath }, { "port", "http" } } },
        { "periodSeconds", period },
        { "timeoutSeconds", 5 },
        { "failureThreshold", failures },
    };

    private static DocMap Pinned() => new() { { "capabilities", new DocMap { { "add", new DocList { "IPC_LOCK" } } } } };

    private static DocMap Drain() =>
        new() { { "preStop", new DocMap { { "exec", new DocMap { { "command", new DocList { "/bin/sh", "-c", "sleep 10" } } } } } } };

    private DocList Mounts()
    {
        var list = new DocList { Mount(Weights, Checkpoint.Folder), Mount(Memory, "/dev/shm") };
        if (launch.Configuration is not null)
            list.Add(Mount(Configuration, TensorRtCommand.Folder));
        if (launch.WorkerScript is not null)
            list.Add(Mount(Keys, "/root/.ssh"));
        return list;
    }

    private static DocMap Mount(string name, string path) => new() { { "name", name }, { "mountPath", path } };

    private DocList Volumes()
    {
        var weights = new DocMap { { "name", Weights } };
        if (options.HostWeights is { } folder)
            weights.Add("hostPath", new DocMap { { "path", folder }, { "type", "Directory" } });
        else
            weights.Add("persistentVolumeClaim", new DocMap { { "claimName", KubernetesShared.Claim } });
        var shared = new DocMap { { "medium", "Memory" }, { "sizeLimit", $"{SharedMemoryGib.ToString(CultureInfo.InvariantCulture)}Gi" } };
        var list = new DocList { weights, new DocMap { { "name", Memory }, { "emptyDir", shared } } };
        if (launch.Configuration is not null)
            list.Add(new DocMap { { "name", Configuration }, { "configMap", new DocMap { { "name", pool.Name } } } });
        if (launch.WorkerScript is not null)
        {
            const int ownerOnly = 256; // 0400: SSH takes no key that others may read
            var secret = new DocMap { { "secretName", SshSecret }, { "defaultMode", ownerOnly } };
            list.Add(new DocMap { { "name", Keys }, { "secret", secret } });
        }

        return list;
    }

    /// <summary>Limits power or clock before the engine starts. Only root on the machine may: the container is privileged.</summary>
    private DocMap Limits() => new()
    {
        { "name", "limits" },
        { "image", Image(pool, options) },
        { "command", new DocList { "/bin/sh", "-c", Shell.ForKubernetes(BoardLimits.Script(pool)) } },
        { "securityContext", new DocMap { { "privileged", true } } },
        { "resources", new DocMap { { "limits", Boards() } } },
    };

    private DocMap Boards() => new() { { pool.GpuResource, pool.NodeGpus.ToString(CultureInfo.InvariantCulture) } };
}

/// <summary>Sets limits of power and clock on a machine's boards.</summary>
internal static class BoardLimits
{
    /// <summary>A shell script that sets them.</summary>
    public static string Script(PoolSite pool)
    {
        var (d, lines) = (pool.Deployment, new List<string> { "set -eu" });
        var watts = d.PowerCap is { } cap ? Math.Round(cap.Value).ToString("0", CultureInfo.InvariantCulture) : null;
        if (pool.IsAmd)
        {
            if (watts is not null)
                lines.Add($"rocm-smi --setpoweroverdrive {watts} --autorespond y");
            return string.Join('\n', lines) + "\n";
        }

        if (watts is not null)
            lines.Add($"nvidia-smi -pl {watts}");
        if (d.ClockLock is not null)
        {
            var share = Math.Round(d.Clock * 100).ToString("0", CultureInfo.InvariantCulture);
            lines.Add("top=$(nvidia-smi --query-gpu=clocks.max.sm --format=csv,noheader,nounits | head -n 1)");
            lines.Add($"nvidia-smi -lgc \"0,$((top * {share} / 100))\"");
        }

        return string.Join('\n', lines) + "\n";
    }

    /// <summary>In words; null where nothing is limited.</summary>
    public static string? Words(PoolSite pool)
    {
        var d = pool.Deployment;
        var parts = new[]
        {
            d.PowerCap is { } cap ? $"{cap.Value.ToString("0", CultureInfo.InvariantCulture)} W" : null,
            d.ClockLock is not null ? $"{(d.Clock * 100).ToString("0", CultureInfo.InvariantCulture)} % of the highest clock" : null,
        }.OfType<string>();
        return pool.IsLimited ? string.Join(" and ", parts) : null;
    }
}
