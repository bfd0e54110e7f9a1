using System.Collections;
using System.Globalization;

namespace TokenFactory.Planning.Deploy;

/// <summary>A node of a document that is written as YAML: a text, a number or truth value, a list, or a mapping.</summary>
public abstract class Doc
{
    /// <summary>A text; null stays null, which lists and mappings leave out.</summary>
    public static implicit operator Doc?(string? text) => text is null ? null : new DocText(text);

    /// <summary>A whole number.</summary>
    public static implicit operator Doc(int number) => new DocWord(number.ToString(CultureInfo.InvariantCulture));

    /// <summary>A whole number.</summary>
    public static implicit operator Doc(long number) => new DocWord(number.ToString(CultureInfo.InvariantCulture));

    /// <summary>A number, in the fewest digits that read back as the same.</summary>
    public static implicit operator Doc(double number) => new DocWord(number.ToString("R", CultureInfo.InvariantCulture));

    /// <summary>A truth value.</summary>
    public static implicit operator Doc(bool truth) => new DocWord(truth ? "true" : "false");
}

/// <summary>A text, quoted where YAML would read it as something else.</summary>
/// <param name="text">Any text.</param>
public sealed class DocText(string text) : Doc
{
    /// <summary>The text.</summary>
    public string Text { get; } = text;
}

/// <summary>A number, a truth value or null, written as it stands.</summary>
/// <param name="word">As YAML's core schema reads it.</param>
public sealed class DocWord(string word) : Doc
{
    /// <summary>Nothing.</summary>
    public static DocWord Null { get; } = new("null");

    /// <summary>The word.</summary>
    public string Word { get; } = word;
}

/// <summary>A list.</summary>
public sealed class DocList : Doc, IEnumerable<Doc>
{
    private readonly List<Doc> _items = [];

    /// <summary>How many there are.</summary>
    public int Count => _items.Count;

    /// <summary>A list of texts.</summary>
    public static DocList Of(IEnumerable<string> texts)
    {
        var list = new DocList();
        foreach (var text in texts)
            list.Add(text);
        return list;
    }

    /// <summary>Adds an item; null adds nothing.</summary>
    public void Add(Doc? item)
    {
        if (item is not null)
            _items.Add(item);
    }

    /// <inheritdoc/>
    public IEnumerator<Doc> GetEnumerator() => _items.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>A key of a mapping, its value, and what is said above it.</summary>
/// <param name="Key">The key.</param>
/// <param name="Value">The value.</param>
/// <param name="Remark">Comment lines above the key; null for none.</param>
public readonly record struct DocEntry(string Key, Doc Value, string? Remark);

/// <summary>A mapping; its keys stay in the order in which they were added.</summary>
public sealed class DocMap : Doc, IEnumerable<DocEntry>
{
    private readonly List<DocEntry> _entries = [];

    /// <summary>How many keys there are.</summary>
    public int Count => _entries.Count;

    /// <summary>The value of a key; null where it is absent.</summary>
    public Doc? this[string key] => _entries.Find(entry => entry.Key == key).Value;

    /// <summary>A mapping of texts.</summary>
    public static DocMap Of(IEnumerable<(string Key, string Value)> entries)
    {
        var map = new DocMap();
        foreach (var (key, value) in entries)
            map.Add(key, value);
        return map;
    }

    /// <summary>Adds a key; a null value adds nothing.</summary>
    /// <param name="key">Not yet there.</param>
    /// <param name="value">The value.</param>
    /// <param name="remark">Comment lines above it.</param>
    public void Add(string key, Doc? value, string? remark = null)
    {
        if (value is null)
            return;
        if (this[key] is not null)
            throw new ArgumentException($"The key '{key}' is there already", nameof(key));
        _entries.Add(new DocEntry(key, value, remark));
    }

    /// <inheritdoc/>
    public IEnumerator<DocEntry> GetEnumerator() => _entries.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
