namespace TokenFactory.Planning.Deploy;

/// <summary>What manifests say of a service beyond the design.</summary>
public sealed record DeployService
{
    /// <summary>Its requests, as the workload block of a scenario; null to write no scenario.</summary>
    public DocMap? Workload { get; init; }

    /// <summary>The classes that its workload sends; null for all of the design.</summary>
    public IReadOnlyList<string>? Classes { get; init; }

    /// <summary>Repository or folder of the weights; null for what the catalog knows of the model.</summary>
    public string? Checkpoint { get; init; }

    /// <summary>Repository or folder of the draft model of speculative decoding; null for the model's own prediction layers.</summary>
    public string? Draft { get; init; }
}

/// <summary>What manifests are written with, beside the design.</summary>
public sealed record DeployOptions
{
    /// <summary>Engines by key, with the releases that the manifests are written for: those of the catalog.</summary>
    public required IReadOnlyList<Catalog.Engine> Engines { get; init; }

    /// <summary>What to know of each service, by its name; services that are not named have no scenario.</summary>
    public IReadOnlyDictionary<string, DeployService> Services { get; init; } =
        new Dictionary<string, DeployService>(StringComparer.Ordinal);

    /// <summary>Images by engine key, in the place of the release's.</summary>
    public IReadOnlyDictionary<string, string> Images { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>
    /// Requests at once on a replica for which a pool was planned, by the pool's name: what autoscaling steers by. Pools that are not named
    /// are steered by as many as they may run.
    /// </summary>
    public IReadOnlyDictionary<string, double> Concurrency { get; init; } = new Dictionary<string, double>(StringComparer.Ordinal);

    /// <summary>A folder of the nodes that holds the weights; null for a persistent volume claim.</summary>
    public string? HostWeights { get; init; }

    /// <summary>The image of the gateway.</summary>
    public string GatewayImage { get; init; } = "token-factory:latest";

    /// <summary>CPU cores that an engine asks for, per GPU.</summary>
    public int CpuPerGpu { get; init; } = 4;

    /// <summary>Host memory that an engine asks for, per GPU and in GiB, beside its copy of the prefix cache.</summary>
    public int MemoryGibPerGpu { get; init; } = 32;

    /// <summary>Seconds for which a replica that is taken away may finish its answers.</summary>
    public int DrainSeconds { get; init; } = 120;

    /// <summary>Hosts for which Compose files are written at most; more are Kubernetes' business.</summary>
    public int MostComposeHosts { get; init; } = 64;
}
