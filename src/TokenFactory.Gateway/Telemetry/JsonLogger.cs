using System.Buffers;
using System.Data.Common;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using TokenFactory.Store;
using TokenFactory.Store.Ledger;

namespace TokenFactory.Gateway.Telemetry;

/// <summary>
/// Turns events into lines. Values are single, short and without keys; of exceptions that may quote what was sent, only the kind is told.
/// </summary>
internal sealed class JsonLogger(JsonLogs logs, string category) : ILogger
{
    private const int MostText = 500;
    private const int MostTrace = 4000;

    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <inheritdoc/>
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    /// <inheritdoc/>
    public bool IsEnabled(LogLevel logLevel) => logs.Takes(logLevel);

    /// <inheritdoc/>
    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel) || IsOfClient(eventId))
            return;
        logs.Put(Line(logs.Now, logLevel, Snake(eventId.Name ?? ""), json =>
        {
            Fields(json, state);
            json.WriteString("message", Redaction.Of(formatter(state, null), MostText));
            json.WriteString("category", category);
            if (exception is not null)
                Tell(json, exception);
        }));
    }

    /// <summary>That lines were lost.</summary>
    public static string Lost(DateTimeOffset now, long lines) =>
        Line(now, LogLevel.Warning, "log_lines_lost", json => json.WriteNumber("lines", lines));

    /// <summary>What the web server takes for an error here, and is a client's: a body that nobody read and that is no HTTP.</summary>
    private bool IsOfClient(EventId eventId) =>
        eventId.Name == "RequestBodyDrainBodyReaderInvalidState" && category == "Microsoft.AspNetCore.Server.Kestrel";

    private static string Line(DateTimeOffset now, LogLevel level, string name, Action<Utf8JsonWriter> more)
    {
        var bytes = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(bytes, Options))
        {
            json.WriteStartObject();
            json.WriteString("time", now.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture));
            json.WriteString("level", level.ToString().ToLowerInvariant());
            if (name.Length > 0)
                json.WriteString("event", name);
            more(json);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    /// <summary>What the event names. Fields that a line has anyway are not written twice.</summary>
    private static void Fields<TState>(Utf8JsonWriter json, TState state)
    {
        if (state is not IReadOnlyList<KeyValuePair<string, object?>> fields)
            return;
        var written = new HashSet<string>(StringComparer.Ordinal) { "time", "level", "event", "message", "category", "exception", "trace" };
        foreach (var (key, value) in fields)
        {
            var name = Snake(key);
            if (key == "{OriginalFormat}" || !written.Add(name))
                continue;
            switch (value)
            {
                case null:
                    json.WriteNull(name);
                    break;
                case bool truth:
                    json.WriteBoolean(name, truth);
                    break;
                case int or long or short or byte or uint:
                    json.WriteNumber(name, Convert.ToInt64(value, CultureInfo.InvariantCulture));
                    break;
                case double number when double.IsFinite(number):
                    json.WriteNumber(name, number);
                    break;
                case decimal number:
                    json.WriteNumber(name, number);
                    break;
                default:
                    json.WriteString(name, Redaction.Of(Convert.ToString(value, CultureInfo.InvariantCulture) ?? "", MostText));
                    break;
            }
        }
    }

    private static void Tell(Utf8JsonWriter json, Exception exception)
    {
        var text = new StringBuilder();
        for (var at = exception; at is not null; at = at.InnerException)
        {
            text.Append(text.Length > 0 ? " <- " : "").Append(at.GetType().FullName);
            if (QuotesNothing(at))
                text.Append(": ").Append(at.Message);
        }

        json.WriteString("exception", Redaction.Of(text.ToString(), MostText));
        if (exception.StackTrace is { } trace)
            json.WriteString("trace", Redaction.Of(trace, MostTrace));
    }

    /// <summary>Exceptions whose messages are of the system, the network and the store, never of what somebody sent.</summary>
    private static bool QuotesNothing(Exception exception) =>
        exception is IOException or SocketException or HttpRequestException or TimeoutException or OperationCanceledException
            or UnauthorizedAccessException or ObjectDisposedException or DbException or StoreAwayException or JournalException;

    /// <summary>"RequestId" and "request_id" alike: "request_id".</summary>
    private static string Snake(string name)
    {
        var text = new StringBuilder(name.Length + 4);
        for (var i = 0; i < name.Length; i++)
        {
            if (char.IsAsciiLetterUpper(name[i]) && i > 0 && !char.IsAsciiLetterUpper(name[i - 1]) && name[i - 1] != '_')
                text.Append('_');
            text.Append(char.ToLowerInvariant(name[i]));
        }

        return text.ToString();
    }
}
