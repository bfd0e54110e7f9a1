namespace TokenFactory.Store.Ledger;

/// <summary>How records are kept until they are in the store.</summary>
/// <param name="Folder">Folder of the journal; made where it is not there. One process at a time has it.</param>
public sealed record JournalOptions(string Folder)
{
    /// <summary>
    /// Whether each group of records is forced to disk, so that it survives a power cut; otherwise it survives the end of this process
    /// only.
    /// </summary>
    public bool Sync { get; init; } = true;

    /// <summary>Bytes that may wait while the store is away; beyond them <see cref="LedgerWriter.Full"/> is true.</summary>
    public long MostWaitingBytes { get; init; } = 4L << 30;

    /// <summary>Size at which a segment is closed and another begun.</summary>
    internal int SegmentBytes { get; init; } = 16 << 20;
}

/// <summary>A record cannot be made durable (the disk is full or broken), or the journal's folder cannot be used.</summary>
public sealed class JournalException(string message, Exception? inner = null) : Exception(message, inner);
