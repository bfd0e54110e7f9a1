using TokenFactory.Catalog;

namespace TokenFactory.Cli.Input;

/// <summary>Names of the user's, looked up in the catalog; a miss names the nearest.</summary>
internal static class Lookup
{
    public static Accelerator? Gpu(Settings settings, string key, string name, CatalogContents catalog) =>
        Find(settings, key, name, catalog.AcceleratorNames, "accelerators");

    /// <summary>The model's key in the catalog; a model that the catalog lacks is a mistake.</summary>
    public static string? Model(Settings settings, string key, string name, CatalogContents catalog) =>
        Find(settings, key, name, catalog.ModelNames, "models")?.Key;

    public static string? Provider(Settings settings, string key, string name, CatalogContents catalog)
    {
        if (catalog.Providers.FirstOrDefault(provider => Names.Fold(provider) == Names.Fold(name)) is { } found)
            return found;
        var near = Names.Nearest(Names.Fold(name), catalog.Providers.Select(Names.Fold));
        var meant = catalog.Providers.FirstOrDefault(provider => Names.Fold(provider) == near);
        var remedy = meant is null ? $"Known: {string.Join(", ", catalog.Providers)}" : $"Did you mean '{meant}'?";
        settings.Note(key, $"names '{name}', which offers nothing in the catalog", remedy);
        return null;
    }

    private static T? Find<T>(Settings settings, string key, string name, NameIndex<T> index, string kind)
        where T : class
    {
        if (index.Find(name) is { } found)
            return found;
        var near = index.Nearest(name);
        var remedy = near.Count > 0 ? $"Did you mean {string.Join(" or ", near)}?" : $"See 'catalog list {kind}'";
        settings.Note(key, $"names '{name}', which the catalog lacks", remedy);
        return null;
    }
}
