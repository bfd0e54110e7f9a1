namespace TokenFactory.Catalog;

/// <summary>
/// Turns catalog files into <see cref="CatalogContents"/>. Folders: accelerators, models, engines, prices, points, api-prices, tiers,
/// and the file site-defaults.json. A later layer (the user's own) replaces entries of the same key, and all rows of a provider whose
/// price sheet it holds.
/// </summary>
public static class CatalogReader
{
    /// <summary>Reads the layers in order; all mistakes are noted.</summary>
    /// <param name="layers">The built-in catalog first, then overlays; each a list of files.</param>
    /// <param name="mistakes">Where mistakes go.</param>
    public static CatalogContents Read(IReadOnlyList<IReadOnlyList<CatalogFile>> layers, ICollection<Mistake> mistakes)
    {
        RefuseStrayFiles(layers, mistakes);
        var accelerators = Entries(layers, "accelerators", mistakes, AcceleratorReader.Read, a => a.Key);
        var names = Index(accelerators, a => a.Key, a => [a.Name, .. a.Aliases], mistakes);
        var models = Entries(layers, "models", mistakes, ModelReader.Read, m => m.Key);
        var engines = Entries(layers, "engines", mistakes, Engine.Read, e => e.Key);
        var points = layers.SelectMany(layer => Points(layer, names, mistakes)).ToList();
        return new CatalogContents
        {
            Accelerators = accelerators,
            AcceleratorNames = names,
            Models = models,
            ModelNames = Index(models, m => m.Key, m => [m.Name, .. m.Aliases], mistakes),
            Engines = engines,
            EngineNames = Index(engines, e => e.Key, e => [e.Name, .. e.Aliases], mistakes),
            Offers = Offers(layers, names, mistakes),
            Points = LastOfEach(points, point => point.Key),
            ApiPrices = Entries(layers, "api-prices", mistakes, ApiPrice.Read, p => p.Key),
            TierSets = Entries(layers, "tiers", mistakes, TierSet.Read, t => t.Key),
            Site = Site(layers, mistakes),
        };
    }

    private static readonly string[] Folders =
        ["accelerators", "models", "engines", "prices", "points", "api-prices", "tiers", "calibration"];

    private static void RefuseStrayFiles(IReadOnlyList<IReadOnlyList<CatalogFile>> layers, ICollection<Mistake> mistakes)
    {
        foreach (var file in layers.SelectMany(layer => layer))
        {
            var folder = file.Path.Contains('/') ? file.Path[..file.Path.IndexOf('/')] : "";
            if (!Folders.Contains(folder) && file.Path != SiteFile)
                mistakes.Add(new Mistake(file.Path, "is in no folder of a catalog", $"Put it into one of {string.Join(", ", Folders)}"));
        }
    }

    private const string SiteFile = "site-defaults.json";

    private static List<T> Entries<T>(
        IReadOnlyList<IReadOnlyList<CatalogFile>> layers,
        string folder,
        ICollection<Mistake> mistakes,
        Func<EntryReader, T?> read,
        Func<T, string> key)
        where T : class
    {
        var all = layers.SelectMany(layer => Open(layer, folder, mistakes)).Select(ReadOne).OfType<T>();
        return [.. LastOfEach(all, key).OrderBy(key, StringComparer.Ordinal)];

        T? ReadOne(EntryReader entry)
        {
            var thing = read(entry);
            if (thing is not null && entry.Where != $"{folder}/{key(thing)}.json")
            {
                var remedy = $"Name the file {key(thing)}.json, so that it can be found";
                mistakes.Add(new Mistake(entry.Where, $"holds the key '{key(thing)}'", remedy));
            }

            return thing;
        }
    }

    /// <summary>The points of a layer; a key that stands twice in it is a mistake, in a later layer it replaces.</summary>
    private static List<OperatingPoint> Points(
        IReadOnlyList<CatalogFile> layer, NameIndex<Accelerator> names, ICollection<Mistake> mistakes)
    {
        var points = Open(layer, "points", mistakes).SelectMany(file => OperatingPointReader.Read(file, names)).ToList();
        foreach (var twice in points.GroupBy(point => point.Key, StringComparer.Ordinal).Where(group => group.Count() > 1))
            mistakes.Add(new Mistake("points", $"the key '{twice.Key}' stands {twice.Count()} times", "Give each point a key of its own"));
        return points;
    }

    private static IEnumerable<EntryReader> Open(IReadOnlyList<CatalogFile> layer, string folder, ICollection<Mistake> mistakes) =>
        In(layer, folder).Select(file => EntryReader.Open(file, mistakes)).OfType<EntryReader>();

    private static IEnumerable<CatalogFile> In(IReadOnlyList<CatalogFile> layer, string folder) =>
        layer.Where(file => file.Path.StartsWith(folder + "/", StringComparison.Ordinal));

    private static List<T> LastOfEach<T>(IEnumerable<T> entries, Func<T, string> key)
    {
        var byKey = new Dictionary<string, T>(StringComparer.Ordinal);
        foreach (var entry in entries)
            byKey[key(entry)] = entry;
        return [.. byKey.Values];
    }

    private static NameIndex<T> Index<T>(
        IReadOnlyList<T> entries, Func<T, string> key, Func<T, IReadOnlyList<string>> others, ICollection<Mistake> mistakes)
        where T : class
    {
        var index = new NameIndex<T>();
        foreach (var entry in entries)
            Add(entry, key(entry));
        foreach (var entry in entries)
        {
            foreach (var name in others(entry))
                Add(entry, name);
        }

        return index;

        void Add(T entry, string name)
        {
            if (index.Add(name, entry, key(entry)) is { } bearer)
            {
                var what = $"the name '{name}' belongs to '{key(bearer)}' already";
                mistakes.Add(new Mistake(key(entry), what, "Remove the alias from one of them"));
            }
        }
    }

    private static List<Offer> Offers(
        IReadOnlyList<IReadOnlyList<CatalogFile>> layers, NameIndex<Accelerator> names, ICollection<Mistake> mistakes)
    {
        var offers = new List<Offer>();
        foreach (var layer in layers)
        {
            var own = In(layer, "prices").SelectMany(file => PriceSheet.Read(file, names, mistakes)).ToList();
            var replaced = own.Select(offer => Names.Fold(offer.Provider)).ToHashSet(StringComparer.Ordinal);
            offers.RemoveAll(offer => replaced.Contains(Names.Fold(offer.Provider)));
            offers.AddRange(own);
        }

        return offers;
    }

    private static SiteDefaults Site(IReadOnlyList<IReadOnlyList<CatalogFile>> layers, ICollection<Mistake> mistakes)
    {
        var file = layers.Reverse().SelectMany(layer => layer.Where(f => f.Path == SiteFile)).FirstOrDefault();
        if (file is not null && EntryReader.Open(file, mistakes) is { } entry)
            return SiteDefaults.Read(entry);
        mistakes.Add(new Mistake(SiteFile, "is missing from the catalog", "Restore it: it says what is assumed about a site"));
        return SiteDefaults.Read(EntryReader.Open(new CatalogFile(SiteFile, "{}"), [])!);
    }
}
