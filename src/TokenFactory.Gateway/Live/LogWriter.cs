using System.Buffers;
using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;
using TokenFactory.Fleet;
using TokenFactory.Policies;

namespace TokenFactory.Gateway.Live;

/// <summary>
/// Writes the lines of an event log. A request is told in full when it is queued and by its number from then on; keys of its prompt's
/// leading parts are base64 of 12 bytes each, the key and the tokens up to its end, both little-endian.
/// </summary>
internal sealed class LogWriter(ArrayBufferWriter<byte> to) : IDisposable
{
    public const int KeyBytes = 12;

    private static readonly JsonWriterOptions Options = new()
    {
        SkipValidation = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly Utf8JsonWriter _json = new(to, Options);
    private byte[] _keys = new byte[KeyBytes * 64];

    public void Dispose() => _json.Dispose();

    public void Write(in LogEntry entry)
    {
        var e = entry.Event;
        _json.WriteStartObject();
        _json.WriteNumber("model", entry.Model);
        _json.WriteNumber("at", e.At.Nanoseconds);
        if (entry.Decision is { } decision)
            Decision(e.Ask!, decision);
        else
            Event(entry);
        EndLine();
    }

    public void Lost(long lines)
    {
        _json.WriteStartObject();
        _json.WriteNumber("lost", lines);
        EndLine();
    }

    private void EndLine()
    {
        _json.WriteEndObject();
        _json.Flush();
        _json.Reset();
        to.Write("\n"u8);
    }

    private void Decision(Ask ask, in RoutingDecision decision)
    {
        _json.WriteNumber("decision", ask.Id);
        _json.WriteNumber("replica", decision.Replica);
        if (decision.FreshTokens > 0)
            _json.WriteNumber("fresh", decision.FreshTokens);
        _json.WriteString("cause", decision.Reason.Cause.ToString());
        Number("a", decision.Reason.A);
        Number("b", decision.Reason.B);
        Number("c", decision.Reason.C);
    }

    private void Event(in LogEntry entry)
    {
        var e = entry.Event;
        _json.WriteString("event", e.Kind.ToString());
        if (e.Replica >= 0)
            _json.WriteNumber("replica", e.Replica);
        if (e.Ask is not null)
            _json.WriteNumber("ask", e.Ask.Id);
        if (e.FreshTokens > 0)
            _json.WriteNumber("fresh", e.FreshTokens);
        switch (e.Kind)
        {
            case FleetEventKind.Starting:
                _json.WriteNumber("pool", e.Pool);
                break;
            case FleetEventKind.Queued:
                Queued(e.Ask!);
                break;
            case FleetEventKind.Ended:
                Ended(entry);
                break;
            case FleetEventKind.Reported:
                _json.WriteNumber("running", e.Running);
                _json.WriteNumber("waiting", e.Waiting);
                Number("kv_held", e.KvHeld);
                break;
            case FleetEventKind.Limited:
                _json.WriteNumber("most", e.MostInFlight);
                break;
            default:
                break; // all is said
        }
    }

    private void Queued(Ask ask)
    {
        _json.WriteNumber("arrival", ask.Arrival.Nanoseconds);
        _json.WriteNumber("prompt", ask.PromptTokens);
        _json.WriteNumber("class", ask.Class);
        _json.WriteNumber("tenant", ask.Tenant);
        if (ask.MaxTokens > 0)
            _json.WriteNumber("max_tokens", ask.MaxTokens);
        if (ask.Attempt > 0)
            _json.WriteNumber("attempt", ask.Attempt);
        if (ask.Avoid >= 0)
            _json.WriteNumber("avoid", ask.Avoid);
        if (!ask.Prefix.IsEmpty)
            _json.WriteBase64String("prefix", Keys(ask.Prefix.Span));
    }

    private void Ended(in LogEntry entry)
    {
        var e = entry.Event;
        if (e.HadFirstToken)
            _json.WriteNumber("first_token_at", e.FirstTokenAt.Nanoseconds);
        _json.WriteNumber("output", e.OutputTokens);
        _json.WriteBoolean("completed", e.Completed);
        if (entry.PromptTokens >= 0)
            _json.WriteNumber("prompt", entry.PromptTokens);
        if (entry.CachedTokens >= 0)
            _json.WriteNumber("cached", entry.CachedTokens);
    }

    private void Number(string name, double value)
    {
        if (double.IsFinite(value))
            _json.WriteNumber(name, value);
        else
            _json.WriteString(name, value.ToString("R", System.Globalization.CultureInfo.InvariantCulture));
    }

    private ReadOnlySpan<byte> Keys(ReadOnlySpan<PrefixKey> keys)
    {
        if (_keys.Length < keys.Length * KeyBytes)
            _keys = new byte[keys.Length * KeyBytes];
        for (var i = 0; i < keys.Length; i++)
        {
            var at = _keys.AsSpan(i * KeyBytes);
            BinaryPrimitives.WriteUInt64LittleEndian(at, keys[i].Key);
            BinaryPrimitives.WriteInt32LittleEndian(at[sizeof(ulong)..], keys[i].Tokens);
        }

        return _keys.AsSpan(0, keys.Length * KeyBytes);
    }
}
