using Microsoft.AspNetCore.Http;
using TokenFactory.Gateway.Wire;

namespace TokenFactory.Gateway.Api;

/// <summary>Answers of the gateway's own.</summary>
internal static class Answers
{
    private const string JsonType = "application/json";

    /// <summary>An error in OpenAI's shape.</summary>
    public static async ValueTask RefuseAsync(HttpContext http, Refusal refusal, string id)
    {
        var answer = http.Response;
        if (answer.HasStarted)
        {
            http.Abort();
            return;
        }

        answer.StatusCode = refusal.Status;
        answer.Headers[Headers.RequestId] = id;
        if (refusal.RetrySeconds is { } seconds)
            answer.Headers.RetryAfter = Math.Max(1, Math.Ceiling(seconds)).ToString("0");
        if (refusal.Status == StatusCodes.Status401Unauthorized)
            answer.Headers.WWWAuthenticate = "Bearer";
        await JsonAsync(http, ApiError.Json(refusal.Status, refusal.Message, refusal.Param, refusal.Code)).ConfigureAwait(false);
    }

    /// <summary>JSON as it stands.</summary>
    public static async ValueTask JsonAsync(HttpContext http, ReadOnlyMemory<byte> json)
    {
        http.Response.ContentType = JsonType;
        http.Response.ContentLength = json.Length;
        try
        {
            await http.Response.BodyWriter.WriteAsync(json, http.RequestAborted).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            http.Abort(); // nobody is there to be told
        }
    }
}
