using System.Text.Json;
using TokenFactory.Store.Tenants;
using TokenFactory.Units;

namespace TokenFactory.Store.Sql;

/// <summary>A tenant as a row: lists as JSON, money in billionths, yes and no as 1 and 0.</summary>
internal sealed class TenantRow
{
    public const string Select = """
        SELECT name AS Name, models AS Models, class AS Class, classes AS Classes,
          requests_per_minute AS RequestsPerMinute, tokens_per_minute AS TokensPerMinute, concurrency AS Concurrency,
          per_hour_nanousd AS PerHour, per_day_nanousd AS PerDay, per_month_nanousd AS PerMonth,
          max_output_tokens AS MaxOutputTokens, shows_decisions AS ShowsDecisions, disabled AS Disabled
        FROM tokenfactory_tenants ORDER BY name
        """;

    public const string Put = """
        INSERT INTO tokenfactory_tenants (name, models, class, classes, requests_per_minute, tokens_per_minute, concurrency,
          per_hour_nanousd, per_day_nanousd, per_month_nanousd, max_output_tokens, shows_decisions, disabled)
        VALUES (@Name, @Models, @Class, @Classes, @RequestsPerMinute, @TokensPerMinute, @Concurrency,
          @PerHour, @PerDay, @PerMonth, @MaxOutputTokens, @ShowsDecisions, @Disabled)
        ON CONFLICT (name) DO UPDATE SET models = excluded.models, class = excluded.class, classes = excluded.classes,
          requests_per_minute = excluded.requests_per_minute, tokens_per_minute = excluded.tokens_per_minute,
          concurrency = excluded.concurrency, per_hour_nanousd = excluded.per_hour_nanousd,
          per_day_nanousd = excluded.per_day_nanousd, per_month_nanousd = excluded.per_month_nanousd,
          max_output_tokens = excluded.max_output_tokens, shows_decisions = excluded.shows_decisions, disabled = excluded.disabled
        """;

    public required string Name { get; init; }

    public required string Models { get; init; }

    public string? Class { get; init; }

    public required string Classes { get; init; }

    public long? RequestsPerMinute { get; init; }

    public long? TokensPerMinute { get; init; }

    public long? Concurrency { get; init; }

    public long? PerHour { get; init; }

    public long? PerDay { get; init; }

    public long? PerMonth { get; init; }

    public long? MaxOutputTokens { get; init; }

    public long ShowsDecisions { get; init; }

    public long Disabled { get; init; }

    public static TenantRow Of(TenantRecord tenant) => new()
    {
        Name = Words.Text(tenant.Name),
        Models = List(tenant.Models),
        Class = tenant.Class is { } name ? Words.Text(name) : null,
        Classes = List(tenant.Classes),
        RequestsPerMinute = tenant.RequestsPerMinute,
        TokensPerMinute = tenant.TokensPerMinute,
        Concurrency = tenant.Concurrency,
        PerHour = Nanos(tenant.UsdPerHour),
        PerDay = Nanos(tenant.UsdPerDay),
        PerMonth = Nanos(tenant.UsdPerMonth),
        MaxOutputTokens = tenant.MaxOutputTokens,
        ShowsDecisions = tenant.ShowsDecisions ? 1 : 0,
        Disabled = tenant.Disabled ? 1 : 0,
    };

    public TenantRecord Record() => new(Name)
    {
        Models = JsonSerializer.Deserialize<string[]>(Models) ?? [],
        Class = Class,
        Classes = JsonSerializer.Deserialize<string[]>(Classes) ?? [],
        RequestsPerMinute = (int?)RequestsPerMinute,
        TokensPerMinute = TokensPerMinute,
        Concurrency = (int?)Concurrency,
        UsdPerHour = Dollars(PerHour),
        UsdPerDay = Dollars(PerDay),
        UsdPerMonth = Dollars(PerMonth),
        MaxOutputTokens = (int?)MaxOutputTokens,
        ShowsDecisions = ShowsDecisions != 0,
        Disabled = Disabled != 0,
    };

    private static string List(IReadOnlyList<string> names) => JsonSerializer.Serialize(names);

    private static long? Nanos(Usd? amount) => amount is { } usd ? Money.Nanos(usd) : null;

    private static Usd? Dollars(long? nanos) => nanos is { } value ? Money.Dollars(value) : null;
}
