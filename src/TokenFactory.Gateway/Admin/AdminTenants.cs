using Microsoft.AspNetCore.Http;
using TokenFactory.Store.Tenants;

namespace TokenFactory.Gateway.Admin;

/// <summary>Tenants by the admin API.</summary>
internal sealed class AdminTenants(AdminParts parts)
{
    private const int MostName = 64;

    public Task ListAsync(HttpContext context) => AdminApi.AnswerAsync(
        context, new TenantsView([.. parts.Tenants.Tenants.Select(View)]), AdminJson.Default.TenantsView);

    public Task GetAsync(HttpContext context) => AdminApi.AnswerAsync(context, View(Named(context)), AdminJson.Default.TenantView);

    /// <summary>All of the tenant anew: fields that are absent are at their defaults.</summary>
    public Task PutAsync(HttpContext context) => SaveAsync(context, new TenantRecord(NewName(context)));

    /// <summary>Only the fields that are given; a tenant that is not there is made.</summary>
    public Task PatchAsync(HttpContext context)
    {
        var name = NewName(context);
        return SaveAsync(context, Find(name) ?? new TenantRecord(name));
    }

    public async Task DeleteAsync(HttpContext context)
    {
        await parts.Tenants.RemoveTenantAsync(Named(context).Name, context.RequestAborted);
        context.Response.StatusCode = 204;
    }

    private async Task SaveAsync(HttpContext context, TenantRecord was)
    {
        var body = await AdminBody.ReadAsync(context);
        var tenant = Changed(was, body);
        body.Conclude();
        var made = Find(tenant.Name) is null;
        await parts.Tenants.PutTenantAsync(tenant, context.RequestAborted);
        await AdminApi.AnswerAsync(context, View(tenant), AdminJson.Default.TenantView, made ? 201 : 200);
    }

    private TenantRecord Changed(TenantRecord was, AdminBody body)
    {
        var setup = parts.Setup();
        var tenant = was with
        {
            Models = body.Texts("models", was.Models),
            Class = body.Text("class", was.Class, MostName),
            Classes = body.Texts("classes", was.Classes),
            RequestsPerMinute = (int?)body.Whole("requests_per_minute", was.RequestsPerMinute, 1, int.MaxValue),
            TokensPerMinute = body.Whole("tokens_per_minute", was.TokensPerMinute, 1, 1_000_000_000_000),
            Concurrency = (int?)body.Whole("concurrency", was.Concurrency, 1, int.MaxValue),
            UsdPerHour = body.Dollars("usd_per_hour", was.UsdPerHour),
            UsdPerDay = body.Dollars("usd_per_day", was.UsdPerDay),
            UsdPerMonth = body.Dollars("usd_per_month", was.UsdPerMonth),
            MaxOutputTokens = (int?)body.Whole("max_output_tokens", was.MaxOutputTokens, 1, int.MaxValue),
            ShowsDecisions = body.Flag("shows_decisions", was.ShowsDecisions),
            Disabled = body.Flag("disabled", was.Disabled),
        };
        var classes = setup.Classes.Select(each => each.Name).ToList();
        Known(body, "models", tenant.Models, [.. setup.Models.Select(model => model.Name)]);
        Known(body, "classes", tenant.Classes, classes);
        Known(body, "class", tenant.Class is null ? [] : [tenant.Class], classes);
        return tenant;
    }

    private static void Known(AdminBody body, string field, IReadOnlyList<string> names, IReadOnlyList<string> known)
    {
        foreach (var name in names.Where(name => !known.Contains(name, StringComparer.Ordinal)))
            body.Wrong(field, $"names '{name}', which the factory file does not have. Known: {string.Join(", ", known)}.");
    }

    private static string NewName(HttpContext context)
    {
        var name = AdminApi.Part(context, "name");
        return name.Length <= MostName && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.')
            ? name
            : throw new AdminRefusal(
                400, "invalid_value", $"A tenant's name has at most {MostName} letters, digits, '-', '_' and '.': '{name}' is none. Choose another.");
    }

    private TenantRecord Named(HttpContext context)
    {
        var name = AdminApi.Part(context, "name");
        return Find(name) ?? throw new AdminRefusal(404, "not_found", $"There is no tenant '{name}'. GET /admin/v1/tenants lists those that are.");
    }

    private TenantRecord? Find(string name) => parts.Tenants.Tenants.FirstOrDefault(tenant => tenant.Name == name);

    private TenantView View(TenantRecord tenant) => TenantView.Of(tenant, parts.Tenants.IsInFile(tenant.Name));
}
