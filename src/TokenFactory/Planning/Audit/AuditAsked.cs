using TokenFactory.Catalog;
using TokenFactory.Performance;
using TokenFactory.Policies;
using TokenFactory.Simulation;

namespace TokenFactory.Planning.Audit;

/// <summary>What an audit follows from beside the fleet.</summary>
public sealed record AuditAsked
{
    /// <summary>Seeds of an answer unless told otherwise.</summary>
    public const int UsualSeeds = 3;

    /// <summary>Requests on which levers are judged unless told otherwise.</summary>
    public const long UsualRequests = 8000;

    /// <summary>Requests on which the whole is compared unless told otherwise.</summary>
    public const long UsualCheckRequests = 200_000;

    /// <summary>Share of each class that must keep its promises unless told otherwise.</summary>
    public const double UsualKeptShare = 0.99;

    /// <summary>Host memory beside a GPU: about half of the 2 TB that NVIDIA's DGX H100 has beside eight.</summary>
    public const double UsualHostBytesPerGpu = 128e9;

    /// <summary>
    /// How long steps of a replica take; null for a GPU that nothing stands in for. True where prompts and answers have pools of their
    /// own.
    /// </summary>
    public required Func<Deployment, bool, ReplicaModel?> Models { get; init; }

    /// <summary>Dollars per GPU-hour if a pool were billed otherwise; null where nobody says.</summary>
    public required Func<PoolOrder, Billing, Sourced<double>?> Prices { get; init; }

    /// <summary>Routing policies by name: "marginal-cost", "prefix-affinity".</summary>
    public required Func<string, Func<IRouter>> Routers { get; init; }

    /// <summary>What chance follows from: the search uses the first, the answer all of them.</summary>
    public IReadOnlyList<ulong> Seeds { get; init; } = [1, 2, 3];

    /// <summary>Requests on which levers are judged: the busiest so many where the traffic has more.</summary>
    public long Requests { get; init; } = UsualRequests;

    /// <summary>Requests on which today's fleet and the whole of the changes are compared.</summary>
    public long CheckRequests { get; init; } = UsualCheckRequests;

    /// <summary>Share of each class that must keep its promises; where fewer do so today, as many as today.</summary>
    public double KeptShare { get; init; } = UsualKeptShare;

    /// <summary>Replicas that every pool has beyond its need, for failures.</summary>
    public int Spare { get; init; }

    /// <summary>Probability that a token of a draft is accepted.</summary>
    public double Acceptance { get; init; } = 0.65;

    /// <summary>Bytes of host memory beside each GPU that could hold KV blocks.</summary>
    public double HostBytesPerGpu { get; init; } = UsualHostBytesPerGpu;

    /// <summary>Whether weights of four bits may be part of the total.</summary>
    public bool FourBits { get; init; }

    /// <summary>Whether commitments of three years may be part of the total.</summary>
    public bool ThreeYears { get; init; }

    /// <summary>What spot capacity is like.</summary>
    public SpotTerms Spot { get; init; } = SpotTerms.Usual;

    /// <summary>Levers that are not looked at, by key.</summary>
    public IReadOnlySet<string> LeftOut { get; init; } = new HashSet<string>();

    /// <summary>Other GPUs that may be rented instead, with their price per GPU-hour under the billing of the pool.</summary>
    public IReadOnlyList<Accelerator> Gpus { get; init; } = [];

    /// <summary>What a GPU of another kind costs under a billing; null where nobody says.</summary>
    public Func<Accelerator, string, double?> GpuPrices { get; init; } = (_, _) => null;
}

/// <summary>How far an audit is.</summary>
/// <param name="What">What is tried.</param>
/// <param name="Runs">Runs of the twin so far.</param>
/// <param name="Requests">Requests simulated so far, in all runs.</param>
public readonly record struct AuditProgress(string What, int Runs, long Requests);
