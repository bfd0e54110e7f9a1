using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using TokenFactory.Gateway.Tests.Faults;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Cli.Tests.Serve;

/// <summary>How much, how fast and for how long.</summary>
/// <param name="Streams">Streams at once.</param>
/// <param name="Chunks">Events of each.</param>
/// <param name="PaceSeconds">Seconds between them.</param>
/// <param name="Seconds">Seconds for which clients begin new streams.</param>
internal sealed record SoakPlan(int Streams, int Chunks, double PaceSeconds, double Seconds);

/// <summary>
/// Paced streams from engines on bare sockets to clients on bare sockets: one in a hundred clients vanishes, one in a hundred answers
/// breaks off. Each event tells when it left the engine, so that clients know how long it was under way.
/// </summary>
internal sealed class StreamSoak : IAsyncDisposable
{
    private const double VanishShare = 0.01;
    private const uint BreakEach = 100;
    private const int PerEngine = 250;
    private const double BinMicroseconds = 20;

    private readonly RawEngine[] _engines;
    private readonly int[] _transit = new int[100_000];
    private int _running;

    public StreamSoak(SoakPlan plan)
    {
        Plan = plan;
        _engines = [.. Enumerable.Range(0, Math.Max(2, plan.Streams / PerEngine)).Select(_ => new RawEngine(AnswerAsync))];
    }

    public SoakPlan Plan { get; }

    public IEnumerable<Uri> Engines => _engines.Select(engine => engine.Address);

    /// <summary>Requests that engines saw.</summary>
    public ConcurrentDictionary<string, byte> Sent { get; } = new();

    /// <summary>Answers that engines broke off.</summary>
    public ConcurrentDictionary<string, byte> Broken { get; } = new();

    /// <summary>Answers that clients saw in full.</summary>
    public ConcurrentDictionary<string, byte> Whole { get; } = new();

    /// <summary>Answers that clients left.</summary>
    public ConcurrentDictionary<string, byte> Left { get; } = new();

    /// <summary>Answers that were no streams, in words.</summary>
    public ConcurrentQueue<string> Refused { get; } = new();

    /// <summary>Streams that run at clients now.</summary>
    public int Running => Volatile.Read(ref _running);

    /// <summary>Microseconds that a share of the events were under way at most.</summary>
    public double TransitMicroseconds(double share)
    {
        var (all, passed) = (_transit.Sum(bin => (long)bin), 0L);
        for (var i = 0; i < _transit.Length; i++)
        {
            passed += _transit[i];
            if (passed >= all * share)
                return i * BinMicroseconds;
        }

        return double.PositiveInfinity;
    }

    public void ForgetTransit() => Array.Clear(_transit);

    /// <summary>Runs all clients to their ends.</summary>
    public Task RunAsync(Uri address, string key, CancellationToken stop)
    {
        var clock = Stopwatch.StartNew();
        return Task.WhenAll(Enumerable.Range(0, Plan.Streams).Select(i => Task.Run(
            async () =>
            {
                var dice = new Dice(i);
                await Task.Delay(TimeSpan.FromSeconds(dice.Real(0, Plan.Chunks * Plan.PaceSeconds / 2)), CancellationToken.None); // not all at one instant
                while (clock.Elapsed.TotalSeconds < Plan.Seconds && !stop.IsCancellationRequested)
                    await StreamAsync(address, key, dice);
            },
            CancellationToken.None)));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var engine in _engines)
            await engine.DisposeAsync();
    }

    private async ValueTask<bool> AnswerAsync(RawLine line)
    {
        Sent.TryAdd(line.Id, 0);
        var breaks = line.Id.Aggregate(2166136261u, (sum, letter) => (sum ^ letter) * 16777619) % BreakEach == 0 ? Plan.Chunks / 2 : -1;
        await line.BeginStreamAsync();
        for (var i = 0; i < Plan.Chunks; i++)
        {
            if (i == breaks)
            {
                Broken.TryAdd(line.Id, 0);
                line.Break();
                return false;
            }

            await line.ChunkAsync($"data: {{\"id\":\"a\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"@{Stopwatch.GetTimestamp()}@\"}}}}]}}\n\n");
            await Task.Delay(TimeSpan.FromSeconds(Plan.PaceSeconds), line.Stop);
        }

        await line.ChunkAsync($"data: {{\"id\":\"a\",\"choices\":[],\"usage\":{{\"prompt_tokens\":20,\"completion_tokens\":{Plan.Chunks}}}}}\n\ndata: [DONE]\n\n");
        await line.EndStreamAsync();
        return true;
    }

    private async Task StreamAsync(Uri address, string key, Dice dice)
    {
        using var client = await RawClient.ConnectAsync(address);
        await client.SendAsync(RawClient.Post(key, Factories.Body(stream: true), "Connection: close\r\n"));
        var vanishes = dice.Chance(VanishShare) ? dice.Whole(1, Plan.Chunks - 1) : int.MaxValue;
        var (id, events, tail) = ("", 0, "");
        Interlocked.Increment(ref _running);
        while (events < vanishes && await client.ReceiveAsync(CancellationToken.None) is { IsEmpty: false } some)
        {
            var text = Encoding.ASCII.GetString(some.Span);
            if (id.Length == 0 && !TryBegin(text, out id))
                break;
            events += Note(text);
            tail = (tail + text)[^Math.Min(64, tail.Length + text.Length)..];
        }

        Interlocked.Decrement(ref _running);
        if (events >= vanishes)
        {
            Left.TryAdd(id, 0);
            client.Break();
        }
        else if (tail.Contains("[DONE]", StringComparison.Ordinal) && tail.EndsWith("0\r\n\r\n", StringComparison.Ordinal))
        {
            Assert.True(Whole.TryAdd(id, 0), "an identity was given twice");
        }
    }

    private bool TryBegin(string text, out string id)
    {
        var at = text.IndexOf("x-request-id: ", StringComparison.OrdinalIgnoreCase);
        id = at < 0 ? "" : text[(at + 14)..text.IndexOf('\r', at)];
        if (text.StartsWith("HTTP/1.1 200", StringComparison.Ordinal))
            return true;
        Refused.Enqueue(text);
        return false;
    }

    private int Note(string text)
    {
        var (now, events) = (Stopwatch.GetTimestamp(), 0);
        for (var at = text.IndexOf('@'); at >= 0; at = text.IndexOf('@', at + 1))
        {
            var end = text.IndexOf('@', at + 1);
            if (end < 0)
                break;
            if (long.TryParse(text.AsSpan(at + 1, end - at - 1), CultureInfo.InvariantCulture, out var left))
                Interlocked.Increment(ref _transit[(int)Math.Min(_transit.Length - 1, Stopwatch.GetElapsedTime(left, now).TotalMicroseconds / BinMicroseconds)]);
            events++;
            at = end;
        }

        return events;
    }
}
