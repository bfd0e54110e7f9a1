namespace TokenFactory.Store.Ledger;

/// <summary>
/// One file of the journal: a head that says its form, then frames. Room for it is taken when it is made, as a file that does not grow is
/// forced to disk faster. Written by one at a time, read by another up to <see cref="Length"/>.
/// </summary>
internal sealed class Segment : IDisposable
{
    private readonly FileStream _file;
    private long _length;
    private volatile bool _closed;

    private Segment(string path, int number, FileStream file, long length) => (Path, Number, _file, _length) = (path, number, file, length);

    /// <summary>What each begins with: the form of the journal in the last byte but one.</summary>
    public static ReadOnlySpan<byte> Magic => "TFLDGR1\n"u8;

    public string Path { get; }

    public int Number { get; }

    /// <summary>Bytes that are written and durable, the head included.</summary>
    public long Length => Volatile.Read(ref _length);

    /// <summary>Whether nothing more is written to it.</summary>
    public bool Closed => _closed;

    /// <summary>A new one with room for so many bytes, or without where there is no such room.</summary>
    public static Segment Create(string folder, int number, long room, bool sync)
    {
        var path = System.IO.Path.Combine(folder, $"journal-{number:000000}.log");
        var file = Open(path, room);
        try
        {
            RandomAccess.Write(file.SafeFileHandle, Magic, 0);
            if (sync)
            {
                RandomAccess.FlushToDisk(file.SafeFileHandle);
                FolderSync.Force(folder);
            }

            return new Segment(path, number, file, Magic.Length);
        }
        catch
        {
            file.Dispose();
            File.Delete(path);
            throw;
        }
    }

    /// <summary>One that an earlier process wrote; nothing is added to it.</summary>
    public static Segment Reopen(string path, int number)
    {
        var file = new FileStream(path, Options(FileMode.Open));
        return new Segment(path, number, file, file.Length) { _closed = true };
    }

    /// <summary>Adds frames; they count once this returns. After an exception nothing more may be written.</summary>
    public void Write(ReadOnlySpan<byte> frames, bool sync)
    {
        RandomAccess.Write(_file.SafeFileHandle, frames, _length);
        if (sync)
            RandomAccess.FlushToDisk(_file.SafeFileHandle);
        Volatile.Write(ref _length, _length + frames.Length);
    }

    public int Read(Span<byte> into, long at) => RandomAccess.Read(_file.SafeFileHandle, into, at);

    /// <summary>Cuts it to a length: what lies behind is gone.</summary>
    public void Cut(long length)
    {
        RandomAccess.SetLength(_file.SafeFileHandle, length);
        Volatile.Write(ref _length, length);
    }

    /// <summary>Nothing more will be written to it. Room that was not used is given back, and with it what a failed write left.</summary>
    public void Close()
    {
        try
        {
            RandomAccess.SetLength(_file.SafeFileHandle, _length);
        }
        catch (IOException)
        {
            // The room stays taken until the segment is moved. Readers go by Length; only after a crash would the rest be looked at again.
        }

        _closed = true;
    }

    public void Delete()
    {
        Dispose();
        if (File.Exists(Path))
            File.Delete(Path);
    }

    public void Dispose() => _file.Dispose();

    private static FileStream Open(string path, long room)
    {
        var options = Options(FileMode.CreateNew);
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        try
        {
            options.PreallocationSize = room;
            var file = new FileStream(path, options);
            RandomAccess.SetLength(file.SafeFileHandle, room);
            return file;
        }
        catch (IOException) when (!File.Exists(path) && Directory.Exists(System.IO.Path.GetDirectoryName(path)))
        {
            // There is no such room on the disk; a few more records may still fit.
            options.PreallocationSize = 0;
            return new FileStream(path, options);
        }
    }

    private static FileStreamOptions Options(FileMode mode) =>
        new() { Mode = mode, Access = FileAccess.ReadWrite, Share = FileShare.Read, BufferSize = 0 };
}
