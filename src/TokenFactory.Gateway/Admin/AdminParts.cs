using TokenFactory.Gateway.Live;
using TokenFactory.Gateway.Setup;
using TokenFactory.Gateway.Telemetry;
using TokenFactory.Gateway.Tenants;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Admin;

/// <summary>What the admin API shows and changes. Functions, because a changed factory file may replace what they look at.</summary>
public sealed record AdminParts
{
    /// <summary>Its key.</summary>
    public required AdminKey Key { get; init; }

    /// <summary>Tenants and their keys.</summary>
    public required TenantBook Tenants { get; init; }

    /// <summary>What the gateway runs by.</summary>
    public required Func<GatewaySetup> Setup { get; init; }

    /// <summary>All replicas.</summary>
    public required Func<IReadOnlyList<ReplicaStatus>> Replicas { get; init; }

    /// <summary>Sends a replica nothing more (true), or requests again (false); false where there is none of the name.</summary>
    public required Func<string, bool, bool> Drain { get; init; }

    /// <summary>How the ledger fares.</summary>
    public required Func<StoreStatus> Store { get; init; }

    /// <summary>Metrics, for /metrics; null where none are kept.</summary>
    public GatewayMetrics? Metrics { get; init; }

    /// <summary>The time, and since when the gateway runs.</summary>
    public required WallClock Clock { get; init; }

    /// <summary>When it started.</summary>
    public required Instant Started { get; init; }
}
