namespace TokenFactory.Cli.Input;

/// <summary>A file that grows while the program runs, and takes its place only when it is whole.</summary>
internal sealed class StagedFile : IDisposable
{
    private readonly string _path;
    private readonly string _beside;
    private bool _kept;

    private StagedFile(string path, string beside, StreamWriter writer) => (_path, _beside, Writer) = (path, beside, writer);

    /// <summary>Where it is written.</summary>
    public StreamWriter Writer { get; }

    /// <summary>Begins one.</summary>
    /// <param name="path">Where it goes; its folder must exist.</param>
    /// <param name="flag">The flag that named it.</param>
    /// <exception cref="Refusal">It cannot be written.</exception>
    public static StagedFile Open(string path, string flag)
    {
        try
        {
            var full = FileSet.Target(path);
            if (FileSet.IsDevice(full))
                return new StagedFile(full, "", new StreamWriter(full));
            if (!Directory.Exists(Path.GetDirectoryName(full)))
                throw new IOException($"the folder {Path.GetDirectoryName(full)} does not exist");
            var beside = Path.Combine(Path.GetDirectoryName(full)!, $".{Path.GetFileName(full)}.{Environment.ProcessId}.tmp");
            return new StagedFile(full, beside, new StreamWriter(beside));
        }
        catch (Exception bad) when (bad is IOException or UnauthorizedAccessException)
        {
            throw new Refusal(
                path, $"cannot be written: {bad.Message.TrimEnd('.')}", $"Name a file in a folder that exists and can be written with {flag}");
        }
    }

    /// <summary>It is whole.</summary>
    public void Keep()
    {
        Writer.Dispose();
        if (_beside.Length > 0)
            File.Move(_beside, _path, overwrite: true);
        _kept = true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Writer.Dispose();
        if (!_kept && _beside.Length > 0)
            File.Delete(_beside);
    }
}
