using System.Net;
using System.Net.Http.Headers;

namespace TokenFactory.Gateway.Api;

/// <summary>A body in pieces on its way to an engine: the client's bytes, and what stands between them.</summary>
internal sealed class PiecedContent : HttpContent
{
    private static readonly MediaTypeHeaderValue Json = new("application/json");

    private readonly IReadOnlyList<ReadOnlyMemory<byte>> _pieces;
    private readonly long _length;

    public PiecedContent(IReadOnlyList<ReadOnlyMemory<byte>> pieces)
    {
        _pieces = pieces;
        foreach (var piece in pieces)
            _length += piece.Length;
        Headers.ContentType = Json;
        Headers.ContentLength = _length;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        for (var i = 0; i < _pieces.Count; i++)
            await stream.WriteAsync(_pieces[i], cancellationToken).ConfigureAwait(false);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _length;
        return true;
    }
}

/// <summary>The connections to engines.</summary>
internal static class EngineCalls
{
    private const int HeaderKilobytes = 64;
    private const int DrainBytes = 4096;

    /// <summary>HTTP/1.1 with connections kept; nothing followed, nothing remembered, nothing from the environment.</summary>
    public static SocketsHttpHandler Handler() => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        AutomaticDecompression = DecompressionMethods.None,
        ActivityHeadersPropagator = null,
        ConnectTimeout = TimeSpan.FromSeconds(5),
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(60),
        MaxResponseHeadersLength = HeaderKilobytes,
        MaxResponseDrainSize = DrainBytes, // what follows a stream's end; whoever is still generating is cut off
        ResponseDrainTimeout = TimeSpan.FromSeconds(0.5),
        EnableMultipleHttp2Connections = false,
    };

    /// <summary>A request to an engine.</summary>
    /// <param name="address">An endpoint of the engine.</param>
    /// <param name="apiKey">Key that it asks for; null for none.</param>
    /// <param name="id">Our identity of the request.</param>
    /// <param name="body">What is sent.</param>
    public static HttpRequestMessage Request(Uri address, string? apiKey, string id, IReadOnlyList<ReadOnlyMemory<byte>> body)
    {
        var message = new HttpRequestMessage(HttpMethod.Post, address) { Content = new PiecedContent(body), Version = HttpVersion.Version11 };
        message.Headers.TryAddWithoutValidation("X-Request-Id", id);
        if (apiKey is not null)
            message.Headers.TryAddWithoutValidation("Authorization", "Bearer " + apiKey);
        return message;
    }
}
