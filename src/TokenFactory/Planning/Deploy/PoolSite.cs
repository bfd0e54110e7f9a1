using TokenFactory.Catalog;
using TokenFactory.Engine;
using TokenFactory.Fleet;
using TokenFactory.Performance;
using TokenFactory.Policies;
using TokenFactory.Simulation;

namespace TokenFactory.Planning.Deploy;

/// <summary>Machines that can be in one cluster: of one provider, in one place.</summary>
/// <param name="Provider">Who rents them out; empty where nobody said.</param>
/// <param name="Region">Where they stand; empty where nobody said.</param>
public readonly record struct Site(string Provider, string Region);

/// <summary>A pool of a design with what its manifests follow from: names, nodes, times, limits, its checkpoint and its engine.</summary>
internal sealed record PoolSite
{
    private const int RackTrayGpus = 4;
    private const int UsualGpus = 8;

    /// <summary>What stands above <see cref="StartLimitSeconds"/>.</summary>
    public const string StartRemark = "Weights, compiling, graphs: three times as long as planned, 15 min at least.";

    public required PlannedPool Pool { get; init; }

    /// <summary>Its name in files and clusters: a DNS label, no two alike.</summary>
    public required string Name { get; init; }

    public required Catalog.Engine Engine { get; init; }

    public required EngineRelease Release { get; init; }

    public required Checkpoint Checkpoint { get; init; }

    /// <summary>The draft model of speculative decoding; null where the model drafts for itself.</summary>
    public string? Draft { get; init; }

    /// <summary>Whether classes of different priority share the engines.</summary>
    public bool Priorities { get; init; }

    /// <summary>Seconds for which a replica that is taken away may finish its answers.</summary>
    public int DrainSeconds { get; init; }

    public PoolOrder Order => Pool.Order;

    public Deployment Deployment => Order.Deployment;

    public EngineSettings Settings => Order.Engine ?? EngineSettings.Of(Deployment);

    public Site Site => new(Pool.Provider, Pool.Region);

    public int Replicas => Order.Replicas;

    public int Groups => Deployment.AttentionGroups;

    /// <summary>GPUs of a machine.</summary>
    public int MachineGpus => MachineGpusOf(Pool);

    /// <summary>GPUs of a pool's machine.</summary>
    public static int MachineGpusOf(PlannedPool pool) =>
        pool.GpusPerMachine ?? (pool.Order.Deployment.Gpu.ScaleUpDomain?.Value > UsualGpus ? RackTrayGpus : UsualGpus);

    /// <summary>Machines of a replica.</summary>
    public int Nodes => (Deployment.Gpus + MachineGpus - 1) / MachineGpus;

    /// <summary>GPUs of a replica on each of its machines.</summary>
    public int NodeGpus => Deployment.Gpus / Nodes;

    public bool IsSpot => Order.Billing == "spot";

    public bool IsSplit => Order.Role != ReplicaRole.Aggregated;

    public bool IsAmd => Deployment.Gpu.Vendor == "AMD";

    /// <summary>The resource by which Kubernetes counts such GPUs.</summary>
    public string GpuResource => IsAmd ? "amd.com/gpu" : "nvidia.com/gpu";

    /// <summary>Whether somebody limits the boards' power or clock.</summary>
    public bool IsLimited => Deployment.PowerCap is not null || Deployment.ClockLock is not null;

    /// <summary>Longest sequence that is served, in tokens; null where neither the model nor the memory sets a limit.</summary>
    public long? LongestTokens => Order.Plan().Facts.LongestTokens is > 0 and < int.MaxValue and var longest ? (long)longest : null;

    /// <summary>Seconds from a container's start until it takes requests: weights, compiling, graphs, a first request.</summary>
    public double StartSeconds => Order.StartSeconds - Order.ProvisionSeconds;

    /// <summary>
    /// Seconds after which a container that does not take requests is started anew: three times as long as planned, and a quarter of an
    /// hour at least, as the first start of all fetches the weights.
    /// </summary>
    public int StartLimitSeconds => (int)Math.Ceiling(Math.Max(900, 3 * StartSeconds));

    /// <summary>Fewest replicas when it scales.</summary>
    public int Least => Math.Max(1, Order.Least ?? 1);

    /// <summary>Most replicas when it scales; null where it does not, or where no most is given.</summary>
    public int? Most => Order.Scaler is null ? null : Order.Most;

    /// <summary>Share of its capacity in use that its scaler aims at.</summary>
    public double ScalingTarget => Order.Scaler?.Invoke() switch
    {
        TargetUtilisationScaler steady => steady.Target,
        PredictiveScaler ahead => ahead.Target,
        _ => new TargetUtilisationScaler().Target,
    };

    /// <summary>Sequences that run at once on a replica at most.</summary>
    public int MaxSequences => Settings.MaxSequences * Groups;

    /// <summary>Host memory of a node that holds its part of the copies of the prefix cache, in bytes.</summary>
    public double NodeHostBytes => Pool.HostCacheBytes / Nodes;

    /// <summary>"4 x h100-sxm".</summary>
    public string Gpus => $"{Deployment.Gpus} x {Deployment.Gpu.Key}";
}
