using Microsoft.AspNetCore.Http;
using TokenFactory.Gateway.Tenants;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Admin;

/// <summary>Keys by the admin API. A secret is told once, in the answer that makes it.</summary>
internal sealed class AdminKeys(AdminParts parts)
{
    private const double LongestSeconds = 100 * 365.25 * 86400;
    private static readonly Duration UsualGrace = Duration.OfSeconds(86400);

    public Task ListAsync(HttpContext context)
    {
        var tenant = context.Request.Query["tenant"].ToString();
        var keys = parts.Tenants.Keys.Where(key => tenant.Length == 0 || key.Tenant == tenant);
        var now = parts.Clock.Now;
        return AdminApi.AnswerAsync(context, new KeysView([.. keys.Select(key => KeyView.Of(key, now))]), AdminJson.Default.KeysView);
    }

    public async Task CreateAsync(HttpContext context)
    {
        var body = await AdminBody.ReadAsync(context);
        var tenant = body.Text("tenant", null, 64);
        var label = body.Text("label", null, 200) ?? "";
        var within = body.Seconds("expires_in_s", 1, LongestSeconds);
        var expires = body.When("expires");
        if (tenant is null)
            body.Wrong("tenant", "is missing. Name whose key it is.");
        if (within is not null && expires is not null)
            body.Wrong("expires", "contradicts 'expires_in_s'. Give one of them.");
        if (expires <= parts.Clock.Now)
            body.Wrong("expires", "is past. Give a time that is to come.");
        body.Conclude();
        var end = within is { } time ? parts.Clock.Now + time : expires;
        await TellAsync(context, await parts.Tenants.CreateKeyAsync(tenant!, label, end, context.RequestAborted));
    }

    public async Task RotateAsync(HttpContext context)
    {
        var body = await AdminBody.ReadAsync(context);
        var grace = body.Seconds("grace_s", 0, LongestSeconds) ?? UsualGrace;
        body.Conclude();
        await TellAsync(context, await parts.Tenants.RotateKeyAsync(AdminApi.Part(context, "id"), grace, context.RequestAborted));
    }

    public async Task DisableAsync(HttpContext context, bool disabled)
    {
        var id = AdminApi.Part(context, "id");
        (await AdminBody.ReadAsync(context)).Conclude();
        await parts.Tenants.DisableKeyAsync(id, disabled, context.RequestAborted);
        var key = parts.Tenants.Keys.First(key => key.Id == id);
        await AdminApi.AnswerAsync(context, KeyView.Of(key, parts.Clock.Now), AdminJson.Default.KeyView);
    }

    public async Task DeleteAsync(HttpContext context)
    {
        await parts.Tenants.RemoveKeyAsync(AdminApi.Part(context, "id"), context.RequestAborted);
        context.Response.StatusCode = 204;
    }

    private Task TellAsync(HttpContext context, NewKey made) => AdminApi.AnswerAsync(
        context, new NewKeyView(made.Text, KeyView.Of(made.Record, parts.Clock.Now)), AdminJson.Default.NewKeyView, 201);
}
