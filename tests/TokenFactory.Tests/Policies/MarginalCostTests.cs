using TokenFactory.Fleet;
using TokenFactory.Policies;
using TokenFactory.Tests.Fleet;
using TokenFactory.Tests.Laws;
using TokenFactory.Units;

namespace TokenFactory.Tests.Policies;

/// <summary>The least cost that keeps the promises.</summary>
public sealed class MarginalCostTests
{
    private static readonly MarginalCostRouter Router = new();

    [Fact]
    public void The_cheaper_where_both_keep_the_promises()
    {
        var state = Fleets.Ready([Fleets.Chat], (Fleets.Pool(usd: 6), 1), (Fleets.Pool(usd: 2), 1));
        var decision = Decide(state, Fleets.Ask(1));
        Assert.Equal((1, RoutingCause.Cheapest), (decision.Replica, decision.Reason.Cause));
        Assert.StartsWith("predicted TTFT 0.0", decision.Reason.ToString());
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(0.009, 0)]
    public void The_faster_where_only_it_keeps_them(double tpot, int expected)
    {
        var kind = new ServiceClass("chat") { TpotSeconds = tpot }; // a step of the slower takes 11 ms, of the faster 7
        var state = Fleets.Ready([kind], (Fleets.Pool(usd: 6), 1), (Fleets.Pool("a100-sxm-80gb", 1), 1));
        var decision = Decide(state, Fleets.Ask(1));
        Assert.Equal((expected, RoutingCause.Cheapest), (decision.Replica, decision.Reason.Cause));
    }

    [Fact]
    public void An_idle_expensive_replica_does_not_beat_a_busy_cheap_one_that_keeps_them()
    {
        var state = Fleets.Ready([Fleets.Chat], (Fleets.Pool("h200-sxm", 8), 1), (Fleets.Pool(usd: 3), 1));
        state.Fill(1, 20);
        Assert.Equal(1, Decide(state, Fleets.Ask(1)).Replica);
    }

    [Fact]
    public void The_one_that_breaks_them_least_where_none_keeps_them()
    {
        var state = Fleets.Ready([new("chat") { TpotSeconds = 1e-3 }], (Fleets.Pool("a100-sxm-80gb", 0.1), 1), (Fleets.Pool(usd: 9), 1));
        var decision = Decide(state, Fleets.Ask(1));
        Assert.Equal((1, RoutingCause.BreaksLeast), (decision.Replica, decision.Reason.Cause));
    }

    [Fact]
    public void The_one_with_the_prefix_where_loads_are_equal() => Cases.Check(50, dice =>
    {
        var state = Fleets.Ready([Fleets.Chat], (Fleets.Pool(), dice.Whole(2, 40)));
        var count = state.Snapshot.Replicas.Count;
        var (load, holder) = (dice.Whole(1, 12), dice.Whole(0, count - 1));
        for (var i = 0; i < count; i++)
            state.Fill(i, load);
        var prefix = new PrefixKey(5, 1500);
        var first = Fleets.Ask(1, 2000, prefix: prefix);
        state.Send(first, holder);
        state.Begin(first, holder);
        state.Finish(first, holder, default, Instant.AtSeconds(1), 5);
        var decision = Decide(state, Fleets.Ask(2, 2000, prefix: prefix), 1);
        Assert.Equal((holder, 500), (decision.Replica, decision.FreshTokens));
    });

    [Fact]
    public void A_slow_one_is_avoided()
    {
        var state = Fleets.Ready([Fleets.Chat], (Fleets.Pool(), 2));
        var tpot = state.Snapshot.Pools[0].Steps.Token(1, 1050);
        for (var i = 0; i < 50; i++)
        {
            foreach (var (replica, factor) in new[] { (0, 4), (1, 1) })
            {
                var ask = Fleets.Ask(i);
                state.Send(ask, replica);
                state.Begin(ask, replica);
                state.Finish(ask, replica, default, Instant.AtSeconds(tpot * 99 * factor), 100);
            }
        }

        Assert.Equal(1, Decide(state, Fleets.Ask(99)).Replica);
    }

    [Fact]
    public void One_that_fell_silent_is_avoided()
    {
        var state = Fleets.Ready([Fleets.Chat], (Fleets.Pool(), 2));
        state.Apply(new(FleetEventKind.Reported, Instant.AtSeconds(1), 0));
        state.Apply(new(FleetEventKind.Reported, Instant.AtSeconds(1), 1));
        Assert.Equal(0, Decide(state, Fleets.Ask(1), 2).Replica);
        state.Apply(new(FleetEventKind.Reported, Instant.AtSeconds(60), 1));
        Assert.Equal(1, Decide(state, Fleets.Ask(1), 61).Replica);
    }

    [Fact]
    public void One_that_hangs_is_avoided()
    {
        var state = Fleets.Ready([Fleets.Chat], (Fleets.Pool(usd: 1), 1), (Fleets.Pool(usd: 2), 1));
        state.Send(Fleets.Ask(1, 10), 0, Instant.AtSeconds(1));
        Assert.Equal(0, Decide(state, Fleets.Ask(2), 1.01).Replica);
        Assert.Equal(1, Decide(state, Fleets.Ask(2, at: 9), 9).Replica); // ten tokens do not take eight seconds
    }

    [Fact]
    public void Requests_of_other_gateways_count()
    {
        var state = Fleets.Ready([Fleets.Chat], (Fleets.Pool(usd: 1), 1), (Fleets.Pool(usd: 2), 1));
        state.Apply(new(FleetEventKind.Reported, default, 0) { Running = 64, Waiting = 200, KvHeld = 0.5 });
        Assert.Equal(1, Decide(state, Fleets.Ask(1)).Replica);
    }

    [Fact]
    public void Promises_to_those_that_are_there_are_kept_too()
    {
        // The newcomer is promised nothing; those on the cheap replica would lose their pace.
        var strict = new ServiceClass("strict") { TpotSeconds = 0.0105 };
        var state = Fleets.Ready([strict, Fleets.Free], (Fleets.Pool(usd: 1), 1), (Fleets.Pool(usd: 3), 1));
        Assert.Equal(0, Decide(state, Fleets.Ask(1, serviceClass: 1)).Replica);
        state.Fill(0, 40);
        Assert.Equal(1, Decide(state, Fleets.Ask(1, serviceClass: 1)).Replica);
    }

    [Fact]
    public void Equal_replicas_are_used_evenly_unless_they_shall_be_filled_one_by_one()
    {
        Assert.All(Spread(Router), inFlight => Assert.InRange(inFlight, 25, 35));
        var filled = Spread(new MarginalCostRouter { Consolidation = 1 });
        Assert.True(filled.Max() >= 50 && filled.Min() == 0, string.Join(' ', filled));
    }

    private static List<int> Spread(MarginalCostRouter router)
    {
        var state = Fleets.Ready([Fleets.Free], (Fleets.Pool(), 4));
        for (var i = 0; i < 120; i++)
        {
            var ask = Fleets.Ask(i);
            var replica = router.Decide(state.Snapshot, ask, ReplicaRole.Aggregated, default).Replica;
            state.Send(ask, replica);
            state.Begin(ask, replica);
        }

        return [.. state.Snapshot.Replicas.Select(replica => replica.InFlight)];
    }

    private static RoutingDecision Decide(FleetState state, Ask ask, double at = 0) => Router.Decide(
        state.Snapshot, ask with { Arrival = Instant.AtSeconds(at) }, ReplicaRole.Aggregated, Instant.AtSeconds(at));
}
