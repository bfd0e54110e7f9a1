using System.Threading.Tasks.Sources;

namespace TokenFactory.Store.Ledger;

/// <summary>
/// Writes records of the same moment together: whoever comes joins the open group, which a thread of ours writes as soon as the one before
/// is done. A caller that is alone may write at once on its own thread, which saves two changes of thread. The right to write is _writing:
/// it passes from its taker to our thread with each release of _work, and is given back where no group waits.
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
    /// <param name="frames">What is to be written.</param>
    /// <param name="here">Whether the caller's thread may be held up by the disk.</param>
    public ValueTask AddAsync(ReadOnlySpan<byte> frames, bool here)
    {
        Group mine;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, typeof(LedgerWriter));
            _open.Add(frames);
            if (_writing || !here)
                return Join();
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

    /// <summary>Waits for the open group, and has our thread write it where it does not write already. For whoever holds the gate.</summary>
    private ValueTask Join()
    {
        if (!_writing)
        {
            _writing = true;
            _work.Release();
        }

        return _open.Done();
    }

    private void WriteGroups()
    {
        while (true)
        {
            _work.Wait();
            while (Next() is { } group)
            {
                var problem = Write(group);
                var waiters = group.Leave();
                Return(group, keep: true);
                Waiter.Tell(waiters, problem);
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
        Thread.Yield(); // on a busy core others are about to join, and forcing to disk costs as much for one record as for many
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
        private List<Waiter> _waiters = [];

        public ReadOnlySpan<byte> Frames => _bytes.AsSpan(0, _length);

        public void Add(ReadOnlySpan<byte> frames)
        {
            if (_bytes.Length - _length < frames.Length)
                Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + frames.Length));
            frames.CopyTo(_bytes.AsSpan(_length));
            _length += frames.Length;
        }

        public ValueTask Done()
        {
            var waiter = new Waiter();
            _waiters.Add(waiter);
            return waiter.Task;
        }

        /// <summary>Those who wait; from now on none does.</summary>
        public List<Waiter> Leave()
        {
            var waiters = _waiters;
            _waiters = new List<Waiter>(waiters.Count);
            return waiters;
        }

        public void Clear()
        {
            if (_bytes.Length > 16 * Usual)
                _bytes = new byte[Usual];
            _length = 0;
        }
    }

    /// <summary>One who waits.</summary>
    private sealed class Waiter : IValueTaskSource
    {
        private const int LeastTogether = 8;
        private ManualResetValueTaskSourceCore<bool> _core;

        public ValueTask Task => new(this, _core.Version);

        /// <summary>
        /// Lets all of them go on, on the pool: many on one thread, one after the other, as each has little to do and waking a thread costs as
        /// much.
        /// </summary>
        public static void Tell(List<Waiter> waiters, Exception? problem)
        {
            var together = Math.Max(LeastTogether, (waiters.Count + Environment.ProcessorCount - 1) / Environment.ProcessorCount);
            for (var from = 0; from < waiters.Count; from += together)
                ThreadPool.UnsafeQueueUserWorkItem(new Telling(waiters, from, Math.Min(from + together, waiters.Count), problem), preferLocal: false);
        }

        public void GetResult(short token) => _core.GetResult(token);

        public ValueTaskSourceStatus GetStatus(short token) => _core.GetStatus(token);

        public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
            _core.OnCompleted(continuation, state, token, flags);

        private void Complete(Exception? problem)
        {
            if (problem is null)
                _core.SetResult(true);
            else
                _core.SetException(problem);
        }

        private sealed class Telling(List<Waiter> waiters, int from, int to, Exception? problem) : IThreadPoolWorkItem
        {
            public void Execute()
            {
                for (var i = from; i < to; i++)
                    waiters[i].Complete(problem);
            }
        }
    }
}
