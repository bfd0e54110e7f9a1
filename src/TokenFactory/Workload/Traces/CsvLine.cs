using System.Globalization;
using System.Text;
using System.Text.Json;

namespace TokenFactory.Workload.Traces;

/// <summary>The fields of one line with commas; quotes as in RFC 4180, but no line breaks inside a field.</summary>
internal static class CsvLine
{
    public static List<string> Split(string line)
    {
        if (!line.Contains('"'))
            return [.. line.Split(',').Select(field => field.Trim())];
        var (fields, field, quoted) = (new List<string>(), new StringBuilder(), false);
        for (var i = 0; i < line.Length; i++)
        {
            if (line[i] == '"' && quoted && i + 1 < line.Length && line[i + 1] == '"')
                field.Append(line[i++]);
            else if (line[i] == '"')
                quoted = !quoted;
            else if (line[i] == ',' && !quoted)
                Close();
            else
                field.Append(line[i]);
        }

        Close();
        return fields;

        void Close()
        {
            fields.Add(field.ToString().Trim());
            field.Clear();
        }
    }

    /// <summary>A field as it is written; quoted where it must be.</summary>
    public static string Quote(string field) =>
        field.AsSpan().IndexOfAny(",\"") >= 0 ? $"\"{field.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : field;
}

/// <summary>Numbers of a line, with what is wrong with them.</summary>
internal static class Figures
{
    /// <summary>Most tokens of a prompt or an answer.</summary>
    public const int MostTokens = 10_000_000;

    /// <summary>Latest time in seconds.</summary>
    public const double MostSeconds = 4e9;

    /// <summary>A count; null after noting what is wrong.</summary>
    public static int? Count(string name, string? text, int atLeast, long line, TraceLog log)
    {
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
            log.Note(line, $"{name} is '{TraceFormats.Short(text ?? "")}'", "Give a whole number of tokens");
        else if (number < 0 || number != Math.Floor(number) || number > MostTokens || number < atLeast)
            log.Note(line, $"{name} is {text}", $"Give a whole number from {atLeast} to {MostTokens:N0}");
        else
            return (int)number;
        return null;
    }

    /// <summary>A time in seconds; null after noting what is wrong.</summary>
    public static double? Seconds(string name, string? text, double scale, long line, TraceLog log)
    {
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) || !double.IsFinite(number))
            log.Note(line, $"{name} is '{TraceFormats.Short(text ?? "")}'", "Give a number");
        else if (number < 0 || number * scale > MostSeconds)
            log.Note(line, $"{name} is {text}", "Give a time from 0 on");
        else
            return number * scale;
        return null;
    }
}

/// <summary>Fields of one line of JSON.</summary>
internal static class JsonLine
{
    /// <summary>The object on a line; null after noting what is wrong.</summary>
    public static JsonDocument? Parse(string line, long number, TraceLog log)
    {
        try
        {
            var document = JsonDocument.Parse(line);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                return document;
            document.Dispose();
            log.Note(number, "is no JSON object", "Write one JSON object on each line");
        }
        catch (JsonException bad)
        {
            log.Note(number, $"is not JSON: {Plain(bad)}", "Write one JSON object on each line");
        }

        return null;
    }

    /// <summary>A field as text; null where it is absent.</summary>
    public static string? Text(JsonElement row, string name) =>
        row.TryGetProperty(name, out var field) && field.ValueKind != JsonValueKind.Null ? Text(field) : null;

    public static string Text(JsonElement field) => field.ValueKind == JsonValueKind.String ? field.GetString()! : field.GetRawText();

    /// <summary>What is wrong with the JSON, without where in the line.</summary>
    public static string Plain(JsonException bad) => bad.Message.Split(". ")[0].Split(" LineNumber")[0].TrimEnd('.');
}
