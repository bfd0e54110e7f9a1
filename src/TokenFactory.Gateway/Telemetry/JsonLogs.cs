using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace TokenFactory.Gateway.Telemetry;

/// <summary>
/// Logs as lines of JSON: time, level, event, and what the event names (request_id, tenant, model, replica, status, ms). A task of its own
/// writes them: where they go may be slow, or stuck, and no request waits for it; lines that do not fit are counted and told.
/// </summary>
public sealed class JsonLogs : ILoggerProvider
{
    private const int MostWaiting = 10_000;
    private static readonly TimeSpan LongestEnd = TimeSpan.FromSeconds(5);
    private readonly TextWriter _to;
    private readonly TimeProvider _time;
    private readonly LogLevel _least;
    private readonly Task _writing;
    private long _lost;

    private readonly Channel<string> _lines = Channel.CreateBounded<string>(
        new BoundedChannelOptions(MostWaiting) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait });

    /// <summary>Begins to write.</summary>
    /// <param name="to">Where lines go.</param>
    /// <param name="time">When they were.</param>
    /// <param name="least">What is less is left out.</param>
    public JsonLogs(TextWriter to, TimeProvider time, LogLevel least = LogLevel.Information)
    {
        (_to, _time, _least) = (to, time, least);
        _writing = Task.Run(WriteAsync);
    }

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new JsonLogger(this, categoryName);

    /// <summary>Writes what waits, for a few seconds at most.</summary>
    public void Dispose()
    {
        _lines.Writer.TryComplete();
        _writing.Wait(LongestEnd);
    }

    internal bool Takes(LogLevel level) => level >= _least && level != LogLevel.None;

    internal DateTimeOffset Now => _time.GetUtcNow();

    internal void Put(string line)
    {
        if (!_lines.Writer.TryWrite(line))
            Interlocked.Increment(ref _lost);
    }

    private async Task WriteAsync()
    {
        await foreach (var line in _lines.Reader.ReadAllAsync())
        {
            await _to.WriteLineAsync(line);
            if (Interlocked.Exchange(ref _lost, 0) is > 0 and var lost)
                await _to.WriteLineAsync(JsonLogger.Lost(Now, lost));
            if (_lines.Reader.Count == 0)
                await _to.FlushAsync();
        }
    }
}
