using TokenFactory.Units;

namespace TokenFactory.Gateway.Tenants;

/// <summary>What a tenant has spent and holds now.</summary>
/// <param name="Tenant">Its name.</param>
/// <param name="SpentHour">Charged in this clock hour (UTC).</param>
/// <param name="SpentDay">Charged today (UTC).</param>
/// <param name="SpentMonth">Charged in this calendar month (UTC).</param>
/// <param name="Reserved">Set aside for requests that run.</param>
/// <param name="Running">Requests that run.</param>
/// <param name="RequestsLastMinute">Requests taken in the last minute; null where none are counted, for want of a limit.</param>
/// <param name="TokensLastMinute">Their tokens; null where none are counted.</param>
public sealed record TenantUsage(
    string Tenant,
    Usd SpentHour,
    Usd SpentDay,
    Usd SpentMonth,
    Usd Reserved,
    int Running,
    long? RequestsLastMinute,
    long? TokensLastMinute);
