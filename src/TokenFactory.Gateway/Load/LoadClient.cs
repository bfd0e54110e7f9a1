using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using TokenFactory.Gateway.Wire;
using TokenFactory.Units;
using TokenFactory.Workload;

namespace TokenFactory.Gateway.Load;

/// <summary>How an attempt went.</summary>
internal readonly record struct Attempt(string Outcome, Instant? FirstToken, Instant Ended, Usage? Usage, int ContentEvents)
{
    /// <summary>Why the server says that it failed; null where it does not, or where the same failure was told before.</summary>
    public string? Message { get; init; }
}

/// <summary>Sends requests over HTTP/1.1, as many connections as there are requests at once, and times what comes back.</summary>
internal sealed class LoadClient : IDisposable
{
    private const int BufferBytes = 16 << 10;
    private const int MostMessageChars = 200;

    private readonly LoadPlan _plan;
    private readonly ulong _seed;
    private readonly Func<Instant> _now;
    private readonly HttpMessageInvoker _http;
    private readonly Uri _address;
    private readonly byte[] _head;
    private readonly byte[] _tail;
    private readonly ConcurrentDictionary<HttpStatusCode, bool> _told = new();

    public LoadClient(LoadPlan plan, ulong seed, Func<Instant> now)
    {
        (_plan, _seed, _now) = (plan, seed, now);
        var chat = plan.Endpoint == Endpoint.Chat;
        _address = new Uri(plan.Target, chat ? "/v1/chat/completions" : "/v1/completions");
        var model = JsonEncodedText.Encode(plan.Model);
        _head = Encoding.UTF8.GetBytes(
            $"{{\"model\":\"{model}\"," + (chat ? "\"messages\":[{\"role\":\"user\",\"content\":\"" : "\"prompt\":\""));
        _tail = Encoding.UTF8.GetBytes(
            (chat ? "\"}]" : "\"")
            + (plan.Streams ? ",\"stream\":true,\"stream_options\":{\"include_usage\":true}" : "")
            + (plan.ExactLengths ? ",\"ignore_eos\":true" : ""));
        _http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            MaxConnectionsPerServer = int.MaxValue,
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            ActivityHeadersPropagator = null,
            ConnectTimeout = TimeSpan.FromSeconds(30),
        });
    }

    /// <summary>Sends one and reads its answer to the end.</summary>
    /// <param name="request">What is sent.</param>
    /// <param name="serviceClass">Name of its class.</param>
    /// <param name="cut">Cuts it.</param>
    public async Task<Attempt> SendAsync(Request request, string serviceClass, CancellationToken cut)
    {
        var body = ArrayPool<byte>.Shared.Rent(BodyBytes(request));
        try
        {
            using var message = new HttpRequestMessage(HttpMethod.Post, _address);
            message.Content = new ReadOnlyMemoryContent(body.AsMemory(0, Write(body, request)));
            message.Content.Headers.ContentType = Json;
            if (_plan.ApiKey is { } key)
                message.Headers.TryAddWithoutValidation("Authorization", "Bearer " + key);
            if (_plan.ClassHeader is { } header)
                message.Headers.TryAddWithoutValidation(header, serviceClass);
            using var response = await _http.SendAsync(message, cut);
            if (!response.IsSuccessStatusCode)
            {
                var refused = new Attempt($"status {(int)response.StatusCode}", null, _now(), null, 0);
                return _told.TryAdd(response.StatusCode, true) ? refused with { Message = await ReasonAsync(response, cut) } : refused;
            }

            await using var stream = await response.Content.ReadAsStreamAsync(cut);
            return _plan.Streams ? await ReadStreamAsync(stream, cut) : await ReadWholeAsync(stream, cut);
        }
        catch (OperationCanceledException) when (cut.IsCancellationRequested)
        {
            return new Attempt("cut", null, _now(), null, 0);
        }
        catch (HttpRequestException failure)
        {
            return new Attempt(Words(failure), null, _now(), null, 0);
        }
        catch (IOException)
        {
            return new Attempt("broken off", null, _now(), null, 0);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(body);
        }
    }

    public void Dispose() => _http.Dispose();

    private static MediaTypeHeaderValue Json { get; } = new("application/json");

    private static string Words(HttpRequestException failure) => failure switch
    {
        { InnerException: System.Net.Sockets.SocketException { SocketErrorCode: var code } } => code switch
        {
            System.Net.Sockets.SocketError.ConnectionRefused => "connection refused",
            System.Net.Sockets.SocketError.ConnectionReset => "broken off",
            _ => $"connection: {code}",
        },
        { HttpRequestError: HttpRequestError.ResponseEnded or HttpRequestError.Unknown } => "broken off",
        _ => $"connection: {failure.HttpRequestError}",
    };

    private int BodyBytes(Request request) => _head.Length + _tail.Length + (Math.Max(1, request.PromptTokens) * PromptText.WordBytes) + 64;

    private int Write(byte[] body, Request request)
    {
        var to = new FixedWriter(body);
        to.Write(_head);
        PromptText.Append(request, _seed, _plan.Endpoint == Endpoint.Chat ? PromptText.TemplateTokens : 0, to);
        to.Write(_tail);
        var most = _plan.ExactLengths ? request.Script.OutputTokens : request.MaxTokens;
        if (most > 0)
            to.Write(Encoding.ASCII.GetBytes($",\"max_tokens\":{most}"));
        to.Write("}"u8);
        return to.Written;
    }

    /// <summary>Why a request was refused: the message of its body; null where it holds none, or breaks off.</summary>
    private static async Task<string?> ReasonAsync(HttpResponseMessage response, CancellationToken cut)
    {
        try
        {
            var body = new byte[BufferBytes];
            await using var stream = await response.Content.ReadAsStreamAsync(cut);
            var length = await stream.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: false, cut);
            return Bounded(EngineError.MessageOf(body.AsSpan(0, length)));
        }
        catch (Exception failure) when (failure is IOException or HttpRequestException or OperationCanceledException)
        {
            return null; // its status says enough
        }
    }

    private static string? Bounded(string? message)
    {
        if (message is null)
            return null;
        var line = string.Concat(message.Select(letter => char.IsControl(letter) ? ' ' : letter));
        return line.Length <= MostMessageChars ? line : line[..MostMessageChars] + "...";
    }

    private async Task<Attempt> ReadStreamAsync(Stream stream, CancellationToken cut)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            var scan = new StreamScan(_plan.Endpoint, keepFinalUsage: false, keepContinuousUsage: false);
            var (nowhere, events) = (new NullWriter(buffer.Length), 0);
            Instant? first = null;
            Instant last = default;
            while (await stream.ReadAsync(buffer, cut) is > 0 and var read)
            {
                scan.Feed(buffer.AsSpan(0, read), nowhere);
                if (scan.ContentEvents == events)
                    continue;
                (events, last) = (scan.ContentEvents, _now());
                first ??= last;
            }

            var outcome = scan.Error is not null ? "error event" : scan.Done ? LoadRow.Completed : "broken off";
            return new Attempt(outcome, first, first is null ? _now() : last, scan.Usage, events) { Message = Bounded(scan.Error) };
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task<Attempt> ReadWholeAsync(Stream stream, CancellationToken cut)
    {
        var (buffer, filled) = (ArrayPool<byte>.Shared.Rent(BufferBytes), 0);
        try
        {
            while (await stream.ReadAsync(buffer.AsMemory(filled), cut) is > 0 and var read)
            {
                filled += read;
                if (filled < buffer.Length)
                    continue;
                var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
                buffer.AsSpan(0, filled).CopyTo(larger);
                ArrayPool<byte>.Shared.Return(buffer);
                buffer = larger;
            }

            return new Attempt(LoadRow.Completed, null, _now(), AnswerScan.UsageOf(buffer.AsSpan(0, filled)), 0);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Writes into an array that is long enough.</summary>
    private sealed class FixedWriter(byte[] array) : IBufferWriter<byte>
    {
        public int Written { get; private set; }

        public void Advance(int count) => Written += count;

        public Memory<byte> GetMemory(int sizeHint = 0) => array.AsMemory(Written);

        public Span<byte> GetSpan(int sizeHint = 0) => array.AsSpan(Written);
    }

    /// <summary>Forgets what is written to it.</summary>
    private sealed class NullWriter(int least) : IBufferWriter<byte>
    {
        private byte[] _room = new byte[least];

        public void Advance(int count)
        {
            // What was written is not wanted.
        }

        public Memory<byte> GetMemory(int sizeHint = 0) => Room(sizeHint);

        public Span<byte> GetSpan(int sizeHint = 0) => Room(sizeHint);

        private byte[] Room(int size) => _room.Length >= size ? _room : _room = new byte[size];
    }
}
