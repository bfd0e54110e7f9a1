using TokenFactory.Units;

namespace TokenFactory.Store.Ledger;

/// <summary>
/// The way of a record: (1) it is appended to a journal in the folder, together with all others of the moment (group commit); (2) then
/// whoever waits is told that it is durable; (3) a background task moves the journal into the store in batches, by identity, so that what
/// is moved twice counts once, and drops the journal's segments that are moved. While the store is away the journal grows. After a crash
/// the journal is read again; a torn tail is cut. One process at a time owns a folder (lock file).
/// </summary>
public sealed class LedgerWriter : IAsyncDisposable
{
    private const double MoveEverySeconds = 0.2;
    private const double MostBackoffSeconds = 10;

    private readonly IUsageStore _store;
    private readonly JournalOptions _options;
    private readonly TimeProvider _time;
    private readonly Action<string> _warn;
    private readonly Journal _journal;
    private readonly GroupCommit _commit;
    private readonly Mover _mover;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly List<(long Until, TaskCompletionSource Done)> _flushes = [];
    private TaskCompletionSource _kick = NewKick();
    private Task _moving = Task.CompletedTask;
    private long _awaySince; // nanoseconds since 1970; 0 while the store is there
    private Type? _told; // the kind of problem that was warned of last
    private bool _disposed;

    private LedgerWriter(IUsageStore store, JournalOptions options, TimeProvider time, Action<string> warn)
    {
        (_store, _options, _time, _warn) = (store, options, time, warn);
        _journal = new Journal(options, warn);
        _commit = new GroupCommit(_journal);
        _mover = new Mover(_journal, store, options.Folder, warn);
    }

    /// <summary>Bytes of records that wait for the store.</summary>
    public long WaitingBytes => _journal.Added - _journal.Moved;

    /// <summary>Whether more wait than <see cref="JournalOptions.MostWaitingBytes"/>: no more should be taken.</summary>
    public bool Full => WaitingBytes >= _options.MostWaitingBytes;

    /// <summary>Since when the store is away; null while it is there.</summary>
    public Instant? StoreAwaySince => Volatile.Read(ref _awaySince) is not 0 and var since ? new Instant(since) : null;

    /// <summary>Opens the journal in a folder, and begins to move what an earlier process left there. The store may be away.</summary>
    /// <param name="store">Where records end up; it is prepared here, and not disposed of.</param>
    /// <param name="options">Where the journal is, and how sure.</param>
    /// <param name="time">Clock of waits and of <see cref="StoreAwaySince"/>.</param>
    /// <param name="warn">Takes a sentence where an operator should look: the store is away, or back; something is damaged.</param>
    /// <param name="cancel">Ends the opening.</param>
    /// <exception cref="JournalException">Another process has the folder, it cannot be written, or a newer program wrote it.</exception>
    /// <exception cref="StoreTooNewException">A newer program made the store's tables.</exception>
    public static async Task<LedgerWriter> OpenAsync(
        IUsageStore store, JournalOptions options, TimeProvider time, Action<string>? warn, CancellationToken cancel)
    {
        try
        {
            await store.PrepareAsync(cancel);
        }
        catch (StoreAwayException)
        {
            // It is asked again, and told, by the task that moves records.
        }

        var writer = new LedgerWriter(store, options, time, warn ?? (_ => { }));
        writer._moving = Task.Run(writer.MoveAsync, CancellationToken.None);
        return writer;
    }

    /// <summary>Completes when the record is durable.</summary>
    /// <param name="record">What is to be kept.</param>
    /// <param name="here">Whether this thread may be held up by the disk: faster for a caller that is alone, slower where the thread has others to serve.</param>
    /// <exception cref="JournalException">It cannot be (the disk is full); the same record may be committed again.</exception>
    /// <exception cref="ArgumentException">The record is none: negative tokens, dollars or joules.</exception>
    public ValueTask CommitAsync(UsageRecord record, bool here = true)
    {
        RecordRules.Check(record);
        var writer = FrameWriter.Mine;
        RecordCodec.Write(writer, record);
        return _commit.AddAsync(writer.Frames, here);
    }

    /// <summary>Completes when all of them are durable.</summary>
    /// <exception cref="JournalException">They cannot be (the disk is full); the same ones may be committed again.</exception>
    /// <exception cref="ArgumentException">One of them is none: negative dollars, joules or seconds.</exception>
    public ValueTask CommitAsync(IReadOnlyList<MeterRecord> meters)
    {
        var writer = FrameWriter.Mine;
        foreach (var meter in meters)
        {
            RecordRules.Check(meter);
            RecordCodec.Write(writer, meter);
        }

        return meters.Count == 0 ? default : _commit.AddAsync(writer.Frames, here: false);
    }

    /// <summary>Waits until all that was committed by now is in the store; tries at once where the store was away.</summary>
    public Task FlushAsync(CancellationToken cancel)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            var until = _journal.Added;
            if (_journal.Moved >= until)
                return Task.CompletedTask;
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _flushes.Add((until, done));
            _kick.TrySetResult();
            return done.Task.WaitAsync(cancel);
        }
    }

    /// <summary>Writes what was committed, moves what the store takes, and leaves the rest in the journal for the next process.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_disposed)
                return;
            _disposed = true;
        }

        _commit.Dispose();
        await _stop.CancelAsync();
        await _moving;
        _journal.Finish();
        _journal.Dispose();
        foreach (var (_, done) in _flushes)
            done.TrySetCanceled(CancellationToken.None);
        _stop.Dispose();
    }

    private async Task MoveAsync()
    {
        var failures = 0;
        while (true)
        {
            var last = _stop.IsCancellationRequested;
            failures = await TryAsync() ? 0 : failures + 1;
            Answer();
            if (last)
                return;
            var seconds = failures == 0 ? MoveEverySeconds : Math.Min(MostBackoffSeconds, MoveEverySeconds * Math.Pow(2, failures));
            await WaitAsync(TimeSpan.FromSeconds(seconds));
        }
    }

    /// <summary>
    /// Whatever goes wrong, records stay in the journal and are tried again: the only thing worse than a full disk is a lost record.
    /// </summary>
    private async Task<bool> TryAsync()
    {
        try
        {
            await _mover.MoveAsync(CancellationToken.None);
            if (Interlocked.Exchange(ref _awaySince, 0) is not 0 and var since)
                _warn($"{_store.What} is there again after {(Now() - since) / 1e9:0.#} s; all records are in it.");
            return true;
        }
        catch (Exception problem)
        {
            var first = Interlocked.CompareExchange(ref _awaySince, Now(), 0) == 0;
            if (first || _told != problem.GetType())
            {
                _warn($"Records wait in {_options.Folder}, as the store does not take them: {problem.Message} "
                    + "It is tried again until it does.");
            }

            _told = problem.GetType();
            return false;
        }
    }

    private async Task WaitAsync(TimeSpan time)
    {
        using var wait = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        await Task.WhenAny(Task.Delay(time, _time, wait.Token), _kick.Task);
        await wait.CancelAsync();
        lock (_gate)
        {
            if (_kick.Task.IsCompleted)
                _kick = NewKick();
        }
    }

    private void Answer()
    {
        lock (_gate)
        {
            for (var i = _flushes.Count - 1; i >= 0; i--)
            {
                if (_flushes[i].Until > _journal.Moved)
                    continue;
                _flushes[i].Done.TrySetResult();
                _flushes.RemoveAt(i);
            }
        }
    }

    private long Now() => (_time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;

    private static TaskCompletionSource NewKick() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
