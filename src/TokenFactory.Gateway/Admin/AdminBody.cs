using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using TokenFactory.Catalog;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Admin;

/// <summary>The fields of a JSON object, each read once; every mistake is gathered, and told together by <see cref="Conclude"/>.</summary>
internal sealed class AdminBody
{
    private const int MostBytes = 64 << 10;
    private readonly Dictionary<string, JsonElement> _fields = new(StringComparer.Ordinal);
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private readonly List<AdminMistake> _mistakes = [];

    private AdminBody(JsonElement body)
    {
        foreach (var field in body.EnumerateObject())
        {
            if (!_fields.TryAdd(field.Name, field.Value))
                Wrong(field.Name, "stands there twice. Give it once.");
        }
    }

    /// <summary>Reads the body of a request; one without a body has no fields.</summary>
    /// <exception cref="AdminRefusal">It is too long, or no JSON object.</exception>
    public static async Task<AdminBody> ReadAsync(HttpContext context)
    {
        using var bytes = new MemoryStream();
        var buffer = new byte[4096];
        int read;
        while ((read = await context.Request.Body.ReadAsync(buffer, context.RequestAborted)) > 0)
        {
            bytes.Write(buffer, 0, read);
            if (bytes.Length > MostBytes)
                throw new AdminRefusal(413, "body_too_long", $"The body is longer than {MostBytes:#,0} bytes.");
        }

        if (bytes.Length == 0)
            bytes.Write("{}"u8);
        try
        {
            using var document = JsonDocument.Parse(bytes.GetBuffer().AsMemory(0, (int)bytes.Length));
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new AdminBody(document.RootElement.Clone())
                : throw new AdminRefusal(400, "invalid_json", "The body is no JSON object. Send one, as /openapi.json tells.");
        }
        catch (JsonException wrong)
        {
            var where = $"line {wrong.LineNumber + 1}, byte {wrong.BytePositionInLine + 1}";
            throw new AdminRefusal(400, "invalid_json", $"The body is no JSON: {where}. Send a JSON object.");
        }
    }

    /// <summary>Says that a field is wrong.</summary>
    public void Wrong(string field, string message) => _mistakes.Add(new AdminMistake(field, $"'{field}' {message}"));

    /// <summary>A text; as it was where the field is absent.</summary>
    public string? Text(string field, string? was, int most)
    {
        if (!Take(field, out var value))
            return was;
        if (value.ValueKind == JsonValueKind.Null)
            return null;
        var text = value.ValueKind == JsonValueKind.String ? value.GetString()! : null;
        if (text is not null && text.Length <= most && !text.Any(char.IsControl))
            return text;
        Wrong(field, $"is {Spell(value)}. Give a text of at most {most} characters, without control characters.");
        return was;
    }

    /// <summary>Texts; as they were where the field is absent, none where it is null.</summary>
    public IReadOnlyList<string> Texts(string field, IReadOnlyList<string> was)
    {
        if (!Take(field, out var value))
            return was;
        if (value.ValueKind == JsonValueKind.Null)
            return [];
        if (value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(each => each.ValueKind == JsonValueKind.String))
            return [.. value.EnumerateArray().Select(each => each.GetString()!).Distinct(StringComparer.Ordinal)];
        Wrong(field, $"is {Spell(value)}. Give a list of names.");
        return was;
    }

    /// <summary>A whole number; as it was where the field is absent, null for null.</summary>
    public long? Whole(string field, long? was, long least, long most)
    {
        if (!Take(field, out var value))
            return was;
        if (value.ValueKind == JsonValueKind.Null)
            return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) && number >= least && number <= most)
            return number;
        Wrong(field, $"is {Spell(value)}. Give a whole number from {least:#,0} to {most:#,0}, or null for none.");
        return was;
    }

    /// <summary>Dollars to the billionth; as they were where the field is absent, null for null.</summary>
    public Usd? Dollars(string field, Usd? was)
    {
        const decimal Most = 1_000_000_000;
        if (!Take(field, out var value))
            return was;
        if (value.ValueKind == JsonValueKind.Null)
            return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDecimal(out var number) && number is >= 0 and <= Most
            && decimal.Round(number, 9) == number)
            return new Usd(number);
        Wrong(field, $"is {Spell(value)}. Give dollars from 0 to {Most:#,0} with at most nine decimals, or null for no limit.");
        return was;
    }

    /// <summary>Seconds; null where the field is absent or null.</summary>
    public Duration? Seconds(string field, double least, double most)
    {
        if (!Take(field, out var value) || value.ValueKind == JsonValueKind.Null)
            return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number >= least && number <= most)
            return Duration.OfSeconds(number);
        Wrong(field, $"is {Spell(value)}. Give seconds from {least:#,0} to {most:#,0}.");
        return null;
    }

    /// <summary>A time; null where the field is absent or null.</summary>
    public Instant? When(string field)
    {
        if (!Take(field, out var value) || value.ValueKind == JsonValueKind.Null)
            return null;
        const DateTimeStyles Utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        if (value.ValueKind == JsonValueKind.String && value.GetString()!.Length >= "2026-11-22".Length
            && DateTime.TryParse(value.GetString(), CultureInfo.InvariantCulture, Utc, out var time) && time.Year is > 1970 and < 2200)
            return new Instant((time - DateTime.UnixEpoch).Ticks * 100);
        Wrong(field, $"is {Spell(value)}. Give a time such as 2026-12-31T00:00:00Z.");
        return null;
    }

    /// <summary>Yes or no; as it was where the field is absent.</summary>
    public bool Flag(string field, bool was)
    {
        if (!Take(field, out var value))
            return was;
        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False)
            return value.GetBoolean();
        Wrong(field, $"is {Spell(value)}. Give true or false.");
        return was;
    }

    /// <summary>Tells all mistakes, also fields that nobody asked for.</summary>
    /// <exception cref="AdminRefusal">There is any.</exception>
    public void Conclude()
    {
        foreach (var field in _fields.Keys.Where(field => !_known.Contains(field)))
        {
            var near = Names.Nearest(field, _known);
            var remedy = near is not null ? $"Did you mean '{near}'?"
                : _known.Count > 0 ? $"Known: {string.Join(", ", _known.Order(StringComparer.Ordinal))}."
                : "Send none.";
            Wrong(field, $"is no field here. {remedy}");
        }

        if (_mistakes.Count > 0)
            throw new AdminRefusal(400, "invalid_value", string.Join(" ", _mistakes.Select(mistake => mistake.Message)), _mistakes);
    }

    private bool Take(string field, out JsonElement value)
    {
        _known.Add(field);
        return _fields.TryGetValue(field, out value);
    }

    private static string Spell(JsonElement value)
    {
        var text = value.GetRawText();
        return text.Length <= 60 ? text : text[..60] + "...";
    }
}
