namespace TokenFactory.Catalog;

/// <summary>An inference engine, somebody else's software that the factory plans, feeds, meters and steers.</summary>
/// <param name="Key">The name in files: "vllm".</param>
/// <param name="Name">The name for people.</param>
/// <param name="Aliases">Other ways people write it.</param>
/// <param name="Home">Where it lives.</param>
/// <param name="Settings">Its documented defaults by name; the unit is in the name.</param>
public sealed record Engine(
    string Key, string Name, IReadOnlyList<string> Aliases, string Home, IReadOnlyDictionary<string, Sourced<double>> Settings)
{
    /// <summary>The release that manifests are written for; null where the catalog knows none.</summary>
    public EngineRelease? Release { get; init; }

    /// <summary>Reads the entry; its mistakes are noted with the reader.</summary>
    public static Engine Read(EntryReader entry)
    {
        var (key, name, aliases, home) = (entry.Text("key"), entry.Text("name"), entry.Texts("aliases"), entry.Text("home"));
        var settings = new Dictionary<string, Sourced<double>>(StringComparer.Ordinal);
        foreach (var setting in entry.Keys().Where(k => k is not ("key" or "name" or "aliases" or "home" or "release")).ToList())
        {
            if (entry.NumberOrNone(setting, 0) is { } number)
                settings.Add(setting, number);
        }

        return new Engine(key, name, aliases, home, settings)
        {
            Release = entry.Object("release") is { } release ? EngineRelease.Read(release) : null,
        };
    }
}
