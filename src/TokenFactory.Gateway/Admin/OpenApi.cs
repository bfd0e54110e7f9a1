using Microsoft.AspNetCore.Http;

namespace TokenFactory.Gateway.Admin;

/// <summary>The description of both APIs in OpenAPI 3.1: a file that is part of the program.</summary>
public static class OpenApi
{
    private static readonly Lazy<byte[]> Document = new(() =>
    {
        using var stream = typeof(OpenApi).Assembly.GetManifestResourceStream("openapi.json")!;
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    });

    /// <summary>The document as UTF-8.</summary>
    public static ReadOnlyMemory<byte> Json => Document.Value;

    /// <summary>Answers a request with it.</summary>
    public static async Task ServeAsync(HttpContext context)
    {
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = Json.Length;
        await context.Response.Body.WriteAsync(Json, context.RequestAborted);
    }
}
