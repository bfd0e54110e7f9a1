using System.Collections.Concurrent;
using TokenFactory.Store.Ledger;
using TokenFactory.Units;

namespace TokenFactory.Store.Tests.Ledger;

/// <summary>A folder with a journal and an SQLite store behind a door, and what was warned of.</summary>
internal sealed class JournalPlace : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("tf-journal-").FullName;

    public JournalPlace(StoreLocation? store = null) =>
        Store = new HeldStore(UsageStores.Open(store ?? StoreLocation.Sqlite(Path.Combine(_folder, "ledger.db"))));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public string Folder => Path.Combine(_folder, "journal");

    public HeldStore Store { get; }

    public HandClock Clock { get; } = new();

    public ConcurrentQueue<string> Warnings { get; } = [];

    public string[] Segments => [.. Directory.GetFiles(Folder, "journal-*.log").Order(StringComparer.Ordinal)];

    public string[] Damaged => Directory.GetFiles(Folder, "*.damaged");

    public Task<LedgerWriter> OpenAsync(int segmentBytes = 1 << 20, bool sync = false) => LedgerWriter.OpenAsync(
        Store, new JournalOptions(Folder) { Sync = sync, SegmentBytes = segmentBytes }, Clock, Warnings.Enqueue, Cancel);

    /// <summary>Identities of all usage records in the store.</summary>
    public async Task<List<string>> IdsAsync() => [.. (await UsageAsync()).Select(record => record.Id).Order(StringComparer.Ordinal)];

    public async Task<List<UsageRecord>> UsageAsync() =>
        await Store.UsageAsync(default, Instant.Never, Cancel).ToListAsync(Cancel);

    /// <summary>Writes records, each in a group of its own, into a journal that nobody empties, and leaves it.</summary>
    public async Task LeaveAsync(IEnumerable<UsageRecord> records, int segmentBytes)
    {
        Store.Shut = true;
        await using (var writer = await OpenAsync(segmentBytes))
        {
            foreach (var record in records)
                await writer.CommitAsync(record);
        }

        Store.Shut = false;
        Warnings.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        Directory.Delete(_folder, true);
    }
}
