using System.Text.Json;

namespace TokenFactory.Workload.Traces;

/// <summary>How the lines of a trace are written.</summary>
public enum TraceFormat
{
    /// <summary>Azure's LLM inference traces: TIMESTAMP, ContextTokens, GeneratedTokens.</summary>
    Azure,

    /// <summary>Mooncake's: JSON lines with hash_ids of blocks of 512 tokens.</summary>
    Mooncake,

    /// <summary>BurstGPT's: Timestamp, Model, Request tokens, Response tokens, Total tokens, Log Type.</summary>
    BurstGpt,

    /// <summary>Our own, with commas.</summary>
    Csv,

    /// <summary>Our own, as JSON lines.</summary>
    JsonLines,
}

/// <summary>Reads one line; null after noting why there is no row.</summary>
internal interface ITraceLines
{
    /// <summary>What it reads.</summary>
    TraceFormat Format { get; }

    /// <summary>The row of a line.</summary>
    TraceRow? Row(string line, long number, TraceLog log);
}

/// <summary>Recognises a trace by its first line.</summary>
internal static class TraceFormats
{
    private const string Known =
        "Begin with the columns arrival_s,input_tokens,output_tokens, with those of Azure (TIMESTAMP,ContextTokens,GeneratedTokens) or "
        + "BurstGPT (Timestamp,Request tokens,Response tokens), or with JSON lines of arrival_s or of Mooncake (timestamp, hash_ids)";

    /// <summary>The reader of a trace that begins with a line; null after noting that nobody knows it.</summary>
    public static ITraceLines? Of(string first, long number, TraceLog log, out bool isHeader)
    {
        isHeader = !first.TrimStart().StartsWith('{');
        if (isHeader)
            return Columns(CsvLine.Split(first), number, log);
        try
        {
            using var document = JsonDocument.Parse(first);
            if (document.RootElement.TryGetProperty("arrival_s", out _))
                return new OwnJsonLines();
            if (document.RootElement.TryGetProperty("timestamp", out _))
                return new MooncakeLines();
        }
        catch (JsonException bad)
        {
            log.Note(number, $"is not JSON: {JsonLine.Plain(bad)}", "Write one JSON object on each line");
            return null;
        }

        log.Note(number, "is JSON without arrival_s or timestamp", Known);
        return null;
    }

    private static ITraceLines? Columns(List<string> header, long number, TraceLog log)
    {
        if (Has("TIMESTAMP", "ContextTokens", "GeneratedTokens"))
            return new AzureLines(header);
        if (Has("Timestamp", "Request tokens", "Response tokens"))
            return new BurstGptLines(header);
        if (Has("arrival_s"))
            return OwnCsvLines.Of(header, number, log);
        log.Note(number, $"begins with '{Short(string.Join(',', header))}', which no known kind of trace does", Known);
        return null;

        bool Has(params string[] names) => Array.TrueForAll(names, header.Contains);
    }

    /// <summary>A text cut to what fits in a message.</summary>
    public static string Short(string text) => text.Length <= 60 ? text : text[..57] + "...";
}
