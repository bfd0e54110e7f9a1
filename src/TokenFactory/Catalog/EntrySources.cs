using System.Text.Json;

namespace TokenFactory.Catalog;

/// <summary>The sources that a catalog file declares, by id.</summary>
internal static class EntrySources
{
    /// <summary>Reads the declarations of a file; an incomplete one is noted.</summary>
    public static Dictionary<string, Source> Read(JsonElement root, string where, ICollection<Mistake> mistakes)
    {
        var sources = new Dictionary<string, Source>(StringComparer.Ordinal);
        if (!root.TryGetProperty("sources", out var declared) || declared.ValueKind != JsonValueKind.Object)
            return sources;
        foreach (var item in declared.EnumerateObject())
        {
            var text = Member(item.Value, "source");
            var date = SourceDate.Parse(Member(item.Value, "date"));
            if (text.Length > 0 && date is not null && SourceKinds.Parse(Member(item.Value, "kind")) is { } kind)
                sources.Add(item.Name, new Source(kind, text, date));
            else
            {
                mistakes.Add(new Mistake(
                    where,
                    $"source '{item.Name}' is incomplete",
                    "Give source (text), date (2026-08) and kind (measured, datasheet or estimated)"));
            }
        }

        return sources;
    }

    private static string Member(JsonElement element, string key) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : "";
}
