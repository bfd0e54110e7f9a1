namespace TokenFactory.Cli.Input;

/// <summary>Files that belong together: written all, or none.</summary>
internal static class FileSet
{
    /// <summary>
    /// Writes every file beside its place first, then renames them; what cannot be written leaves the old ones as they were.
    /// </summary>
    /// <param name="files">Paths and texts.</param>
    /// <param name="flag">The flag that named the folder, for the message.</param>
    /// <exception cref="Refusal">One cannot be written.</exception>
    public static void Replace(IReadOnlyList<(string Path, string Text)> files, string flag)
    {
        var staged = new List<(string Beside, string Path)>();
        try
        {
            foreach (var (path, text) in files)
            {
                var full = Path.GetFullPath(path);
                if (Directory.Exists(full))
                    throw new IOException("it is a folder");
                var folder = Path.GetDirectoryName(full)!;
                Directory.CreateDirectory(folder);
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
            var path = files[Math.Max(0, staged.Count - 1)].Path;
            throw new Refusal(path, $"cannot be written: {bad.Message}", $"Name another place with {flag}");
        }
    }
}
