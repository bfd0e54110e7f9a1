using System.Diagnostics;
using Microsoft.Data.Sqlite;
using Npgsql;
using TokenFactory.Gateway.Hosting;
using TokenFactory.Store;
using TokenFactory.Store.Tests;
using TokenFactory.Tests.Laws;
using Ended = TokenFactory.Store.Ledger.Outcome;

namespace TokenFactory.Cli.Tests.Serve;

/// <summary>
/// Many streams at once through a gateway of its own process, while clients vanish, engines break off and the database is away: nothing is
/// lost, nothing is counted twice, and memory stays where it is. The long form holds 5,000 streams for ten minutes.
/// </summary>
/// <param name="postgres">A server that can really be stopped.</param>
public sealed class SoakTests(PostgresServer postgres)
{
    private const long MostBytes = 500L << 20;
    private const double MostGrowth = 1.1;

    private static SoakPlan Plan => Cases.Long ? new(5000, 30, 1, 600) : new(300, 20, 0.05, 6);

    [Fact]
    public async Task Nothing_is_lost_while_PostgreSQL_is_stopped_and_started_again()
    {
        var schema = await postgres.SchemaAsync(TestContext.Current.CancellationToken);
        using var folder = new TemporaryFolder();
        await using var soak = new StreamSoak(Plan);
        using var gateway = await StartAsync(folder, soak, "store: {postgres_env: LEDGER}", ("LEDGER", schema));

        await RunAsync(gateway, soak, async () =>
        {
            NpgsqlConnection.ClearAllPools();
            await postgres.StopAsync();
            await Task.Delay(TimeSpan.FromSeconds(Cases.Long ? 30 : 2.5), TestContext.Current.CancellationToken); // as long as it is away
            await postgres.StartAsync(TestContext.Current.CancellationToken);
        });

        await AssertBooksAsync(gateway, soak, StoreLocation.Postgres(schema));
    }

    [Fact]
    public async Task Nothing_is_lost_while_another_process_locks_the_SQLite_file()
    {
        using var folder = new TemporaryFolder();
        await using var soak = new StreamSoak(Cases.Long ? Plan with { Seconds = 90 } : Plan);
        using var gateway = await StartAsync(folder, soak, "");
        var file = Path.Combine(folder.Root, ".tokenfactory", GatewayHost.LedgerFile);

        await using var store = UsageStores.Open(StoreLocation.Sqlite(file)); // brings in the system's library
        await RunAsync(gateway, soak, async () =>
        {
            await using var other = new SqliteConnection($"Data Source={file};Pooling=False");
            await other.OpenAsync(TestContext.Current.CancellationToken);
            await using var transaction = other.BeginTransaction(System.Data.IsolationLevel.Serializable);
            await gateway.SaysAsync("is locked"); // longer than it waits for a lock
        });

        await AssertBooksAsync(gateway, soak, StoreLocation.Sqlite(file));
    }

    private static Task<GatewayProcess> StartAsync(TemporaryFolder folder, StreamSoak soak, string more, params (string, string)[] environment)
    {
        var yaml = Factories.Yaml(soak.Engines, "max_sequences: 1024", "limits: {waiting: 20000}\n" + more);
        return GatewayProcess.StartAsync(folder.Write("factory.yaml", yaml), folder.Root, environment);
    }

    /// <summary>Clients stream; once they are at it the database goes away; memory is looked at all the while.</summary>
    private static async Task RunAsync(GatewayProcess gateway, StreamSoak soak, Func<Task> away)
    {
        using var stop = new CancellationTokenSource();
        var clock = Stopwatch.StartNew();
        var load = soak.RunAsync(gateway.Address, Factories.Key, stop.Token);
        await gateway.UntilAsync(() => Task.FromResult(soak.Running > soak.Plan.Streams / 2 || load.IsCompleted), "half of the streams run");
        var outage = away();
        var (sizes, most) = (new List<(double Seconds, long Bytes)>(), 0);
        while (!load.IsCompleted)
        {
            sizes.Add((clock.Elapsed.TotalSeconds, gateway.WorkingSetBytes));
            most = Math.Max(most, soak.Running);
            await Task.WhenAny(load, Task.Delay(200, TestContext.Current.CancellationToken));
        }

        await load;
        await outage;
        Tell($"{most} streams at once, {soak.Sent.Count} in all; working set {sizes.Max(one => one.Bytes) >> 20} MiB at most; "
            + $"an event was under way {soak.TransitMicroseconds(0.5)} us (p50), {soak.TransitMicroseconds(0.99)} us (p99)");
        Assert.True(sizes.Max(one => one.Bytes) < MostBytes, $"{sizes.Max(one => one.Bytes) >> 20} MiB");
        if (soak.Plan.Seconds < 300)
            return;
        var (early, late) = (Median(sizes, 120, 300), Median(sizes, soak.Plan.Seconds - 180, soak.Plan.Seconds));
        Tell($"working set {early >> 20} MiB from minute 2 to 5, {late >> 20} MiB in the last three");
        Assert.True(late < early * MostGrowth, $"{early >> 20} MiB grew to {late >> 20} MiB");
    }

    /// <summary>Whatever was sent to an engine has one record, which says how it ended; the money adds up; nothing waits or is held.</summary>
    private static async Task AssertBooksAsync(GatewayProcess gateway, StreamSoak soak, StoreLocation ledger)
    {
        var admin = gateway.Greeting.GetProperty("admin_key").GetString()!;
        await gateway.UntilAsync(
            async () => (await gateway.AskAsync("/admin/v1/status", admin)).GetProperty("journal_bytes_waiting").GetInt64() == 0, "the journal is empty");
        var usage = (await gateway.AskAsync("/admin/v1/usage", admin)).GetProperty("usage")[0];
        Assert.Equal((0, 0m), (usage.GetProperty("running").GetInt32(), usage.GetProperty("reserved_usd").GetDecimal()));
        var replicas = (await gateway.AskAsync("/admin/v1/replicas", admin)).GetProperty("replicas");
        Assert.All(replicas.EnumerateArray(), replica => Assert.Equal(0, replica.GetProperty("in_flight").GetInt32()));
        Assert.Equal(0, await gateway.StopAsync());

        Assert.Empty(soak.Refused);
        var records = await Factories.RecordsAsync(ledger);
        var ended = records.ToDictionary(record => record.Id, record => record.Outcome); // each once
        Assert.Equal(soak.Sent.Keys.Order(), ended.Keys.Order());
        Assert.All(soak.Whole.Keys, id => Assert.Equal(Ended.Completed, ended[id]));
        Assert.All(soak.Broken.Keys.Except(soak.Left.Keys), id => Assert.Equal(Ended.Failed, ended[id]));
        Assert.All(soak.Left.Keys.Except(soak.Broken.Keys), id => Assert.NotEqual(Ended.Failed, ended[id])); // completed where its end was on the way
        Assert.All(records.Where(record => record.Outcome == Ended.Completed), record => Assert.True(soak.Whole.ContainsKey(record.Id) || soak.Left.ContainsKey(record.Id)));
        Assert.Contains(records, record => record.Outcome == Ended.Cancelled);
        Assert.True(!soak.Broken.IsEmpty && !soak.Left.IsEmpty && soak.Whole.Count > soak.Sent.Count * 0.95, $"{soak.Whole.Count} of {soak.Sent.Count} whole");
        Assert.Equal(usage.GetProperty("spent_usd_month").GetDecimal(), records.Sum(record => record.Charged.Value));
        Assert.All(records.Where(record => record.Outcome == Ended.Completed), record => Assert.Equal((20L, (long)soak.Plan.Chunks), (record.Tokens.Prompt, record.Tokens.Output)));
    }

    private static long Median(List<(double Seconds, long Bytes)> sizes, double from, double to)
    {
        var some = sizes.Where(one => one.Seconds >= from && one.Seconds < to).Select(one => one.Bytes).Order().ToList();
        return some[some.Count / 2];
    }

    private static void Tell(string words) => TestContext.Current.TestOutputHelper?.WriteLine(words);
}
