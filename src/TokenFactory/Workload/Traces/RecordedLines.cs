using System.Globalization;
using System.Text.Json;

namespace TokenFactory.Workload.Traces;

/// <summary>Azure's traces of 2023 and 2024; the later one's times carry an offset.</summary>
internal sealed class AzureLines(List<string> header) : ITraceLines
{
    private readonly int _time = header.IndexOf("TIMESTAMP");
    private readonly int _input = header.IndexOf("ContextTokens");
    private readonly int _output = header.IndexOf("GeneratedTokens");
    private DateTimeOffset? _first;

    public TraceFormat Format => TraceFormat.Azure;

    public TraceRow? Row(string line, long number, TraceLog log)
    {
        var fields = CsvLine.Split(line);
        if (!Recorded.HasAll(fields, header, number, log))
            return null;
        var time = Time(fields[_time], number, log);
        return Recorded.Row(
            time,
            Figures.Count("ContextTokens", fields[_input], 0, number, log),
            Figures.Count("GeneratedTokens", fields[_output], 0, number, log),
            number,
            log);
    }

    /// <summary>Seconds after the first row; exact, as ticks are subtracted.</summary>
    private double? Time(string text, long line, TraceLog log)
    {
        const DateTimeStyles utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, utc, out var time))
        {
            _first ??= time;
            return (time - _first.Value).Ticks / (double)TimeSpan.TicksPerSecond;
        }

        log.Note(line, $"TIMESTAMP is '{TraceFormats.Short(text)}'", "Write it as 2023-11-16 18:17:03.9799600");
        return null;
    }
}

/// <summary>BurstGPT's traces, in any order of columns and with or without sessions.</summary>
internal sealed class BurstGptLines(List<string> header) : ITraceLines
{
    private readonly int _time = header.IndexOf("Timestamp");
    private readonly int _input = header.IndexOf("Request tokens");
    private readonly int _output = header.IndexOf("Response tokens");
    private readonly int _model = header.IndexOf("Model");
    private readonly int _session = Math.Max(header.IndexOf("Session ID"), header.IndexOf("SessionID"));

    public TraceFormat Format => TraceFormat.BurstGpt;

    public TraceRow? Row(string line, long number, TraceLog log)
    {
        var fields = CsvLine.Split(line);
        if (!Recorded.HasAll(fields, header, number, log))
            return null;
        var row = Recorded.Row(
            Figures.Seconds("Timestamp", fields[_time], 1, number, log),
            Figures.Count("Request tokens", fields[_input], 0, number, log),
            Figures.Count("Response tokens", fields[_output], 0, number, log),
            number,
            log);
        return row is null ? null : row with { Class = Named(fields, _model), Session = Named(fields, _session) };
    }

    private static string? Named(List<string> fields, int at) => at >= 0 && fields[at].Length > 0 ? fields[at] : null;
}

/// <summary>Mooncake's traces: every block of 512 tokens of a prompt has an identity, the last one what remains.</summary>
internal sealed class MooncakeLines : ITraceLines
{
    private const int BlockTokens = 512;

    public TraceFormat Format => TraceFormat.Mooncake;

    public TraceRow? Row(string line, long number, TraceLog log)
    {
        using var document = JsonLine.Parse(line, number, log);
        if (document is null)
            return null;
        var fields = document.RootElement;
        var row = Recorded.Row(
            Figures.Seconds("timestamp", JsonLine.Text(fields, "timestamp"), 1e-3, number, log),
            Figures.Count("input_length", JsonLine.Text(fields, "input_length"), 0, number, log),
            Figures.Count("output_length", JsonLine.Text(fields, "output_length"), 0, number, log),
            number,
            log);
        return row is null || Blocks(fields, row.InputTokens, number, log) is not { } blocks ? null : row with { Prefix = blocks };
    }

    private static PromptSegment[]? Blocks(JsonElement row, int input, long line, TraceLog log)
    {
        if (!row.TryGetProperty("hash_ids", out var ids))
            return [];
        if (ids.ValueKind != JsonValueKind.Array || !ids.EnumerateArray().All(IsWhole))
        {
            log.Note(line, "hash_ids is no list of whole numbers", "Write [0, 1, 2]");
            return null;
        }

        var most = (input + BlockTokens - 1) / BlockTokens;
        if (ids.GetArrayLength() > most)
        {
            var what = $"hash_ids names {ids.GetArrayLength()} blocks of a prompt of {input} tokens";
            log.Note(line, what, $"Name at most {most}, one per {BlockTokens} tokens");
            return null;
        }

        return [.. ids.EnumerateArray().Select(Block)];

        PromptSegment Block(JsonElement id, int place) =>
            new(Identity(id.GetInt64()), Math.Min(BlockTokens, input - (place * BlockTokens)));
    }

    private static bool IsWhole(JsonElement id) => id.ValueKind == JsonValueKind.Number && id.TryGetInt64(out _);

    private static ulong Identity(long id) => Draws.Identity(0, "block", id);
}

/// <summary>What the formats have in common.</summary>
internal static class Recorded
{
    /// <summary>Notes a line that has not as many fields as the header.</summary>
    public static bool HasAll(List<string> fields, List<string> header, long line, TraceLog log)
    {
        if (fields.Count == header.Count)
            return true;
        log.Note(line, $"has {fields.Count} fields, the header {header.Count}", "Write one field per column");
        return false;
    }

    /// <summary>The row of its figures; null where one is wrong, or where the request failed, which is counted.</summary>
    public static TraceRow? Row(double? seconds, int? input, int? output, long line, TraceLog log)
    {
        if (seconds is not { } at || input is not { } asked || output is not { } answered)
            return null;
        if (asked == 0 || answered == 0)
        {
            log.Failed++;
            return null;
        }

        return new TraceRow { Line = line, Seconds = at, InputTokens = asked, OutputTokens = answered };
    }
}
