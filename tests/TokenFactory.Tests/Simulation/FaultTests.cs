using TokenFactory.Fleet;
using TokenFactory.Policies;
using TokenFactory.Simulation;

namespace TokenFactory.Tests.Simulation;

/// <summary>Each fault does what it says, and no more.</summary>
public sealed class FaultTests
{
    [Theory]
    [InlineData(true, 3, "completed", 2)]
    [InlineData(true, 1, "failed", 1)] // tried as often as may be
    [InlineData(false, 3, "failed", 1)] // the client has seen tokens that another replica would not repeat
    public void A_crash_loses_what_is_in_flight(bool continues, int attempts, string outcome, int sent)
    {
        var run = Watched.Run(Plan([.. Enumerable.Range(0, 10).Select(i => (0.001 * i, 100, 1000))], replicas: 2) with
        {
            Recovery = new Recovery { ContinueAnswers = continues, MaxAttempts = attempts },
            Faults = [new Crashes { AtSeconds = [5] }],
        });
        var (hit, spared) = (run.Rows.Where(row => row.Id % 2 == 0).ToList(), run.Rows.Where(row => row.Id % 2 == 1).ToList());
        Assert.All(spared, row => Assert.Equal(("completed", 1, 1000), (row.Outcome, row.Attempts, row.OutputTokens)));
        Assert.All(hit, row => Assert.Equal((outcome, sent), (row.Outcome, row.Attempts)));
        Assert.All(hit, row => Assert.Equal(outcome == "completed", row.OutputTokens == 1000));
        Assert.Contains(run.Report.Happenings, one => one.AtSeconds == 5 && one.What == "pool-0 crashed, 5 requests in flight");
        Assert.Equal((1, 1), (run.Report.Machines.Lost, run.Report.Machines.Started));
        Assert.Equal(5, run.When(FleetEventKind.Gone, 0));
    }

    [Fact]
    public void What_a_client_has_is_not_generated_again_however_often_its_replica_fails()
    {
        var pool = Fleets.Order(Fleets.Small).Plan();
        var again = 5 + pool.Facts.StartSeconds;
        var plan = Fleets.Plan(Listed.Of((0, 100, 2000)), pool) with
        {
            // The second comes while the request is on its way to the replacement: nothing new was generated.
            Faults = [new Crashes { AtSeconds = [5, again + (pool.Facts.Model.FrontSeconds(100) / 2)] }],
            Recovery = new Recovery { MaxAttempts = 9 },
        };
        var run = Watched.Run(plan);
        Assert.Equal(("completed", 2000, 3), (run.Rows[0].Outcome, run.Rows[0].OutputTokens, run.Rows[0].Attempts));
        Assert.InRange(run.Report.Machines.OutputTokens, 2000, 2002); // and what was under way in the step of the crash
        Assert.InRange(run.Rows[0].FirstTokenSeconds, 0, 1);
    }

    [Fact]
    public void A_fault_without_a_pool_befalls_the_first_replica_of_each()
    {
        var plan = Fleets.Plan(Listed.Of((0, 100, 2000)), Pool("a", 2), Pool("b", 2)) with { Faults = [new Crashes { AtSeconds = [3] }] };
        Assert.Equal([1, 1], Watched.Run(plan).Report.Pools.Select(pool => pool.Lost));
        plan = plan with { Faults = [new Crashes { AtSeconds = [3], Pool = 1 }] };
        Assert.Equal([0, 1], Watched.Run(plan).Report.Pools.Select(pool => pool.Lost));
    }

    [Fact]
    public void Crashes_by_chance_come_as_often_as_they_say()
    {
        var plan = Plan([(0, 100, 1), (40_000, 100, 1)], replicas: 20) with { Faults = [new Crashes { MeanHours = 1 }] };
        var run = Watched.Run(plan);
        var expected = run.Report.Machines.ReadySeconds / 3600;
        Assert.InRange(run.Report.Machines.Lost, expected - (4 * Math.Sqrt(expected)), expected + (4 * Math.Sqrt(expected))); // 4 standard deviations
    }

    [Fact]
    public void A_slow_replica_is_slow_for_that_long_and_no_longer()
    {
        var plain = End();
        var lost = 5 * (1 - (1 / 3.0)); // five seconds in which a third of the work is done
        Assert.Equal(lost, End(Slow(5, 5, 3)) - plain, 0.1);
        Assert.Equal(lost, End(Slow(5, 5, 3), Slow(6, 1, 1)) - plain, 0.1); // another that ends within it does not end it
        Assert.Equal(5 * (1 - (1 / 6.0)), End(Slow(5, 5, 3), Slow(5, 5, 2)) - plain, 0.1); // both at once
        Assert.Equal(plain, End(Slow(5, 0, 3)));

        static Slowdown Slow(double at, double length, double factor) => new() { AtSeconds = at, ForSeconds = length, Factor = factor };
        static double End(params Fault[] faults) => Watched.Run(Plan([(0, 100, 3000)]) with { Faults = faults }).Rows[0].EndSeconds;
    }

    [Fact]
    public void A_replacement_is_as_fast_as_it_should_be()
    {
        var slow = new Slowdown { AtSeconds = 1, ForSeconds = 1000, Factor = 10 };
        var plan = Plan([(0, 100, 100), (500, 100, 100)]);
        var run = Watched.Run(plan with { Faults = [slow, new Crashes { AtSeconds = [50] }] });
        var plain = Watched.Run(plan);
        Assert.Equal(plain.Row(1).EndSeconds, run.Row(1).EndSeconds, 1e-6);
        Assert.DoesNotContain(run.Report.Happenings, one => one.What.Contains("recovered", StringComparison.Ordinal));
    }

    [Fact]
    public void Nobody_reports_while_reports_are_lost()
    {
        var plan = Fleets.Plan(Listed.Of((0, 100, 1), (40, 100, 1)), Pool("a", 1), Pool("b", 1)) with
        {
            ReportSeconds = 1,
            Faults =
            [
                new StaleReports { AtSeconds = 5.5, ForSeconds = 10, Pool = 1 },
                new StaleReports { AtSeconds = 7.5, ForSeconds = 1, Pool = 1 },
                new StaleReports { AtSeconds = 20.5, ForSeconds = 3 },
            ],
        };
        var run = Watched.Run(plan);
        Assert.Equal([20.5], Silent(0).Distinct());
        Assert.Equal([5.5, 20.5], Silent(1).Distinct());

        // Beginnings of the silences that the seconds without a report lie in.
        IEnumerable<double> Silent(int replica) => Enumerable.Range(1, 39)
            .Where(second => !run.Events.Any(one => one.Kind == FleetEventKind.Reported && one.Replica == replica && Math.Round(one.At.Seconds) == second))
            .Select(second => second is > 5 and <= 15 ? 5.5 : second is > 20 and <= 23 ? 20.5 : second);
    }

    [Fact]
    public void Lost_answers_are_asked_for_again()
    {
        var plan = Fleets.Plan(Fleets.Poisson(20, 3000, 50, 2), Pool("pool", 1)) with
        {
            Recovery = new Recovery { MaxAttempts = 20, FreeRetries = int.MaxValue },
            Faults = [new LostAnswers { Share = 0.3 }],
        };
        var run = Watched.Run(plan);
        Assert.All(run.Rows, row => Assert.Equal("completed", row.Outcome));
        Assert.Equal(run.Rows.Sum(row => row.Attempts - 1L), run.Report.Requests.Retries);
        var (mean, deviation) = (1 / 0.7, Math.Sqrt(0.3) / 0.7 / Math.Sqrt(3000)); // geometric
        Assert.InRange(run.Rows.Average(row => row.Attempts), mean - (4 * deviation), mean + (4 * deviation));

        run = Watched.Run(plan with { Recovery = new Recovery { MaxAttempts = 2 }, Faults = [new LostAnswers { Share = 1 }] });
        Assert.All(run.Rows, row => Assert.True(row is { Outcome: "failed", Attempts: 1 or 2 }));
        Assert.Contains(run.Rows, row => row.Why == "answer lost, given up: Attempts" && row.Attempts == 2);
    }

    [Fact]
    public void A_warned_spot_replica_sends_on_what_it_cannot_finish_and_answers_go_on_where_they_were()
    {
        var pool = Pool("spot", 1);
        var plan = Fleets.Plan(Listed.Of((0, 100, 5000)), pool) with
        {
            Faults = [new SpotPreemptions { RunsSeconds = [20, 10], NoticeSeconds = 1 }],
            Recovery = new Recovery { MaxAttempts = 50 },
        };
        var run = Watched.Run(plan);
        Assert.Equal(19, run.When(FleetEventKind.Draining, 0), 1e-6);
        Assert.InRange(run.When(FleetEventKind.Gone, 0), 19, 19.1); // nothing keeps it once all have moved
        Assert.Equal(30, run.When(FleetEventKind.Starting, 1), 1e-6); // 20 seconds up, 10 down
        Assert.Equal(30 + pool.Facts.StartSeconds, run.When(FleetEventKind.Ready, 1), 1e-6);
        Assert.Equal(("completed", 5000), (run.Rows[0].Outcome, run.Rows[0].OutputTokens));
        Assert.True(run.Rows[0].Attempts > 1);
        Assert.InRange(run.Report.Machines.OutputTokens, 5000, 5001); // none twice
        Assert.True(run.Rows[0].FirstTokenSeconds < 1);
    }

    [Fact]
    public void What_is_done_before_a_spot_replica_goes_stays_there()
    {
        // Fifty answers have taught how long an answer is; the last one has time enough.
        var plan = Fleets.Plan(
            Listed.Of([.. Enumerable.Range(0, 50).Select(i => (0.1 * i, 100, 100)), (14.7, 100, 100)]), Pool("spot", 1)) with
        {
            Faults = [new SpotPreemptions { RunsSeconds = [20, 10], NoticeSeconds = 5 }],
        };
        var run = Watched.Run(plan);
        Assert.Equal(("completed", 1), (run.Row(50).Outcome, run.Row(50).Attempts));
        Assert.InRange(run.Row(50).EndSeconds, 15, 16);
        Assert.Equal(run.Row(50).EndSeconds, run.When(FleetEventKind.Gone, 0));
    }

    private static PoolPlan Pool(string name, int replicas) => (Fleets.Order(Fleets.Small, name) with { Replicas = replicas }).Plan();

    private static FleetPlan Plan((double, int, int)[] requests, int replicas = 1) => Fleets.Plan(Listed.Of(requests), Pool("pool", replicas));
}
