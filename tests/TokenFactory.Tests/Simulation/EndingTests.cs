using TokenFactory.Fleet;
using TokenFactory.Performance;
using TokenFactory.Simulation;

namespace TokenFactory.Tests.Simulation;

/// <summary>Deadlines wherever they find a request, replicas that come and go by decision, and runs that end early.</summary>
public sealed class EndingTests
{
    private static readonly PoolPlan One = Fleets.Order(Fleets.Small).Plan();

    [Fact]
    public void A_deadline_ends_what_an_engine_computes()
    {
        var run = Watched.Run(WithDeadline(3, Fleets.Plan(Listed.Of((1, 100, 5000), (10, 100, 5)), One)));
        Assert.Equal(("expired", "deadline"), (run.Row(0).Outcome, run.Row(0).Why));
        Assert.InRange(run.Row(0).EndSeconds, 4, 4.05); // with the step that runs
        Assert.InRange(run.Row(0).OutputTokens, 300, 500);
        Assert.Equal("completed", run.Row(1).Outcome);
    }

    [Fact]
    public void A_deadline_ends_what_is_on_its_way()
    {
        var front = One.Facts.Model.FrontSeconds(100);
        Assert.True(front > 0.001);
        var run = Watched.Run(WithDeadline(front / 2, Fleets.Plan(Listed.Of((1, 100, 5)), One)));
        Assert.Equal(("expired", 0), (run.Rows[0].Outcome, run.Rows[0].OutputTokens));
        Assert.Equal(1 + front, run.Rows[0].EndSeconds, 1e-6);
        Assert.Equal(0, run.Report.Machines.PromptTokens);
    }

    [Fact]
    public void A_deadline_ends_what_waits_at_the_gateway()
    {
        var narrow = One with { Facts = One.Facts with { MaxSequences = 1 }, Engine = One.Engine with { MaxSequences = 1 } };
        var run = Watched.Run(WithDeadline(9, Fleets.Plan(Listed.Of([.. Enumerable.Range(0, 8).Select(_ => (0.0, 100, 400))]), narrow)));
        Assert.All(run.Rows, row => Assert.True(row.EndSeconds <= 9.05));
        Assert.Contains(run.Rows, row => row.Outcome == "completed");
        Assert.Contains(run.Rows, row => row.Outcome == "shed" && row.Why.StartsWith("Deadline", StringComparison.Ordinal));
        Assert.Equal(8, run.Rows.Count);
    }

    [Fact]
    public void A_deadline_ends_what_waits_for_its_second_leg_and_frees_the_first()
    {
        var plan = HandoffTests.Split(1, 1, [.. Enumerable.Range(0, 8).Select(i => (0.0, 100, 3000)), (60, 100, 5)]);
        var narrow = plan.Pools[1] with { Facts = plan.Pools[1].Facts with { MaxSequences = 1 }, Engine = plan.Pools[1].Engine with { MaxSequences = 1 } };
        var few = plan.Pools[0] with { Engine = plan.Pools[0].Engine with { Blocks = 60 } };
        var run = Watched.Run(WithDeadline(5, plan with { Pools = [few, narrow] }));
        Assert.All(run.Rows.Where(row => row.Id < 8), row => Assert.Equal("expired", row.Outcome));
        Assert.Equal(5, run.Rows.Count(row => row.EndSeconds == 5)); // the three that its replica has leave with a step, or wait in its engine
        Assert.Equal("completed", run.Row(8).Outcome);
    }

    [Fact]
    public void Who_comes_back_with_no_time_left_ends_then_and_not_before()
    {
        var plan = Fleets.Plan(Listed.Of((0, 100, 5000)), One) with { Faults = [new Crashes { AtSeconds = [5] }] };
        var run = Watched.Run(WithDeadline(5.01, plan));
        Assert.Equal(("shed", "DeadlineOutOfReach", 5.0), (run.Rows[0].Outcome, run.Rows[0].Why, run.Rows[0].EndSeconds));
    }

    [Fact]
    public void A_wait_that_is_too_long_ends_at_the_gateway()
    {
        var narrow = One with { Facts = One.Facts with { MaxSequences = 1 }, Engine = One.Engine with { MaxSequences = 1 } };
        var plan = Fleets.Plan(Listed.Of([.. Enumerable.Range(0, 8).Select(_ => (0.0, 100, 400))]), narrow) with
        {
            Classes = [new ServiceClass("default") { MaxWaitSeconds = 2 }],
        };
        var run = Watched.Run(plan);
        Assert.Equal(5, run.Rows.Count(row => row is { Outcome: "shed", Why: "MaxWait", EndSeconds: 2 }));
        Assert.Equal(3, run.Rows.Count(row => row.Outcome == "completed"));
    }

    [Fact]
    public void Replicas_start_as_long_as_it_takes_and_finish_what_they_have()
    {
        var pool = (Fleets.Order(Fleets.Small) with { Scaler = () => new ListedScaler((0, 1), (10, 3), (300, 1)), Most = 5 }).Plan();
        var start = 120 + (new KvCapacity(Fleets.Small).Memory.Weights / 1e9) + 60;
        Assert.Equal(start, pool.Facts.StartSeconds, 1e-9);
        var requests = Enumerable.Range(0, 400).Select(i => (1.0 * i, 100, 2000)).ToArray();
        var run = Watched.Run(Fleets.Plan(Listed.Of(requests), pool) with { ScaleSeconds = 10 });
        foreach (var replica in (int[])[1, 2])
        {
            Assert.Equal(10, run.When(FleetEventKind.Starting, replica));
            Assert.Equal(10 + start, run.When(FleetEventKind.Ready, replica), 1e-6);
        }

        var drained = run.Events.Where(one => one.Kind == FleetEventKind.Draining).ToList();
        Assert.Equal([300, 300], drained.Select(one => one.At.Seconds));
        Assert.All(drained, one => Assert.InRange(run.When(FleetEventKind.Gone, one.Replica), 301, 330));
        Assert.DoesNotContain(run.Events, one => one.Kind == FleetEventKind.Dispatched && one.At.Seconds > 300 && drained.Any(gone => gone.Replica == one.Replica));
        Assert.All(run.Rows, row => Assert.Equal(("completed", 1), (row.Outcome, row.Attempts)));
        var paid = run.Report.Replicas.Select((replica, i) => (replica.PaidSeconds, Expected: (run.Events.Any(one => one.Kind == FleetEventKind.Gone && one.Replica == i)
            ? run.When(FleetEventKind.Gone, i) : run.Report.Seconds) - run.When(FleetEventKind.Starting, i)));
        Assert.All(paid, pair => Assert.Equal(pair.Expected, pair.PaidSeconds, 1e-6));
    }

    [Fact]
    public void A_draining_replica_goes_when_the_last_on_its_way_to_it_is_given_up()
    {
        var front = One.Facts.Model.FrontSeconds(100);
        var pool = (Fleets.Order(Fleets.Small) with { Replicas = 2, Scaler = () => new ListedScaler((0, 2), (10, 1)) }).Plan();
        var (at, deadline) = (10 - (front / 2), front * 0.75);
        var run = Watched.Run(WithDeadline(deadline, Fleets.Plan(Listed.Of((at, 100, 5), (at, 100, 5), (90, 100, 5)), pool)) with { ScaleSeconds = 10 });
        var gone = run.Events.Single(one => one.Kind == FleetEventKind.Gone);
        Assert.InRange(gone.At.Seconds, 10, 10.5);
    }

    [Fact]
    public void A_run_that_is_stopped_accounts_for_everybody()
    {
        var plan = Fleets.Plan(Fleets.Poisson(50, 100_000, 500, 300), One);
        var run = Watched.Run(plan with { StopSeconds = 20 });
        Assert.Equal(20, run.Report.Seconds);
        Assert.False(run.Report.Partial);
        var counts = run.Report.Requests.Requests;
        Assert.True(counts is { Waiting: > 0, Running: > 0, Completed: > 0 });
        Assert.Equal(counts.Arrived, counts.Accounted);
        Assert.Equal(counts.Completed, run.Rows.Count);
        Assert.Equal(20, run.Report.Machines.PaidSeconds);
        Assert.All(run.Rows, row => Assert.True(row.EndSeconds <= 20));

        var part = Simulator.Run(plan, 7, new RunHooks { Progress = progress => progress.Arrived < 1000 });
        Assert.True(part.Partial);
        Assert.Equal(part.Requests.Requests.Arrived, part.Requests.Requests.Accounted);
        Assert.InRange(part.Requests.Requests.Arrived, 1000, 5000);
    }

    [Fact]
    public void What_nobody_could_ever_serve_is_rejected()
    {
        var small = One with { Engine = One.Engine with { Blocks = 100 }, Facts = One.Facts with { LongestTokens = 1600 } };
        var run = Watched.Run(Fleets.Plan(Listed.Of((0, 1600, 5), (0, 1599, 5), (0, 200_000, 5)), small));
        Assert.Equal(["rejected", "completed", "rejected"], run.Rows.OrderBy(row => row.Id).Select(row => row.Outcome));
        Assert.Equal((3, 2, 1), (run.Report.Requests.Requests.Arrived, run.Report.Requests.Requests.Rejected, run.Report.Requests.Requests.Completed));
        Assert.Equal(1, run.Row(1).OutputTokens); // what room there is
    }

    private static FleetPlan WithDeadline(double seconds, FleetPlan plan) =>
        plan with { Classes = [new ServiceClass("default") { DeadlineSeconds = seconds }] };
}
