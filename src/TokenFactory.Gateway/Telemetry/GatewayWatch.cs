using TokenFactory.Gateway.Live;
using TokenFactory.Gateway.Tenants;

namespace TokenFactory.Gateway.Telemetry;

/// <summary>Where metrics look when somebody asks for them. Functions, because a changed factory file replaces what they look at.</summary>
public sealed record GatewayWatch
{
    /// <summary>All replicas.</summary>
    public Func<IReadOnlyList<ReplicaStatus>> Replicas { get; init; } = static () => [];

    /// <summary>Requests that wait, by model and class.</summary>
    public Func<IReadOnlyList<QueueDepth>> Queues { get; init; } = static () => [];

    /// <summary>What tenants hold.</summary>
    public Func<IReadOnlyList<TenantUsage>> Tenants { get; init; } = static () => [];

    /// <summary>How the ledger fares; null where there is none.</summary>
    public Func<StoreStatus?> Store { get; init; } = static () => null;
}

/// <summary>Requests that wait for a replica.</summary>
/// <param name="Model">Of a model.</param>
/// <param name="Class">And a service class.</param>
/// <param name="Waiting">How many.</param>
public readonly record struct QueueDepth(string Model, string Class, int Waiting);
