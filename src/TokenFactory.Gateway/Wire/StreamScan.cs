using System.Buffers;

namespace TokenFactory.Gateway.Wire;

/// <summary>
/// One answer stream (server-sent events) on its way from engine to client: bytes in as they come, split and merged anyhow; whole events
/// out, unchanged but for usage that the client did not ask for; the last event (data: [DONE], or response.completed) is held back until
/// the record is committed. Whatever an engine sends, it throws nothing.
/// </summary>
/// <remarks>
/// Steps of a feed: (1) a line feed that belongs to the carriage return before it; (2) the end of an event that began in an earlier feed;
/// (3) events that are whole here, copied in runs; (4) the beginning of the next, kept. Events are read only where their bytes hold "usage"
/// or "error" in quotes, or can be the last.
/// </remarks>
/// <param name="endpoint">Which endpoint.</param>
/// <param name="keepFinalUsage">
/// The client asked for the usage event: it gets one with no choices, also from engines that put usage only beside content.
/// </param>
/// <param name="keepContinuousUsage">The client asked for usage in each event.</param>
public sealed partial class StreamScan(Endpoint endpoint, bool keepFinalUsage, bool keepContinuousUsage)
{
    /// <summary>An event is longer than this and the stream is given up.</summary>
    public const int MostEventBytes = 16 << 20;

    /// <summary>What follows the last event is held with it up to so many bytes in all, and then dropped.</summary>
    private const int MostAfterEndBytes = 64 << 10;

    private Pile _part;
    private Pile _held;
    private bool _lineBegun;
    private bool _afterReturn;
    private bool _begun;
    private bool _heldFull;
    private Fate _last;

    /// <summary>Where an event goes.</summary>
    private enum Fate
    {
        Pass,
        Drop,
        Hold,
        Cut,
    }

    /// <summary>The last usage that came; null before any.</summary>
    public Usage? Usage { get; private set; }

    /// <summary>Events with content so far: what is counted where no usage came.</summary>
    public int ContentEvents { get; private set; }

    /// <summary>Something generated has come: not only a role.</summary>
    public bool FirstContent => ContentEvents > 0;

    /// <summary>The end of the stream has come.</summary>
    public bool Done { get; private set; }

    /// <summary>The engine sent an error event instead of an answer, or an event without end: its first message.</summary>
    public string? Error { get; private set; }

    /// <summary>The stream was given up: an event is longer than <see cref="MostEventBytes"/>. Nothing more is taken.</summary>
    public bool Broken { get; private set; }

    /// <summary>What is held back: the last event, and what came after it.</summary>
    public ReadOnlyMemory<byte> Held => _held.Memory;

    /// <summary>Takes bytes from the engine; appends to <paramref name="to"/> what may leave now.</summary>
    /// <param name="bytes">What came.</param>
    /// <param name="to">What leaves.</param>
    public void Feed(ReadOnlySpan<byte> bytes, IBufferWriter<byte> to)
    {
        if (bytes.IsEmpty || Broken)
            return;
        var endsInReturn = bytes[^1] == '\r';
        if (_afterReturn && bytes[0] == '\n')
        {
            LineFeed(to);
            bytes = bytes[1..];
        }

        _afterReturn = endsInReturn;
        if (_part.Length > 0)
            bytes = FinishPart(bytes, to);
        Events(bytes, to);
    }

    /// <summary>
    /// The engine's stream has ended: an event without its blank line counts, half a line does not (but for a whole "data: [DONE]").
    /// </summary>
    /// <param name="to">What leaves.</param>
    public void End(IBufferWriter<byte> to)
    {
        if (_part.Length == 0 || Broken)
            return;
        var part = _part.Span;
        if (_lineBegun)
        {
            var line = part[(part.LastIndexOfAny((byte)'\n', (byte)'\r') + 1)..];
            if (!IsDone(SseEvent.Read(line).Data))
                part = part[..^line.Length];
        }

        if (!part.IsEmpty)
            Route(part, Judge(part, Mentions(part)), to);
        _part.Clear();
        _lineBegun = false;
    }

    /// <summary>A carriage return ended what came before; its line feed goes where that went.</summary>
    private void LineFeed(IBufferWriter<byte> to)
    {
        if (_part.Length > 0)
            _part.Add("\n"u8);
        else
            Route("\n"u8, _last == Fate.Cut ? Fate.Pass : _last, to);
    }

    private ReadOnlySpan<byte> FinishPart(ReadOnlySpan<byte> bytes, IBufferWriter<byte> to)
    {
        var end = EndOfEvent(bytes, 0, ref _lineBegun);
        var taken = end < 0 ? bytes.Length : end;
        if (!Fits(_part.Length + taken))
            return [];
        _part.Add(bytes[..taken]);
        if (end < 0)
            return [];
        Route(_part.Span, Judge(_part.Span, Mentions(_part.Span)), to);
        _part.Clear();
        return bytes[end..];
    }

    private void Events(ReadOnlySpan<byte> bytes, IBufferWriter<byte> to)
    {
        var (at, run, mentions) = (0, 0, Mentions(bytes));
        while (at < bytes.Length)
        {
            var end = EndOfEvent(bytes, at, ref _lineBegun);
            if (end < 0)
                break;
            if (!Fits(end - at))
            {
                to.Write(bytes[run..at]);
                return;
            }

            var fate = Judge(bytes[at..end], mentions);
            if (fate != Fate.Pass || Done)
            {
                to.Write(bytes[run..at]);
                Route(bytes[at..end], fate, to);
                run = end;
            }

            _last = fate;
            at = end;
        }

        to.Write(bytes[run..at]);
        if (at < bytes.Length && Fits(bytes.Length - at))
            _part.Add(bytes[at..]);
    }

    /// <summary>Where the event that goes on at an offset ends, after its blank line; -1 where it does not.</summary>
    private static int EndOfEvent(ReadOnlySpan<byte> bytes, int at, ref bool lineBegun)
    {
        while (at < bytes.Length)
        {
            var length = bytes[at..].IndexOfAny((byte)'\n', (byte)'\r');
            if (length < 0)
            {
                lineBegun = true;
                return -1;
            }

            var blank = length == 0 && !lineBegun;
            lineBegun = false;
            at += length;
            at += bytes[at] == '\r' && at + 1 < bytes.Length && bytes[at + 1] == '\n' ? 2 : 1;
            if (blank)
                return at;
        }

        return -1;
    }

    private bool Fits(int length)
    {
        if (length <= MostEventBytes)
            return true;
        Broken = true;
        Error ??= $"an event of the engine's stream is longer than {MostEventBytes} bytes";
        _part.Clear();
        return false;
    }

    private void Route(ReadOnlySpan<byte> bytes, Fate fate, IBufferWriter<byte> to)
    {
        _last = fate;
        if (fate == Fate.Drop)
            return;
        if (Done)
        {
            if (_held.Length == 0)
                WriteSpare(to);
            Hold(bytes, fate);
        }
        else if (fate == Fate.Cut)
            WriteCut(bytes, to);
        else
            to.Write(bytes);
    }

    private void Hold(ReadOnlySpan<byte> bytes, Fate fate)
    {
        _heldFull |= _held.Length > 0 && _held.Length + bytes.Length > MostAfterEndBytes;
        if (_heldFull)
            return;
        if (fate != Fate.Cut)
        {
            _held.Add(bytes);
            return;
        }

        var rest = new ArrayBufferWriter<byte>(bytes.Length);
        WriteCut(bytes, rest);
        _held.Add(rest.WrittenSpan);
    }

    /// <summary>Bytes that are kept; grows as they come.</summary>
    private struct Pile
    {
        private byte[]? _bytes;

        public int Length { get; private set; }

        public readonly ReadOnlySpan<byte> Span => _bytes.AsSpan(0, Length);

        public readonly ReadOnlyMemory<byte> Memory => _bytes.AsMemory(0, Length);

        public void Add(ReadOnlySpan<byte> more)
        {
            if (_bytes is null || _bytes.Length < Length + more.Length)
                Array.Resize(ref _bytes, Math.Max(Length + more.Length, 2 * Length));
            more.CopyTo(_bytes.AsSpan(Length));
            Length += more.Length;
        }

        /// <summary>Empties it; a large room is given up.</summary>
        public void Clear()
        {
            Length = 0;
            if (_bytes?.Length > MostAfterEndBytes)
                _bytes = null;
        }
    }
}
