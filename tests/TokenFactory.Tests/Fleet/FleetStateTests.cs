using TokenFactory.Fleet;
using TokenFactory.Tests.Laws;
using TokenFactory.Units;

namespace TokenFactory.Tests.Fleet;

/// <summary>What the one reducer keeps equals what can be computed afresh from all that happened.</summary>
public sealed class FleetStateTests
{
    private static readonly ServiceClass[] Classes = [Fleets.Chat, Fleets.Free, Fleets.Batch];

    [Fact]
    public void Counts_equal_a_recount_after_every_event() => Cases.Check(60, dice =>
    {
        var state = new FleetState([Fleets.Pool(), Fleets.Pool("a100-sxm-80gb", 1.5)], Classes, 1);
        var drawn = new FleetDice(dice, state);
        for (var i = 0; i < 200; i++)
        {
            drawn.Step();
            if (i % 10 == 0)
                Recount(drawn);
        }

        Recount(drawn);
    });

    private static void Recount(FleetDice drawn)
    {
        foreach (var replica in drawn.Fleet.Replicas)
            Recount(drawn, replica);
        foreach (var pool in drawn.Fleet.Pools)
            Recount(drawn, pool);
        for (var i = 0; i < Classes.Length; i++)
        {
            var waiting = drawn.Waiting.Where(ask => ask.Class == i).ToList();
            Assert.Equal(waiting.Count, drawn.Fleet.Classes[i].Waiting);
            Assert.Equal(drawn.Flights.Count(flight => flight.Ask.Class == i), drawn.Fleet.Classes[i].InFlight);
            Assert.Equal(waiting.Sum(ask => ask.PromptTokens), drawn.Fleet.Classes[i].WaitingPromptTokens);
        }

        for (var tenant = 0; tenant < drawn.Fleet.Tenants.Count; tenant++)
        {
            var counts = drawn.Fleet.Tenants[tenant];
            Assert.Equal(drawn.Waiting.Count(ask => ask.Tenant == tenant), counts.Waiting);
            Assert.Equal(drawn.Flights.Count(flight => flight.Ask.Tenant == tenant), counts.InFlight);
            var (sent, ended) = (Of(FleetEventKind.Dispatched), Of(FleetEventKind.Ended));
            Assert.Equal(sent.Sum(e => e.Ask!.PromptTokens), counts.PromptTokens);
            Assert.Equal(ended.Sum(e => e.OutputTokens), counts.OutputTokens);

            IEnumerable<FleetEvent> Of(FleetEventKind kind) => Events(drawn, kind).Where(e => e.Ask!.Tenant == tenant);
        }

        Assert.Equal(Events(drawn, FleetEventKind.Ended).Count(e => e.Completed), drawn.Fleet.Totals.Completed);
        Assert.Equal(
            Events(drawn, FleetEventKind.Queued).Count(e => !Classes[e.Ask!.Class].FillsSlack),
            drawn.Fleet.Demand.Between(0, long.MaxValue).Arrivals);
    }

    private static void Recount(FleetDice drawn, ReplicaState replica)
    {
        var here = drawn.Flights.Where(flight => flight.Replica == replica.Index).ToList();
        var (unstarted, generating) = (here.Where(f => f.FirstToken is null).ToList(), here.Where(f => f.FirstToken is not null).ToList());
        Assert.Equal(drawn.Phases[replica.Index], replica.Phase);
        Assert.Equal(unstarted.Count, replica.Unstarted);
        Assert.Equal(unstarted.Sum(f => f.Fresh), replica.UnstartedFreshTokens);
        Assert.Equal(unstarted.Sum(f => f.Ask.PromptTokens), replica.UnstartedPromptTokens);
        Assert.Equal(generating.Count, replica.Generating);
        Assert.Equal(generating.Sum(f => f.Ask.PromptTokens), replica.GeneratingPromptTokens);
        Assert.Equal(drawn.Written.Where(one => one.Replica == replica.Index).Sum(one => one.Tokens), replica.WrittenTokens);
        for (var i = 0; i < Classes.Length; i++)
        {
            Assert.Equal(unstarted.Count(f => f.Ask.Class == i), replica.UnstartedOf(i));
            Assert.Equal(generating.Count(f => f.Ask.Class == i), replica.GeneratingOf(i));
        }

        var elapsed = generating.Count == 0 ? 0 : generating.Average(f => (drawn.Now - f.FirstToken!.Value).Seconds);
        Nearly.Equal(elapsed, replica.MeanElapsedSeconds(drawn.Now), 1e-9);
    }

    private static void Recount(FleetDice drawn, PoolState pool)
    {
        var mine = drawn.Fleet.Replicas.Where(replica => replica.Pool == pool.Index).ToList();
        Assert.Equal(mine.Where(replica => replica.Phase == ReplicaPhase.Ready).Select(replica => replica.Index), pool.Ready.ToArray());
        Assert.Equal(mine.Where(replica => replica.Phase != ReplicaPhase.Gone).Select(replica => replica.Index), pool.Live.ToArray());
        Assert.Equal(mine.Count(replica => replica.Phase == ReplicaPhase.Starting), pool.Starting);
        Assert.Equal(mine.Count(replica => replica.Phase == ReplicaPhase.Draining), pool.Draining);
        Assert.Equal(mine.Sum(replica => replica.InFlight), pool.InFlight);
    }

    private static IEnumerable<FleetEvent> Events(FleetDice drawn, FleetEventKind kind) => drawn.Log.Where(e => e.Kind == kind);

    [Fact]
    public void The_least_loaded_come_first() => Cases.Check(60, dice =>
    {
        var state = Fleets.Ready(Classes, (Fleets.Pool(), dice.Whole(1, 40)));
        var count = state.Snapshot.Replicas.Count;
        for (var i = 0; i < 200; i++)
            state.Send(Fleets.Ask(i, dice.Whole(1, 9999)), dice.Whole(0, count - 1));
        foreach (var replica in Enumerable.Range(0, count).Where(_ => dice.Chance(0.1)).ToList())
            state.Apply(new(FleetEventKind.Draining, default, replica));
        var found = new int[5];
        var taken = state.Snapshot.LeastLoaded(0, found);
        var expected = state.Snapshot.Pools[0].Ready.ToArray()
            .OrderBy(replica => (long)state.Snapshot.OutstandingTokens(state.Snapshot.Replicas[replica]))
            .ThenBy(replica => state.Snapshot.Replicas[replica].Dispatched).ThenBy(replica => replica).Take(5).ToList();
        Assert.Equal(expected, found.Take(taken));
    });

    [Fact]
    public void The_mean_context_is_the_prompts_and_what_was_generated_since()
    {
        var state = Fleets.Ready(Classes, (Fleets.Pool(), 1));
        state.Fill(0, 3, prompt: 500, at: Instant.AtSeconds(1e9));
        var replica = state.Snapshot.Replicas[0];
        Nearly.Equal(500 + 200, replica.MeanContext(Instant.AtSeconds(1e9 + 2), 0.01, 1000), 1e-6);
        Nearly.Equal(500 + 150, replica.MeanContext(Instant.AtSeconds(1e9 + 2), 0.01, 150), 1e-6);
    }

    [Fact]
    public void An_answer_is_expected_to_have_as_many_tokens_as_answers_had()
    {
        var state = Fleets.Ready(Classes, (Fleets.Pool(), 1));
        Assert.Equal(256, state.Snapshot.Classes[0].Expected(Fleets.Ask(0)));
        Assert.Equal(100, state.Snapshot.Classes[0].Expected(Fleets.Ask(0) with { MaxTokens = 100 }));
        for (var i = 0; i < 300; i++)
            Answer(state, i, tokens: 40, seconds: 1);
        Nearly.Equal(40, state.Snapshot.Classes[0].Expected(Fleets.Ask(0)), 0.05);
        Nearly.Equal(256, state.Snapshot.Classes[1].Expected(Fleets.Ask(0, serviceClass: 1)));
    }

    [Fact]
    public void A_replica_three_times_as_slow_as_predicted_shows()
    {
        var state = Fleets.Ready(Classes, (Fleets.Pool(), 2));
        var tpot = state.Snapshot.Pools[0].Steps.Token(1, 1050);
        for (var i = 0; i < 60; i++)
        {
            Answer(state, i, tokens: 100, seconds: tpot * 99 * 3);
            Answer(state, i, tokens: 100, seconds: tpot * 99, replica: 1);
            Answer(state, i, tokens: 5, seconds: 1000, replica: 1); // too short to tell
        }

        Nearly.Equal(3, state.Snapshot.Replicas[0].Slowness, 0.02);
        Nearly.Equal(1, state.Snapshot.Replicas[1].Slowness, 0.02);
    }

    [Fact]
    public void What_cannot_have_happened_is_refused()
    {
        var state = Fleets.Ready(Classes, (Fleets.Pool(), 1));
        var ask = Fleets.Ask(1);
        Assert.Throws<ArgumentException>(() => state.Begin(ask, 0));
        Assert.Throws<ArgumentException>(() => state.Finish(ask, 0, default, default, 1));
        Assert.Throws<ArgumentException>(() => state.Apply(new(FleetEventKind.Unqueued, default) { Ask = ask }));
        Assert.Throws<ArgumentException>(() => state.Apply(new(FleetEventKind.Starting, default, 7)));
        Assert.Throws<ArgumentException>(() => state.Apply(new(FleetEventKind.Ready, default, 7)));
        state.Apply(new(FleetEventKind.Gone, default, 0));
        Assert.Throws<ArgumentException>(() => state.Apply(new(FleetEventKind.Ready, default, 0)));
        Assert.Equal(0, state.Snapshot.Replicas[0].InFlight);
    }

    [Fact]
    public void A_second_leg_is_neither_demand_nor_a_second_answer()
    {
        var state = Fleets.Ready(Classes, (Fleets.Pool(role: ReplicaRole.Prefill), 1), (Fleets.Pool(role: ReplicaRole.Decode), 1));
        var ask = Fleets.Ask(1, 700);
        state.Queue(ask);
        state.Apply(new(FleetEventKind.Unqueued, default) { Ask = ask });
        state.Send(ask, 0);
        state.Begin(ask, 0);
        state.Finish(ask, 0, default, default, 1);
        state.Apply(new(FleetEventKind.Queued, default) { Ask = ask, HadFirstToken = true });
        state.Send(ask, 1, fresh: 0);
        state.Begin(ask, 1, fresh: 0);
        state.Finish(ask with { }, 1, default, Instant.AtSeconds(1), 90);
        Assert.Equal((1, 700, 1, 90), (Total().Arrivals, Total().PromptTokens, Total().Completed, Total().OutputTokens));
        Assert.Equal(790, state.Snapshot.Tenants[0].Served);
        Assert.Equal(1, state.Snapshot.Totals.Dispatched);

        Demand Total() => state.Snapshot.Demand.Between(0, 100);
    }

    private static void Answer(FleetState state, int id, int tokens, double seconds, int replica = 0)
    {
        var ask = Fleets.Ask(id);
        state.Send(ask, replica);
        state.Begin(ask, replica);
        state.Finish(ask, replica, default, Instant.AtSeconds(seconds), tokens);
    }
}
