using System.Text;
using TokenFactory.Gateway.Tests.Wire;
using TokenFactory.Gateway.Wire;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Gateway.Tests.Faults;

/// <summary>How an engine's connection goes on after its bytes.</summary>
internal enum EngineEnd
{
    Stays,
    Closes,
    Breaks,
    Hangs,
}

/// <summary>What an engine sends: an answer with something odd in one or several places.</summary>
/// <param name="Pieces">Its bytes, sent one piece after another.</param>
/// <param name="End">What it does then.</param>
internal sealed record OddAnswer(IReadOnlyList<byte[]> Pieces, EngineEnd End)
{
    public async ValueTask<bool> SendAsync(RawLine line)
    {
        foreach (var piece in Pieces)
            await line.SendAsync(piece);
        if (End == EngineEnd.Hangs)
            await line.GoneAsync();
        else if (End == EngineEnd.Breaks)
            line.Break();
        return End == EngineEnd.Stays;
    }
}

/// <summary>Draws answers. Each holds the mark of its request, so that an answer that goes to another is seen.</summary>
internal sealed class OddAnswers(Dice dice, Endpoint endpoint, bool stream, string id)
{
    private static ReadOnlySpan<byte> Second => "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"u8;

    private readonly string _mark = $"{id}:{Check(id):x}";

    private static readonly string[] OddStatus =
    [
        "HTTP/1.1 204 No Content", "HTTP/1.1 205 Reset", "HTTP/1.1 206 Partial", "HTTP/1.1 226 IM", "HTTP/1.1 299 x", "HTTP/1.1 304 Not Modified",
        "HTTP/1.1 301 Moved\r\nLocation: http://169.254.169.254/", "HTTP/1.1 307 Moved\r\nLocation: /v1/models", "HTTP/1.1 101 Switching", "HTTP/1.1 199 x",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\n\r\nHTTP/1.1 200 OK", "HTTP/1.1 400 Bad", "HTTP/1.1 401 No", "HTTP/1.1 403 No", "HTTP/1.1 404 No",
        "HTTP/1.1 408 Late", "HTTP/1.1 413 Large", "HTTP/1.1 422 x", "HTTP/1.1 429 Many\r\nRetry-After: 1", "HTTP/1.1 500 Error", "HTTP/1.1 503 x",
        "HTTP/1.1 599 x", "HTTP/1.1 600 x", "HTTP/1.1 999 x", "HTTP/1.1 000 x", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 200", "HTTP/1.0 200 OK",
        "HTTP/2 200", "HTTP/1.1 200 \u00e9\u0001", "ICY 200 OK", "", "\r\n", "SSH-2.0-OpenSSH",
    ];

    private static readonly string[] OddHeaders =
    [
        "Content-Type: text/html; charset=\u00e9", "Content-Type: application/json; x=\"\u00ff\"", "Content-Type:", "Content-Type: ;;;", "Content-Type: text/event-stream",
        "Content-Type: TEXT/EVENT-STREAM; charset=\"utf-8\"", "Content-Type: a/b\u0001", "Content-Type: \"", "Content-Type: application/json, text/plain",
        "Content-Encoding: gzip", "Connection: close", "Connection: keep-alive, x", "Keep-Alive: timeout=0", "Set-Cookie: a=b", "X-Request-Id: other",
        "Content-Length: -1", "Content-Length: 99999999999999999999", "Content-Length: 9223372036854775807", "Content-Length: 2147483647", "Content-Length: 7, 7",
        "Transfer-Encoding: gzip", "Transfer-Encoding: chunked, chunked", "Transfer-Encoding: identity", "x-tokenfactory-virtual: true", "no colon", " folded: x",
        "Upgrade: h2c", "Date: never", "Server: \u0000", "Trailer: X", ": empty", "Location: http://169.254.169.254/latest",
    ];

    /// <summary>The marks in an answer that no mutation has changed.</summary>
    public static IEnumerable<string> MarksIn(string text) =>
        from part in text.Split('@')
        let colon = part.LastIndexOf(':')
        where colon > 0 && part[(colon + 1)..] == $"{Check(part[..colon]):x}"
        select part[..colon];

    public OddAnswer Draw()
    {
        var body = stream && dice.Chance(0.95) ? Stream() : Whole();
        if (dice.Chance(0.15))
            body = WireFuzz.Mutated(dice, body);
        var ok = dice.Chance(0.85);
        var head = new StringBuilder(ok ? "HTTP/1.1 200 OK" : Of(OddStatus));
        head.Append("\r\n");
        if (dice.Chance(0.97))
            head.Append(stream ? "Content-Type: text/event-stream\r\n" : "Content-Type: application/json\r\n");
        foreach (var odd in dice.Chance(0.15) ? dice.Many(1, 2, () => Of(OddHeaders)) : [])
            head.Append(odd).Append("\r\n");
        if (dice.Chance(0.01))
            head.Append("X-Large: ").Append('x', dice.Whole(1, 100_000)).Append("\r\n");
        var (framed, end) = Framed(head, body);
        var twice = framed.AsSpan().EndsWith(Second); // a second answer that comes late is that of the next request: HTTP/1.1 cannot tell
        byte[] bytes = [.. Encoding.Latin1.GetBytes(head.Append("\r\n").ToString()), .. framed];
        if (dice.Chance(0.08))
            (bytes, end) = (WireFuzz.Mutated(dice, bytes), EngineEnd.Closes);
        if (dice.Chance(0.08))
            (bytes, end) = (bytes[..dice.Whole(0, bytes.Length)], (EngineEnd)dice.Whole(1, 2));
        if (dice.Chance(0.003))
            end = EngineEnd.Hangs;
        return new OddAnswer(twice ? [bytes] : Split(bytes), end);
    }

    private (byte[] Body, EngineEnd End) Framed(StringBuilder head, byte[] body)
    {
        switch (dice.Whole(0, 9))
        {
            case 0:
                return (body, EngineEnd.Closes); // its end is the connection's
            case 1:
                head.Append("Content-Length: ").Append(Math.Max(0, body.Length + dice.Whole(-20, 20))).Append("\r\n");
                return (body, EngineEnd.Closes);
            case < 6:
                head.Append("Transfer-Encoding: chunked\r\n");
                return (Chunked(body), EngineEnd.Stays);
            default:
                head.Append("Content-Length: ").Append(body.Length).Append("\r\n");
                return (dice.Chance(0.03) ? [.. body, .. Second] : body, EngineEnd.Stays);
        }
    }

    private byte[] Chunked(byte[] body)
    {
        var (bytes, at) = (new List<byte>(), 0);
        while (at < body.Length)
        {
            var size = Math.Min(body.Length - at, dice.Whole(1, Math.Max(1, body.Length)));
            var said = dice.Chance(0.99) ? $"{size:x}" : Of(["ffffffffffffffff", "-1", "0x5", "zz", "", "7fffffff", $"{size + 1:x}"]);
            bytes.AddRange(Encoding.ASCII.GetBytes(said + "\r\n"));
            bytes.AddRange(body.AsSpan(at, size));
            bytes.AddRange("\r\n"u8);
            at += size;
        }

        bytes.AddRange(dice.Chance(0.97) ? "0\r\n\r\n"u8 : "0\r\nX-Trailer: y\r\n\r\n"u8);
        return [.. bytes];
    }

    private byte[] Whole()
    {
        var usage = Of([
            "{\"prompt_tokens\":9,\"completion_tokens\":3}", "{\"prompt_tokens\":9,\"completion_tokens\":3,\"prompt_tokens_details\":{\"cached_tokens\":4}}",
            "{\"input_tokens\":9,\"output_tokens\":3}", "{\"prompt_tokens\":-9,\"completion_tokens\":3}", "{\"prompt_tokens\":1e12,\"completion_tokens\":1000000000000}",
            "{\"prompt_tokens\":5000000000,\"completion_tokens\":5000000000}", "{\"prompt_tokens\":2147483648,\"completion_tokens\":2147483647}", "null", "{}", "[]",
        ]);
        return Encoding.UTF8.GetBytes($"{{\"id\":\"@{_mark}@\",\"choices\":[{{\"message\":{{\"content\":\"hi\"}}}}],\"usage\":{usage}}}");
    }

    private byte[] Stream()
    {
        if (dice.Chance(0.5))
            return [.. Encoding.UTF8.GetBytes($": @{_mark}@\n\n"), .. RandomStream.Draw(dice, endpoint == Endpoint.Embeddings ? Endpoint.Chat : endpoint)];
        var text = new StringBuilder();
        for (var i = dice.Whole(0, 20); i > 0; i--)
            text.Append($"data: {{\"id\":\"@{_mark}@\",\"choices\":[{{\"index\":0,\"text\":\"w\",\"delta\":{{\"content\":\"w\"}}}}]}}\n\n");
        var tokens = Of(["3", "0", "2147483648", "1000000000000", "-1"]);
        text.Append($"data: {{\"choices\":[],\"usage\":{{\"prompt_tokens\":9,\"completion_tokens\":{tokens}}}}}\n\n");
        if (dice.Chance(0.9))
            text.Append("data: [DONE]\n\n");
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private List<byte[]> Split(byte[] bytes)
    {
        if (dice.Chance(0.7))
            return [bytes];
        var pieces = new List<byte[]>();
        for (var at = 0; at < bytes.Length;)
        {
            var length = Math.Min(bytes.Length - at, dice.Whole(1, Math.Max(1, bytes.Length / 2)));
            pieces.Add(bytes[at..(at + length)]);
            at += length;
        }

        return pieces;
    }

    private static uint Check(string id) => id.Aggregate(2166136261u, (sum, letter) => (sum ^ letter) * 16777619);

    private string Of(string[] choices) => choices[dice.Whole(0, choices.Length - 1)];
}
