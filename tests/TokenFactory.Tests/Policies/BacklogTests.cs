using TokenFactory.Fleet;
using TokenFactory.Policies;
using TokenFactory.Tests.Fleet;
using TokenFactory.Tests.Laws;
using TokenFactory.Units;

namespace TokenFactory.Tests.Policies;

/// <summary>Who waits, who goes first, who is given up, and that nobody is lost.</summary>
public sealed class BacklogTests
{
    private static readonly ServiceClass[] Classes =
    [
        new("a"), new("b"), new("due") { Priority = 1, DeadlineSeconds = 1000 }, new("later") { Priority = 1, DeadlineSeconds = 5000 },
        new("short") { Priority = 2, MaxWaitSeconds = 50, MaxWaiting = 5 },
    ];

    private static FleetState Fleet() => Fleets.Ready(Classes, (Fleets.Pool(), 1));

    [Fact]
    public void Nothing_is_lost_and_the_order_is_kept() => Cases.Check(80, dice =>
    {
        var fleet = Fleet().Snapshot;
        var backlog = new Backlog(Classes);
        var model = new List<Ask>();
        var now = 0.0;
        for (var i = 0; i < 300; i++)
        {
            now += dice.Real(0, 3);
            if (dice.Chance(0.55))
                Add(dice, backlog, fleet, model, Fleets.Ask(i, dice.Whole(1, 5000), dice.Whole(0, 4), dice.Whole(0, 5), now), now);
            else if (dice.Chance(0.2) && model.Count > 0)
                Drop(backlog, fleet, model, model[dice.Whole(0, model.Count - 1)]);
            else
                Take(backlog, fleet, model, now);
            Assert.Equal(model.Count, backlog.Count);
        }

        while (model.Count > 0)
            Take(backlog, fleet, model, now);
        Assert.Null(backlog.Next(fleet, Instant.AtSeconds(now)));
        Assert.Equal(Instant.Never, backlog.NextDue);
    });

    private static void Add(Dice dice, Backlog backlog, FleetSnapshot fleet, List<Ask> model, Ask ask, double now)
    {
        var refused = backlog.Add(ask, fleet, Instant.AtSeconds(now));
        Assert.Equal(ask.Class == 4 && model.Count(one => one.Class == 4) >= 5, refused is not null);
        if (refused is null)
            model.Add(ask);
        else
            Assert.StartsWith("Class 'short' has 5 requests waiting, its max_waiting is 5; retry after ", refused.ToString());
    }

    private static void Drop(Backlog backlog, FleetSnapshot fleet, List<Ask> model, Ask ask)
    {
        Assert.True(backlog.Remove(ask.Id, fleet));
        Assert.False(backlog.Remove(ask.Id, fleet));
        model.Remove(ask);
    }

    private static void Take(Backlog backlog, FleetSnapshot fleet, List<Ask> model, double now)
    {
        var next = backlog.Next(fleet, Instant.AtSeconds(now));
        Assert.Equal(model.Count == 0, next is null);
        if (next is null)
            return;
        var first = model.Min(ask => Classes[ask.Class].Priority);
        Assert.Equal(first, Classes[next.Class].Priority);
        if (first == 1)
            Assert.Equal(model.Where(ask => Classes[ask.Class].Priority == 1).Min(Deadline), Deadline(next));
        else
            Assert.Equal(next.Id, model.Where(ask => ask.Class == next.Class && ask.Tenant == next.Tenant).Min(ask => ask.Id));
        Assert.True(backlog.Take(next, fleet));
        Assert.True(model.Remove(next));
    }

    private static double Deadline(Ask ask) => ask.Arrival.Seconds + Classes[ask.Class].DeadlineSeconds!.Value;

    [Fact]
    public void Backlogged_tenants_are_served_alike_to_within_a_request() => Cases.Check(80, dice =>
    {
        var fleet = Fleet().Snapshot;
        var backlog = new Backlog(Classes);
        var tenants = dice.Whole(2, 6);
        var served = new long[tenants];
        long id = 0, largest = 0;
        var bias = Enumerable.Range(0, tenants).Select(_ => dice.Whole(100, 4000)).ToArray();
        for (var i = 0; i < 150; i++)
        {
            for (var tenant = 0; tenant < tenants; tenant++)
                backlog.Add(Fleets.Ask(id++, dice.Whole(1, bias[tenant]), dice.Whole(0, 1), tenant), fleet, default);
        }

        for (var i = 0; i < 100; i++)
        {
            var next = backlog.Next(fleet, default)!;
            backlog.Take(next, fleet);
            served[next.Tenant] += next.PromptTokens + 256;
            largest = Math.Max(largest, next.PromptTokens + 256);
            Assert.True(served.Max() - served.Min() <= largest, $"{string.Join(' ', served)}, a request has at most {largest}");
        }
    });

    [Fact]
    public void A_tenant_that_comes_back_saved_nothing_up()
    {
        var fleet = Fleet().Snapshot;
        var backlog = new Backlog(Classes);
        for (var i = 0; i < 100; i++)
            backlog.Add(Fleets.Ask(i, tenant: 0), fleet, default);
        for (var i = 0; i < 50; i++)
            backlog.Take(backlog.Next(fleet, default)!, fleet);
        for (var i = 0; i < 50; i++)
            backlog.Add(Fleets.Ask(200 + i, tenant: 1), fleet, default);
        var turns = new int[2];
        for (var i = 0; i < 20; i++)
        {
            var next = backlog.Next(fleet, default)!;
            turns[next.Tenant]++;
            backlog.Take(next, fleet);
        }

        Assert.Equal([10, 10], turns);
    }

    [Fact]
    public void Answers_longer_than_expected_count()
    {
        var state = Fleet();
        var backlog = new Backlog(Classes);
        for (var i = 0; i < 20; i++)
            backlog.Add(Fleets.Ask(i, tenant: i % 2), state.Snapshot, default);
        foreach (var _ in Enumerable.Range(0, 2))
        {
            var next = backlog.Next(state.Snapshot, default)!;
            backlog.Take(next, state.Snapshot);
            state.Send(next, 0);
            state.Begin(next, 0);
            state.Finish(next, 0, default, Instant.AtSeconds(1), next.Tenant == 0 ? 6000 : 256);
        }

        var turns = Enumerable.Range(0, 2).Select(_ =>
        {
            var next = backlog.Next(state.Snapshot, default)!;
            backlog.Take(next, state.Snapshot);
            return next.Tenant;
        });
        Assert.Equal([1, 1], turns);
    }

    [Fact]
    public void Classes_that_find_no_place_are_passed_over()
    {
        var fleet = Fleet().Snapshot;
        var backlog = new Backlog(Classes);
        foreach (var (id, kind) in new[] { (1, 4), (2, 2), (3, 0) })
            backlog.Add(Fleets.Ask(id, 100, kind), fleet, default);
        Assert.Equal([3L, 2L, 1L, null], new ulong[] { 0, 1, 0b101, 0b10101 }.Select(skip => backlog.Next(fleet, default, skip)?.Id));
    }

    [Fact]
    public void Who_waited_too_long_is_given_up_and_told_why()
    {
        var fleet = Fleet().Snapshot;
        var backlog = new Backlog(Classes);
        backlog.Add(Fleets.Ask(1, 100, 4, at: 10), fleet, Instant.AtSeconds(10));
        backlog.Add(Fleets.Ask(2, 100, 4, at: 20), fleet, Instant.AtSeconds(20));
        Assert.Equal(Instant.AtSeconds(60), backlog.NextDue);
        Assert.Null(backlog.Overdue(fleet, Instant.AtSeconds(59.9)));
        var shed = backlog.Overdue(fleet, Instant.AtSeconds(61))!.Value;
        Assert.Equal((1, ShedLimit.MaxWait), (shed.Ask.Id, shed.Reason.Limit));
        Assert.Equal("Waited 51 s, max_wait_s of class 'short' is 50; retry after 2 s.", shed.Reason.ToString());
        backlog.Remove(1, fleet);
        Assert.Equal(Instant.AtSeconds(70), backlog.NextDue);
    }

    [Fact]
    public void A_deadline_out_of_reach_gives_up_before_it_passes()
    {
        var state = Fleet();
        var fleet = state.Snapshot;
        var backlog = new Backlog(Classes);
        backlog.Add(Fleets.Ask(1, 100, 2), fleet, default);
        var alone = fleet.Pools[0].Steps.Token(1, 100) * 255;
        Assert.InRange(backlog.NextDue.Seconds, 1000 - (alone * 1.1), 1000 - alone);
        Assert.Equal(ShedLimit.DeadlineOutOfReach, backlog.Overdue(fleet, backlog.NextDue)!.Value.Reason.Limit);
        var late = backlog.Overdue(fleet, Instant.AtSeconds(1001))!.Value.Reason;
        Assert.Equal("1001 s after its arrival, deadline_s of class 'due' is 1000; retry after 1 s.", late.ToString());
    }
}
