using System.Text.RegularExpressions;
using TokenFactory.Catalog;

namespace TokenFactory.Planning.Deploy;

/// <summary>Which cloud's Kubernetes a provider runs.</summary>
internal enum ClusterKind
{
    /// <summary>One's own, or a provider without labels of its own.</summary>
    Generic,

    /// <summary>Google Kubernetes Engine.</summary>
    Gke,

    /// <summary>Amazon Elastic Kubernetes Service.</summary>
    Eks,

    /// <summary>Azure Kubernetes Service.</summary>
    Aks,
}

/// <summary>Says to Kubernetes on which nodes the pods of a pool may run.</summary>
internal static partial class Placement
{
    /// <summary>Label of nodes, where the cloud has none that tells the GPU.</summary>
    public const string GpuLabel = "token-factory-gpu";

    /// <summary>Label and taint of nodes on spot, where the cloud has none.</summary>
    public const string SpotLabel = "token-factory-spot";

    private const string GkeSpot = "cloud.google.com/gke-spot";
    private const string AksSpot = "kubernetes.azure.com/scalesetpriority";

    /// <summary>Which Kubernetes a pool's provider runs.</summary>
    public static ClusterKind Kind(string provider) => Names.Fold(provider) switch
    {
        "gcp" or "google" or "googlecloud" => ClusterKind.Gke,
        "aws" or "amazon" => ClusterKind.Eks,
        "azure" or "microsoftazure" => ClusterKind.Aks,
        _ => ClusterKind.Generic,
    };

    /// <summary>Labels that a node must have.</summary>
    public static DocMap Selector(PoolSite pool)
    {
        var kind = Kind(pool.Site.Provider);
        var labels = new DocMap();
        if (IsMachine(pool, kind))
            labels.Add("node.kubernetes.io/instance-type", pool.Pool.InstanceType);
        else
            labels.Add(GpuLabel, pool.Deployment.Gpu.Key);
        if (pool.IsSpot && kind is ClusterKind.Gke)
            labels.Add(GkeSpot, "true");
        else if (pool.IsSpot && kind is ClusterKind.Aks)
            labels.Add(AksSpot, "spot");
        else if (pool.IsSpot && kind is ClusterKind.Generic)
            labels.Add(SpotLabel, "true");
        return labels;
    }

    /// <summary>Whether nodes carry the machine's name as the design gives it: the clouds name them alike in prices and labels.</summary>
    public static bool IsMachine(PoolSite pool, ClusterKind kind) => kind switch
    {
        ClusterKind.Gke or ClusterKind.Eks => MachineName().IsMatch(pool.Pool.InstanceType),
        ClusterKind.Aks =>
            pool.Pool.InstanceType.StartsWith("Standard_", StringComparison.Ordinal) && MachineName().IsMatch(pool.Pool.InstanceType),
        _ => false,
    };

    /// <summary>Amazon's nodes on spot: those of managed node groups, or of Karpenter. Null elsewhere.</summary>
    public static DocMap? Affinity(PoolSite pool)
    {
        if (!pool.IsSpot || Kind(pool.Site.Provider) != ClusterKind.Eks)
            return null;
        var terms = new DocList { Term("eks.amazonaws.com/capacityType", "SPOT"), Term("karpenter.sh/capacity-type", "spot") };
        var required = new DocMap { { "requiredDuringSchedulingIgnoredDuringExecution", new DocMap { { "nodeSelectorTerms", terms } } } };
        return new DocMap { { "nodeAffinity", required } };

        static DocMap Term(string key, string value)
        {
            var wanted = new DocMap { { "key", key }, { "operator", "In" }, { "values", new DocList { value } } };
            return new DocMap { { "matchExpressions", new DocList { wanted } } };
        }
    }

    /// <summary>Taints that its pods bear: those of GPU nodes, and of nodes on spot.</summary>
    public static DocList Tolerations(PoolSite pool)
    {
        var list = new DocList
        {
            new DocMap { { "key", pool.GpuResource }, { "operator", "Exists" }, { "effect", "NoSchedule" } },
        };
        if (!pool.IsSpot)
            return list;
        var (key, value) = Kind(pool.Site.Provider) switch
        {
            ClusterKind.Gke => (GkeSpot, "true"),
            ClusterKind.Aks => (AksSpot, "spot"),
            _ => (SpotLabel, "true"),
        };
        list.Add(new DocMap { { "key", key }, { "operator", "Equal" }, { "value", value }, { "effect", "NoSchedule" } });
        return list;
    }

    [GeneratedRegex(@"^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?\z", RegexOptions.CultureInvariant, 5000)]
    private static partial Regex MachineName();
}
