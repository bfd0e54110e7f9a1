using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using TokenFactory.Gateway.Live;
using TokenFactory.Gateway.Setup;
using TokenFactory.Gateway.Telemetry;
using TokenFactory.Gateway.Tenants;
using TokenFactory.Gateway.Wire;
using TokenFactory.Store.Ledger;

namespace TokenFactory.Gateway.Api;

/// <summary>
/// Who uses some fleets: a request from its first byte on, before it is placed. Fleets close only when nobody can come to them any more.
/// </summary>
internal sealed class Uses
{
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _count = 1; // whoever may retire them
    private int _retired;

    /// <summary>Whether there is but one.</summary>
    public bool Alone => Volatile.Read(ref _count) <= 2;

    /// <summary>Begins a use; false where they are being retired, and others are in their place.</summary>
    public bool TryBegin()
    {
        Interlocked.Increment(ref _count);
        if (Volatile.Read(ref _retired) == 0)
            return true;
        End();
        return false;
    }

    /// <summary>Ends one.</summary>
    public void End()
    {
        if (Interlocked.Decrement(ref _count) == 0)
            _ended.TrySetResult();
    }

    /// <summary>Lets no use begin; completes when all have ended. Once.</summary>
    public Task RetireAsync()
    {
        Interlocked.Exchange(ref _retired, 1);
        End();
        return _ended.Task;
    }
}

/// <summary>What runs by one factory file: swapped as a whole when the file changes, while requests go on with the one they began with.</summary>
/// <param name="setup">What the file says.</param>
/// <param name="fleets">Who serves a model, by its name.</param>
/// <param name="uses">Who uses these fleets.</param>
internal sealed class Running(GatewaySetup setup, IReadOnlyDictionary<string, LiveFleet> fleets, Uses uses)
{
    /// <summary>Who uses the fleets; shared with what ran before where that had the same.</summary>
    public Uses Uses { get; } = uses;

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

    /// <summary>The gateway stops, and the time of answers that still run is over.</summary>
    public bool Cutting { get; set; }

    /// <summary>What runs now, for a request that goes by it to its end. End its use. Null where the gateway stops.</summary>
    public Running? Begin()
    {
        while (true)
        {
            var present = Running;
            if (present.Uses.TryBegin())
                return present;
            if (ReferenceEquals(present, Running))
                return null;
        }
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
