using System.Buffers;
using System.Text;
using System.Threading.Channels;
using TokenFactory.Fleet;
using TokenFactory.Gateway.Setup;
using TokenFactory.Policies;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Live;

/// <summary>
/// Events and decisions of all fleets in the order in which they were applied, as lines of JSON, the first line a header that says what
/// decided; written by a thread of its own.
/// </summary>
/// <remarks>
/// Where the disk falls behind by more than <see cref="MostWaiting"/> lines the fleets do not wait for it: what comes until it has caught
/// up is left out, and a line says how much. Traces can be read across it, a replay stops there.
/// </remarks>
public sealed class EventLog : IAsyncDisposable
{
    /// <summary>Lines that may wait to be written.</summary>
    public const int MostWaiting = 1 << 16;

    private const int FlushBytes = 1 << 16;

    private readonly Channel<LogEntry> _lines = Channel.CreateBounded<LogEntry>(
        new BoundedChannelOptions(MostWaiting) { SingleReader = true });

    private readonly Lock _order = new();
    private readonly Dictionary<string, int> _models;
    private readonly string _path;
    private readonly Stream _file;
    private readonly Task _writer;
    private long _lost;

    internal EventLog(string path, Stream file, GatewaySetup setup)
    {
        (_path, _file) = (path, file);
        _file.Write(Encoding.UTF8.GetBytes(LogHeader.Of(setup).ToJsonString() + "\n"));
        _models = setup.Models.Select((model, i) => (model.Name, i)).ToDictionary(StringComparer.Ordinal);
        _writer = Task.Factory.StartNew(Write, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    /// <summary>Lines that were left out because the disk fell behind.</summary>
    public long Lost { get; private set; }

    /// <summary>
    /// Why nothing more can be written, such as a full disk; null while all is well. What comes after is <see cref="Lost"/>.
    /// </summary>
    public string? Failure { get; private set; }

    /// <summary>Begins a log; a file that is there is replaced.</summary>
    /// <param name="path">Its file.</param>
    /// <param name="setup">What decides.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static EventLog Open(string path, GatewaySetup setup) =>
        new(path, new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0), setup);

    /// <summary>Writes what waits, and closes the file.</summary>
    public async ValueTask DisposeAsync()
    {
        _lines.Writer.TryComplete();
        await _writer.ConfigureAwait(false);
        await _file.DisposeAsync().ConfigureAwait(false);
    }

    internal int NumberOf(string model) => _models[model];

    internal void Applied(int model, in FleetEvent e, int? promptTokens, int? cachedTokens) =>
        Put(new LogEntry(model, e) { PromptTokens = promptTokens ?? -1, CachedTokens = cachedTokens ?? -1 });

    internal void Decided(int model, Instant now, Ask ask, in RoutingDecision decision) =>
        Put(new LogEntry(model, new FleetEvent(default, now) { Ask = ask }) { Decision = decision });

    /// <summary>Keeps the order also of what is left out: nothing gets in between.</summary>
    private void Put(in LogEntry entry)
    {
        lock (_order)
        {
            if (_lost > 0 || !_lines.Writer.TryWrite(entry))
                _lost++;
        }
    }

    private void Write()
    {
        var buffer = new ArrayBufferWriter<byte>(FlushBytes * 2);
        using var lines = new LogWriter(buffer);
        while (_lines.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (_lines.Reader.TryRead(out var entry))
            {
                if (Failure is null)
                    lines.Write(entry);
                else
                    Lost++;
                if (buffer.WrittenCount >= FlushBytes)
                    Flush(buffer);
            }

            Confess(lines);
            Flush(buffer);
        }

        Confess(lines);
        Flush(buffer);
    }

    /// <summary>All that waits is written: what was left out since is said before anything else is taken.</summary>
    private void Confess(LogWriter lines)
    {
        lock (_order)
        {
            if (_lost == 0 || _lines.Reader.Count > 0)
                return;
            lines.Lost(_lost);
            Lost += _lost;
            _lost = 0;
        }
    }

    private void Flush(ArrayBufferWriter<byte> buffer)
    {
        try
        {
            if (Failure is null)
                _file.Write(buffer.WrittenSpan);
        }
        catch (IOException failed)
        {
            Failure = $"'{_path}' can no longer be written: {failed.Message}";
        }

        buffer.ResetWrittenCount();
    }
}

/// <summary>A line of the log: an event, or a decision on the event's request.</summary>
internal readonly record struct LogEntry(int Model, FleetEvent Event)
{
    public RoutingDecision? Decision { get; init; }

    /// <summary>As the engine counted it; -1 where it did not say.</summary>
    public int PromptTokens { get; init; }

    /// <summary>As the engine counted it; -1 where it did not say.</summary>
    public int CachedTokens { get; init; }
}
