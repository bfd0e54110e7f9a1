using TokenFactory.Fleet;
using TokenFactory.Policies;
using TokenFactory.Tests.Fleet;
using TokenFactory.Tests.Laws;
using TokenFactory.Units;

namespace TokenFactory.Tests.Policies;

/// <summary>How many replicas there shall be.</summary>
public sealed class ScalerTests
{
    private const int Prompt = 1000;
    private const int Output = 2000;

    private static readonly ServiceClass[] Classes = [Fleets.Chat, Fleets.Batch];

    private static PoolFacts Pool(int least = 1, int most = 50, double start = 120, double usd = 3) =>
        Fleets.Pool(usd: usd) with { Least = least, Most = most, StartSeconds = start };

    /// <summary>What a replica serves, by the scaler's own rule: the tests hold its decisions to it, not it to the truth.</summary>
    private static Capacity Each { get; } = Usual();

    private static Capacity Usual()
    {
        var fleet = Fleets.Ready(Classes, (Pool(), 1)).Snapshot;
        return Capacity.Of(fleet, fleet.Pools[0], new LoadShape(Prompt, Prompt, Output));
    }

    [Fact]
    public void A_replica_serves_no_more_than_its_promise_allows()
    {
        var fleet = Fleets.Ready(Classes, (Pool(), 1)).Snapshot;
        var load = new LoadShape(Prompt, Prompt, Output);
        var loose = Capacity.Of(fleet, fleet.Pools[0], load);
        var tight = Capacity.Of(Fleets.Ready([Fleets.Chat with { TpotSeconds = 0.009 }], (Pool(), 1)).Snapshot, fleet.Pools[0], load);
        var cached = Capacity.Of(fleet, fleet.Pools[0], load with { FreshTokens = 100 });
        Assert.True(tight.RequestsPerSecond < loose.RequestsPerSecond && tight.InFlight < loose.InFlight);
        Assert.True(cached.RequestsPerSecond > loose.RequestsPerSecond);
        var (n, rate) = (tight.InFlight, tight.RequestsPerSecond);
        Assert.InRange(n / (rate * Output), 0.0085, 0.009); // by Little's law the seconds per token
    }

    [Fact]
    public void Targets_stay_within_bounds() => Cases.Check(60, dice =>
    {
        var (least, most) = (dice.Whole(0, 3), dice.Whole(3, 8));
        var state = Fleets.Ready(Classes, (Pool(least, most), dice.Whole(0, 10)), (Pool(0, 5, usd: 9), 1));
        foreach (IScaler scaler in new IScaler[] { new TargetUtilisationScaler(), new PredictiveScaler() })
        {
            for (var i = 0; i < 30; i++)
            {
                Arrive(state, i * 20, dice.Whole(0, 400));
                for (var k = dice.Whole(0, 50); k > 0; k--)
                    state.Queue(Fleets.Ask(k), Instant.AtSeconds(i * 20));
                var decision = scaler.Decide(state.Snapshot, 0, Instant.AtSeconds(i * 20));
                Assert.InRange(decision.Target, least, most);
                Assert.NotEmpty(decision.Reason.ToString());
            }
        }
    });

    [Fact]
    public void Constant_demand_does_not_flap() => Cases.Check(20, dice =>
    {
        var rate = dice.Real(0.5, 12) * Each.RequestsPerSecond;
        foreach (IScaler scaler in new IScaler[] { new TargetUtilisationScaler(), new PredictiveScaler() })
        {
            var targets = Run(scaler, _ => rate, 5400, dice);
            var late = targets.Where(one => one.At > 1800).Select(one => one.Target).ToList();
            var turns = late.Zip(late.Skip(1)).Count(pair => pair.First != pair.Second);
            Assert.True(turns <= 2, $"{scaler.GetType().Name}: {string.Join(' ', late)}");
            var least = rate / Each.RequestsPerSecond;
            Assert.InRange(late[^1], Math.Floor(least), Math.Ceiling(least / 0.7 * 1.35) + 1);
        }
    });

    [Fact]
    public void A_ramp_is_met_before_it_comes()
    {
        // From 2 to 10 replicas' worth within 40 minutes; a replica takes 2 minutes to start.
        double Rate(double at) => Each.RequestsPerSecond * (2 + (8 * Math.Clamp((at - 1200) / 2400, 0, 1)));
        var predictive = Short(new PredictiveScaler { Target = 0.9 });
        Assert.InRange(predictive, 0, 0.02);
        Assert.True(Short(new PredictiveScaler { Target = 0.9 }, start: 1) <= predictive + 0.02);

        double Short(PredictiveScaler scaler, double start = 120)
        {
            var targets = Run(scaler, Rate, 3600, null, start);
            var during = targets.Where(one => one.At is > 1500 and < 3500).ToList();
            return during.Count(one => one.Target * Each.RequestsPerSecond < Rate(one.At + 120)) / (double)during.Count;
        }
    }

    [Fact]
    public void The_same_time_yesterday_is_remembered()
    {
        var state = Fleets.Ready(Classes, (Pool(), 2));
        var each = Each.RequestsPerSecond;
        for (var at = 0.0; at < 86400 + 43380; at += 10)
        {
            var noon = at % 86400 is >= 43420 and < 50000; // a peak that begins soon
            Arrive(state, at, (int)(each * 10 * (noon ? 8 : 1)));
        }

        var decision = new PredictiveScaler { WindowSeconds = 0 }.Decide(state.Snapshot, 0, Instant.AtSeconds(86400 + 43380));
        Assert.InRange(decision.Target, 6, 14);
        Assert.Equal(ScalingCause.Forecast, decision.Reason.Cause);
        var day = new PredictiveScaler { WindowSeconds = 0, IntervalSeconds = -120 }.Decide(
            state.Snapshot, 0, Instant.AtSeconds(86400 + 43380));
        Assert.InRange(day.Target, 1, 3); // looking no further than the present there is no peak
    }

    [Fact]
    public void A_burst_that_waits_is_worked_off()
    {
        var state = Fleets.Ready(Classes, (Pool(), 2));
        Arrive(state, 0, 1);
        var calm = new PredictiveScaler().Decide(state.Snapshot, 0, Instant.AtSeconds(10)).Target;
        for (var i = 0; i < 2000; i++)
            state.Queue(Fleets.Ask(i, Prompt, serviceClass: 1), Instant.AtSeconds(5));
        Assert.Equal(calm, new PredictiveScaler().Decide(state.Snapshot, 0, Instant.AtSeconds(10)).Target); // batch can wait
        for (var i = 0; i < 2000; i++)
            state.Queue(Fleets.Ask(i, Prompt) with { Attempt = 1 }, Instant.AtSeconds(5));
        var decision = new PredictiveScaler().Decide(state.Snapshot, 0, Instant.AtSeconds(10));
        Assert.True(decision.Target > calm);
        Assert.Equal(ScalingCause.Waiting, decision.Reason.Cause);
        Assert.True(new TargetUtilisationScaler().Decide(state.Snapshot, 0, Instant.AtSeconds(10)).Target > 2);
    }

    [Fact]
    public void The_cheaper_pool_serves_first()
    {
        var state = Fleets.Ready(Classes, (Pool(least: 0, usd: 9), 1), (Pool(least: 0, most: 3), 1));
        for (var at = 0; at < 900; at += 10)
            Arrive(state, at, (int)(Each.RequestsPerSecond * 10 * 4));
        var scaler = new PredictiveScaler { WindowSeconds = 0 };
        Assert.Equal(3, scaler.Decide(state.Snapshot, 1, Instant.AtSeconds(900)).Target);
        Assert.InRange(scaler.Decide(state.Snapshot, 0, Instant.AtSeconds(900)).Target, 2, 4);
    }

    [Fact]
    public void The_emptiest_goes_and_one_that_starts_before_all()
    {
        var state = Fleets.Ready(Classes, (Pool(), 3));
        state.Fill(0, 3);
        state.Fill(1, 1);
        state.Fill(2, 2);
        Assert.Equal(1, ScaleDown.Choose(state.Snapshot, 0));
        state.Apply(new(FleetEventKind.Draining, default, 1));
        Assert.Equal(2, ScaleDown.Choose(state.Snapshot, 0));
        state.Apply(new(FleetEventKind.Starting, default, 3));
        Assert.Equal(3, ScaleDown.Choose(state.Snapshot, 0));
    }

    /// <summary>Drives a pool as a scaler says: ordered replicas come after their time, and requests in flight follow the demand.</summary>
    private static List<(double At, int Target)> Run(
        IScaler scaler, Func<double, double> rate, double seconds, Dice? dice, double start = 120)
    {
        var state = Fleets.Ready(Classes, (Pool(start: start), 2));
        var (targets, starting) = (new List<(double, int)>(), new Queue<(double At, int Replica)>());
        var (flying, id) = (new Queue<(Ask, int)>(), 0L);
        var owed = 0.0;
        for (var at = 0.0; at < seconds; at += 5)
        {
            while (starting.Count > 0 && starting.Peek().At <= at)
                state.Apply(new(FleetEventKind.Ready, Instant.AtSeconds(at), starting.Dequeue().Replica));
            owed += rate(at) * 5 * (dice?.Real(0.8, 1.2) ?? 1);
            Arrive(state, at, (int)owed);
            owed -= (int)owed;
            Fly(state, flying, rate(at) / Each.RequestsPerSecond * Each.InFlight, at, ref id);
            var target = scaler.Decide(state.Snapshot, 0, Instant.AtSeconds(at)).Target;
            targets.Add((at, target));
            Follow(state, target, at, start, starting);
        }

        return targets;
    }

    private static void Fly(FleetState state, Queue<(Ask, int)> flying, double wanted, double at, ref long id)
    {
        var ready = state.Snapshot.Pools[0].Ready.ToArray();
        for (; flying.Count < wanted && ready.Length > 0; id++)
        {
            flying.Enqueue((Fleets.Ask(id, Prompt), ready[id % ready.Length]));
            state.Send(flying.Last().Item1, flying.Last().Item2, Instant.AtSeconds(at));
        }

        while (flying.Count > wanted)
        {
            var (ask, replica) = flying.Dequeue();
            state.Apply(new(FleetEventKind.Ended, Instant.AtSeconds(at), replica) { Ask = ask, FreshTokens = Prompt });
        }
    }

    private static void Follow(FleetState state, int target, double at, double start, Queue<(double At, int Replica)> starting)
    {
        var pool = state.Snapshot.Pools[0];
        for (var count = pool.Ready.Length + pool.Starting; count < target; count++)
        {
            var replica = state.Snapshot.Replicas.Count;
            state.Apply(new(FleetEventKind.Starting, Instant.AtSeconds(at), replica));
            starting.Enqueue((at + start, replica));
        }

        while (pool.Ready.Length > 1 && pool.Ready.Length + pool.Starting > target)
            state.Apply(new(FleetEventKind.Gone, Instant.AtSeconds(at), pool.Ready[^1]));
    }

    /// <summary>Requests come, and answers to as many are complete, so that the usual request is known.</summary>
    private static void Arrive(FleetState state, double at, int requests)
    {
        var ask = Fleets.Ask(-1, Prompt);
        var when = Instant.AtSeconds(at);
        var replica = state.Snapshot.Replicas.Count == 0 ? -1 : 0;
        for (var i = 0; i < requests; i++)
        {
            state.Queue(ask, when);
            state.Apply(new(FleetEventKind.Unqueued, when) { Ask = ask });
            if (replica < 0)
                continue;
            state.Send(ask, replica, when);
            state.Begin(ask, replica, when);
            state.Finish(ask, replica, when, when, Output);
        }
    }
}
