using System.Net;
using System.Net.Sockets;
using System.Text;

namespace TokenFactory.Gateway.Tests.Faults;

/// <summary>An answer as bytes came: its status, headers and body, and whether all of it came.</summary>
internal sealed record RawAnswer(int Status, string Head, byte[] Body, bool Whole)
{
    public string Text => Encoding.UTF8.GetString(Body);
}

/// <summary>A client on a bare socket, which may send anything.</summary>
internal sealed class RawClient : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _buffer = new byte[8192];

    private RawClient()
    {
    }

    /// <summary>A chat request as it stands on the wire.</summary>
    /// <param name="key">The API key.</param>
    /// <param name="body">The body.</param>
    /// <param name="headers">More headers, each with its line end.</param>
    /// <param name="target">What is asked for, and how.</param>
    public static string Post(string key, string body, string headers = "", string target = "/v1/chat/completions HTTP/1.1") =>
        $"POST {target}\r\nHost: factory\r\nAuthorization: Bearer {key}\r\n{headers}Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}";

    public static async Task<RawClient> ConnectAsync(Uri address, int? receiveBytes = null)
    {
        var client = new RawClient();
        if (receiveBytes is { } room)
            client._socket.ReceiveBufferSize = room;
        await client._socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, address.Port), TestContext.Current.CancellationToken);
        return client;
    }

    /// <summary>Sends; false where the other side takes no more.</summary>
    public async Task<bool> SendAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            while (!bytes.IsEmpty)
                bytes = bytes[await _socket.SendAsync(bytes, TestContext.Current.CancellationToken)..];
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    public Task<bool> SendAsync(string text) => SendAsync(Encoding.UTF8.GetBytes(text));

    /// <summary>Says that it sends no more.</summary>
    public void HalfClose()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // the other side was faster
        }
    }

    /// <summary>Leaves with a reset.</summary>
    public void Break()
    {
        _socket.LingerState = new LingerOption(true, 0);
        _socket.Close();
    }

    /// <summary>Some bytes; none at the end.</summary>
    public async Task<ReadOnlyMemory<byte>> ReceiveAsync(CancellationToken cancel)
    {
        try
        {
            return _buffer.AsMemory(0, await _socket.ReceiveAsync(_buffer, cancel));
        }
        catch (SocketException)
        {
            return default;
        }
    }

    /// <summary>All that comes until the end, or until nothing has come for so long.</summary>
    public async Task<byte[]> ReadAsync(TimeSpan patience)
    {
        using var all = new MemoryStream();
        using var late = new CancellationTokenSource();
        while (true)
        {
            late.CancelAfter(patience);
            try
            {
                var some = await ReceiveAsync(late.Token);
                if (some.IsEmpty)
                    return all.ToArray();
                all.Write(some.Span);
            }
            catch (OperationCanceledException)
            {
                return all.ToArray();
            }
        }
    }

    public void Dispose() => _socket.Dispose();

    /// <summary>The answers in what came; the last may not be whole. Throws where they are no HTTP.</summary>
    public static List<RawAnswer> Answers(byte[] bytes)
    {
        var answers = new List<RawAnswer>();
        ReadOnlySpan<byte> rest = bytes;
        while (!rest.IsEmpty)
        {
            var end = rest.IndexOf("\r\n\r\n"u8);
            if (end < 0)
                break;
            var head = Encoding.Latin1.GetString(rest[..end]);
            Assert.Matches("^HTTP/1\\.1 [1-5][0-9][0-9] ", head);
            rest = rest[(end + 4)..];
            var (body, taken, whole) = Body(head, rest);
            answers.Add(new RawAnswer(int.Parse(head.AsSpan(9, 3)), head, body, whole));
            rest = rest[taken..];
        }

        return answers;
    }

    private static (byte[] Body, int Taken, bool Whole) Body(string head, ReadOnlySpan<byte> rest)
    {
        var at = head.IndexOf("\r\nContent-Length: ", StringComparison.OrdinalIgnoreCase);
        if (at >= 0)
        {
            var end = head.IndexOf('\r', at + 18);
            var length = int.Parse(head.AsSpan(at + 18, (end < 0 ? head.Length : end) - at - 18));
            var here = Math.Min(length, rest.Length);
            return (rest[..here].ToArray(), here, here == length);
        }

        if (head.StartsWith("HTTP/1.1 1", StringComparison.Ordinal))
            return ([], 0, true);
        if (!head.Contains("\r\nTransfer-Encoding: chunked", StringComparison.OrdinalIgnoreCase))
            return (rest.ToArray(), rest.Length, true);
        var (body, taken) = (new List<byte>(), 0);
        while (rest[taken..].IndexOf("\r\n"u8) is >= 0 and var line)
        {
            var size = Convert.ToInt32(Encoding.ASCII.GetString(rest.Slice(taken, line)), 16);
            taken += line + 2;
            if (rest.Length < taken + size + 2)
                return ([.. body], rest.Length, false);
            body.AddRange(rest.Slice(taken, size));
            taken += size + 2;
            if (size == 0)
                return ([.. body], taken, true);
        }

        return ([.. body], rest.Length, false);
    }
}
