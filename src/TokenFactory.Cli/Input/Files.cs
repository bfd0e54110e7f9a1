using TokenFactory.Catalog;

namespace TokenFactory.Cli.Input;

/// <summary>Reads what the user names, and says plainly what is wrong with the path.</summary>
internal static class Files
{
    /// <summary>The files of a layer, in a fixed order.</summary>
    /// <param name="folder">Where the layer lies.</param>
    /// <param name="wanted">Which files to read, by their path in the layer; null for all.</param>
    public static IReadOnlyList<CatalogFile> Layer(string folder, Predicate<string>? wanted = null)
    {
        var names = Directory.GetFiles(folder, "*", SearchOption.AllDirectories);
        for (var i = 0; i < names.Length; i++)
            names[i] = Path.GetRelativePath(folder, names[i]).Replace('\\', '/');
        Array.Sort(names, StringComparer.Ordinal);
        var files = new List<CatalogFile>(names.Length);
        foreach (var name in names)
        {
            var isEntry = name.EndsWith(".json", StringComparison.Ordinal) || name.EndsWith(".csv", StringComparison.Ordinal);
            if (isEntry && wanted?.Invoke(name) != false)
                files.Add(new CatalogFile(name, Text(Path.Combine(folder, name))));
        }

        return files;
    }

    /// <summary>The catalog that ships with the program.</summary>
    public static string BuiltInCatalog { get; } = Path.Combine(AppContext.BaseDirectory, "catalog");

    /// <summary>The text of a file of the user's.</summary>
    public static string Text(string path) => Opened(path, File.ReadAllText);

    /// <summary>A file of the user's that is read line by line.</summary>
    public static StreamReader Reader(string path) => Opened(path, File.OpenText);

    private static T Opened<T>(string path, Func<string, T> open)
    {
        try
        {
            return open(path);
        }
        catch (Exception bad) when (bad is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            var what = Directory.Exists(path) ? "is a folder"
                : bad is FileNotFoundException or DirectoryNotFoundException ? "does not exist"
                : bad.Message;
            throw new Refusal(path, what, "Name a file that can be read");
        }
    }

    /// <summary>Writes a file whole or not at all: beside it first, then renamed over it. A link is written through.</summary>
    /// <param name="path">Where it goes.</param>
    /// <param name="text">What it holds.</param>
    /// <param name="remedy">What to do where it cannot be written.</param>
    public static void Replace(string path, string text, string remedy = "Name a folder that can be written with --catalog DIR") =>
        FileSet.Replace([(path, text)], remedy, newFolders: true);

    /// <summary>The same for a file that the user names: its folder must exist, so that a misspelt one makes none.</summary>
    /// <param name="path">Where it goes.</param>
    /// <param name="text">What it holds.</param>
    /// <param name="flag">The flag that named it.</param>
    public static void Write(string path, string text, string flag) =>
        FileSet.Replace([(path, text)], Elsewhere(flag), newFolders: false);

    /// <summary>The same line by line, for what is too long to hold.</summary>
    public static void Write(string path, IEnumerable<string> lines, string flag) => FileSet.Stream(path, lines, Elsewhere(flag));

    private static string Elsewhere(string flag) => $"Name a file in a folder that exists and can be written with {flag}";
}
