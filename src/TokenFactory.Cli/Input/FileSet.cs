namespace TokenFactory.Cli.Input;

/// <summary>Files that belong together: written all, or none.</summary>
internal static class FileSet
{
    /// <summary>
    /// Writes every file beside its place first, then renames them; what cannot be written leaves the old ones as they were. Links are
    /// written through; devices are written to, as a name over them would take them away.
    /// </summary>
    /// <param name="files">Paths and texts.</param>
    /// <param name="remedy">What to do where one cannot be written.</param>
    /// <param name="newFolders">Whether folders that do not exist are made.</param>
    /// <exception cref="Refusal">One cannot be written.</exception>
    public static void Replace(IReadOnlyList<(string Path, string Text)> files, string remedy, bool newFolders)
    {
        var staged = new List<(string Beside, string Path)>();
        var at = "";
        try
        {
            foreach (var (path, text) in files)
            {
                at = path;
                var full = Target(path);
                if (IsDevice(full))
                {
                    File.WriteAllText(full, text);
                    continue;
                }

                var folder = Path.GetDirectoryName(full)!;
                if (newFolders)
                    Directory.CreateDirectory(folder);
                else if (!Directory.Exists(folder))
                    throw new IOException($"the folder {folder} does not exist");
                var beside = Path.Combine(folder, $".{Path.GetFileName(full)}.{Environment.ProcessId}.tmp");
                staged.Add((beside, full));
                File.WriteAllText(beside, text);
            }

            foreach (var (beside, path) in staged)
                File.Move(beside, path, overwrite: true);
        }
        catch (Exception bad) when (bad is IOException or UnauthorizedAccessException)
        {
            foreach (var (beside, _) in staged.Where(file => File.Exists(file.Beside)))
                File.Delete(beside);
            throw new Refusal(at, $"cannot be written: {bad.Message.TrimEnd('.')}", remedy);
        }
    }

    /// <summary>Writes one file line by line, whole or not at all, as <see cref="Replace"/> does.</summary>
    /// <param name="path">Where it goes; its folder exists.</param>
    /// <param name="lines">What it holds; a failure of whoever makes them leaves the old file as it was.</param>
    /// <param name="remedy">What to do where it cannot be written.</param>
    /// <exception cref="Refusal">It cannot be written.</exception>
    public static void Stream(string path, IEnumerable<string> lines, string remedy)
    {
        var beside = "";
        try
        {
            var full = Target(path);
            var folder = Path.GetDirectoryName(full)!;
            if (!Directory.Exists(folder))
                throw new IOException($"the folder {folder} does not exist");
            beside = IsDevice(full) ? "" : Path.Combine(folder, $".{Path.GetFileName(full)}.{Environment.ProcessId}.tmp");
            File.WriteAllLines(beside.Length > 0 ? beside : full, lines);
            if (beside.Length > 0)
                File.Move(beside, full, overwrite: true);
        }
        catch (Exception bad) when (bad is IOException or UnauthorizedAccessException)
        {
            throw new Refusal(path, $"cannot be written: {bad.Message.TrimEnd('.')}", remedy);
        }
        finally
        {
            if (beside.Length > 0 && File.Exists(beside))
                File.Delete(beside);
        }
    }

    /// <summary>The file behind a path.</summary>
    /// <exception cref="IOException">It is a folder, or no name at all.</exception>
    public static string Target(string path)
    {
        if (path.Length == 0)
            throw new IOException("its name is empty");
        var full = Path.GetFullPath(path);
        if (Directory.Exists(full))
            throw new IOException("it is a folder");
        return new FileInfo(full) is { LinkTarget: not null } link
            ? link.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? full
            : full;
    }

    /// <summary>Whether a path is that of a device, over which no file may be moved.</summary>
    public static bool IsDevice(string path) =>
        !OperatingSystem.IsWindows()
        && (path.StartsWith("/dev/", StringComparison.Ordinal) || path.StartsWith("/proc/", StringComparison.Ordinal));
}
