using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using TokenFactory.Fleet;
using TokenFactory.Policies;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Live;

/// <summary>
/// A log of events cannot be used: it is none, of another version, damaged, or of another setup. The message says why, and leaves the name of
/// the file to whoever knows it.
/// </summary>
public sealed class EventLogException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A line of a log that is read.</summary>
/// <param name="Number">The line, from 1.</param>
/// <param name="Entry">What it tells.</param>
/// <param name="Lost">Lines that are missing here; 0 in others, which then tell nothing.</param>
internal readonly record struct LogLine(long Number, LogEntry Entry, long Lost);

/// <summary>Reads an event log line by line. A last line that was cut off, as when the machine stopped, is left out.</summary>
internal sealed class LogReader : IDisposable
{
    /// <summary>State is kept for each tenant up to the highest number: a damaged one must not fill the memory.</summary>
    private const int MostTenants = 1 << 20;

    private readonly StreamReader _file;
    private readonly int _kinds;
    private readonly int _known;
    private readonly List<(Dictionary<long, Ask> Asks, long Leaves)> _models = [];
    private long _number;
    private bool _gaps;

    /// <summary>Begins to read.</summary>
    /// <exception cref="EventLogException">It is no log of events, or of another version.</exception>
    public LogReader(string path)
    {
        _file = new StreamReader(path);
        Header = Parse(_file.ReadLine() ?? "");
        _number = 1;
        if (Text(Header["format"]) != LogHeader.Format)
            throw new EventLogException($"is no log of events: its first line must name the format {LogHeader.Format}");
        if (Text(Header["version"]) != LogHeader.Version.ToString(CultureInfo.InvariantCulture))
            throw new EventLogException($"is of version {Header["version"]}, this program reads {LogHeader.Version}");
        (_known, _kinds) = (Names("models").Count, Names("classes").Count);
    }

    public JsonObject Header { get; }

    public void Dispose() => _file.Dispose();

    /// <summary>Names that the header lists, of models or of classes.</summary>
    /// <exception cref="EventLogException">It lists none.</exception>
    public IReadOnlyList<string> Names(string list) => Header[list] is JsonArray entries
        ? [.. entries.Select(one => one is JsonObject named ? Text(named["name"]) : "")]
        : throw new EventLogException($"is no log of events: its first line lists no {list}");

    /// <summary>The lines after the header.</summary>
    /// <exception cref="EventLogException">A line is damaged.</exception>
    public IEnumerable<LogLine> Lines()
    {
        while (_file.ReadLine() is { } line)
        {
            _number++;
            if (Line(line, _file.EndOfStream) is { } read)
                yield return read;
        }
    }

    private LogLine? Line(string line, bool last)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var fields = document.RootElement;
            if (!fields.TryGetProperty("lost", out var lost))
                return new LogLine(_number, Entry(fields), 0);
            _gaps = true;
            return new LogLine(_number, default, lost.GetInt64());
        }
        catch (JsonException) when (last)
        {
            return null;
        }
        catch (Exception damaged) when (damaged is JsonException or KeyNotFoundException or FormatException or InvalidOperationException or ArgumentException)
        {
            throw new EventLogException($"line {_number} is damaged: {damaged.Message.TrimEnd('.')}", damaged);
        }
    }

    private LogEntry Entry(JsonElement fields)
    {
        var model = Within(fields.GetProperty("model").GetInt32(), _known, "model");
        var at = new Instant(fields.GetProperty("at").GetInt64());
        while (_models.Count <= model)
            _models.Add(([], -1));
        if (fields.TryGetProperty("decision", out var id))
            return new LogEntry(model, Asked(Known(_models[model].Asks, id.GetInt64()), at)) { Decision = Decision(fields) };
        var e = Event(fields, model, at);
        return new LogEntry(model, e) { PromptTokens = Count(fields, "prompt", -1), CachedTokens = Count(fields, "cached", -1) };
    }

    private static FleetEvent Asked(Ask? ask, Instant at) => new(default, at) { Ask = ask };

    /// <summary>A request that was queued; null where that may have been among lines that are missing.</summary>
    private Ask? Known(Dictionary<long, Ask> asks, long id) => asks.TryGetValue(id, out var ask) || _gaps
        ? ask
        : throw new FormatException($"request {id} was not queued");

    private FleetEvent Event(JsonElement fields, int model, Instant at)
    {
        var kind = Enum.Parse<FleetEventKind>(fields.GetProperty("event").GetString()!);
        return new FleetEvent(kind, at, Count(fields, "replica", -1))
        {
            Ask = AskOf(fields, kind, model),
            Pool = Count(fields, "pool", 0),
            FreshTokens = Count(fields, "fresh", 0),
            HadFirstToken = fields.TryGetProperty("first_token_at", out var first),
            FirstTokenAt = first.ValueKind == JsonValueKind.Number ? new Instant(first.GetInt64()) : default,
            OutputTokens = Count(fields, "output", 0),
            Completed = fields.TryGetProperty("completed", out var completed) && completed.GetBoolean(),
            Running = Count(fields, "running", 0),
            Waiting = Count(fields, "waiting", 0),
            KvHeld = Number(fields, "kv_held"),
            MostInFlight = Count(fields, "most", 0),
        };
    }

    /// <summary>Requests are remembered from when they are queued until they end, or leave without having been sent.</summary>
    private Ask? AskOf(JsonElement fields, FleetEventKind kind, int model)
    {
        var (asks, leaves) = _models[model];
        var id = fields.TryGetProperty("ask", out var field) ? field.GetInt64() : -1;
        if (leaves >= 0 && !(kind == FleetEventKind.Dispatched && leaves == id))
            asks.Remove(leaves);
        _models[model] = (asks, kind == FleetEventKind.Unqueued ? id : -1);
        if (id < 0)
            return null;
        if (kind == FleetEventKind.Queued)
            return asks[id] = Queued(fields, id);
        var ask = Known(asks, id);
        if (kind == FleetEventKind.Ended)
            asks.Remove(id);
        return ask;
    }

    private Ask Queued(JsonElement fields, long id) => new()
    {
        Id = id,
        Arrival = new Instant(fields.GetProperty("arrival").GetInt64()),
        PromptTokens = Within(fields.GetProperty("prompt").GetInt32(), int.MaxValue, "prompt"),
        Class = Within(fields.GetProperty("class").GetInt32(), _kinds, "class"),
        Tenant = Within(fields.GetProperty("tenant").GetInt32(), MostTenants, "tenant"),
        MaxTokens = Count(fields, "max_tokens", 0),
        Attempt = Count(fields, "attempt", 0),
        Avoid = Count(fields, "avoid", -1),
        Prefix = fields.TryGetProperty("prefix", out var keys) ? Keys(keys.GetBytesFromBase64()) : [],
    };

    private static PrefixKey[] Keys(byte[] bytes)
    {
        var keys = new PrefixKey[bytes.Length / LogWriter.KeyBytes];
        for (var i = 0; i < keys.Length; i++)
        {
            var at = bytes.AsSpan(i * LogWriter.KeyBytes);
            var tokens = BinaryPrimitives.ReadInt32LittleEndian(at[sizeof(ulong)..]);
            keys[i] = new PrefixKey(BinaryPrimitives.ReadUInt64LittleEndian(at), tokens);
        }

        return keys;
    }

    private static RoutingDecision Decision(JsonElement fields) => new(
        fields.GetProperty("replica").GetInt32(),
        Count(fields, "fresh", 0),
        new RoutingReason(
            Enum.Parse<RoutingCause>(fields.GetProperty("cause").GetString()!),
            Number(fields, "a"),
            Number(fields, "b"),
            Number(fields, "c")));

    private static int Within(int number, int end, string name) =>
        number >= 0 && number < end ? number : throw new FormatException($"'{name}' is {number}");

    private static int Count(JsonElement fields, string name, int otherwise) =>
        fields.TryGetProperty(name, out var field) ? field.GetInt32() : otherwise;

    private static double Number(JsonElement fields, string name) => !fields.TryGetProperty(name, out var field)
        ? 0
        : field.ValueKind == JsonValueKind.String ? double.Parse(field.GetString()!, CultureInfo.InvariantCulture) : field.GetDouble();

    private static JsonObject Parse(string line)
    {
        try
        {
            return JsonNode.Parse(line) as JsonObject
                ?? throw new EventLogException("is no log of events: its first line is no object");
        }
        catch (JsonException no)
        {
            throw new EventLogException("is no log of events: its first line is no JSON", no);
        }
    }

    private static string Text(JsonNode? node) => node?.ToString() ?? "";
}
