namespace TokenFactory.Store.Ledger;

/// <summary>
/// Reads segments that an earlier process left: what follows on from the beginning is taken, the rest is cut off, kept and told.
/// </summary>
internal static class SegmentRepair
{
    private const int Chunk = 1 << 20;

    /// <summary>The segment in a file, cut to what is whole; null where no record is in it, and the file is gone.</summary>
    /// <exception cref="JournalException">A newer program wrote it, or it cannot be read.</exception>
    public static Segment? Open(string path, int number, Action<string> warn)
    {
        try
        {
            var segment = Segment.Reopen(path, number);
            try
            {
                var whole = Whole(segment);
                if (!Zeros(segment, whole))
                    SetAside(segment, whole, segment.Length, warn);
                segment.Cut(whole);
            }
            catch
            {
                segment.Dispose();
                throw;
            }

            if (segment.Length > Segment.Magic.Length)
                return segment;
            segment.Delete();
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new JournalException($"{path} cannot be read: {exception.Message}", exception);
        }
    }

    /// <summary>Keeps bytes of a segment that cannot be taken in a file beside it, and tells.</summary>
    public static void SetAside(Segment segment, long from, long to, Action<string> warn)
    {
        var beside = Path.ChangeExtension(segment.Path, $".{from}.damaged");
        using (var file = new FileStream(beside, FileMode.Create, FileAccess.Write))
        {
            var buffer = new byte[Chunk];
            for (var at = from; at < to;)
            {
                var read = segment.Read(buffer.AsSpan(0, (int)Math.Min(Chunk, to - at)), at);
                if (read == 0)
                    break;
                file.Write(buffer.AsSpan(0, read));
                at += read;
            }

            file.Flush(flushToDisk: true);
        }

        warn($"{segment.Path} is damaged from byte {from} on: {to - from} bytes could not be read as records "
            + $"(a write that was cut short, or a broken disk). They are kept in {beside}.");
    }

    /// <summary>Length of what is whole: the head and frames that follow one another.</summary>
    private static long Whole(Segment segment)
    {
        var buffer = new byte[Chunk];
        var read = segment.Read(buffer, 0);
        if (!buffer.AsSpan(0, read).StartsWith(Segment.Magic))
            return Foreign(segment.Path, buffer.AsSpan(0, read));
        long at = Segment.Magic.Length;
        while (true)
        {
            read = segment.Read(buffer, at);
            var taken = 0;
            int frame;
            while ((frame = Frame.Read(buffer.AsSpan(taken, read - taken), out _)) > 0)
                taken += frame;
            at += taken;
            if (frame < 0 || read < buffer.Length)
                return at;
            if (taken == 0)
                buffer = new byte[buffer.Length + Frame.MostPayload];
        }
    }

    /// <summary>A file that does not begin as it should: of a newer form, or nothing of it can be read.</summary>
    private static long Foreign(string path, ReadOnlySpan<byte> begin)
    {
        var name = Segment.Magic[..^2];
        if (begin.StartsWith(name) && begin.Length > name.Length && begin[name.Length] > Segment.Magic[name.Length])
            throw new JournalException(
                $"{path} was written by a newer Token Factory. Start that one, so that it moves its records into the store.");
        return 0;
    }

    private static bool Zeros(Segment segment, long from)
    {
        var buffer = new byte[Chunk];
        for (int read; (read = segment.Read(buffer, from)) > 0; from += read)
        {
            if (buffer.AsSpan(0, read).ContainsAnyExcept((byte)0))
                return false;
        }

        return true;
    }
}
