using TokenFactory.Catalog;

namespace TokenFactory.Cli.Input;

/// <summary>Where the files of one command lie: none that it writes may be one that it reads, or that it writes already.</summary>
internal static class FilePlaces
{
    /// <summary>Refuses files that would overwrite others, before anything is written.</summary>
    /// <param name="read">Files that are read; null where none is.</param>
    /// <param name="written">Files that are written, by the flags that name them; null where none is.</param>
    /// <exception cref="Refusal">Some would; all of them at once.</exception>
    public static void Apart(IEnumerable<string?> read, params IEnumerable<(string Flag, string? Path)> written) =>
        Refusal.IfAny(Clashes(read, written));

    /// <summary>Files that would overwrite others, as mistakes.</summary>
    public static List<Mistake> Clashes(IEnumerable<string?> read, IEnumerable<(string Flag, string? Path)> written)
    {
        var mistakes = new List<Mistake>();
        var taken = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var path in read)
        {
            if (Full(path) is { } full)
                taken.TryAdd(full, "which is read");
        }

        foreach (var (flag, path) in written)
        {
            if (Full(path) is { } full && !taken.TryAdd(full, $"and so is {flag}"))
                mistakes.Add(new Mistake("command line", $"{flag} is '{path}', {taken[full]}", "Name another file"));
        }

        return mistakes;
    }

    /// <summary>The file behind a path; null for none, for a device, which takes what many write, or where it cannot be followed.</summary>
    private static string? Full(string? path)
    {
        if (path is null)
            return null;
        try
        {
            var full = FileSet.Target(path);
            return FileSet.IsDevice(full) ? null : full;
        }
        catch (Exception bad) when (bad is IOException or UnauthorizedAccessException)
        {
            return null; // whoever opens it says what is wrong
        }
    }
}
