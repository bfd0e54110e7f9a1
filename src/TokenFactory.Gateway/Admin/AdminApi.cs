using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using TokenFactory.Gateway.Tenants;
using TokenFactory.Store;

namespace TokenFactory.Gateway.Admin;

/// <summary>
/// What operators ask of a running gateway: tenants, keys, replicas, usage, status. All of it needs the admin key; nothing of it is served
/// on the address of the OpenAI API. /openapi.json describes both.
/// </summary>
public static class AdminApi
{
    private const string Root = "/admin/v1";

    /// <summary>Maps it, with /openapi.json and /metrics.</summary>
    public static void Map(IEndpointRouteBuilder routes, AdminParts parts)
    {
        var tenants = new AdminTenants(parts);
        var keys = new AdminKeys(parts);
        var plant = new AdminPlant(parts);
        Add("GET", Root + "/tenants", tenants.ListAsync);
        Add("GET", Root + "/tenants/{name}", tenants.GetAsync);
        Add("PUT", Root + "/tenants/{name}", tenants.PutAsync);
        Add("PATCH", Root + "/tenants/{name}", tenants.PatchAsync);
        Add("DELETE", Root + "/tenants/{name}", tenants.DeleteAsync);
        Add("GET", Root + "/keys", keys.ListAsync);
        Add("POST", Root + "/keys", keys.CreateAsync);
        Add("POST", Root + "/keys/{id}/rotate", keys.RotateAsync);
        Add("POST", Root + "/keys/{id}/disable", context => keys.DisableAsync(context, true));
        Add("POST", Root + "/keys/{id}/enable", context => keys.DisableAsync(context, false));
        Add("DELETE", Root + "/keys/{id}", keys.DeleteAsync);
        Add("GET", Root + "/replicas", plant.ReplicasAsync);
        Add("POST", Root + "/replicas/{name}/drain", context => plant.DrainAsync(context, true));
        Add("POST", Root + "/replicas/{name}/resume", context => plant.DrainAsync(context, false));
        Add("GET", Root + "/usage", plant.UsageAsync);
        Add("GET", Root + "/status", plant.StatusAsync);
        Add("GET", "/openapi.json", OpenApi.ServeAsync);
        if (parts.Metrics is { } metrics)
            Add("GET", "/metrics", metrics.ServeAsync);
        routes.Map(Root + "/{**rest}", context => RunAsync(parts, context, NotThere));

        void Add(string method, string path, RequestDelegate handler) =>
            routes.MapMethods(path, [method], context => RunAsync(parts, context, handler));
    }

    /// <summary>Serves a request if it brings the admin key; says what is wrong with it in JSON otherwise.</summary>
    public static async Task RunAsync(AdminParts parts, HttpContext context, RequestDelegate handler)
    {
        try
        {
            if (!parts.Key.Opens(context.Request.Headers.Authorization.ToString()))
            {
                context.Response.Headers.WWWAuthenticate = "Bearer";
                throw new AdminRefusal(
                    401, "invalid_admin_key", "The admin key is missing or wrong. Send it as 'Authorization: Bearer sk-tf-admin-...'.");
            }

            await handler(context);
        }
        catch (AdminRefusal refusal)
        {
            await RefuseAsync(context, refusal);
        }
        catch (TenantChangeException refusal)
        {
            await RefuseAsync(context, new AdminRefusal(refusal.Status, refusal.Status == 404 ? "not_found" : "conflict", refusal.Message));
        }
        catch (StoreAwayException away)
        {
            var message = $"The store cannot be reached, so nothing was changed: {away.Message} Try again.";
            await RefuseAsync(context, new AdminRefusal(503, "store_away", message));
        }
    }

    /// <summary>Answers with JSON.</summary>
    internal static async Task AnswerAsync<T>(HttpContext context, T view, JsonTypeInfo<T> type, int status = 200)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "no-store";
        await JsonSerializer.SerializeAsync(context.Response.Body, view, type, context.RequestAborted);
    }

    /// <summary>A part of the address.</summary>
    internal static string Part(HttpContext context, string name) => (string)context.Request.RouteValues[name]!;

    private static Task NotThere(HttpContext context) => throw new AdminRefusal(
        404, "not_found", $"There is no {context.Request.Method} {context.Request.Path}. See /openapi.json.");

    private static Task RefuseAsync(HttpContext context, AdminRefusal refusal) => AnswerAsync(
        context,
        new ErrorView(new ErrorBody(refusal.Message, refusal.Code, refusal.Mistakes)),
        AdminJson.Default.ErrorView,
        refusal.Status);
}
