using System.Diagnostics;
using TokenFactory.Store;
using TokenFactory.Store.Ledger;
using TokenFactory.Units;

namespace TokenFactory.Bench;

/// <summary>
/// The ledger: what it takes until a record is durable, for one caller and for many, beside the same bytes appended and forced to disk one
/// by one; and what it takes to move records into the store.
/// </summary>
internal static class LedgerRuns
{
    private const int Moved = 100_000;
    private static readonly TimeSpan Each = TimeSpan.FromSeconds(2);

    /// <summary>ledger [CONNECTION]: with a connection string, records are moved into PostgreSQL besides.</summary>
    public static async Task RunAsync(string[] arguments)
    {
        foreach (var sync in new[] { true, false })
        {
            var alone = OneByOne(sync);
            Console.WriteLine($"{Named(sync)}, one by one behind a lock: {alone:N0} records/s");
            foreach (var callers in new[] { 1, 32, 256 })
                await CommitAsync(callers, sync, alone);
        }

        await MoveAsync("SQLite", folder => StoreLocation.Sqlite(Path.Combine(folder, "ledger.db")));
        if (arguments is [var connection])
            await MoveAsync("PostgreSQL", _ => StoreLocation.Postgres(connection));
    }

    private static string Named(bool sync) => sync ? "forced to disk" : "left to the system";

    /// <summary>What any program can do without groups: one write, one flush, the next.</summary>
    private static double OneByOne(bool sync)
    {
        var path = Path.GetTempFileName();
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 0, FileOptions.DeleteOnClose);
        var (bytes, written, clock) = (new byte[230], 0L, Stopwatch.StartNew());
        for (; clock.Elapsed < Each; written++)
        {
            RandomAccess.Write(file.SafeFileHandle, bytes, written * bytes.Length);
            if (sync)
                RandomAccess.FlushToDisk(file.SafeFileHandle);
        }

        return written / clock.Elapsed.TotalSeconds;
    }

    private static async Task CommitAsync(int callers, bool sync, double alone)
    {
        await InFolderAsync(async folder =>
        {
            await using var store = UsageStores.Open(StoreLocation.Sqlite(Path.Combine(folder, "ledger.db")));
            await using var ledger = await LedgerWriter.OpenAsync(
                store, new JournalOptions(folder) { Sync = sync }, TimeProvider.System, Console.Error.WriteLine, default);
            await LoadAsync(ledger, callers, TimeSpan.FromMilliseconds(500), "warm");
            var (cpu, clock) = (Environment.CpuUsage.TotalTime, Stopwatch.StartNew());
            var waits = await LoadAsync(ledger, callers, Each, "run");
            var rate = waits.Length / clock.Elapsed.TotalSeconds;
            await ledger.FlushAsync(default);
            var used = (Environment.CpuUsage.TotalTime - cpu).TotalMicroseconds / waits.Length;
            Array.Sort(waits);
            Console.WriteLine(
                $"{Named(sync)}, {callers} callers: {rate:N0} records/s, {rate / alone:0.00} of one by one; "
                + $"p50 {Micro(0.5)} us, p99 {Micro(0.99)} us; "
                + $"{used:0.0} us of processor a record until it is in SQLite");

            string Micro(double share) => $"{waits[(int)(waits.Length * share)] * 1e6 / Stopwatch.Frequency:0}";
        });
    }

    private static async Task<long[]> LoadAsync(LedgerWriter ledger, int callers, TimeSpan time, string name)
    {
        var clock = Stopwatch.StartNew();
        var waits = await Task.WhenAll(Enumerable.Range(0, callers).Select(caller => Task.Run(async () =>
        {
            List<long> mine = [];
            while (clock.Elapsed < time)
            {
                var record = Record(name, caller, mine.Count);
                var begun = Stopwatch.GetTimestamp();
                await ledger.CommitAsync(record);
                mine.Add(Stopwatch.GetTimestamp() - begun);
            }

            return mine;
        })));
        return [.. waits.SelectMany(list => list)];
    }

    private static async Task MoveAsync(string name, Func<string, StoreLocation> place)
    {
        await InFolderAsync(async folder =>
        {
            await using var store = UsageStores.Open(place(folder));
            await store.PrepareAsync();
            var run = Guid.NewGuid().ToString("N");
            var records = Enumerable.Range(0, Moved).Select(i => Record(run, i % 32, i)).ToList();
            await store.AddAsync(records[..1000], []);
            var (cpu, clock) = (Environment.CpuUsage.TotalTime, Stopwatch.StartNew());
            foreach (var chunk in records.Skip(1000).Chunk(3000))
                await store.AddAsync(chunk, []);
            var (seconds, used) = (clock.Elapsed.TotalSeconds, Environment.CpuUsage.TotalTime - cpu);
            Console.WriteLine(
                $"into {name}: {Moved / seconds:N0} records/s, {used.TotalMicroseconds / Moved:0.0} us of our processor a record");
        });
    }

    private static async Task InFolderAsync(Func<string, Task> work)
    {
        var folder = Directory.CreateTempSubdirectory("tokenfactory-bench-").FullName;
        try
        {
            await work(folder);
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    private static UsageRecord Record(string run, int caller, int number)
    {
        var now = 1_795_305_600_000_000_000L + (number * 1_000_000L);
        return new UsageRecord
        {
            Id = $"chatcmpl-{run}-{caller}-{number}",
            Tenant = $"tenant-{caller % 8}",
            Key = $"tf-4f9a{caller:x4}",
            Model = "llama-3.3-70b-instruct",
            Pool = "h100-sxm-tp2",
            Replica = $"h100-{caller % 4}",
            Class = "interactive",
            Endpoint = "chat",
            Outcome = Outcome.Completed,
            Arrival = new Instant(now),
            Dispatched = new Instant(now + 50_000),
            FirstToken = new Instant(now + 80_000_000),
            Ended = new Instant(now + 2_000_000_000),
            Tokens = new TokenCounts(812, 1024, 256),
            TokensFrom = TokensFrom.Engine,
            Charged = new Usd(0.000812345m),
            UsageCost = new Usd(0.000312345m),
            AllocationCost = new Usd(0.000412345m),
            Joules = 312.5,
            JoulesAt = "board",
            JoulesFrom = "estimated",
        };
    }
}
