using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace TokenFactory.Workload.Traces;

/// <summary>Optional columns of our own traces.</summary>
[Flags]
public enum TraceColumns
{
    /// <summary>Only what is required.</summary>
    None = 0,

    /// <summary>class and tenant.</summary>
    Names = 1,

    /// <summary>session and turn.</summary>
    Sessions = 2,

    /// <summary>max_tokens.</summary>
    Limits = 4,

    /// <summary>prefix and answer.</summary>
    Contents = 8,

    /// <summary>All of them.</summary>
    All = Names | Sessions | Limits | Contents,
}

/// <summary>Writes rows in our own format, line by line; what is read back is the same to the nanosecond.</summary>
public static class TraceWriter
{
    private static readonly (string Name, TraceColumns Part, Func<TraceRow, string> Text)[] Columns =
    [
        ("arrival_s", TraceColumns.None, row => Seconds(row.Seconds)),
        ("input_tokens", TraceColumns.None, row => Whole(row.InputTokens)),
        ("output_tokens", TraceColumns.None, row => Whole(row.OutputTokens)),
        ("class", TraceColumns.Names, row => row.Class ?? ""),
        ("tenant", TraceColumns.Names, row => row.Tenant ?? ""),
        ("session", TraceColumns.Sessions, row => row.Session ?? ""),
        ("turn", TraceColumns.Sessions, row => row.Session is null ? "" : Whole(row.Turn)),
        ("max_tokens", TraceColumns.Limits, row => row.MaxTokens > 0 ? Whole(row.MaxTokens) : ""),
        ("prefix", TraceColumns.Contents, row => Pieces(row.Prefix.Span)),
        ("answer", TraceColumns.Contents, row => row.Answer == 0 ? "" : row.Answer.ToString(CultureInfo.InvariantCulture)),
    ];

    private static readonly string[] Numbers = ["arrival_s", "input_tokens", "output_tokens", "turn", "max_tokens"];

    /// <summary>A row of what a traffic sent.</summary>
    public static TraceRow RowOf(Request request, ITraffic traffic) => new()
    {
        Seconds = request.Arrival.Seconds,
        InputTokens = request.PromptTokens,
        OutputTokens = request.Script.OutputTokens,
        Class = traffic.Classes[request.Class],
        Tenant = traffic.Tenants[request.Tenant],
        Session = request.Session < 0 ? null : request.Session.ToString(CultureInfo.InvariantCulture),
        Turn = request.Turn,
        MaxTokens = request.MaxTokens,
        Prefix = request.Prompt,
        Answer = request.Script.OutputContent,
    };

    /// <summary>Lines with commas, the header first.</summary>
    public static IEnumerable<string> Csv(IEnumerable<TraceRow> rows, TraceColumns columns = TraceColumns.All)
    {
        var chosen = Array.FindAll(Columns, column => (column.Part & ~columns) == TraceColumns.None);
        yield return string.Join(',', chosen.Select(column => column.Name));
        foreach (var row in rows)
            yield return string.Join(',', chosen.Select(column => CsvLine.Quote(column.Text(row))));
    }

    /// <summary>A JSON object per line; what is absent is left out.</summary>
    public static IEnumerable<string> JsonLines(IEnumerable<TraceRow> rows, TraceColumns columns = TraceColumns.All)
    {
        var chosen = Array.FindAll(Columns, column => (column.Part & ~columns) == TraceColumns.None);
        foreach (var row in rows)
            yield return Object(chosen.Select(column => (column.Name, column.Text(row))));
    }

    private static string Object(IEnumerable<(string Name, string Text)> fields)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach (var (name, text) in fields.Where(field => field.Text.Length > 0))
            {
                json.WritePropertyName(name);
                if (Array.IndexOf(Numbers, name) >= 0)
                    json.WriteRawValue(text);
                else
                    json.WriteStringValue(text);
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static string Seconds(double seconds) => seconds.ToString("0.#########", CultureInfo.InvariantCulture);

    private static string Whole(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Pieces(ReadOnlySpan<PromptSegment> pieces)
    {
        var text = new StringBuilder();
        foreach (var piece in pieces)
            text.Append(text.Length > 0 ? " " : "").Append(CultureInfo.InvariantCulture, $"{piece.Content}:{piece.Tokens}");
        return text.ToString();
    }
}
