using System.Text;
using TokenFactory.Gateway.Tests.Api;
using TokenFactory.Gateway.Tests.Wire;
using TokenFactory.Gateway.Wire;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Gateway.Tests.Faults;

/// <summary>What a client sends, and how it ends.</summary>
/// <param name="Bytes">The bytes.</param>
/// <param name="Pieces">In how many pieces they are sent.</param>
/// <param name="Ends">What it does then.</param>
internal sealed record OddRequest(byte[] Bytes, int Pieces, ClientEnd Ends);

internal enum ClientEnd
{
    Reads,
    HalfCloses,
    Closes,
    Breaks,
}

/// <summary>Requests with something odd in one or several places: line, headers, framing, body, what follows, the way of leaving.</summary>
internal sealed class OddRequests(Dice dice, string key)
{
    private static readonly string[] Paths = ["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses"];

    private static readonly string[] OddLines =
    [
        "GET {0} HTTP/1.1", "POST {0} HTTP/1.0", "POST {0} HTTP/2.0", "POST {0} HTTP/1.7", "POST {0}", "POST  {0} HTTP/1.1", "post {0} HTTP/1.1",
        "POST http://127.0.0.1:9{0} HTTP/1.1", "POST {0}?model=x HTTP/1.1", "POST {0}/ HTTP/1.1", "POST {0}/../models HTTP/1.1", "POST //{0} HTTP/1.1",
        "POST {0}%00 HTTP/1.1", "POST {0}%2e%2e HTTP/1.1", "POST {0}#x HTTP/1.1", "OPTIONS * HTTP/1.1", "CONNECT 127.0.0.1:9 HTTP/1.1", "TRACE {0} HTTP/1.1",
        "DELETE {0} HTTP/1.1", "HEAD /v1/models HTTP/1.1", "GET /v1/models/%ff%fe HTTP/1.1", "GET /v1/models/x%0d%0aX:y HTTP/1.1", "GET /openapi.json HTTP/1.1",
        "GET /metrics HTTP/1.1", "GET /readyz HTTP/1.1", "GET / HTTP/1.1", "PRI * HTTP/2.0", "\u0016\u0003\u0001\u0002", "POST \u00e9 HTTP/1.1", "",
    ];

    private static readonly string[] OddHeaders =
    [
        "Host: a", "Host:", "X-Forwarded-For: 169.254.169.254", "X-Forwarded-Host: 10.0.0.1", "Transfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: identity", "Transfer-Encoding: xchunked", "Transfer-Encoding : chunked", "Content-Length: 3", "Content-Length: -1",
        "Content-Length: 99999999999999999999", "Content-Length: 9223372036854775807", "Content-Length: 2147483648", "Content-Length: 0x10",
        "Content-Length: 5, 5", "Content-Length:", "Expect: 100-continue", "Expect: nonsense", "Connection: close", "Connection: upgrade, x",
        "Upgrade: websocket", "Upgrade: h2c", "Content-Encoding: gzip", "Content-Type: text/xml", "Authorization: Basic eDp5", "Authorization: Bearer ",
        "Authorization: Bearer sk-tf-nobody", "x-tokenfactory-class: batch", "x-tokenfactory-class: \u0001", "x-tokenfactory-deadline-s: 1e309",
        "x-tokenfactory-deadline-s: NaN", "x-tokenfactory-deadline-s: -1", "x-tokenfactory-deadline-s: 0.001", "x-tokenfactory-deadline-s: 30",
        "x-tokenfactory-replica: http://10.0.0.1/", "x-request-id: \u00ff\u00fe", "Cookie: a=b", ": empty", "no colon", " folded", "X\u0000Y: z", "Range: bytes=0-",
    ];

    public OddRequest Draw()
    {
        var bytes = new List<byte>();
        for (var i = dice.Chance(0.1) ? dice.Whole(2, 5) : 1; i > 0; i--)
            bytes.AddRange(One());
        if (dice.Chance(0.05))
            bytes.AddRange(WireFuzz.Mutated(dice, One()));
        byte[] sent = [.. bytes];
        if (dice.Chance(0.1))
            sent = WireFuzz.Mutated(dice, sent);
        if (dice.Chance(0.05))
            sent = sent[..dice.Whole(0, sent.Length)];
        var ends = dice.Chance(0.75) ? ClientEnd.Reads : (ClientEnd)dice.Whole(1, 3);
        return new OddRequest(sent, dice.Chance(0.2) ? dice.Whole(2, 6) : 1, ends);
    }

    private byte[] One()
    {
        var endpoint = (Endpoint)dice.Whole(0, 3);
        var body = Body(endpoint);
        var line = dice.Chance(0.9) ? $"POST {Paths[(int)endpoint]} HTTP/1.1" : string.Format(Of(OddLines), Paths[(int)endpoint]);
        var headers = new List<string> { "Host: factory", "Content-Type: application/json", $"Authorization: Bearer {key}" };
        var chunked = dice.Chance(0.25);
        headers.Add(chunked ? "Transfer-Encoding: chunked" : $"Content-Length: {(dice.Chance(0.95) ? body.Length : Math.Max(0, body.Length + dice.Whole(-9, 9)))}");
        if (dice.Chance(0.25))
            headers.AddRange(dice.Many(1, 3, () => Of(OddHeaders)));
        if (dice.Chance(0.03))
            headers.RemoveAt(dice.Whole(0, headers.Count - 1));
        if (dice.Chance(0.03))
            headers.Add(Of(headers));
        if (dice.Chance(0.02))
            headers.Add("X-Large: " + new string('x', dice.Whole(1, 100_000)));
        if (dice.Chance(0.02))
            headers.AddRange(Enumerable.Range(0, dice.Whole(1, 300)).Select(i => $"X-{i}: y"));
        var head = Encoding.Latin1.GetBytes(line + "\r\n" + string.Join("\r\n", dice.Shuffled(headers)) + "\r\n\r\n");
        return [.. head, .. chunked ? Chunked(body) : body];
    }

    private byte[] Body(Endpoint endpoint)
    {
        if (dice.Chance(0.02))
            return Encoding.UTF8.GetBytes(RunningGateway.Body(more: $",\"x\":\"{new string('y', dice.Whole(1, 200_000))}\""));
        if (dice.Chance(0.02))
            return Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(dice.Chance(0.5) ? "[" : "{\"a\":", dice.Whole(1, 2000))));
        var body = Encoding.UTF8.GetBytes(endpoint == Endpoint.Chat && dice.Chance(0.5)
            ? RunningGateway.Body(stream: dice.Chance(0.5))
            : RandomBody.Draw(dice, endpoint, RunningGateway.Model));
        return dice.Chance(0.3) ? WireFuzz.Mutated(dice, body) : body;
    }

    private byte[] Chunked(byte[] body)
    {
        var (bytes, at) = (new List<byte>(), 0);
        while (at < body.Length)
        {
            var size = Math.Min(body.Length - at, dice.Whole(1, Math.Max(1, body.Length)));
            var said = dice.Chance(0.98) ? $"{size:x}" : Of(["ffffffffffffffff", "-1", "0x5", "zz", "", "7fffffff", $"{size + 1:x}"]);
            bytes.AddRange(Encoding.ASCII.GetBytes(said + (dice.Chance(0.05) ? ";x=\"y\"" : "") + "\r\n"));
            bytes.AddRange(body.AsSpan(at, size));
            bytes.AddRange(dice.Chance(0.99) ? "\r\n"u8 : "\n"u8);
            at += size;
        }

        if (dice.Chance(0.98))
            bytes.AddRange(dice.Chance(0.9) ? "0\r\n\r\n"u8 : "0\r\nX-Trailer: y\r\nAuthorization: Bearer z\r\n\r\n"u8);
        return [.. bytes];
    }

    private T Of<T>(IReadOnlyList<T> choices) => choices[dice.Whole(0, choices.Count - 1)];
}
