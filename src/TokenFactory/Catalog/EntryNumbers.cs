using System.Text.Json;

namespace TokenFactory.Catalog;

/// <summary>A number of a catalog file, wherever it stands in it.</summary>
/// <param name="Path">"memory_gb", "attention[0].heads".</param>
/// <param name="Value">The number; the unit is in the path.</param>
/// <param name="From">Where it comes from; null where the file does not say.</param>
/// <param name="Note">What a reader should know about it, or null.</param>
public sealed record EntryNumber(string Path, double Value, Source? From, string? Note);

/// <summary>Every number of a catalog file with its source, by walking it: nothing can be hidden from it.</summary>
public static class EntryNumbers
{
    /// <summary>The numbers in file order.</summary>
    /// <param name="file">A file that <see cref="EntryReader"/> can open.</param>
    public static IReadOnlyList<EntryNumber> Of(CatalogFile file)
    {
        if (EntryReader.Open(file, []) is not { } entry)
            return [];
        var numbers = new List<EntryNumber>();
        Walk(entry.Root, "", null, null, entry.Sources, numbers);
        return numbers;
    }

    private static void Walk(
        JsonElement element,
        string path,
        string? from,
        string? note,
        IReadOnlyDictionary<string, Source> sources,
        List<EntryNumber> numbers)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Number:
                numbers.Add(new EntryNumber(path, element.GetDouble(), from is null ? null : sources.GetValueOrDefault(from), note));
                break;
            case JsonValueKind.Array:
                var i = 0;
                foreach (var item in element.EnumerateArray())
                    Walk(item, $"{path}[{i++}]", from, note, sources, numbers);
                break;
            case JsonValueKind.Object:
                from = Text(element, "from") ?? from;
                var valued = element.TryGetProperty("value", out _);
                foreach (var member in element.EnumerateObject().Where(member => path.Length > 0 || member.Name != "sources"))
                {
                    var inner = valued ? path : path.Length == 0 ? member.Name : $"{path}.{member.Name}";
                    Walk(member.Value, inner, from, valued ? Text(element, "note") : null, sources, numbers);
                }

                break;
        }
    }

    private static string? Text(JsonElement element, string key) =>
        element.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
