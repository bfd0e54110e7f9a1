using System.Diagnostics;
using System.Net;
using TokenFactory.Fleet;
using TokenFactory.Gateway.Live;
using TokenFactory.Gateway.Setup;
using TokenFactory.Gateway.Tenants;
using TokenFactory.Policies;
using TokenFactory.Store;
using TokenFactory.Store.Tenants;
using TokenFactory.Units;

namespace TokenFactory.Bench;

/// <summary>What a request pays for its key, and for a place within all limits of its tenant.</summary>
internal static class TenantRuns
{
    private const int Requests = 500_000;
    private const int Keys = 1000;

    public static async Task RunAsync()
    {
        var folder = Directory.CreateTempSubdirectory("tokenfactory-bench-").FullName;
        try
        {
            await using var store = UsageStores.Open(StoreLocation.Sqlite(Path.Combine(folder, "ledger.db")));
            await store.PrepareAsync();
            await using var book = await TenantBook.OpenAsync(Setup(folder), store, new WallClock(TimeProvider.System), default);
            await MeasureAsync(book);
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    private static async Task MeasureAsync(TenantBook book)
    {
        var keys = new string[Keys];
        for (var i = 0; i < Keys; i++)
            keys[i] = "Bearer " + (await book.CreateKeyAsync($"tenant{i % 100}", "", null)).Text;
        Timed("find a key (warm-up)", i => book.Find(keys[i % Keys], out _));
        Timed($"find one of {Keys} keys", i => book.Find(keys[i % Keys], out _));
        var callers = keys.Select(key => book.Find(key, out _)!).ToArray();
        void Request(int i) => book.Reserve(callers[i % Keys], "llama", 1000, new Usd(0.001m), out _)!.Settle(new Usd(0.0004m), 300);
        Timed("reserve and settle (warm-up)", Request);
        Timed("reserve and settle within six limits", Request);
        var clock = Stopwatch.StartNew();
        Parallel.For(0, 2, thread =>
        {
            for (var i = 0; i < Requests; i++)
                Request(0);
        });
        Console.WriteLine($"the same for one tenant from two threads: {clock.Elapsed.TotalNanoseconds / (2 * Requests):F0} ns of time for each");
    }

    private static void Timed(string what, Action<int> act)
    {
        var (clock, before) = (Stopwatch.StartNew(), GC.GetAllocatedBytesForCurrentThread());
        for (var i = 0; i < Requests; i++)
            act(i);
        var bytes = (double)(GC.GetAllocatedBytesForCurrentThread() - before) / Requests;
        Console.WriteLine($"{what}: {clock.Elapsed.TotalNanoseconds / Requests:F0} ns, {bytes:F0} bytes allocated");
    }

    private static GatewaySetup Setup(string folder) => new()
    {
        Name = "bench",
        Listen = new ListenSetup(new IPEndPoint(IPAddress.Loopback, 0), new IPEndPoint(IPAddress.Loopback, 0)),
        Models = [],
        Classes = [new ServiceClass("chat")],
        Policies = new PolicySetup("least-outstanding", () => new LeastOutstandingRouter(), new Eligibility(), new Recovery()),
        Tenants = [.. Enumerable.Range(0, 100).Select(i => new TenantSetup(Tenant(i), []))],
        Store = new StoreSetup(folder),
    };

    private static TenantRecord Tenant(int i) => new($"tenant{i}")
    {
        RequestsPerMinute = int.MaxValue,
        TokensPerMinute = long.MaxValue / 2,
        Concurrency = 1000,
        UsdPerHour = new Usd(1_000_000_000),
        UsdPerDay = new Usd(1_000_000_000),
        UsdPerMonth = new Usd(1_000_000_000),
    };
}
