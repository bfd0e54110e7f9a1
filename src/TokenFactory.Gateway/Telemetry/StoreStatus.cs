using TokenFactory.Units;

namespace TokenFactory.Gateway.Telemetry;

/// <summary>How the ledger fares.</summary>
/// <param name="What">Which store, without secrets.</param>
/// <param name="AwaySince">Since when it cannot be reached; null while it can.</param>
/// <param name="JournalBytesWaiting">Bytes of records that wait for it.</param>
/// <param name="JournalFull">Whether so many wait that no request is taken.</param>
public sealed record StoreStatus(string What, Instant? AwaySince, long JournalBytesWaiting, bool JournalFull);
