using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using TokenFactory.Gateway.Live;
using TokenFactory.Gateway.Setup;
using TokenFactory.Gateway.Telemetry;
using TokenFactory.Gateway.Tenants;
using TokenFactory.Gateway.Wire;
using TokenFactory.Store.Ledger;

namespace TokenFactory.Gateway.Api;

/// <summary>What runs by one factory file: swapped as a whole when the file changes, while requests go on with the one they began with.</summary>
internal sealed class Running(GatewaySetup setup, IReadOnlyDictionary<string, LiveFleet> fleets)
{
    /// <summary>What the file says.</summary>
    public GatewaySetup Setup { get; } = setup;

    /// <summary>Who serves a model, by its name.</summary>
    public IReadOnlyDictionary<string, LiveFleet> Fleets { get; } = fleets;

    /// <summary>Models by name: prices may change while the fleet stays.</summary>
    public IReadOnlyDictionary<string, ModelSetup> Models { get; } = setup.Models.ToDictionary(model => model.Name, StringComparer.Ordinal);

    /// <summary>Numbers of service classes by name.</summary>
    public IReadOnlyDictionary<string, int> ClassNumbers { get; } =
        setup.Classes.Select((facts, index) => (facts.Name, index)).ToDictionary(one => one.Name, one => one.index, StringComparer.Ordinal);
}

/// <summary>What all requests share.</summary>
internal sealed class Gateway(
    Running running, TenantBook tenants, LedgerWriter ledger, GatewayMetrics metrics, WallClock clock, HttpMessageInvoker http, GatewayLogs logs)
{
    private static readonly string[] Paths = ["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses"];

    private readonly ConditionalWeakTable<LiveReplica, Uri[]> _addresses = [];
    private readonly string _run = RandomNumberGenerator.GetHexString(16, lowercase: true);
    private Running _running = running;
    private long _number;

    /// <summary>What runs now.</summary>
    public Running Running
    {
        get => Volatile.Read(ref _running);
        set => Volatile.Write(ref _running, value);
    }

    public TenantBook Tenants { get; } = tenants;

    public LedgerWriter Ledger { get; } = ledger;

    public GatewayMetrics Metrics { get; } = metrics;

    public WallClock Clock { get; } = clock;

    public HttpMessageInvoker Http { get; } = http;

    public GatewayLogs Logs { get; } = logs;

    public HeldBytes Held { get; } = new();

    /// <summary>A number that no other request of this process has.</summary>
    public long NextNumber() => Interlocked.Increment(ref _number);

    /// <summary>An identity that no other request has, of this process or another.</summary>
    public string NextId() => string.Create(null, stackalloc char[40], $"req-{_run}-{NextNumber():x}");

    /// <summary>Where an endpoint of a replica is.</summary>
    public Uri AddressOf(LiveReplica replica, Endpoint endpoint) =>
        _addresses.GetValue(replica, static one => [.. Paths.Select(path => new Uri(one.Address, path))])[(int)endpoint];
}
