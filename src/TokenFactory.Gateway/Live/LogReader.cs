using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using TokenFactory.Fleet;
using TokenFactory.Policies;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Live;

/// <summary>A log of events cannot be used: it is none, of another version, damaged, or of another setup.</summary>
public sealed class EventLogException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A line of a log that is read.</summary>
/// <param name="Number">The line, from 1.</param>
/// <param name="Entry">What it tells.</param>
/// <param name="Lost">Lines that are missing here; 0 in others, which then tell nothing.</param>
internal readonly record struct LogLine(long Number, LogEntry Entry, long Lost);

/// <summary>Reads an event log line by line. A last line that was cut off, as when the machine stopped, is left out.</summary>
internal sealed class LogReader : IDisposable
{
    private readonly string _path;
    private readonly StreamReader _file;
    private readonly List<(Dictionary<long, Ask> Asks, long Leaves)> _models = [];
    private long _number;

    /// <summary>Begins to read.</summary>
    /// <exception cref="EventLogException">It is no log of events, or of another version.</exception>
    public LogReader(string path)
    {
        _path = path;
        _file = new StreamReader(path);
        Header = Parse(_file.ReadLine() ?? "");
        _number = 1;
        if (Text(Header["format"]) != LogHeader.Format)
            throw new EventLogException($"'{path}' is no log of events: its first line must name the format {LogHeader.Format}");
        if (Text(Header["version"]) != LogHeader.Version.ToString(CultureInfo.InvariantCulture))
            throw new EventLogException($"'{path}' is of version {Header["version"]}, this program reads {LogHeader.Version}");
    }

    public JsonObject Header { get; }

    public void Dispose() => _file.Dispose();

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
            return fields.TryGetProperty("lost", out var lost)
                ? new LogLine(_number, default, lost.GetInt64())
                : new LogLine(_number, Entry(fields), 0);
        }
        catch (JsonException) when (last)
        {
            return null;
        }
        catch (Exception damaged) when (damaged is JsonException or KeyNotFoundException or FormatException or InvalidOperationException)
        {
            throw new EventLogException($"Line {_number} of '{_path}' is damaged: {damaged.Message}", damaged);
        }
    }

    private LogEntry Entry(JsonElement fields)
    {
        var model = fields.GetProperty("model").GetInt32();
        var at = new Instant(fields.GetProperty("at").GetInt64());
        while (_models.Count <= model)
            _models.Add(([], -1));
        if (fields.TryGetProperty("decision", out var id))
            return new LogEntry(model, Asked(_models[model].Asks[id.GetInt64()], at)) { Decision = Decision(fields) };
        var e = Event(fields, model, at);
        return new LogEntry(model, e) { PromptTokens = Count(fields, "prompt", -1), CachedTokens = Count(fields, "cached", -1) };
    }

    private static FleetEvent Asked(Ask ask, Instant at) => new(default, at) { Ask = ask };

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
        var ask = asks[id];
        if (kind == FleetEventKind.Ended)
            asks.Remove(id);
        return ask;
    }

    private static Ask Queued(JsonElement fields, long id) => new()
    {
        Id = id,
        Arrival = new Instant(fields.GetProperty("arrival").GetInt64()),
        PromptTokens = fields.GetProperty("prompt").GetInt32(),
        Class = fields.GetProperty("class").GetInt32(),
        Tenant = fields.GetProperty("tenant").GetInt32(),
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

    private static int Count(JsonElement fields, string name, int otherwise) =>
        fields.TryGetProperty(name, out var field) ? field.GetInt32() : otherwise;

    private static double Number(JsonElement fields, string name) => !fields.TryGetProperty(name, out var field)
        ? 0
        : field.ValueKind == JsonValueKind.String ? double.Parse(field.GetString()!, CultureInfo.InvariantCulture) : field.GetDouble();

    private JsonObject Parse(string line)
    {
        try
        {
            return JsonNode.Parse(line) as JsonObject
                ?? throw new EventLogException($"'{_path}' is no log of events: its first line is no object");
        }
        catch (JsonException no)
        {
            throw new EventLogException($"'{_path}' is no log of events: its first line is no JSON", no);
        }
    }

    private static string Text(JsonNode? node) => node?.ToString() ?? "";
}
