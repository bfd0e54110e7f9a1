namespace TokenFactory.Store.Ledger;

/// <summary>
/// The journal's folder: a lock, segments in their order, the last of them being written. What an earlier process left is read when it is
/// opened: what does not follow on is cut off and kept in a file beside.
/// </summary>
internal sealed class Journal : IDisposable
{
    private readonly Lock _gate = new();
    private readonly JournalOptions _options;
    private readonly FileStream _lock;
    private readonly Queue<Segment> _segments = [];
    private Segment? _last;
    private int _next = 1;
    private long _added;
    private long _moved;

    public Journal(JournalOptions options, Action<string> warn)
    {
        _options = options;
        _lock = Lock(options.Folder);
        try
        {
            foreach (var (path, number) in Files(options.Folder))
            {
                _next = number + 1;
                if (SegmentRepair.Open(path, number, warn) is { } segment)
                {
                    _segments.Enqueue(segment);
                    _added += segment.Length - Segment.Magic.Length;
                }
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Bytes of records that were ever added, those left by an earlier process included.</summary>
    public long Added => Volatile.Read(ref _added);

    /// <summary>Of them, bytes that are in the store.</summary>
    public long Moved => Volatile.Read(ref _moved);

    /// <summary>The oldest segment; null where there is none.</summary>
    public Segment? Oldest
    {
        get
        {
            lock (_gate)
                return _segments.TryPeek(out var segment) ? segment : null;
        }
    }

    /// <summary>Adds frames; for one thread at a time.</summary>
    /// <exception cref="JournalException">They could not be written; others may be, later.</exception>
    public void Write(ReadOnlySpan<byte> frames)
    {
        try
        {
            if (_last is { } full && full.Length + frames.Length > _options.SegmentBytes)
                End(full);
            _last ??= Begin(frames.Length);
            _last.Write(frames, _options.Sync);
            Volatile.Write(ref _added, _added + frames.Length);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // What was flushed in vain may be lost for ever, so this segment ends here and the next group begins another.
            if (_last is { } broken)
                End(broken);
            throw new JournalException(
                $"The journal in {_options.Folder} cannot be written: {exception.Message} "
                + "Make room or mend the disk (setting store.folder).",
                exception);
        }
    }

    /// <summary>So many bytes of the oldest segment are in the store.</summary>
    public void Move(long bytes) => Volatile.Write(ref _moved, _moved + bytes);

    /// <summary>The oldest segment is in the store as a whole.</summary>
    public void Drop(Segment oldest)
    {
        oldest.Delete();
        lock (_gate)
            _segments.Dequeue();
    }

    /// <summary>No more is written, and segments that are in the store as a whole go.</summary>
    public void Finish()
    {
        if (_last is { } last)
            End(last);
        while (Added == Moved && Oldest is { } empty)
            Drop(empty);
    }

    public void Dispose()
    {
        foreach (var segment in _segments)
            segment.Dispose();
        _lock.Dispose();
    }

    private static FileStream Lock(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            return new FileStream(Path.Combine(folder, "journal.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new JournalException(
                $"The journal in {folder} cannot be opened: another process has it, or the folder cannot be written ({exception.Message}). "
                + "Stop the other one, or set another store.folder.",
                exception);
        }
    }

    private static IEnumerable<(string Path, int Number)> Files(string folder) => Directory
        .GetFiles(folder, "journal-*.log")
        .Select(path => (Path: path, Number: Number(path)))
        .Where(file => file.Number > 0)
        .OrderBy(file => file.Number);

    private static int Number(string path) =>
        int.TryParse(Path.GetFileNameWithoutExtension(path).AsSpan("journal-".Length), out var number) ? number : 0;

    private Segment Begin(int least)
    {
        var segment = Segment.Create(
            _options.Folder, _next++, Math.Max(_options.SegmentBytes, least + Segment.Magic.Length), _options.Sync);
        lock (_gate)
            _segments.Enqueue(segment);
        return segment;
    }

    private void End(Segment segment)
    {
        segment.Close();
        _last = null;
    }
}
