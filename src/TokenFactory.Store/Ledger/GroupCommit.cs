namespace TokenFactory.Store.Ledger;

/// <summary>
/// Writes records of the same moment together. Whoever comes while nobody writes, writes at once on its own thread, which is fastest when
/// requests are few; whoever comes meanwhile joins the next group, which a thread of ours writes as soon as the one before is done. The
/// right to write is _writing: it passes from its taker to the thread with each release of _work, and is given back where no group waits.
/// </summary>
internal sealed class GroupCommit : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Journal _journal;
    private readonly SemaphoreSlim _work = new(0);
    private readonly Thread _thread;
    private Group _open = new();
    private Group _spare = new();
    private bool _writing;
    private bool _closed;

    public GroupCommit(Journal journal)
    {
        _journal = journal;
        _thread = new Thread(WriteGroups) { IsBackground = true, Name = "ledger journal" };
        _thread.Start();
    }

    /// <summary>Completes when the frames are durable; fails with <see cref="JournalException"/> where they could not be written.</summary>
    public ValueTask AddAsync(ReadOnlySpan<byte> frames)
    {
        Group mine;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, typeof(LedgerWriter));
            _open.Add(frames);
            if (_writing)
                return new ValueTask(_open.Done());
            mine = Take();
        }

        var problem = Write(mine);
        if (!Return(mine))
            _work.Release();
        return problem is null ? default : ValueTask.FromException(problem);
    }

    /// <summary>Writes what was added; nothing may be added afterwards.</summary>
    public void Dispose()
    {
        var idle = false;
        lock (_gate)
        {
            if (!_closed && !_writing)
                idle = _writing = true;
            _closed = true;
        }

        if (idle)
            _work.Release();
        _thread.Join();
        _work.Dispose();
    }

    private void WriteGroups()
    {
        while (true)
        {
            _work.Wait();
            while (Next() is { } group)
            {
                var problem = Write(group);
                var done = group.Waiters;
                Return(group, keep: true);
                if (problem is null)
                    done?.SetResult();
                else
                    done?.SetException(problem);
            }

            lock (_gate)
            {
                if (_closed && !_writing)
                    return;
            }
        }
    }

    /// <summary>
    /// The open group, to be written; another one is open from now on. For whoever holds the gate while nobody else writes.
    /// </summary>
    private Group Take()
    {
        var group = _open;
        (_open, _writing) = (_spare, true);
        return group;
    }

    /// <summary>
    /// The next group of our thread, which has the right to write; null where there is none, and the right is given back.
    /// </summary>
    private Group? Next()
    {
        lock (_gate)
        {
            if (_open.Frames.Length > 0)
                return Take();
            _writing = false;
            return null;
        }
    }

    /// <summary>A group is written. True where the right to write is given back; otherwise our thread must go on.</summary>
    private bool Return(Group group, bool keep = false)
    {
        lock (_gate)
        {
            group.Clear();
            _spare = group;
            if (keep || _closed || _open.Frames.Length > 0)
                return false;
            _writing = false;
            return true;
        }
    }

    /// <summary>What went wrong, for those who wait: whatever it is, the next group is tried anew.</summary>
    private Exception? Write(Group group)
    {
        try
        {
            _journal.Write(group.Frames);
            return null;
        }
        catch (Exception problem)
        {
            return problem;
        }
    }

    /// <summary>Frames that are written together, and those who wait for it.</summary>
    private sealed class Group
    {
        private const int Usual = 64 << 10;
        private byte[] _bytes = new byte[Usual];
        private int _length;

        public ReadOnlySpan<byte> Frames => _bytes.AsSpan(0, _length);

        public TaskCompletionSource? Waiters { get; private set; }

        public void Add(ReadOnlySpan<byte> frames)
        {
            if (_bytes.Length - _length < frames.Length)
                Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + frames.Length));
            frames.CopyTo(_bytes.AsSpan(_length));
            _length += frames.Length;
        }

        public Task Done() => (Waiters ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

        public void Clear()
        {
            if (_bytes.Length > 16 * Usual)
                _bytes = new byte[Usual];
            (_length, Waiters) = (0, null);
        }
    }
}
