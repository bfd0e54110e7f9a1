using System.Globalization;

namespace TokenFactory.Planning.Deploy;

/// <summary>Writes what the pools of a cluster share: its namespace, the volume of weights, the gateway.</summary>
internal static class KubernetesShared
{
    /// <summary>The claim of the volume that holds the weights.</summary>
    public const string Claim = "model-weights";

    public const int GatewayPort = 8080;

    private const double Gibibyte = 1024.0 * 1024 * 1024;

    /// <summary>The namespace, and the volume of weights unless they lie on the nodes.</summary>
    public static IReadOnlyList<Doc> Base(string design, IReadOnlyList<PoolSite> pools, DeployOptions options)
    {
        var space = new DocMap
        {
            { "apiVersion", "v1" }, { "kind", "Namespace" }, { "metadata", new DocMap { { "name", design } } },
        };
        if (options.HostWeights is not null)
            return [space];
        var size = new DocMap { { "storage", $"{WeightsGib(pools).ToString(CultureInfo.InvariantCulture)}Gi" } };
        return
        [
            space,
            new DocMap
            {
                { "apiVersion", "v1" },
                { "kind", "PersistentVolumeClaim" },
                { "metadata", new DocMap { { "name", Claim }, { "namespace", design } } },
                {
                    "spec",
                    new DocMap
                    {
                        {
                            "accessModes", new DocList { "ReadWriteMany" },
                            "Many nodes read it: name a storage class that can where your default cannot.\nstorageClassName: NAME"
                        },
                        { "resources", new DocMap { { "requests", size } }, "Half as much again as the checkpoints." },
                    }
                },
            },
        ];
    }

    /// <summary>Room for the checkpoints of some pools, in GiB: half as much again, in steps of ten.</summary>
    public static long WeightsGib(IReadOnlyList<PoolSite> pools)
    {
        var bytes = pools.DistinctBy(pool => pool.Checkpoint.Name, StringComparer.Ordinal).Sum(pool => pool.Checkpoint.Bytes);
        return (long)Math.Ceiling(bytes * 1.5 / Gibibyte / 10) * 10;
    }

    /// <summary>The gateway with its configuration.</summary>
    public static IReadOnlyList<Doc> Gateway(string design, string configuration, DeployOptions options)
    {
        const string name = GatewayFile.ServiceName;
        var labels = new DocMap { { "app.kubernetes.io/name", name }, { "app.kubernetes.io/part-of", design } };
        var chosen = new DocMap { { "app.kubernetes.io/name", name } };
        DocMap Meta() => new() { { "name", name }, { "namespace", design }, { "labels", labels } };
        var container = new DocMap
        {
            { "name", name },
            { "image", options.GatewayImage },
            { "args", new DocList { "serve", "/etc/token-factory/gateway.yaml" } },
            { "ports", new DocList { new DocMap { { "name", "http" }, { "containerPort", GatewayPort } } } },
            { "readinessProbe", new DocMap { { "httpGet", new DocMap { { "path", "/health" }, { "port", "http" } } } } },
            { "resources", new DocMap { { "requests", new DocMap { { "cpu", "2" }, { "memory", "2Gi" } } } } },
            { "volumeMounts", new DocList { new DocMap { { "name", "configuration" }, { "mountPath", "/etc/token-factory" } } } },
        };
        var volume = new DocMap { { "name", "configuration" }, { "configMap", new DocMap { { "name", name } } } };
        var pod = new DocMap { { "containers", new DocList { container } }, { "volumes", new DocList { volume } } };
        var template = new DocMap { { "metadata", new DocMap { { "labels", labels } } }, { "spec", pod } };
        var replicas = new DocMap { { "replicas", 1 }, { "selector", new DocMap { { "matchLabels", chosen } } }, { "template", template } };
        return
        [
            new DocMap
            {
                { "apiVersion", "v1" }, { "kind", "ConfigMap" }, { "metadata", Meta() },
                { "data", new DocMap { { "gateway.yaml", configuration } } },
            },
            new DocMap
            {
                { "apiVersion", "apps/v1" }, { "kind", "Deployment" }, { "metadata", Meta() },
                { "spec", replicas },
            },
            new DocMap
            {
                { "apiVersion", "v1" }, { "kind", "Service" }, { "metadata", Meta() },
                {
                    "spec",
                    new DocMap
                    {
                        { "selector", chosen },
                        { "ports", new DocList { new DocMap { { "name", "http" }, { "port", 80 }, { "targetPort", "http" } } } },
                    }
                },
            },
        ];
    }
}
