using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace TokenFactory.Gateway.Tests.Faults;

/// <summary>A request on an engine's connection, and the bare socket to answer it on.</summary>
internal sealed class RawLine(Socket socket, string head, ReadOnlyMemory<byte> body, CancellationToken stop)
{
    private static readonly LingerOption Now = new(true, 0);

    /// <summary>Request line and headers.</summary>
    public string Head { get; } = head;

    /// <summary>The body; good until the next request of the connection.</summary>
    public ReadOnlyMemory<byte> Body { get; } = body;

    /// <summary>The engine stops.</summary>
    public CancellationToken Stop { get; } = stop;

    /// <summary>The gateway's identity of the request.</summary>
    public string Id => Header("x-request-id");

    public string Path => Head.Split(' ', 3)[1];

    public string Header(string name)
    {
        var at = Head.IndexOf($"\r\n{name}:", StringComparison.OrdinalIgnoreCase);
        if (at < 0)
            return "";
        var from = at + name.Length + 3;
        var end = Head.IndexOf("\r\n", from, StringComparison.Ordinal);
        return Head[from..(end < 0 ? Head.Length : end)].Trim();
    }

    public async ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[await socket.SendAsync(bytes, Stop)..];
    }

    public ValueTask SendAsync(string text) => SendAsync(Encoding.UTF8.GetBytes(text));

    /// <summary>A whole answer with a length.</summary>
    public ValueTask AnswerAsync(int status, string body, string type = "application/json") =>
        SendAsync($"HTTP/1.1 {status} X\r\nContent-Type: {type}\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}");

    public ValueTask BeginStreamAsync() => SendAsync("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");

    public ValueTask ChunkAsync(string text) => SendAsync($"{Encoding.UTF8.GetByteCount(text):x}\r\n{text}\r\n");

    public ValueTask EndStreamAsync() => SendAsync("0\r\n\r\n");

    /// <summary>Breaks the connection off, with a reset.</summary>
    public void Break()
    {
        socket.LingerState = Now;
        socket.Close();
    }

    /// <summary>Completes when the other side closes or resets the connection.</summary>
    public async Task GoneAsync()
    {
        var one = new byte[1];
        try
        {
            while (await socket.ReceiveAsync(one, Stop) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // a reset is a way of leaving too
        }
    }
}

/// <summary>
/// An engine on a bare socket for very many requests: it keeps nothing of them. Health, metrics and models are answered as they should be;
/// all else goes to a script, which says whether the connection goes on.
/// </summary>
internal sealed class RawEngine : IAsyncDisposable
{
    private const string Metrics =
        "vllm:num_requests_running{model_name=\"m\"} 0\nvllm:num_requests_waiting{model_name=\"m\"} 0\nvllm:kv_cache_usage_perc{model_name=\"m\"} 0\n";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Func<RawLine, ValueTask<bool>> _script;
    private readonly Func<RawLine, ValueTask<bool>>? _looks;
    private int _lines = 1;

    /// <summary>An engine that answers from now on.</summary>
    /// <param name="script">Answers requests.</param>
    /// <param name="looks">Answers looks at its health, metrics and models; null where they are answered as they should be.</param>
    public RawEngine(Func<RawLine, ValueTask<bool>> script, Func<RawLine, ValueTask<bool>>? looks = null)
    {
        (_script, _looks) = (script, looks);
        _listener.Start(4096);
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
        _ = AcceptAsync();
    }

    public Uri Address { get; }

    /// <summary>What a script threw that was no broken connection.</summary>
    public Exception? Fault { get; private set; }

    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
            return;
        await _stop.CancelAsync();
        _listener.Stop();
        await _ended.Task;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptSocketAsync(_stop.Token);
                socket.NoDelay = true;
                Interlocked.Increment(ref _lines);
                _ = Task.Run(() => ServeAsync(socket));
            }
        }
        catch (Exception over) when (over is OperationCanceledException or SocketException)
        {
            Left();
        }
    }

    private void Left()
    {
        if (Interlocked.Decrement(ref _lines) == 0)
            _ended.SetResult();
    }

    private async Task ServeAsync(Socket socket)
    {
        using var _ = socket;
        try
        {
            var (buffer, length) = (new byte[4096], 0);
            while (true)
            {
                var (head, body) = Frame(buffer.AsSpan(0, length));
                if (head < 0 || length < head + body)
                {
                    if (length == buffer.Length || head + body > buffer.Length)
                        Array.Resize(ref buffer, Math.Max(buffer.Length * 2, head + body));
                    var read = await socket.ReceiveAsync(buffer.AsMemory(length), _stop.Token);
                    if (read == 0)
                        return;
                    length += read;
                    continue;
                }

                var line = new RawLine(socket, Encoding.Latin1.GetString(buffer, 0, head - 4), buffer.AsMemory(head, body), _stop.Token);
                var answer = AnswerAsync(line);
                if (!(answer.IsCompleted ? await answer : await answer.AsTask().WaitAsync(_stop.Token)))
                    return; // a script that waits for something holds nobody up at the end
                length -= head + body;
                Array.Copy(buffer, head + body, buffer, 0, length);
            }
        }
        catch (Exception over) when (over is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // the other side, or the script, broke it off
        }
        catch (Exception fault)
        {
            Fault ??= fault;
        }
        finally
        {
            Left();
        }
    }

    private ValueTask<bool> AnswerAsync(RawLine line) => line.Path is not ("/health" or "/metrics" or "/v1/models")
        ? _script(line)
        : _looks?.Invoke(line) ?? ShowAsync(line);

    /// <summary>Answers a look as it should be answered.</summary>
    public static async ValueTask<bool> ShowAsync(RawLine line)
    {
        switch (line.Path)
        {
            case "/health":
                await line.AnswerAsync(200, "");
                return true;
            case "/metrics":
                await line.AnswerAsync(200, Metrics, "text/plain");
                return true;
            default:
                await line.AnswerAsync(200, """{"object":"list","data":[]}""");
                return true;
        }
    }

    /// <summary>Bytes of the head with its blank line, -1 where it is not whole, and of the body.</summary>
    private static (int Head, int Body) Frame(ReadOnlySpan<byte> bytes)
    {
        var end = bytes.IndexOf("\r\n\r\n"u8);
        if (end < 0)
            return (-1, 0);
        var at = bytes[..end].IndexOf("\r\nContent-Length: "u8);
        return at >= 0 && Utf8Parser.TryParse(bytes[(at + 18)..], out int length, out _) ? (end + 4, length) : (end + 4, 0);
    }
}
