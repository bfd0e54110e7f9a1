namespace TokenFactory.Store.Ledger;

/// <summary>
/// Moves records from the journal into the store, oldest first, a batch at a time. A record that is moved twice (after a crash, or where
/// the store broke off after it had taken a batch) counts once, by its identity. For one task at a time.
/// </summary>
internal sealed class Mover(Journal journal, IUsageStore store, string folder, Action<string> warn)
{
    private const int Chunk = 1 << 20;
    private const int ManyBytes = 256 << 10;
    private const int ManyRecords = 512; // more would be faster, and hold up on a busy core whoever waits for an answer
    private const int FewRecords = 32; // less than a processor's time slice: where nothing presses, nobody waits for a batch
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(1);

    private readonly RecordBatch _batch = new();
    private readonly Names _names = new();
    private byte[] _buffer = new byte[Chunk];
    private bool _prepared;
    private Segment? _segment;
    private long _at;

    /// <summary>Moves what is there now. Whatever the store throws comes through; what was moved before stays moved.</summary>
    public async Task MoveAsync(CancellationToken cancel)
    {
        if (!_prepared)
        {
            await store.PrepareAsync(cancel);
            _prepared = true;
        }

        while (Open() is { } segment)
        {
            var closed = segment.Closed; // read before its length: a closed one does not grow
            var length = segment.Length;
            if (_at < length)
                await MoveSomeAsync(segment, length, cancel);
            else if (!closed)
                return;
            else
                Drop(segment);
        }
    }

    private Segment? Open()
    {
        if (_segment is null && (_segment = journal.Oldest) is not null)
            _at = Segment.Magic.Length;
        return _segment;
    }

    private void Drop(Segment segment)
    {
        journal.Drop(segment);
        _segment = null;
    }

    private async Task MoveSomeAsync(Segment segment, long length, CancellationToken cancel)
    {
        var few = journal.Added - journal.Moved < ManyBytes;
        var read = segment.Read(_buffer.AsSpan(0, (int)Math.Min(_buffer.Length, length - _at)), _at);
        _batch.Clear();
        var taken = Decode(_buffer.AsSpan(0, read), few ? FewRecords : ManyRecords);
        if (taken == 0 && read == _buffer.Length && _buffer.Length < Frame.MostPayload)
        {
            _buffer = new byte[Frame.MostPayload + Chunk];
            return;
        }

        if (taken == 0)
            taken = Leave(segment, length, _buffer.AsSpan(0, read));
        await AddAsync(_batch.Usage, _batch.Meters, cancel);
        if (few)
            await Task.Delay(Pause, CancellationToken.None);
        else
            await Task.Yield(); // a database may answer on a thread that serves sockets, which reading the next batch would hold up
        _at += taken;
        journal.Move(taken);
    }

    /// <summary>
    /// Reads whole frames from the beginning of some bytes into the batch, up to one that cannot be read; returns how many bytes they took.
    /// </summary>
    private int Decode(ReadOnlySpan<byte> bytes, int most)
    {
        var taken = 0;
        while (_batch.Count < most
            && Frame.Read(bytes[taken..], out var payload) is > 0 and var frame
            && RecordCodec.Read(payload, _names, _batch))
        {
            taken += frame;
        }

        return taken;
    }

    /// <summary>
    /// What cannot be read is kept and told: a record of a form that we do not know, or all that follows where it is broken. Returns its
    /// bytes.
    /// </summary>
    private int Leave(Segment segment, long length, ReadOnlySpan<byte> bytes)
    {
        if (Frame.Read(bytes, out _) is > 0 and var frame)
        {
            Refuse(bytes[..frame], "it is of a form that this program does not know.");
            return frame;
        }

        SegmentRepair.SetAside(segment, _at, length, warn);
        return (int)(length - _at);
    }

    /// <summary>Adds records; where one of them is unfit, in halves, so that only that one is left out.</summary>
    private async Task AddAsync(IReadOnlyList<UsageRecord> usage, IReadOnlyList<MeterRecord> meters, CancellationToken cancel)
    {
        if (usage.Count + meters.Count == 0)
            return;
        try
        {
            await store.AddAsync(usage, meters, cancel);
        }
        catch (UnfitRecordException problem) when (usage.Count + meters.Count == 1)
        {
            var writer = FrameWriter.Mine;
            if (usage.Count == 1)
                RecordCodec.Write(writer, usage[0]);
            else
                RecordCodec.Write(writer, meters[0]);
            Refuse(writer.Frames, problem.Message);
        }
        catch (UnfitRecordException)
        {
            await AddAsync([.. usage.Take((usage.Count + 1) / 2)], [.. meters.Take(meters.Count / 2)], cancel);
            await AddAsync([.. usage.Skip((usage.Count + 1) / 2)], [.. meters.Skip(meters.Count / 2)], cancel);
        }
    }

    /// <summary>Keeps a record that the store will never take, and tells.</summary>
    private void Refuse(ReadOnlySpan<byte> frame, string why)
    {
        var path = Path.Combine(folder, "refused.log");
        using (var file = new FileStream(path, FileMode.Append, FileAccess.Write))
        {
            file.Write(frame);
            file.Flush(flushToDisk: true);
        }

        warn($"A record cannot be taken into {store.What}: {why} It is kept in {path}.");
    }
}
