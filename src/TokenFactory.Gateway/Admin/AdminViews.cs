using System.Globalization;
using System.Text.Json.Serialization;
using TokenFactory.Gateway.Live;
using TokenFactory.Gateway.Tenants;
using TokenFactory.Store.Tenants;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Admin;

/// <summary>A tenant as the admin API tells it.</summary>
internal sealed record TenantView(
    string Name,
    bool InFile,
    IReadOnlyList<string> Models,
    string? Class,
    IReadOnlyList<string> Classes,
    int? RequestsPerMinute,
    long? TokensPerMinute,
    int? Concurrency,
    decimal? UsdPerHour,
    decimal? UsdPerDay,
    decimal? UsdPerMonth,
    int? MaxOutputTokens,
    bool ShowsDecisions,
    bool Disabled)
{
    public static TenantView Of(TenantRecord tenant, bool inFile) => new(
        tenant.Name, inFile, tenant.Models, tenant.Class, tenant.Classes, tenant.RequestsPerMinute, tenant.TokensPerMinute,
        tenant.Concurrency, tenant.UsdPerHour?.Value, tenant.UsdPerDay?.Value, tenant.UsdPerMonth?.Value, tenant.MaxOutputTokens,
        tenant.ShowsDecisions, tenant.Disabled);
}

/// <summary>A key as it is told: never the secret.</summary>
internal sealed record KeyView(string Id, string Tenant, string Label, string Created, string? Expires, bool Expired, bool Disabled)
{
    public static KeyView Of(KeyRecord key, Instant now) => new(
        key.Id, key.Tenant, key.Label, Time.Of(key.Created), key.Expires is { } end ? Time.Of(end) : null, key.Expires <= now,
        key.Disabled);
}

/// <summary>A key that was just made, with its secret: told once.</summary>
internal sealed record NewKeyView(string Key, KeyView Record);

/// <summary>What a tenant spent and holds.</summary>
internal sealed record UsageView(
    string Tenant,
    decimal SpentUsdHour,
    decimal SpentUsdDay,
    decimal SpentUsdMonth,
    decimal ReservedUsd,
    decimal? UsdPerHour,
    decimal? UsdPerDay,
    decimal? UsdPerMonth,
    int Running,
    long? RequestsLastMinute,
    long? TokensLastMinute)
{
    public static UsageView Of(TenantRecord tenant, TenantUsage usage) => new(
        tenant.Name, usage.SpentHour.Value, usage.SpentDay.Value, usage.SpentMonth.Value, usage.Reserved.Value,
        tenant.UsdPerHour?.Value, tenant.UsdPerDay?.Value, tenant.UsdPerMonth?.Value,
        usage.Running, usage.RequestsLastMinute, usage.TokensLastMinute);
}

/// <summary>How the gateway fares.</summary>
internal sealed record StatusView(
    string Name,
    string Version,
    string Started,
    double UptimeS,
    string Store,
    string? StoreAwaySince,
    long JournalBytesWaiting,
    bool JournalFull,
    int Tenants,
    int Keys,
    int Replicas,
    int ReplicasReady);

internal sealed record TenantsView(IReadOnlyList<TenantView> Tenants);

internal sealed record KeysView(IReadOnlyList<KeyView> Keys);

internal sealed record ReplicasView(IReadOnlyList<ReplicaStatus> Replicas);

internal sealed record UsagesView(IReadOnlyList<UsageView> Usage);

/// <summary>What is wrong with a request to the admin API.</summary>
internal sealed record ErrorView(ErrorBody Error);

internal sealed record ErrorBody(string Message, string Code, IReadOnlyList<AdminMistake> Mistakes);

/// <summary>One thing that is wrong with a body.</summary>
/// <param name="Field">The field; empty for the body as a whole.</param>
/// <param name="Message">What is wrong with it, and the remedy.</param>
internal sealed record AdminMistake(string Field, string Message);

/// <summary>Times as RFC 3339, UTC.</summary>
internal static class Time
{
    public static string Of(Instant instant) =>
        DateTime.UnixEpoch.AddTicks(instant.Nanoseconds / 100).ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(TenantView))]
[JsonSerializable(typeof(TenantsView))]
[JsonSerializable(typeof(KeyView))]
[JsonSerializable(typeof(KeysView))]
[JsonSerializable(typeof(NewKeyView))]
[JsonSerializable(typeof(ReplicaStatus))]
[JsonSerializable(typeof(ReplicasView))]
[JsonSerializable(typeof(UsagesView))]
[JsonSerializable(typeof(StatusView))]
[JsonSerializable(typeof(ErrorView))]
internal sealed partial class AdminJson : JsonSerializerContext;
