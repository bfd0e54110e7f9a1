using System.Net;
using System.Net.Sockets;
using System.Text;

namespace TokenFactory.Gateway.Tests.Api;

/// <summary>One request as an engine got it.</summary>
/// <param name="Head">Request line and headers.</param>
/// <param name="Body">The body.</param>
internal sealed record EngineRequestSeen(string Head, string Body)
{
    public string Path => Head.Split(' ')[1];
}

/// <summary>A connection on which a script answers, byte by byte as it likes.</summary>
internal sealed class EngineLine(Socket socket, EngineRequestSeen request, CancellationToken stop)
{
    public EngineRequestSeen Request { get; } = request;

    public CancellationToken Stop { get; } = stop;

    public ValueTask<int> SendAsync(string text) => socket.SendAsync(Encoding.UTF8.GetBytes(text), Stop);

    /// <summary>A whole answer with a length.</summary>
    public ValueTask<int> AnswerAsync(int status, string body, string type = "application/json") =>
        SendAsync($"HTTP/1.1 {status} X\r\nContent-Type: {type}\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}");

    /// <summary>The head of a stream, whose pieces follow with <see cref="ChunkAsync"/>.</summary>
    public ValueTask<int> BeginStreamAsync() =>
        SendAsync("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n");

    public ValueTask<int> ChunkAsync(string text) => SendAsync($"{Encoding.UTF8.GetByteCount(text):x}\r\n{text}\r\n");

    public ValueTask<int> EndStreamAsync() => SendAsync("0\r\n\r\n");

    /// <summary>Breaks the connection off, with a reset.</summary>
    public void Break()
    {
        socket.LingerState = new LingerOption(true, 0);
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
/// An engine on a real socket that does what a script says, so that it can misbehave in ways that no web server allows. Health, metrics
/// and models are always answered; everything else goes to the script.
/// </summary>
internal sealed class ScriptedEngine : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _lines = [];
    private readonly Task _accepting;
    private readonly Func<EngineLine, Task> _script;

    public ScriptedEngine(Func<EngineLine, Task> script)
    {
        _script = script;
        _listener.Start(4096);
        Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");
        _accepting = AcceptAsync();
    }

    public Uri Address { get; }

    /// <summary>Requests that came for the script.</summary>
    public List<EngineRequestSeen> Requests { get; } = [];

    /// <summary>Whether health is answered well.</summary>
    public bool Healthy { get; set; } = true;

    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested)
            return;
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        Task[] lines;
        lock (_lines)
            lines = [.. _lines];
        await Task.WhenAll(lines);
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var socket = await _listener.AcceptSocketAsync(_stop.Token);
                socket.NoDelay = true;
                lock (_lines)
                    _lines.Add(ServeAsync(socket));
            }
            catch (Exception over) when (over is OperationCanceledException or SocketException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        await Task.Yield();
        using var _ = socket;
        try
        {
            var rest = new List<byte>();
            while (await ReadAsync(socket, rest) is { } request)
            {
                var line = new EngineLine(socket, request, _stop.Token);
                if (request.Path == "/health")
                    await line.AnswerAsync(Healthy ? 200 : 503, "");
                else if (request.Path == "/metrics")
                    await line.AnswerAsync(200, "vllm:num_requests_running{model_name=\"m\"} 0\nvllm:num_requests_waiting{model_name=\"m\"} 0\nvllm:kv_cache_usage_perc{model_name=\"m\"} 0\n", "text/plain");
                else if (request.Path == "/v1/models")
                    await line.AnswerAsync(200, """{"object":"list","data":[]}""");
                else
                    await RunAsync(line);
            }
        }
        catch (Exception over) when (over is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // the other side, or the script, broke it off
        }
    }

    private Task RunAsync(EngineLine line)
    {
        lock (Requests)
            Requests.Add(line.Request);
        return _script(line);
    }

    private async Task<EngineRequestSeen?> ReadAsync(Socket socket, List<byte> rest)
    {
        var buffer = new byte[65536];
        while (true)
        {
            var text = Encoding.Latin1.GetString([.. rest]);
            var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end >= 0)
            {
                var head = text[..end];
                var length = Length(head);
                if (rest.Count >= end + 4 + length)
                {
                    var body = Encoding.UTF8.GetString([.. rest.Skip(end + 4).Take(length)]);
                    rest.RemoveRange(0, end + 4 + length);
                    return new EngineRequestSeen(head, body);
                }
            }

            var read = await socket.ReceiveAsync(buffer, _stop.Token);
            if (read == 0)
                return null;
            rest.AddRange(buffer.AsSpan(0, read));
        }
    }

    private static int Length(string head)
    {
        foreach (var line in head.Split("\r\n"))
        {
            if (line.StartsWith("content-length:", StringComparison.OrdinalIgnoreCase))
                return int.Parse(line.AsSpan(15));
        }

        return 0;
    }
}
