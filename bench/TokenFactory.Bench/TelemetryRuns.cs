using System.Buffers;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using TokenFactory.Gateway.Telemetry;
using TokenFactory.Store.Ledger;
using TokenFactory.Units;

namespace TokenFactory.Bench;

/// <summary>What metrics cost: recording a request, alone, from two threads at once and while OTLP listens; and a scrape.</summary>
internal static class TelemetryRuns
{
    private const int Requests = 1_000_000;

    public static void Run()
    {
        using var metrics = new GatewayMetrics(TimeProvider.System);
        var records = Enumerable.Range(0, 1000).Select(i => Record($"tenant{i % 150}", $"model{i % 8}")).ToArray();
        Timed(metrics, records); // compiles
        var before = GC.GetAllocatedBytesForCurrentThread();
        var alone = Timed(metrics, records);
        var bytes = (double)(GC.GetAllocatedBytesForCurrentThread() - before) / Requests;
        Console.WriteLine($"record a request: {alone:F0} ns, {bytes:F1} bytes allocated");
        var both = Stopwatch.StartNew();
        Parallel.For(0, 2, _ => Timed(metrics, records));
        Console.WriteLine($"from two threads at once: {both.Elapsed.TotalNanoseconds / (2 * Requests):F0} ns of time for each");
        using (var listener = new MeterListener())
        {
            listener.InstrumentPublished = (instrument, me) => me.EnableMeasurementEvents(instrument);
            listener.SetMeasurementEventCallback<double>(static (_, _, _, _) => { });
            listener.Start();
            Timed(metrics, records);
            Console.WriteLine($"while a meter's listener listens: {Timed(metrics, records):F0} ns");
        }

        Scrape(metrics);
    }

    private static double Timed(GatewayMetrics metrics, UsageRecord[] records)
    {
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < Requests; i++)
            metrics.Finished(records[i % records.Length], 0.01, 200);
        return clock.Elapsed.TotalNanoseconds / Requests;
    }

    private static void Scrape(GatewayMetrics metrics)
    {
        var text = new ArrayBufferWriter<byte>(1 << 20);
        metrics.WriteText(text);
        const int Scrapes = 20;
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < Scrapes; i++)
        {
            text.Clear();
            metrics.WriteText(text);
        }

        var lines = text.WrittenSpan.Count((byte)'\n');
        var each = clock.Elapsed.TotalMilliseconds / Scrapes;
        Console.WriteLine($"scrape of {lines:N0} lines, {text.WrittenCount / 1024:N0} kB: {each:F1} ms");
    }

    private static UsageRecord Record(string tenant, string model) => new()
    {
        Id = "req-1",
        Tenant = tenant,
        Key = "abcdefgh",
        Model = model,
        Pool = "pool",
        Replica = "h100-0",
        Class = "chat",
        Endpoint = "chat",
        Outcome = Outcome.Completed,
        Arrival = Instant.AtSeconds(10),
        Dispatched = Instant.AtSeconds(10.1),
        FirstToken = Instant.AtSeconds(10.5),
        Ended = Instant.AtSeconds(12),
        Tokens = new TokenCounts(100, 20, 11),
        TokensFrom = TokensFrom.Engine,
        Charged = new Usd(0.000_123m),
        UsageCost = new Usd(0.000_012m),
        AllocationCost = new Usd(0.000_02m),
        Joules = 12.5,
        JoulesAt = "board",
        JoulesFrom = "estimated",
    };
}
