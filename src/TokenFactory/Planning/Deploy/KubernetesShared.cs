using System.Globalization;

namespace TokenFactory.Planning.Deploy;

/// <summary>Writes what the pools of a cluster share: its namespace and the volume of weights.</summary>
internal static class KubernetesShared
{
    /// <summary>The claim of the volume that holds the weights.</summary>
    public const string Claim = "model-weights";

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
}
