using TokenFactory.Engine;
using TokenFactory.Gateway.Virtual;
using TokenFactory.Tests.Laws;
using TokenFactory.Units;
using TokenFactory.Workload;

namespace TokenFactory.Gateway.Tests.Virtual;

/// <summary>Wall time adds nothing: what the twin's engine does with some requests, the virtual engine does with them, to the
/// tick.</summary>
public sealed class DriverLaws
{
    private const int AllWritesAtOnce = int.MaxValue;

    [Fact]
    public void Tokens_are_seen_when_the_twin_generates_them() => Cases.Check(60, dice =>
    {
        var (mix, settings) = (Mix.Of(dice), Settings(dice));
        var live = Live(mix, settings);
        var twin = Twin(mix, settings);
        Assert.Equal(twin.Count, live.Count);
        foreach (var (id, expected) in twin)
            Assert.Equal((id, Times(expected)), (id, Times(live[id])));
    });

    [Fact]
    public void A_clock_that_is_late_moves_no_step() => Cases.Check(40, dice =>
    {
        var (mix, settings) = (Mix.Of(dice), Settings(dice));
        var (clock, driver) = Driver(settings, 10);
        var jobs = mix.Requests.ConvertAll(one => one.Job());
        Play(mix, clock, driver, jobs, () => { });
        clock.Advance(3600);
        var twin = Twin(mix, settings);
        driver.Look((_, _, _) => 0);
        foreach (var (job, one) in jobs.Zip(mix.Requests))
        {
            var (choice, expected) = (job.Choices[0], twin[one.Id]);
            Assert.Equal(
                (one.Id, expected.First, expected.End, expected.Tokens),
                (one.Id, choice.FirstToken, choice.EndedAt, choice.Tokens));
        }
    });

    [Fact]
    public void Blocks_are_free_or_held_or_cached_at_every_look_and_none_is_held_when_all_is_over() => Cases.Check(40, dice =>
    {
        var (mix, settings) = (Mix.Of(dice), Settings(dice));
        var (clock, driver) = Driver(settings, 100);
        Play(mix, clock, driver, mix.Requests.ConvertAll(one => one.Job()), () => Look());
        clock.Advance(3600);
        Assert.Equal(0, Look().HeldBlocks);

        ReplicaLoad Look()
        {
            var load = driver.Look((engine, _, now) => engine.Load(now));
            Assert.Equal(load.Blocks, load.FreeBlocks + load.HeldBlocks + load.CachedBlocks);
            return load;
        }
    });

    private static string Times(Seen seen) => $"{seen.First} {seen.End} {seen.Tokens}: {string.Join(", ", seen.Steps)}";

    private static EngineSettings Settings(Dice dice) => Engines.Pool().Settings with
    {
        MaxSequences = dice.Whole(1, 40),
        TokenBudget = 1 << dice.Whole(7, 13),
        Blocks = dice.Chance(0.5) ? dice.Whole(300, 900) : null,
        PrefixCaching = dice.Chance(0.7),
    };

    private static (HandClock Clock, EngineDriver Driver) Driver(EngineSettings settings, int writes)
    {
        var clock = new HandClock();
        return (clock, new EngineDriver(Engines.Pool().Facts.Model, settings, writes, clock));
    }

    /// <summary>What the driver shows, each time that its timer has fired.</summary>
    private static SortedDictionary<long, Seen> Live(Mix mix, EngineSettings settings)
    {
        var hand = new HandClock();
        var jobs = mix.Requests.ConvertAll(one => one.Job());
        var seen = new SortedDictionary<long, Seen>();
        foreach (var one in mix.Requests)
            seen.Add(one.Id, new Seen());
        var start = hand.GetTimestamp();
        var driver = new EngineDriver(
            Engines.Pool().Facts.Model,
            settings, AllWritesAtOnce,
            new WatchedClock(hand, () => Watch(new Instant((hand.GetTimestamp() - start) * 100))));
        Play(mix, hand, driver, jobs, () => { });
        hand.Advance(3600);
        return seen;

        void Watch(Instant now)
        {
            foreach (var (job, one) in jobs.Zip(mix.Requests))
                seen[one.Id].Add(job.Choices[0].FirstToken, job.Choices[0].EndedAt, job.Choices[0].Tokens, now, one.Streams);
        }
    }

    private static void Play(Mix mix, HandClock clock, EngineDriver driver, List<Job> jobs, Action after)
    {
        long at = 0;
        foreach (var (time, request, cancels) in mix.Script())
        {
            clock.Advance(TimeSpan.FromTicks(time - at));
            at = time;
            if (cancels)
                driver.Cancel(jobs[request]);
            else
                driver.Submit(jobs[request]);
            after();
        }
    }

    /// <summary>The same in virtual time, step by step.</summary>
    private static SortedDictionary<long, Seen> Twin(Mix mix, EngineSettings settings)
    {
        var model = Engines.Pool().Facts.Model;
        var (engine, told) = (new Replica(model, settings, stepByStep: true), new List<EngineEvent>());
        var seen = new SortedDictionary<long, Seen>();
        var legs = mix.Requests.ConvertAll(one => one.Leg(null));
        var outside = new PriorityQueue<(int Request, bool Cancels), (long At, int Order)>();
        var order = 0;
        foreach (var (time, request, cancels) in mix.Script())
        {
            var front = cancels ? 0 : Math.Max(1, Duration.OfSeconds(model.FrontSeconds(mix.Requests[request].Prompt)).Nanoseconds);
            outside.Enqueue((request, cancels), ((time * 100) + front, order++));
        }

        foreach (var one in mix.Requests)
            seen.Add(one.Id, new Seen());
        var here = new bool[legs.Count];
        while (true)
        {
            var next = outside.TryPeek(out _, out var key) ? new Instant(key.At) : Instant.Never;
            if (next == Instant.Never && engine.NextEvent == Instant.Never)
                return seen;
            var now = Instant.Earlier(next, engine.NextEvent);
            if (next <= engine.NextEvent)
                Outside(outside.Dequeue(), now);
            else
                engine.Advance(now, told);
            foreach (var one in told)
                seen[one.Request.Id].Hear(one, now);
            told.Clear();
            for (var i = 0; i < legs.Count; i++)
            {
                var tokens = engine.GeneratedBy(legs[i], now + Duration.Tick);
                var shown = seen[legs[i].Id];
                shown.Add(shown.First, shown.End, tokens, now, mix.Requests[i].Streams);
            }
        }

        void Outside((int Request, bool Cancels) what, Instant now)
        {
            var leg = legs[what.Request];
            if (!what.Cancels && !seen[leg.Id].Left)
            {
                here[what.Request] = true;
                engine.Submit(leg, now);
            }
            else if (what.Cancels && here[what.Request])
            {
                engine.Cancel(leg, now);
            }
            else if (what.Cancels)
            {
                seen[leg.Id].Leave(now);
            }
        }
    }

    /// <summary>What was seen of one request.</summary>
    private sealed class Seen
    {
        public Instant? First { get; private set; }

        public Instant? End { get; private set; }

        public int Tokens { get; private set; }

        public bool Left { get; private set; }

        /// <summary>When how many tokens were there, to the tick of the hand's clock; only what streams.</summary>
        public List<(long Tick, int Tokens)> Steps { get; } = [];

        public void Hear(EngineEvent told, Instant now)
        {
            if (told.Kind == EngineEventKind.FirstToken)
                First = now;
            else if (told.Kind is EngineEventKind.Finished or EngineEventKind.Cancelled or EngineEventKind.Refused)
                (End, Tokens) = (now, told.Request.Generated);
        }

        public void Leave(Instant now) => (Left, End) = (true, now);

        public void Add(Instant? first, Instant? end, int tokens, Instant now, bool streams)
        {
            if (streams && tokens > (Steps.Count > 0 ? Steps[^1].Tokens : 0))
                Steps.Add(((now.Nanoseconds + 99) / 100, tokens));
            (First, End, Tokens) = (first, end, streams || end is not null ? tokens : Tokens);
        }
    }

    /// <summary>Requests, and when they come and go.</summary>
    private sealed record Mix(List<One> Requests)
    {
        public static Mix Of(Dice dice)
        {
            var spread = dice.Whole(1, 20_000_000);
            var shared = dice.Whole(0, 600);
            return new Mix([.. Enumerable.Range(0, dice.Whole(1, 25)).Select(i => new One(
                i + 1,
                dice.Whole(0, spread),
                shared + dice.Whole(1, 1500),
                shared / 16,
                dice.Whole(1, 120),
                dice.Chance(0.7),
                dice.Chance(0.2) ? dice.Whole(1, 20_000_000) : null))]);
        }

        /// <summary>When requests come and their clients leave, in the order of time.</summary>
        public IEnumerable<(long Time, int Request, bool Cancels)> Script() => Requests
            .SelectMany((one, i) => one.LeavesAfter is { } after
                ? [((long)one.At, i, false), (one.At + after, i, true)]
                : ((long, int, bool)[])[(one.At, i, false)])
            .OrderBy(what => what.Item1).ThenBy(what => what.Item2).ThenBy(what => what.Item3);
    }

    /// <summary>One request of a mix.</summary>
    /// <param name="Id">Its number.</param>
    /// <param name="At">When it comes, in ticks of the hand's clock.</param>
    /// <param name="Prompt">Tokens of its prompt.</param>
    /// <param name="Shared">Blocks that it begins with as others do.</param>
    /// <param name="Output">Tokens of its answer.</param>
    /// <param name="Streams">Whether its tokens are shown as they come.</param>
    /// <param name="LeavesAfter">Ticks after which its client leaves; null for one that stays.</param>
    private sealed record One(long Id, int At, int Prompt, int Shared, int Output, bool Streams, int? LeavesAfter)
    {
        public EngineRequest Leg(object? tag) => new(Id, Prompt, new Script(Output))
        {
            Prompt = Enumerable.Range(0, Shared).Select(i => new PromptSegment((ulong)i + 1, 16)).ToArray(),
            Tag = tag,
        };

        public Job Job()
        {
            var (job, holder) = (new Job { Streams = Streams }, new Choice[1]);
            holder[0] = new Choice(job, 0, AnswerText.Words((ulong)Id, Output, Output, [])) { Leg = Leg(holder) };
            job.Choices = holder;
            return job;
        }
    }

    /// <summary>A clock that tells somebody after each of its timers.</summary>
    private sealed class WatchedClock(HandClock hand, Action after) : TimeProvider
    {
        public override long TimestampFrequency => hand.TimestampFrequency;

        public override DateTimeOffset GetUtcNow() => hand.GetUtcNow();

        public override long GetTimestamp() => hand.GetTimestamp();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => hand.CreateTimer(
            seen =>
            {
                callback(seen);
                after();
            },
            state,
            dueTime,
            period);
    }
}
