using System.Net;
using TokenFactory.Fleet;
using TokenFactory.Gateway.Live;
using TokenFactory.Gateway.Setup;
using TokenFactory.Policies;
using TokenFactory.Tests.Laws;
using TokenFactory.Workload.Traces;

namespace TokenFactory.Gateway.Tests.Live;

/// <summary>A log of events replays to the same decisions (law 9), and becomes a trace.</summary>
public sealed class ReplayTests
{
    private static readonly (string Name, Func<IRouter> New)[] Routers =
    [
        ("marginal-cost", () => new MarginalCostRouter()),
        ("prefix-affinity", () => new PrefixAffinityRouter()),
        ("power-of-two", () => new PowerOfTwoRouter()),
        ("round-robin", () => new RoundRobinRouter()),
    ];

    [Fact]
    public void Random_traffic_with_faults_replays_to_the_same_decisions() => Cases.Check(12, dice => Run(dice).GetAwaiter().GetResult());

    private static async Task Run(Dice dice)
    {
        using var folder = new TemporaryFolder();
        var (name, router) = Routers[dice.Whole(0, Routers.Length - 1)];
        var setup = Fleets.Setup(
            Fleets.Pool(dice.Whole(1, 20), Fleets.Facts(most: 8)), Fleets.Pool(dice.Whole(1, 3), Fleets.Facts("l40s", 1, 60_000, 4, 9000)));
        setup = setup with { Policies = setup.Policies with { Routing = name, Router = router } };
        var (clock, http, path) = (new HandClock(), new Answers(), folder.Path("events.jsonl"));
        var log = EventLog.Open(path, setup);
        long placed;
        await using (var fleet = await Fleets.StartAsync(setup, clock, http, log))
        {
            var traffic = new RandomTraffic(dice, fleet, clock, http);
            for (var i = 0; i < 400; i++)
            {
                traffic.Step();
                if (i % 100 == 99)
                    await fleet.BecomeAsync(Others(dice, setup.Models[0]), TestContext.Current.CancellationToken);
            }

            placed = await traffic.EndAsync();
        }

        await log.DisposeAsync();
        var report = Replay.Run(path, setup);
        Assert.Empty(report.Differences);
        Assert.Null(report.Stopped);
        Assert.Equal(report.Decisions, report.Equal);
        Assert.True(report.Decisions >= placed && report.Events >= 3 * placed, $"{report} of {placed}");
        Assert.Equal(0, log.Lost);
    }

    /// <summary>A changed file: the first pool has other replicas, some of them the same.</summary>
    private static ModelSetup Others(Dice dice, ModelSetup model)
    {
        var (from, count) = (dice.Whole(0, 10), dice.Whole(1, 20));
        var changed = model.Pools[0] with { Replicas = [.. Fleets.Pool(from + count).Replicas.Skip(from)] };
        return model with { Pools = [changed, .. model.Pools.Skip(1)] };
    }

    [Fact]
    public async Task A_log_of_another_setup_is_refused_with_what_differs()
    {
        using var folder = new TemporaryFolder();
        var (path, setup) = (folder.Path("events.jsonl"), Fleets.Setup(Fleets.Pool()));
        await LogAsync(path, setup, 0);
        var policies = setup.Policies with { Routing = "round-robin" };
        var other = Fleets.Setup(Fleets.Pool(facts: Fleets.Facts(usd: 2.5))) with { Policies = policies };
        var refused = Assert.Throws<EventLogException>(() => Replay.Run(path, other));
        const string price = "models[0].pools[0].usd_per_hour is 3 in the log and 2.5 in the factory file";
        Assert.Contains(price, refused.Message, StringComparison.Ordinal);
        Assert.Contains("routing is \"marginal-cost\" in the log and \"round-robin\"", refused.Message, StringComparison.Ordinal);
        File.WriteAllText(path, "{\"format\":\"other\"}\n");
        Assert.Throws<EventLogException>(() => Replay.Run(path, setup));
        File.WriteAllText(path, "arrival_s,input_tokens\n");
        Assert.Throws<EventLogException>(() => Replay.Run(path, setup));
    }

    [Fact]
    public async Task A_decision_that_was_tampered_with_is_found_and_told_in_words()
    {
        using var folder = new TemporaryFolder();
        var (path, setup) = (folder.Path("events.jsonl"), Fleets.Setup(Fleets.Pool()));
        await LogAsync(path, setup, 3);
        var lines = File.ReadAllLines(path);
        var at = Array.FindLastIndex(lines, line => line.Contains("\"decision\"", StringComparison.Ordinal));
        lines[at] = lines[at].Replace("\"replica\":0", "\"replica\":1", StringComparison.Ordinal);
        File.WriteAllLines(path, lines);
        var report = Replay.Run(path, setup);
        Assert.Equal((3, 2), (report.Decisions, report.Equal));
        Assert.StartsWith($"line {at + 1}: request 3 goes to replica 1", Assert.Single(report.Differences), StringComparison.Ordinal);
        Assert.Contains("decided again it goes to replica 0", report.Differences[0], StringComparison.Ordinal);
        File.WriteAllText(path, string.Join('\n', lines)[..^20]); // the machine stopped while it was written
        Assert.Equal(3, Replay.Run(path, setup).Decisions);
    }

    [Fact]
    public async Task Where_the_disk_falls_behind_fleets_go_on_and_the_log_says_what_is_missing()
    {
        using var folder = new TemporaryFolder();
        var (path, setup, disk) = (folder.Path("events.jsonl"), Fleets.Setup(Fleets.Pool()), new StuckDisk());
        var log = new EventLog(path, disk, setup);
        disk.Stuck.Reset();
        for (var i = 0; i < EventLog.MostWaiting + 100_000; i++)
            log.Applied(0, new FleetEvent(FleetEventKind.Limited, new(i), 0) { MostInFlight = 1 }, null, null);
        disk.Stuck.Set();
        await log.DisposeAsync();
        File.WriteAllBytes(path, disk.Written.ToArray());
        Assert.InRange(log.Lost, 1, 100_000);
        var lines = File.ReadAllLines(path);
        Assert.Equal($"{{\"lost\":{log.Lost}}}", lines[^1]);
        Assert.Equal(EventLog.MostWaiting + 100_000 - log.Lost, lines.Length - 2);
        File.WriteAllLines(path, [lines[0], lines[^1], lines[1]]);
        Assert.StartsWith($"{log.Lost} lines are missing at line 2", Replay.Run(path, setup).Stopped, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_requests_of_a_log_become_a_trace_that_reads_back()
    {
        using var folder = new TemporaryFolder();
        var (path, clock, setup) = (folder.Path("events.jsonl"), new HandClock(), Fleets.Setup(Fleets.Pool()));
        var log = EventLog.Open(path, setup);
        PrefixKey[] keys = [new(ulong.MaxValue, 300), new(7, 600), new(8, 900)];
        await using (var fleet = await Fleets.StartAsync(setup, clock, null, log))
        {
            var requests = new Requests(fleet, clock);
            var first = await requests.SendAsync(requests.New(1000, prefix: keys, maxTokens: 50));
            clock.Advance(2);
            var second = await requests.SendAsync(requests.New(500, kind: 0, tenant: 3));
            clock.Advance(0.5);
            var failed = await requests.SendAsync(requests.New(800, prefix: keys));
            var retried = await requests.SendAsync(requests.Fail(failed).Next);
            var left = await requests.SendAsync(requests.New());
            left.End(requests.Now, false, 0, null, null); // got nothing
            requests.Answer(second, tokens: 20);
            retried.FirstToken(requests.Now);
            retried.End(requests.Now, true, 30, 700, 300); // the engine counts fewer tokens than were thought
            requests.Answer(first, tokens: 50);
        }

        await log.DisposeAsync();
        var rows = EventTrace.Rows(path, "m").ToList();
        Assert.Equal([(1000, 50), (500, 20), (700, 30)], rows.Select(row => (row.InputTokens, row.OutputTokens)));
        Assert.Equal([0, 2, 2.5], rows.Select(row => Math.Round(row.Seconds, 6)));
        Assert.Equal([("tenant-0", 50), ("tenant-3", 0), ("tenant-0", 0)], rows.Select(row => (row.Tenant, row.MaxTokens)));
        Assert.Equal(rows[0].Prefix.ToArray()[..2], rows[2].Prefix.ToArray()); // 900 of 700 tokens cannot be shared
        var trace = new TraceLog();
        var back = TraceReader.Rows(EventTrace.Lines(path), trace).ToList();
        Assert.Empty(trace.Mistakes);
        Assert.Equal([(1000, 50), (500, 20), (700, 30)], back.Select(row => (row.InputTokens, row.OutputTokens)));
        Assert.All(back, row => Assert.Equal("chat", row.Class));
        Assert.Throws<EventLogException>(() => EventTrace.Rows(path, "other").ToList());
    }

    /// <summary>A log of requests that are placed at once.</summary>
    private static async Task LogAsync(string path, GatewaySetup setup, int requests)
    {
        var (clock, log) = (new HandClock(), EventLog.Open(path, setup));
        await using (var fleet = await Fleets.StartAsync(setup, clock, null, log))
            await new Requests(fleet, clock).SendAsync(requests);
        await log.DisposeAsync();
    }

    /// <summary>A file whose disk takes nothing until it is told to.</summary>
    private sealed class StuckDisk : Stream
    {
        public ManualResetEventSlim Stuck { get; } = new(true);

        public MemoryStream Written { get; } = new();

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => Written.Length;

        public override long Position { get => Written.Position; set => throw new NotSupportedException(); }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Stuck.Wait();
            Written.Write(buffer);
        }
    }
}

/// <summary>
/// Draws what may happen to a live fleet: requests come, begin, end, fail and leave; replicas break, are drained and come back.
/// </summary>
internal sealed class RandomTraffic(Dice dice, LiveFleet fleet, HandClock clock, Answers http)
{
    private readonly Requests _requests = new(fleet, clock);
    private readonly List<(Task<Placement> Task, CancellationTokenSource Leaves)> _waiting = [];
    private readonly List<Leg> _legs = [];
    private long _placed;

    public void Step()
    {
        if (dice.Chance(0.3))
            clock.Advance(dice.Real(0, 0.5));
        Collect();
        switch (dice.Whole(0, 11))
        {
            case <= 4: Send(Draw()); break;
            case <= 6 when _legs.Count > 0: Any().FirstToken(_requests.Now); break;
            case <= 8 when _legs.Count > 0: End(); break;
            case 9 when _legs.Count > 0: Fail(); break;
            case 10 when _waiting.Count > 0 && dice.Chance(0.3): _waiting[dice.Whole(0, _waiting.Count - 1)].Leaves.Cancel(); break;
            case 11 when dice.Chance(0.3): Disturb(); break;
        }
    }

    /// <summary>Lets all that is there end.</summary>
    /// <returns>How many were placed.</returns>
    public async Task<long> EndAsync()
    {
        while (_waiting.Count > 0 || _legs.Count > 0)
        {
            Collect();
            while (_legs.Count > 0)
                End();
            clock.Advance(1);
            await Task.Yield();
        }

        return _placed;
    }

    private Ask Draw()
    {
        var prompt = (int)dice.Scale(10, 20_000);
        var keys = Enumerable.Range(1, Math.Min(prompt / 256, 40))
            .Select(i => new PrefixKey((ulong)((i * 1000) + dice.Whole(0, i > 3 ? 5 : 0)), i * 256));
        return _requests.New(prompt, dice.Chance(0.1) ? 1 : 0, dice.Whole(0, 5), dice.Chance(0.5) ? 300 : 0, [.. keys]);
    }

    private void Send(Ask ask)
    {
        var leaves = new CancellationTokenSource();
        _waiting.Add((_requests.PlaceAsync(ask, leaves.Token, dice.Chance(0.7)), leaves));
    }

    private void Collect()
    {
        foreach (var (task, leaves) in _waiting.FindAll(one => one.Task.IsCompleted))
        {
            _waiting.Remove((task, leaves));
            if (task.IsCompletedSuccessfully && task.Result.Leg is { } leg)
            {
                _legs.Add(leg);
                _placed++;
            }

            leaves.Dispose();
        }
    }

    private Leg Any() => _legs[dice.Whole(0, _legs.Count - 1)];

    private void End()
    {
        var leg = Any();
        _legs.Remove(leg);
        leg.End(_requests.Now, dice.Chance(0.9), dice.Whole(0, 400), leg.Ask.PromptTokens, null);
    }

    private void Fail()
    {
        var leg = Any();
        _legs.Remove(leg);
        var decision = leg.Fail(_requests.Now, dice.Chance(0.5) ? Mishap.AnswerLost : Mishap.ReplicaFailed, 0, dice.Chance(0.8)).Decision;
        if (decision.Next is { } next)
            Send(next);
    }

    private void Disturb()
    {
        var replica = fleet.Replicas[dice.Whole(0, fleet.Replicas.Count - 1)];
        switch (dice.Whole(0, 3))
        {
            case 0: fleet.Drain(replica); break;
            case 1: fleet.Resume(replica); break;
            case 2: http.Set(replica.Name, null); break;
            default: http.Set(replica.Name, HttpStatusCode.OK); break;
        }
    }
}
