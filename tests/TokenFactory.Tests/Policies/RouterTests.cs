using TokenFactory.Fleet;
using TokenFactory.Policies;
using TokenFactory.Tests.Fleet;
using TokenFactory.Tests.Laws;
using TokenFactory.Units;

namespace TokenFactory.Tests.Policies;

/// <summary>What every router keeps to, and what each is for.</summary>
public sealed class RouterTests
{
    private static readonly ServiceClass[] Classes = [Fleets.Chat, Fleets.Free, Fleets.Batch];

    private static readonly Eligibility Limits = new();

    private static IRouter[] All() =>
    [
        new RoundRobinRouter(), new LeastOutstandingRouter(), new PowerOfTwoRouter(), new PrefixAffinityRouter(), new MarginalCostRouter(),
    ];

    [Fact]
    public void Only_ready_replicas_of_the_role_with_room_are_chosen_and_one_is_where_there_is_one() => Cases.Check(60, dice =>
    {
        var state = new FleetState(
            [
                Fleets.Pool(kv: 8000, most: 3), Fleets.Pool("a100-sxm-80gb", 1.5, ReplicaRole.Prefill, kv: 6000, most: 2),
                Fleets.Pool(role: ReplicaRole.Decode, kv: 9000, most: 4),
            ],
            Classes, 1);
        var drawn = new FleetDice(dice, state);
        var routers = All();
        for (var i = 0; i < 150; i++)
        {
            drawn.Step();
            var role = dice.Chance(0.5) ? ReplicaRole.Aggregated : dice.Chance(0.5) ? ReplicaRole.Decode : ReplicaRole.Prefill;
            foreach (var router in routers)
                Fits(drawn, router.Decide(drawn.Fleet, drawn.NewAsk(), role, drawn.Now), role);
        }
    });

    private static void Fits(FleetDice drawn, RoutingDecision decision, ReplicaRole role)
    {
        var replicas = drawn.Fleet.Replicas.ToList();
        var fleet = drawn.Fleet;
        Assert.NotEmpty(decision.Reason.ToString());
        if (decision.Waits)
        {
            Assert.DoesNotContain(
                replicas, replica => replica is { Phase: ReplicaPhase.Ready, InFlight: 0 } && Serves(fleet, replica, role));
            return;
        }

        var chosen = replicas[decision.Replica];
        Assert.Equal(ReplicaPhase.Ready, chosen.Phase);
        Assert.True(Serves(fleet, chosen, role));
        Assert.True(chosen.InFlight < Limits.InFlightLimit(fleet.Pools[chosen.Pool].Facts));
        Assert.True(role == ReplicaRole.Decode ? decision.FreshTokens == 0 : decision.FreshTokens > 0);
    }

    private static bool Serves(FleetSnapshot fleet, ReplicaState replica, ReplicaRole role) =>
        fleet.Pools[replica.Pool].Facts.Role is var own
        && (own == role || (role == ReplicaRole.Aggregated && own == ReplicaRole.Prefill));

    /// <summary>Law 9.</summary>
    [Fact]
    public void A_log_of_events_replays_to_the_same_decisions() => Cases.Check(30, dice =>
    {
        PoolFacts[] pools = [Fleets.Pool(), Fleets.Pool("a100-sxm-80gb", 1.5)];
        var state = new FleetState(pools, Classes, 1);
        var drawn = new FleetDice(dice, state);
        var routers = All();
        var decisions = new List<(int Events, Ask Ask, Instant Now, List<RoutingDecision> Made)>();
        for (var i = 0; i < 200; i++)
        {
            drawn.Step();
            var ask = drawn.NewAsk();
            var made = routers.Select(router => router.Decide(drawn.Fleet, ask, ReplicaRole.Aggregated, drawn.Now)).ToList();
            decisions.Add((drawn.Log.Count, ask, drawn.Now, made));
            if (made[^1] is { Waits: false } last && drawn.Waiting.Count > 0)
                drawn.SendTo(drawn.Waiting[0], last.Replica, Math.Min(last.FreshTokens, drawn.Waiting[0].PromptTokens));
        }

        var (again, applied, others) = (new FleetState(pools, Classes, 1), 0, All());
        foreach (var (events, ask, now, made) in decisions)
        {
            for (; applied < events; applied++)
                again.Apply(drawn.Log[applied]);
            Assert.Equal(made, others.Select(router => router.Decide(again.Snapshot, ask, ReplicaRole.Aggregated, now)));
        }
    });

    [Fact]
    public void Turns_go_round()
    {
        var state = Fleets.Ready(Classes, (Fleets.Pool(), 2), (Fleets.Pool("a100-sxm-80gb"), 2));
        var router = new RoundRobinRouter();
        var order = new List<int>();
        for (var i = 0; i < 8; i++)
        {
            order.Add(router.Decide(state.Snapshot, Fleets.Ask(i), ReplicaRole.Aggregated, default).Replica);
            state.Send(Fleets.Ask(i), order[^1]);
        }

        Assert.Equal([0, 1, 2, 3, 0, 1, 2, 3], order);
        state.Apply(new(FleetEventKind.Draining, default, 0));
        Assert.Equal(1, router.Decide(state.Snapshot, Fleets.Ask(9), ReplicaRole.Aggregated, default).Replica);
    }

    [Fact]
    public void Two_choices_spread_and_take_the_lesser() => Cases.Check(30, dice =>
    {
        var state = Fleets.Ready(Classes, (Fleets.Pool(most: 1000, kv: 1e9), 10));
        var (router, seed) = (new PowerOfTwoRouter(), dice.Whole(0, 1_000_000));
        for (var i = 0; i < 1000; i++)
        {
            var decision = router.Decide(state.Snapshot, Fleets.Ask(seed + i), ReplicaRole.Aggregated, default);
            Assert.True(decision.Reason.A <= decision.Reason.B);
            state.Send(Fleets.Ask(seed + i), decision.Replica);
        }

        var counts = state.Snapshot.Replicas.Select(replica => replica.InFlight).ToList();
        Assert.True(counts.Max() - counts.Min() <= 8, string.Join(' ', counts)); // one choice would give 30 or more
    });

    [Fact]
    public void A_prefix_draws_until_its_replica_is_crowded()
    {
        var state = Fleets.Ready(Classes, (Fleets.Pool(), 3));
        var router = new PrefixAffinityRouter { GuardTokens = 10_000, GuardFactor = 1.5 };
        var prefix = new PrefixKey(7, 900);
        state.Send(Fleets.Ask(1, 1000, prefix: prefix), 2);
        var near = router.Decide(state.Snapshot, Fleets.Ask(2, 1000, prefix: prefix), ReplicaRole.Aggregated, default);
        Assert.Equal((2, 100, "prefix of 900 tokens resident"), (near.Replica, near.FreshTokens, near.Reason.ToString()));
        for (var i = 0; i < 10; i++)
            state.Send(Fleets.Ask(10 + i, 1000), 2);
        var far = router.Decide(state.Snapshot, Fleets.Ask(3, 1000, prefix: prefix), ReplicaRole.Aggregated, default);
        Assert.Equal((0, 1000, RoutingCause.PrefixCrowded), (far.Replica, far.FreshTokens, far.Reason.Cause));
    }

    [Fact]
    public void Reports_say_when_a_cache_is_full()
    {
        var state = Fleets.Ready(Classes, (Fleets.Pool(kv: 20_000), 1));
        state.Fill(0, 1);
        Assert.All(All(), router => Assert.Equal(0, Decide(router, 10).Replica));
        state.Apply(new(FleetEventKind.Reported, Instant.AtSeconds(10), 0) { KvHeld = 0.98 });
        Assert.All(All(), router => Assert.Equal(RoutingCause.KvFull, Decide(router, 10).Reason.Cause));
        Assert.All(All(), router => Assert.Equal(0, Decide(router, 100).Replica)); // an old report says nothing
        Assert.All(All(), router => Assert.Equal(RoutingCause.TooLong, Decide(router, 100, prompt: 20_001).Reason.Cause));

        RoutingDecision Decide(IRouter router, double at, int prompt = 1000) =>
            router.Decide(state.Snapshot, Fleets.Ask(1, prompt, at: at), ReplicaRole.Aggregated, Instant.AtSeconds(at));
    }

    /// <summary>Between two reports many short requests pass through a cache that could not hold them all at once.</summary>
    [Fact]
    public void What_was_sent_since_a_report_and_has_ended_fills_no_cache()
    {
        var state = Fleets.Ready(Classes, (Fleets.Pool(kv: 20_000), 1));
        state.Apply(new(FleetEventKind.Reported, default, 0) { KvHeld = 0.1 });
        for (var i = 0; i < 50; i++)
        {
            var ask = Fleets.Ask(100 + i, 1000);
            state.Send(ask, 0);
            state.Begin(ask, 0);
            state.Finish(ask, 0, default, Instant.AtSeconds(0.01), 1);
        }

        for (var i = 0; i < 16; i++)
            state.Send(Fleets.Ask(i, 1000), 0, Instant.AtSeconds(0.02));
        Assert.All(All(), router => Assert.Equal(0, Decide(router, 500).Replica));
        state.Send(Fleets.Ask(16, 1000), 0, Instant.AtSeconds(0.02));
        Assert.All(All(), router => Assert.Equal(RoutingCause.KvFull, Decide(router, 1000).Reason.Cause));

        RoutingDecision Decide(IRouter router, int prompt) =>
            router.Decide(state.Snapshot, Fleets.Ask(1000, prompt, at: 0.02), ReplicaRole.Aggregated, Instant.AtSeconds(0.02));
    }
}
