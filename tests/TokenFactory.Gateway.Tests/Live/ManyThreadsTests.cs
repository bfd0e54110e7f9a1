using TokenFactory.Fleet;
using TokenFactory.Gateway.Live;
using TokenFactory.Policies;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Gateway.Tests.Live;

/// <summary>Many threads at one fleet: whatever they do, requests in = those placed, shed, refused and left (law 3).</summary>
public sealed class ManyThreadsTests
{
    private const int Threads = 12;

    [Fact]
    public async Task Counts_add_up_whatever_many_threads_do()
    {
        var each = Cases.Long ? 50_000 : 2_500;
        using var folder = new TemporaryFolder();
        var path = folder.Path("events.jsonl");
        var setup = Fleets.Setup(Fleets.Pool(1, Fleets.Facts(most: 1)), Fleets.Pool(1, Fleets.Facts("l40s", 1, most: 1)));
        setup = setup with
        {
            Limits = new() { Waiting = 2, WaitSeconds = 0.02 },
            Health = new() { OpenSeconds = 0.01, SlowStartSeconds = 0.01 },
        };
        var log = EventLog.Open(path, setup);
        var tally = new long[6];
        await using (var fleet = new LiveFleet(
            setup.Models[0], setup, new WallClock(TimeProvider.System), log, new HttpMessageInvoker(new Answers()),
            Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance))
        {
            await fleet.StartAsync(TestContext.Current.CancellationToken);
            await Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Task.Run(() => Work(fleet, thread, each, tally))));
            Assert.All(fleet.Replicas, replica => Assert.Equal(0, replica.InFlight));
            Assert.Equal((0, 0), (fleet.WaitingOf(0), fleet.WaitingOf(1)));
            await fleet.DrainAsync(TestContext.Current.CancellationToken);
        }

        await log.DisposeAsync();
        var (asked, placed, shed, left, ended, failed) = (tally[0], tally[1], tally[2], tally[3], tally[4], tally[5]);
        Assert.Equal(asked, placed + shed + left);
        Assert.Equal(placed, ended + failed);
        Assert.True(placed > asked / 20 && shed > 0 && left > 0 && failed > 0, string.Join(' ', tally));
        var report = Replay.Run(path, setup);
        Assert.Null(report.Stopped);
        Assert.Equal(report.Decisions, report.Equal);
    }

    private static async Task Work(LiveFleet fleet, int thread, int count, long[] tally)
    {
        var (dice, wall) = (new Dice(thread), new WallClock(TimeProvider.System));
        for (var i = 0; i < count; i++)
        {
            var ask = new Ask
            {
                Id = ((long)thread << 32) + i,
                Arrival = wall.Now,
                PromptTokens = dice.Whole(1, 4000),
                Class = dice.Chance(0.2) ? 1 : 0,
                Tenant = thread,
                Prefix = new PrefixKey[] { new((ulong)dice.Whole(0, 20), 1) },
            };
            await Follow(fleet, ask, dice, wall, tally);
        }
    }

    private static async Task Follow(LiveFleet fleet, Ask ask, Dice dice, WallClock wall, long[] tally)
    {
        using var leaves = new CancellationTokenSource();
        for (Ask? next = ask; next is not null;)
        {
            Interlocked.Increment(ref tally[0]);
            var placing = fleet.PlaceAsync(next, leaves.Token, dice.Chance(0.5));
            if (dice.Chance(0.1))
                await leaves.CancelAsync();
            Placement placement;
            try
            {
                placement = await placing;
            }
            catch (OperationCanceledException)
            {
                Interlocked.Increment(ref tally[3]);
                return;
            }

            Assert.Null(placement.Refused);
            if (placement.Leg is not { } leg)
            {
                Interlocked.Increment(ref tally[2]);
                return;
            }

            Interlocked.Increment(ref tally[1]);
            next = await End(leg, dice, wall, tally);
        }
    }

    private static async Task<Ask?> End(Leg leg, Dice dice, WallClock wall, long[] tally)
    {
        if (dice.Chance(0.5))
            await Task.Yield();
        if (dice.Chance(0.7))
            leg.FirstToken(wall.Now);
        if (dice.Chance(0.1))
        {
            Interlocked.Increment(ref tally[5]);
            return leg.Fail(wall.Now, Mishap.AnswerLost, 0, dice.Chance(0.9)).Decision.Next;
        }

        Interlocked.Increment(ref tally[4]);
        var cost = leg.End(wall.Now, dice.Chance(0.9), dice.Whole(0, 100), null, null);
        Assert.True(cost is { UsageUsd: >= 0, Joules: >= 0 } && cost.AllocationUsd >= cost.UsageUsd);
        return null;
    }
}
