using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using TokenFactory.Catalog;

namespace TokenFactory.Cli.Output;

/// <summary>Prints a report for machines: every table under its key, every figure under a key with its unit, sources beside it.</summary>
internal static class JsonOutput
{
    private static readonly JsonWriterOptions Options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Print(Report report, TextWriter output)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("verb", report.Verb);
            Texts(json, "answer", report.Answer);
            foreach (var section in report.Sections.Where(section => section.For != Audience.People))
                Table(json, section);
            Texts(json, "notes", report.Notes);
            json.WriteEndObject();
        }

        output.WriteLine(Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length));
    }

    private static void Table(Utf8JsonWriter json, Section section)
    {
        json.WriteStartArray(section.Key);
        foreach (var row in section.Rows)
        {
            json.WriteStartObject();
            for (var i = 0; i < row.Count; i++)
                Value(json, section.Columns[i].Key, row[i].Value);
            Sources(json, section, row);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void Sources(Utf8JsonWriter json, Section section, IReadOnlyList<Cell> row)
    {
        if (row.All(cell => cell.From is null && cell.Note is null))
            return;
        json.WriteStartObject("sources");
        for (var i = 0; i < row.Count; i++)
        {
            if (row[i] is not { From: null, Note: null })
                Provenance(json, section.Columns[i].Key, row[i]);
        }

        json.WriteEndObject();
    }

    private static void Provenance(Utf8JsonWriter json, string key, Cell cell)
    {
        json.WriteStartObject(key);
        if (cell.Note is not null)
            json.WriteString("note", cell.Note);
        if (cell.From is { } from)
        {
            json.WriteString("kind", Kind(from.Kind));
            json.WriteStartArray("from");
            foreach (var source in from.Sources)
            {
                json.WriteStartObject();
                json.WriteString("source", source.Text);
                json.WriteString("date", source.Date.Text);
                json.WriteString("kind", Kind(source.Kind));
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static string Kind(SourceKind kind) => kind.ToString().ToLowerInvariant();

    private static void Texts(Utf8JsonWriter json, string key, IReadOnlyList<string> texts)
    {
        json.WriteStartArray(key);
        foreach (var text in texts)
            json.WriteStringValue(text);
        json.WriteEndArray();
    }

    private static void Value(Utf8JsonWriter json, string key, object? value)
    {
        switch (value)
        {
            case null:
                json.WriteNull(key);
                break;
            case bool truth:
                json.WriteBoolean(key, truth);
                break;
            case string text:
                json.WriteString(key, text);
                break;
            case double number when double.IsFinite(number):
                json.WriteNumber(key, number);
                break;
            case decimal number:
                json.WriteNumber(key, number);
                break;
            case int count:
                json.WriteNumber(key, count);
                break;
            case long count:
                json.WriteNumber(key, count);
                break;
            case ulong count:
                json.WriteNumber(key, count);
                break;
            default:
                throw new InvalidOperationException($"'{key}' holds {value}, which JSON cannot say");
        }
    }
}
