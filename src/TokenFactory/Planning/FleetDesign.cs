using TokenFactory.Fleet;
using TokenFactory.Policies;
using TokenFactory.Simulation;
using TokenFactory.Units;
using TokenFactory.Workload;

namespace TokenFactory.Planning;

/// <summary>A pool of a planned fleet: equal replicas, bought one way in one place.</summary>
/// <param name="Order">The deployment of a replica, how many there are, how its engine schedules, what a GPU-hour costs.</param>
public sealed record PlannedPool(PoolOrder Order)
{
    /// <summary>The service that it belongs to: one model with its traffic and promises.</summary>
    public string Service { get; init; } = "default";

    /// <summary>Who rents the GPUs out; "owned" for one's own, "given" where the user gave the price.</summary>
    public string Provider { get; init; } = "";

    /// <summary>Where they stand; empty where nobody said.</summary>
    public string Region { get; init; } = "";

    /// <summary>The provider's name for the machine; empty where nobody said.</summary>
    public string InstanceType { get; init; } = "";

    /// <summary>GPUs of one such machine; null for what is usual with the GPU: 4 of a rack's tray, 8 otherwise.</summary>
    public int? GpusPerMachine { get; init; }

    /// <summary>Host memory per replica that holds a copy of the prefix cache, in bytes; 0 for none.</summary>
    public double HostCacheBytes => (Order.Engine?.HostBytes ?? 0) * Order.Deployment.AttentionGroups * Order.Deployment.Parallelism.Tensor;

    /// <summary>GPUs of all its replicas.</summary>
    public int Gpus => Order.Replicas * Order.Deployment.Gpus;

    /// <summary>What all its replicas cost per hour.</summary>
    public UsdPerHour PerHour => new(Gpus * Order.UsdPerGpuHour);
}

/// <summary>A fleet as planned: what to rent, what to run on it, how to route. The twin runs it, and manifests deploy it.</summary>
public sealed record FleetDesign
{
    /// <summary>What it is called: letters, digits and hyphens, as it names files and Kubernetes objects.</summary>
    public required string Name { get; init; }

    /// <summary>Its pools, of all services.</summary>
    public required IReadOnlyList<PlannedPool> Pools { get; init; }

    /// <summary>What is promised, by service class, of all services.</summary>
    public IReadOnlyList<ServiceClass> Classes { get; init; } = [];

    /// <summary>How requests are routed; null for marginal cost.</summary>
    public Func<IRouter>? Router { get; init; }

    /// <summary>The routing policy as files name it.</summary>
    public string Routing { get; init; } = "marginal-cost";

    /// <summary>GPUs of all pools.</summary>
    public int Gpus => Pools.Sum(pool => pool.Gpus);

    /// <summary>What all pools cost per hour.</summary>
    public UsdPerHour PerHour => new(Pools.Sum(pool => pool.PerHour.Value));

    /// <summary>The pools of one service, as the twin runs them.</summary>
    /// <param name="service">The service.</param>
    /// <param name="traffic">Its requests.</param>
    public FleetPlan Plan(string service, Func<ulong, ITraffic> traffic) => new()
    {
        Name = Name,
        Pools = [.. Pools.Where(pool => pool.Service == service).Select(pool => pool.Order.Plan())],
        Classes = Classes,
        Traffic = traffic,
        Router = Router ?? (() => new MarginalCostRouter()),
        Routing = Routing,
    };
}
