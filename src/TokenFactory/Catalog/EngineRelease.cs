namespace TokenFactory.Catalog;

/// <summary>A release of an engine: where its images are, and every flag that its server takes, as its own source declares them.</summary>
/// <param name="Version">As the engine numbers it, "0.23.0".</param>
/// <param name="Images">Container images by vendor of the accelerator, "nvidia"; a vendor without one is missing.</param>
/// <param name="Switches">Flags that take no value.</param>
/// <param name="Flags">Flags that take a value.</param>
/// <param name="Configuration">
/// Keys of its configuration file, those inside an object behind its name and a point ("kv_cache_config.dtype"); empty where flags say all.
/// </param>
/// <param name="From">Who says so, and when.</param>
public sealed record EngineRelease(
    string Version,
    IReadOnlyDictionary<string, string> Images,
    IReadOnlySet<string> Switches,
    IReadOnlySet<string> Flags,
    IReadOnlySet<string> Configuration,
    Provenance From)
{
    /// <summary>Whether the server takes the flag.</summary>
    /// <param name="flag">With its dashes, "--max-num-seqs".</param>
    /// <param name="valued">Whether a value follows it.</param>
    public bool Takes(string flag, bool valued) => (valued ? Flags : Switches).Contains(flag);

    /// <summary>The image for GPUs of a vendor; null where the release has none.</summary>
    /// <param name="vendor">As accelerators name it, "NVIDIA".</param>
    public string? ImageFor(string vendor) =>
        Images.FirstOrDefault(image => string.Equals(image.Key, vendor, StringComparison.OrdinalIgnoreCase)).Value;

    /// <summary>Reads a release inside an engine's entry; its mistakes are noted.</summary>
    public static EngineRelease? Read(EntryReader release)
    {
        var version = release.Text("version");
        var (switches, flags) = (Names(release, "switches"), Names(release, "flags"));
        var configuration = Names(release, "configuration");
        if (flags.Count == 0)
            release.Note("flags", "is empty or missing", "List every flag that takes a value");
        if (flags.FirstOrDefault(switches.Contains) is { } both)
            release.Note("switches", $"holds '{both}', which 'flags' holds too", "Keep it where it belongs: a switch takes no value");
        var images = new Dictionary<string, string>(StringComparer.Ordinal);
        if (release.Object("images") is { } named)
        {
            foreach (var vendor in named.Keys().ToList())
                images[vendor] = named.Text(vendor);
        }

        var from = release.DeclaredSource();
        release.RefuseUnknownKeys();
        return from is null ? null : new EngineRelease(version, images, switches, flags, configuration, Provenance.Of(from));
    }

    private static HashSet<string> Names(EntryReader release, string key)
    {
        var names = release.Texts(key);
        var set = names.ToHashSet(StringComparer.Ordinal);
        if (set.Count < names.Count)
            release.Note(key, "names something twice", "Name each once");
        return set;
    }
}
