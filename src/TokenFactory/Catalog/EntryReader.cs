using System.Globalization;
using System.Text.Json;

namespace TokenFactory.Catalog;

/// <summary>A file of the catalog: its path as the user knows it, and its text.</summary>
/// <param name="Path">Relative to the catalog, "accelerators/h100-sxm.json".</param>
/// <param name="Text">The content.</param>
public sealed record CatalogFile(string Path, string Text);

/// <summary>
/// Reads one object of a catalog file and gathers every mistake in it. A number is either
/// <c>{"value": 700, "from": "source-id", "note": "..."}</c> or plain, and then takes the <c>from</c> of the
/// nearest enclosing object; a number without any source is a mistake.
/// </summary>
public sealed class EntryReader
{
    private static readonly JsonDocumentOptions Options = new()
    {
        CommentHandling = JsonCommentHandling.Skip,
        AllowTrailingCommas = true,
        AllowDuplicateProperties = false,
    };


    private readonly JsonElement _element;
    private readonly Dictionary<string, Source> _sources;
    private readonly string? _from;
    private readonly HashSet<string> _read = new(["from", "sources", "note"], StringComparer.Ordinal);

    private EntryReader(JsonElement element, string where, Dictionary<string, Source> sources, string? from, ICollection<Mistake> mistakes)
    {
        _element = element;
        Where = where;
        _sources = sources;
        Mistakes = mistakes;
        _from = element.TryGetProperty("from", out var own) && own.ValueKind == JsonValueKind.String ? own.GetString() : from;
    }

    /// <summary>The file and the path inside it, for messages.</summary>
    public string Where { get; }

    /// <summary>Where mistakes go.</summary>
    public ICollection<Mistake> Mistakes { get; }

    /// <summary>The object as it stands in the file.</summary>
    internal JsonElement Root => _element;

    /// <summary>The sources that the file declares, by id.</summary>
    internal IReadOnlyDictionary<string, Source> Sources => _sources;

    /// <summary>Opens a file: its JSON, and the sources it declares.</summary>
    /// <returns>Null, with the mistake noted, when it is not a JSON object.</returns>
    public static EntryReader? Open(CatalogFile file, ICollection<Mistake> mistakes)
    {
        JsonElement root;
        try
        {
            using var document = JsonDocument.Parse(file.Text, Options);
            root = document.RootElement.Clone();
        }
        catch (JsonException bad)
        {
            var where = $"{file.Path}:{bad.LineNumber + 1}";
            var twice = bad.Message.Contains("uplicate", StringComparison.Ordinal);
            mistakes.Add(twice
                ? new Mistake(where, "a key stands twice in one object", "Keep one of them")
                : new Mistake(where, "not JSON", "Mend the syntax near this line"));
            return null;
        }

        if (root.ValueKind != JsonValueKind.Object)
        {
            mistakes.Add(new Mistake(file.Path, $"holds a JSON {root.ValueKind}", "Write one JSON object per file"));
            return null;
        }

        return new EntryReader(root, file.Path, EntrySources.Read(root, file.Path, mistakes), null, mistakes);
    }

    /// <summary>Whether the key is there.</summary>
    public bool Has(string key)
    {
        _read.Add(key);
        return _element.TryGetProperty(key, out _);
    }

    /// <summary>A text that must be there.</summary>
    public string Text(string key)
    {
        var text = TextOrNone(key);
        if (text is null)
            Note(key, "is missing", "Give it as a text");
        return text ?? "";
    }

    /// <summary>A text that may be there.</summary>
    public string? TextOrNone(string key)
    {
        if (!Has(key))
            return null;
        var value = _element.GetProperty(key);
        if (value.ValueKind == JsonValueKind.String)
            return value.GetString();
        Note(key, $"is {value.GetRawText()}", "Give it as a text");
        return null;
    }

    /// <summary>A list of texts; empty where the key is absent.</summary>
    public IReadOnlyList<string> Texts(string key)
    {
        if (!Has(key))
            return [];
        var value = _element.GetProperty(key);
        if (value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String))
            return [.. value.EnumerateArray().Select(item => item.GetString()!)];
        Note(key, "is not a list of texts", "Write [\"one\", \"two\"]");
        return [];
    }

    /// <summary>true or false; <paramref name="absent"/> where the key is absent.</summary>
    public bool Flag(string key, bool absent = false)
    {
        if (!Has(key))
            return absent;
        var value = _element.GetProperty(key);
        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False)
            return value.GetBoolean();
        Note(key, $"is {value.GetRawText()}", "Write true or false");
        return absent;
    }

    /// <summary>A number that must be there, above zero unless told otherwise.</summary>
    public Sourced<double> Number(string key, double atLeast = double.Epsilon)
    {
        if (!Has(key))
            Note(key, "is missing", "Give it as {\"value\": number, \"from\": \"source id\"}");
        return NumberOrNone(key, atLeast)
            ?? new Sourced<double>(1, Provenance.Of(new Source(SourceKind.Estimated, Where, SourceDate.On(default))));
    }

    /// <summary>A number that may be there, above zero unless told otherwise.</summary>
    public Sourced<double>? NumberOrNone(string key, double atLeast = double.Epsilon)
    {
        if (!Has(key))
            return null;
        var value = _element.GetProperty(key);
        var from = _from;
        string? note = null;
        if (value.ValueKind == JsonValueKind.Object)
        {
            from = value.TryGetProperty("from", out var own) && own.ValueKind == JsonValueKind.String ? own.GetString() : from;
            note = value.TryGetProperty("note", out var said) && said.ValueKind == JsonValueKind.String ? said.GetString() : null;
            var stray = Stray(value);
            value = value.TryGetProperty("value", out var inner) ? inner : default;
            if (value.ValueKind == JsonValueKind.Number && stray is not null)
                Note(key, $"has the unknown key '{stray}'", "Known in a number: value, from, note");
        }

        if (value.ValueKind != JsonValueKind.Number)
        {
            Note(key, "is not a number", "Give it as {\"value\": number, \"from\": \"source id\"}");
            return null;
        }

        var number = value.GetDouble();
        if (!(number >= atLeast && double.IsFinite(number)))
        {
            var remedy = atLeast > 0 ? "Give a number above zero" : "Give a number of zero or more";
            Note(key, $"is {number.ToString(CultureInfo.InvariantCulture)}", remedy);
            return null;
        }

        return SourceOf(key, from) is { } source ? new Sourced<double>(number, Provenance.Of(source), note) : null;
    }

    /// <summary>A whole number that must be there, 1 or more.</summary>
    public int Count(string key)
    {
        var number = Number(key, 1).Value;
        if (number == Math.Floor(number) && number <= int.MaxValue)
            return (int)number;
        Note(key, $"is {number.ToString(CultureInfo.InvariantCulture)}", "Give a whole number");
        return 1;
    }

    /// <summary>A list of pairs of numbers that must be there, such as a curve; each an array of two.</summary>
    public IReadOnlyList<double[]> Pairs(string key)
    {
        var pairs = new List<double[]>();
        if (Has(key) && _element.GetProperty(key) is { ValueKind: JsonValueKind.Array } list)
        {
            foreach (var item in list.EnumerateArray())
            {
                if (item.ValueKind == JsonValueKind.Array
                    && item.GetArrayLength() == 2
                    && item[0].ValueKind == JsonValueKind.Number
                    && item[1].ValueKind == JsonValueKind.Number)
                {
                    pairs.Add([item[0].GetDouble(), item[1].GetDouble()]);
                }
            }

            if (pairs.Count > 0 && pairs.Count == list.GetArrayLength())
            {
                SourceOf(key, _from);
                return pairs;
            }
        }

        Note(key, "is not a list of pairs", "Write [[0.1, 0.92], [0.2, 0.94]]");
        return [];
    }

    /// <summary>The objects of a list; empty where the key is absent.</summary>
    public IReadOnlyList<EntryReader> Objects(string key)
    {
        if (!Has(key))
            return [];
        var list = _element.GetProperty(key);
        if (list.ValueKind == JsonValueKind.Array && list.EnumerateArray().All(item => item.ValueKind == JsonValueKind.Object))
            return [.. list.EnumerateArray().Select((item, i) => Inner(item, $"{key}[{i}]"))];
        Note(key, "is not a list of objects", "Write [{...}, {...}]");
        return [];
    }

    /// <summary>An object inside this one; null where the key is absent.</summary>
    public EntryReader? Object(string key)
    {
        if (!Has(key))
            return null;
        var value = _element.GetProperty(key);
        if (value.ValueKind == JsonValueKind.Object)
            return Inner(value, key);
        Note(key, "is not an object", "Write {...}");
        return null;
    }

    /// <summary>The keys of this object that hold something to read, in file order.</summary>
    public IEnumerable<string> Keys() =>
        _element.EnumerateObject().Select(p => p.Name).Where(name => name is not ("from" or "sources" or "note"));

    /// <summary>Notes every key that nobody asked for: a misspelt key must not pass as absent.</summary>
    public void RefuseUnknownKeys()
    {
        foreach (var name in Keys().Where(name => !_read.Contains(name)))
        {
            var near = Names.Nearest(name, _read);
            Mistakes.Add(new Mistake(Where, $"unknown key '{name}'", near is null ? "Remove it" : $"Did you mean '{near}'?"));
        }
    }

    /// <summary>The source that "from" names for what is no number; null, with the mistake noted, where it names none.</summary>
    public Source? DeclaredSource() => SourceOf("from", _from);

    /// <summary>Adds a mistake about a key of this object.</summary>
    public void Note(string key, string what, string remedy) => Mistakes.Add(new Mistake(Where, $"'{key}' {what}", remedy));

    /// <summary>A key that no number has, or null.</summary>
    private static string? Stray(JsonElement number)
    {
        foreach (var member in number.EnumerateObject())
        {
            if (!member.NameEquals("value") && !member.NameEquals("from") && !member.NameEquals("note"))
                return member.Name;
        }

        return null;
    }

    private EntryReader Inner(JsonElement element, string path) => new(element, $"{Where}: {path}", _sources, _from, Mistakes);

    private Source? SourceOf(string key, string? from)
    {
        if (from is not null && _sources.TryGetValue(from, out var source))
            return source;
        if (from is null)
            Note(key, "has no source", "Add \"from\": \"source id\" to it or to an object around it");
        else
            Note(key, $"comes from '{from}', which 'sources' does not declare", "Declare it with source, date and kind");
        return null;
    }
}
