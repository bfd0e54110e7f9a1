using TokenFactory.Store.Tenants;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Tenants;

/// <summary>A limit of a tenant that a request ran into, and how long it stands in its way.</summary>
/// <param name="Setting">Its name in the factory file: "usd_per_hour".</param>
/// <param name="Seconds">Seconds until it no longer does, as far as is known; infinite where it always will.</param>
/// <param name="Has">What was taken of it before.</param>
/// <param name="Of">Its value.</param>
/// <param name="Asks">What this request takes of it.</param>
/// <param name="Reserved">Dollars of what was taken that are set aside for requests that run.</param>
internal readonly record struct TenantLimit(
    string Setting, double Seconds, decimal Has, decimal Of, decimal Asks, decimal Reserved = 0)
{
    /// <summary>Of two, the one that stands in the way longer: who comes back after it finds neither there.</summary>
    public static TenantLimit? Longer(TenantLimit? a, TenantLimit? b) =>
        a is null || b is { } second && second.Seconds > a.Value.Seconds ? b : a;

    /// <summary>Says it as HTTP and OpenAI do.</summary>
    public Refused Refuse(TenantRecord tenant)
    {
        var never = double.IsPositiveInfinity(Seconds);
        var seconds = Math.Max(1, Math.Ceiling(Seconds));
        var money = Setting.StartsWith("usd_", StringComparison.Ordinal);
        var or = never ? "or " : "";
        var smaller = (Asks > 1 || money) && Has < Of ? $"Lower its max_tokens or n, {or}raise" : "Raise";
        var remedy = $"{smaller} tenants.{tenant.Name}.{Setting}" + (never ? "." : $" or retry after {seconds:0} s.");
        return new Refused(
            429, money ? "insufficient_quota" : "rate_limit_exceeded", $"{Words(tenant.Name, money)} {remedy}", never ? null : seconds);
    }

    private string Words(string tenant, bool money) => Setting switch
    {
        "requests_per_minute" => $"Tenant '{tenant}' has sent {Has:#,0} requests in the last minute, its {Setting} is {Of:#,0}.",
        "concurrency" => $"Tenant '{tenant}' has {Has:#,0} requests running, its {Setting} is {Of:#,0}.",
        "tokens_per_minute" => $"Tenant '{tenant}' has taken {Has:#,0} tokens in the last minute and this request may take {Asks:#,0}, "
            + $"its {Setting} is {Of:#,0}.",
        _ when money => $"Tenant '{tenant}' is over its budget: {Dollars(Has)} of {Dollars(Of)} USD {Span}"
            + (Reserved > 0 ? $", of which {Dollars(Reserved)} are reserved by requests that run" : "")
            + (Has < Of ? $", and this request may cost {Dollars(Asks)}." : "."),
        _ => throw new InvalidOperationException($"'{Setting}' is no limit"),
    };

    private string Span => Setting switch
    {
        "usd_per_hour" => "this hour",
        "usd_per_day" => "today",
        _ => "this month",
    };

    private static string Dollars(decimal value) => value.ToString("#,0.00#######");

    /// <summary>The setting of a budget.</summary>
    public static string SettingOf(BudgetSpan span) => span switch
    {
        BudgetSpan.Hour => "usd_per_hour",
        BudgetSpan.Day => "usd_per_day",
        _ => "usd_per_month",
    };

    /// <summary>The budget of a span; null for none.</summary>
    public static Usd? BudgetOf(TenantRecord tenant, BudgetSpan span) => span switch
    {
        BudgetSpan.Hour => tenant.UsdPerHour,
        BudgetSpan.Day => tenant.UsdPerDay,
        _ => tenant.UsdPerMonth,
    };
}
