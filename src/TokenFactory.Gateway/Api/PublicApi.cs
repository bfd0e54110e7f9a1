using System.Text.Json;
using Microsoft.AspNetCore.Http;
using TokenFactory.Gateway.Admin;
using TokenFactory.Gateway.Tenants;
using Endpoint = TokenFactory.Gateway.Wire.Endpoint;

namespace TokenFactory.Gateway.Api;

/// <summary>What clients can reach: OpenAI's endpoints with a key, and health without.</summary>
/// <param name="gateway">What all requests share.</param>
/// <param name="metrics">Answers whoever scrapes metrics with the admin key.</param>
internal sealed class PublicApi(Gateway gateway, RequestDelegate metrics)
{
    private const string ModelsPath = "/v1/models";

    /// <summary>Answers a request.</summary>
    public async Task HandleAsync(HttpContext http)
    {
        try
        {
            await RouteAsync(http).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            http.Abort(); // nobody is there to be told
        }
        catch (BadHttpRequestException wrong)
        {
            await Answers.RefuseAsync(http, new(wrong.StatusCode, "bad_request", wrong.Message), gateway.NextId()).ConfigureAwait(false);
        }
        catch (Exception broken) when (broken is not OutOfMemoryException)
        {
            gateway.Logs.Broken(http.Request.Path, broken);
            var refusal = new Refusal(500, "internal_error", "The gateway failed, which is a fault of its own. Its log says more.");
            await Answers.RefuseAsync(http, refusal, gateway.NextId()).ConfigureAwait(false);
        }
    }

    /// <summary>The process answers.</summary>
    public static Task HealthAsync(HttpContext http) => TextAsync(http, 200, "ok").AsTask();

    private ValueTask RouteAsync(HttpContext http)
    {
        var path = http.Request.Path.Value ?? "";
        return EndpointOf(path) is { } endpoint ? ServeAsync(http, endpoint) : path switch
        {
            "/healthz" => new(HealthAsync(http)),
            "/metrics" => new(metrics(http)),
            "/readyz" => ReadyAsync(http),
            _ => OtherAsync(http, path),
        };
    }

    private static Endpoint? EndpointOf(string path) => path switch
    {
        "/v1/chat/completions" => Endpoint.Chat,
        "/v1/completions" => Endpoint.Completions,
        "/v1/embeddings" => Endpoint.Embeddings,
        "/v1/responses" => Endpoint.Responses,
        _ => null,
    };

    private async ValueTask ServeAsync(HttpContext http, Endpoint endpoint)
    {
        if (!HttpMethods.IsPost(http.Request.Method))
            await RefuseAsync(http, WrongMethod(http, "POST")).ConfigureAwait(false);
        else if (Identify(http, out var why) is { } caller)
            await ExchangeAsync(http, endpoint, caller).ConfigureAwait(false);
        else
            await RefuseAsync(http, why!).ConfigureAwait(false);
    }

    private async ValueTask ExchangeAsync(HttpContext http, Endpoint endpoint, Caller caller)
    {
        if (gateway.Begin() is not { } running)
        {
            await RefuseAsync(http, new(503, "stopping", "The gateway is stopping. Retry after 1 s.", RetrySeconds: 1)).ConfigureAwait(false);
            return;
        }

        try
        {
            await new Exchange(gateway, running, http, caller, endpoint).RunAsync().ConfigureAwait(false);
        }
        finally
        {
            running.Uses.End();
        }
    }

    private Caller? Identify(HttpContext http, out Refusal? why)
    {
        var caller = gateway.Tenants.Find(http.Request.Headers.Authorization.ToString(), out var refused);
        why = refused is null ? null : new(refused.Status, refused.Code, refused.Message, RetrySeconds: refused.RetryAfterSeconds);
        return caller;
    }

    private async ValueTask OtherAsync(HttpContext http, string path)
    {
        if (Identify(http, out var why) is not { } caller)
            await RefuseAsync(http, why!).ConfigureAwait(false);
        else if (path == "/openapi.json")
            await OpenApi.ServeAsync(http).ConfigureAwait(false);
        else if (!path.StartsWith(ModelsPath, StringComparison.Ordinal))
            await RefuseAsync(http, new(404, "unknown_url", $"There is no {http.Request.Method} {path}. See GET /openapi.json.")).ConfigureAwait(false);
        else if (!HttpMethods.IsGet(http.Request.Method))
            await RefuseAsync(http, WrongMethod(http, "GET")).ConfigureAwait(false);
        else
            await ModelsAsync(http, path, caller).ConfigureAwait(false);
    }

    private async ValueTask ModelsAsync(HttpContext http, string path, Caller caller)
    {
        var models = gateway.Running.Setup.Models.Select(model => model.Name).Where(caller.MayUse).ToList();
        if (path.Length > ModelsPath.Length + 1)
        {
            var name = path[(ModelsPath.Length + 1)..];
            if (models.Contains(name))
                await Answers.JsonAsync(http, JsonSerializer.SerializeToUtf8Bytes(Model(name))).ConfigureAwait(false);
            else
                await RefuseAsync(http, new(404, "model_not_found", $"There is no model '{name}' for key '{caller.Key.Id}'.", "model")).ConfigureAwait(false);
            return;
        }

        var list = new { @object = "list", data = models.Select(Model) };
        await Answers.JsonAsync(http, JsonSerializer.SerializeToUtf8Bytes(list)).ConfigureAwait(false);
    }

    private static object Model(string name) => new { id = name, @object = "model", created = 0, owned_by = "token-factory" };

    /// <summary>
    /// Ready where some model has a replica that takes requests, and records can be kept. Not only where every model has one: who asks before
    /// sending requests here would take the others away too.
    /// </summary>
    private ValueTask ReadyAsync(HttpContext http)
    {
        var running = gateway.Running;
        var lacking = running.Fleets.Where(fleet => !fleet.Value.Replicas.Any(replica => replica.IsReady)).Select(fleet => fleet.Key).ToList();
        if (gateway.Ledger.Full)
            return TextAsync(http, 503, "the ledger is full");
        var words = lacking.Count == 0 ? "" : "no replica is ready for " + string.Join(", ", lacking);
        return lacking.Count == running.Fleets.Count
            ? TextAsync(http, 503, words)
            : TextAsync(http, 200, words.Length == 0 ? "ready" : $"ready; {words}");
    }

    private static async ValueTask TextAsync(HttpContext http, int status, string text)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "text/plain";
        await http.Response.WriteAsync(text + "\n", http.RequestAborted).ConfigureAwait(false);
    }

    private static Refusal WrongMethod(HttpContext http, string right)
    {
        http.Response.Headers.Allow = right;
        return new(405, "method_not_allowed", $"{http.Request.Path} takes {right}, not {http.Request.Method}.");
    }

    private ValueTask RefuseAsync(HttpContext http, Refusal refusal)
    {
        gateway.Metrics.Refused(refusal.Status, refusal.Code);
        return Answers.RefuseAsync(http, refusal, gateway.NextId());
    }
}
