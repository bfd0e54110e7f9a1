using TokenFactory.Catalog;

namespace TokenFactory.Tests.Catalog;

/// <summary>The files of the shipped catalog, and catalogs made of other files.</summary>
internal static class CatalogFiles
{
    public static IReadOnlyList<CatalogFile> All { get; } =
    [
        .. Directory.EnumerateFiles(Repository.Path("catalog"), "*", SearchOption.AllDirectories)
            .Select(file => new CatalogFile(Path.GetRelativePath(Repository.Path("catalog"), file).Replace('\\', '/'), File.ReadAllText(file)))
            .OrderBy(file => file.Path, StringComparer.Ordinal),
    ];

    public static CatalogContents Shipped { get; } = Read([All], out _);

    public static CatalogFile One(string path) => All.Single(file => file.Path == path);

    public static CatalogContents Read(IReadOnlyList<IReadOnlyList<CatalogFile>> layers, out List<Mistake> mistakes)
    {
        mistakes = [];
        return CatalogReader.Read(layers, mistakes);
    }

    /// <summary>The mistakes of the shipped catalog with further files laid over it.</summary>
    public static IEnumerable<string> MistakesWith(params CatalogFile[] overlay)
    {
        Read([All, overlay], out var mistakes);
        return mistakes.Select(mistake => mistake.ToString());
    }
}
