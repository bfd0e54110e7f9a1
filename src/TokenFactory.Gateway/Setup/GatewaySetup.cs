using System.Net;
using TokenFactory.Fleet;
using TokenFactory.Policies;
using TokenFactory.Store.Tenants;

namespace TokenFactory.Gateway.Setup;

/// <summary>Everything that the gateway runs by: what a factory file says, with defaults filled in. A changed file makes a new one.</summary>
public sealed record GatewaySetup
{
    /// <summary>What the factory is called.</summary>
    public required string Name { get; init; }

    /// <summary>Where clients and operators reach it.</summary>
    public required ListenSetup Listen { get; init; }

    /// <summary>Models that clients may ask for.</summary>
    public required IReadOnlyList<ModelSetup> Models { get; init; }

    /// <summary>Service classes; the first is that of requests that name none.</summary>
    public required IReadOnlyList<ServiceClass> Classes { get; init; }

    /// <summary>How requests are routed, retried and let into slack.</summary>
    public required PolicySetup Policies { get; init; }

    /// <summary>Tenants that the file names.</summary>
    public required IReadOnlyList<TenantSetup> Tenants { get; init; }

    /// <summary>Where records go.</summary>
    public required StoreSetup Store { get; init; }

    /// <summary>Whether a start that finds no key makes one and shows it, with a new admin key; not where what is printed is kept by others.</summary>
    public bool FirstKey { get; init; } = true;

    /// <summary>Limits of requests and connections.</summary>
    public LimitSetup Limits { get; init; } = new();

    /// <summary>How replicas are watched.</summary>
    public HealthSetup Health { get; init; } = new();

    /// <summary>Where metrics are sent and decisions logged.</summary>
    public TelemetrySetup Telemetry { get; init; } = new();

    /// <summary>Whether each tenant's prompts get a cache of their own where the engine can do so.</summary>
    public bool CacheSalt { get; init; } = true;

    /// <summary>
    /// What of the file decides on fleets, beside which replicas there are: where a changed file has the same, its fleets stay, and replicas
    /// come and go in them.
    /// </summary>
    public string FleetText { get; init; } = "";
}

/// <summary>Where the gateway listens.</summary>
/// <param name="Address">Address and port of the OpenAI API.</param>
/// <param name="Admin">Address and port of the admin API.</param>
public sealed record ListenSetup(IPEndPoint Address, IPEndPoint Admin)
{
    /// <summary>PEM file of the certificate, for both; null for plain HTTP.</summary>
    public string? Certificate { get; init; }

    /// <summary>PEM file of its key.</summary>
    public string? CertificateKey { get; init; }
}

/// <summary>Routing and recovery, anew for each fleet: policies may keep tables of what they computed.</summary>
/// <param name="Routing">Name of the routing policy.</param>
/// <param name="Router">Makes it.</param>
/// <param name="Eligibility">How much may be sent to a replica, and which reports are believed.</param>
/// <param name="Recovery">What to do with requests whose replica failed them.</param>
public sealed record PolicySetup(string Routing, Func<IRouter> Router, Eligibility Eligibility, Recovery Recovery);

/// <summary>What tokens of a model are charged; null of a model that is not charged for.</summary>
/// <param name="Input">Dollars per million prompt tokens that are computed.</param>
/// <param name="Cached">Dollars per million prompt tokens that a cache held.</param>
/// <param name="Output">Dollars per million tokens of answers.</param>
public sealed record TokenPrice(decimal Input, decimal Cached, decimal Output);

/// <summary>A model that clients may ask for.</summary>
/// <param name="Name">What clients call it.</param>
/// <param name="Pools">Who serves it.</param>
public sealed record ModelSetup(string Name, IReadOnlyList<PoolSetup> Pools)
{
    /// <summary>What its tokens are charged; null for nothing.</summary>
    public TokenPrice? Price { get; init; }

    /// <summary>Longest sequence, prompt and answer, in tokens, that any of its replicas serves.</summary>
    public required int ContextTokens { get; init; }
}

/// <summary>Software behind a replica's address.</summary>
public enum EngineKind
{
    /// <summary>The twin's engine, inside the gateway or as a process of its own.</summary>
    Virtual,

    /// <summary>vLLM.</summary>
    Vllm,

    /// <summary>SGLang.</summary>
    Sglang,

    /// <summary>trtllm-serve.</summary>
    TensorRtLlm,

    /// <summary>llama.cpp's server.</summary>
    LlamaCpp,

    /// <summary>Ollama.</summary>
    Ollama,
}

/// <summary>A pool of equal replicas.</summary>
/// <param name="Facts">What policies know of it.</param>
/// <param name="Engine">Its software.</param>
/// <param name="Replicas">Where its replicas are.</param>
public sealed record PoolSetup(PoolFacts Facts, EngineKind Engine, IReadOnlyList<ReplicaSetup> Replicas)
{
    /// <summary>How its engines schedule: what virtual ones run by.</summary>
    public required TokenFactory.Engine.EngineSettings Settings { get; init; }

    /// <summary>What its engines call the model; null where they call it as clients do.</summary>
    public string? EngineModel { get; init; }

    /// <summary>In words: GPUs, model, precision, engine.</summary>
    public string What { get; init; } = "";

    /// <summary>"on-demand", "spot", "reserved-1y", "owned".</summary>
    public string Billing { get; init; } = "on-demand";

    /// <summary>Host name and port that resolve to the address of every replica; null where addresses are given.</summary>
    public string? Discover { get; init; }

    /// <summary>Key that its engines ask for; null for none. Never logged.</summary>
    public string? ApiKey { get; init; }
}

/// <summary>One replica.</summary>
/// <param name="Name">Its name, unique in the factory: "h100-0".</param>
/// <param name="Address">Where it answers, "http://10.0.0.5:8000"; null for a virtual one inside the gateway.</param>
public sealed record ReplicaSetup(string Name, Uri? Address);

/// <summary>A tenant that the file names, and hashes of keys that are kept there.</summary>
/// <param name="Tenant">The tenant.</param>
/// <param name="KeyHashes">SHA-256 of its keys, 32 bytes each.</param>
public sealed record TenantSetup(TenantRecord Tenant, IReadOnlyList<ReadOnlyMemory<byte>> KeyHashes);

/// <summary>Where records go.</summary>
/// <param name="Folder">Folder of the journal, the admin key's hash and, with SQLite, the ledger.</param>
public sealed record StoreSetup(string Folder)
{
    /// <summary>Connection string of PostgreSQL; null for SQLite in the folder. Never logged.</summary>
    public string? Postgres { get; init; }

    /// <summary>Whether a record is forced to disk before an answer ends (survives a power cut), or left to the system (survives a crash).</summary>
    public bool Sync { get; init; } = true;

    /// <summary>Bytes of records that may wait while the store is away; beyond them no request is taken.</summary>
    public long MostWaitingBytes { get; init; } = 4L << 30;
}

/// <summary>Limits of requests and connections. Whoever meets one is told so.</summary>
public sealed record LimitSetup
{
    /// <summary>Longest body in bytes.</summary>
    public long BodyBytes { get; init; } = 32L << 20;

    /// <summary>Longest headers in bytes.</summary>
    public int HeaderBytes { get; init; } = 32 << 10;

    /// <summary>Most connections.</summary>
    public int Connections { get; init; } = 20_000;

    /// <summary>Bytes of bodies that are held at once.</summary>
    public long HeldBodyBytes { get; init; } = 1L << 30;

    /// <summary>Most choices (n) of a request.</summary>
    public int Choices { get; init; } = 128;

    /// <summary>Seconds that a request may wait for a replica where its class sets no limit.</summary>
    public double WaitSeconds { get; init; } = 60;

    /// <summary>Requests of a class that may wait where it sets no limit.</summary>
    public int Waiting { get; init; } = 10_000;

    /// <summary>Seconds from sending to the first byte of an answer until a replica counts as failed.</summary>
    public double FirstByteSeconds { get; init; } = 300;

    /// <summary>Seconds between two bytes of an answer until a replica counts as failed.</summary>
    public double IdleSeconds { get; init; } = 120;

    /// <summary>
    /// Seconds for which a client may take nothing of its answer before it counts as gone, and for which its body may come more slowly than
    /// 240 bytes a second.
    /// </summary>
    public double SlowClientSeconds { get; init; } = 30;

    /// <summary>Seconds that answers get to end when the gateway stops, or a replica leaves the file.</summary>
    public double DrainSeconds { get; init; } = 600;
}

/// <summary>How replicas are watched.</summary>
public sealed record HealthSetup
{
    /// <summary>Seconds between looks at a replica; longer while looks are slow.</summary>
    public double EverySeconds { get; init; } = 2;

    /// <summary>Longest time between looks, in seconds.</summary>
    public double MostSeconds { get; init; } = 30;

    /// <summary>Seconds until a look counts as failed.</summary>
    public double TimeoutSeconds { get; init; } = 5;

    /// <summary>Failures in a row, of requests or looks, after which a replica is not used.</summary>
    public int Failures { get; init; } = 3;

    /// <summary>Seconds for which it then is not used; twice as long each time again, up to ten times.</summary>
    public double OpenSeconds { get; init; } = 5;

    /// <summary>Seconds over which a replica that comes back gets its full share.</summary>
    public double SlowStartSeconds { get; init; } = 10;

    /// <summary>Times its pool's mean time per token beyond which a replica is put aside for a while; 0 for never.</summary>
    public double OutlierFactor { get; init; } = 3;
}

/// <summary>Where metrics are sent and decisions logged.</summary>
public sealed record TelemetrySetup
{
    /// <summary>Address of an OpenTelemetry collector (OTLP over HTTP); null for none.</summary>
    public Uri? Otlp { get; init; }

    /// <summary>File of events and decisions, which 'replay' re-decides and 'simulate' replays; null for none.</summary>
    public string? Events { get; init; }
}
