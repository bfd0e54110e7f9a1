using TokenFactory.Engine;
using TokenFactory.Fleet;
using TokenFactory.Planning.Audit;
using TokenFactory.Simulation;
using TokenFactory.Units;
using TokenFactory.Workload;

namespace TokenFactory.Tests.Planning.Audit;

/// <summary>An audit as a whole: what is measured against what, the total, chance, stretches.</summary>
public sealed class AuditorTests
{
    private static readonly AuditedFleet Naive = Audits.Fleet(
        10,
        pool => pool with { Engine = EngineSettings.Of(pool.Deployment) with { PrefixCaching = false, MaxSequences = 24 } },
        Audits.Chat with { SystemPromptTokens = 4000 });

    private static readonly AuditResult Audit = Auditor.Run(Naive, Audits.Asked);

    [Fact]
    public void Fewer_replicas_come_first_and_the_others_are_measured_against_what_is_left()
    {
        var fewer = Audit.Of("replicas");
        Assert.Equal((LeverState.Off, LeverVerdict.Saves), (fewer.State, fewer.Verdict));
        Assert.Equal(Audit.Today, fewer.Against);
        Assert.InRange(Audit.Cut!.Gpus, 2, 9);
        Assert.All(Audit.Levers.Where(one => one.Best is not null && one.Lever.Key != "replicas"), one => Assert.Equal(Audit.CutSample, one.Against));
    }

    [Fact]
    public void One_replica_fewer_than_the_fewest_breaks_a_promise_under_some_seed()
    {
        Assert.Null(Broken(Audit.Cut!));
        Assert.NotNull(Broken(Audit.Cut!.With([Audit.Cut.Gpus - 1])));
    }

    [Fact]
    public void Every_lever_that_saves_keeps_the_promises_of_today() =>
        Assert.All(Audit.Levers.Where(one => one.Verdict == LeverVerdict.Saves), one => Assert.Null(Broken(one.Best!.Fleet)));

    [Fact]
    public void The_total_is_simulated_and_no_worse_than_the_best_lever_alone()
    {
        Assert.True(Audit.Steps.Count >= 2);
        Assert.All(Audit.BestFigures, figures =>
        {
            var run = Simulator.Run(Audit.Best!.Plan(), figures.Seed);
            Assert.InRange(figures.UsdPerMillion / run.UsdPerMillionOutput, 0.95, 1.2); // answers that end sooner save nothing
            Assert.Equal(figures.KeptShare, run.Requests.KeptShare);
        });
        var alone = Audit.Levers.Where(one => one.Barred is null && one.Verdict == LeverVerdict.Saves).Min(one => AuditResult.Mean(one.Best!.Figures));
        Assert.True(AuditResult.Mean(Audit.BestFigures) <= alone);
        Assert.Null(Broken(Audit.Best!));
    }

    [Fact]
    public void The_total_is_not_the_sum()
    {
        var sum = Audit.Levers.Where(one => one.Barred is null && one.Verdict == LeverVerdict.Saves).Sum(Audit.UsdSaved);
        var together = AuditResult.Mean(Audit.Today) - AuditResult.Mean(Audit.BestFigures);
        Assert.NotEqual(sum, together, 3);
        Assert.True(together < AuditResult.Mean(Audit.Today));
    }

    [Fact]
    public void Each_step_is_better_than_the_one_before()
    {
        var before = Audit.CutSample;
        foreach (var step in Audit.Steps.Where(step => step.Lever.Key != "replicas"))
        {
            Assert.NotEqual(LeverVerdict.NoSaving, AuditJudgement.Of(before, step.Figures, AuditJudgement.Worth(step.Lever.Effort)));
            before = step.Figures;
        }
    }

    [Fact]
    public void The_same_question_has_the_same_answer()
    {
        var again = Auditor.Run(Naive, Audits.Asked);
        Assert.Equal(Audit.BestFigures, again.BestFigures);
        Assert.Equal(Audit.Levers.Select(one => (one.Lever.Key, one.Verdict, one.Saving, one.Gain)), again.Levers.Select(one => (one.Lever.Key, one.Verdict, one.Saving, one.Gain)));
        Assert.Equal(Audit.Runs, again.Runs);
    }

    [Fact]
    public void A_lever_that_breaks_a_promise_at_todays_cost_is_no_saving()
    {
        // The cap makes steps longer than the promise allows, and no more replicas than today may be had.
        var run = Simulator.Run(Audits.Fleet(1, stream: Audits.Chat with { Arrivals = ArrivalPlan.Poisson(4), Requests = 300 }).Plan(), 1);
        var tight = new ServiceClass("chat") { TtftSeconds = 5, TpotSeconds = run.Requests.Tpot.P99 * 1.02 };
        var fleet = Audits.Fleet(1, stream: Audits.Chat with { Arrivals = ArrivalPlan.Poisson(4), Requests = 300 }, classes: tight);
        var lever = Audits.Judge(fleet, "power-cap", Audits.Asked with { Seeds = [1] });
        var lowest = lever.Tried.Single(trial => trial.What == "power_cap_w: 385");
        Assert.Contains("chat", lowest.Broken, StringComparison.Ordinal);
        Assert.Equal(0, lever.Verdict == LeverVerdict.BreaksPromise ? lever.Saving : 0);
    }

    [Fact]
    public void Promises_that_do_not_hold_today_may_not_get_worse()
    {
        var poor = new ServiceClass("chat") { TtftSeconds = 0.06, TpotSeconds = 0.03 };
        var audit = Auditor.Run(Audits.Fleet(4, classes: poor), Audits.Only("replicas", "commitment"));
        Assert.InRange(audit.Classes.Single().Kept, 0.05, 0.985);
        Assert.Equal(4, audit.Cut!.Gpus); // fewer replicas would keep less than today's too few
        Assert.Equal(LeverVerdict.Saves, audit.Of("commitment").Verdict);
    }

    [Fact]
    public void Spares_are_paid_for_and_not_needed()
    {
        var cut = Auditor.Run(Naive, Audits.Only("replicas")).Cut!.Gpus;
        var spared = Auditor.Run(Naive, Audits.Only("replicas") with { Spare = 1 });
        Assert.Equal(cut + 1, spared.Cut!.Gpus);
    }

    [Fact]
    public void What_is_left_out_is_not_looked_at()
    {
        var audit = Auditor.Run(Naive, Audits.Asked with { LeftOut = new HashSet<string> { "replicas", "spot" } });
        Assert.Equal(10, audit.Cut!.Gpus);
        Assert.DoesNotContain(audit.Levers, one => one.Lever.Key == "spot");
        Assert.Equal(LeverState.On, audit.Of("replicas").State);
    }

    [Fact]
    public void Stopping_keeps_what_is_known_and_claims_no_total()
    {
        var seen = 0;
        var audit = Auditor.Run(Naive, Audits.Asked, now => ++seen > 0 && now.Runs < 30);
        Assert.True(audit.Stopped);
        Assert.Null(audit.Best);
        Assert.NotEmpty(audit.Today);
        Assert.InRange(audit.Levers.Count, 1, Levers.All.Count - 1);
    }

    [Fact]
    public void Where_nothing_is_promised_the_work_must_be_done_as_soon_as_today()
    {
        var audit = Auditor.Run(Audits.Fleet(6, classes: new ServiceClass("chat")), Audits.Only("replicas"));
        Assert.False(audit.Promised);
        var (today, cut) = (Simulator.Run(audit.Fleet.Plan(), 1), Simulator.Run(audit.Cut!.Plan(), 1));
        Assert.True(cut.Seconds <= today.Seconds * 1.02, $"{cut.Seconds} s instead of {today.Seconds} s");
    }

    [Fact]
    public void A_fleet_without_prices_is_judged_by_its_watts()
    {
        var audit = Auditor.Run(Audits.Fleet(4, pool => pool with { UsdPerGpuHour = 0, Billing = "owned" }), Audits.Only("replicas", "power-cap"));
        Assert.All(audit.Today, figures => Assert.Equal(0, figures.UsdPerMillion));
        Assert.Equal(LeverVerdict.SavesWatts, audit.Of("power-cap").Verdict);
        Assert.True(audit.Cut!.Gpus < 4);
        Assert.NotNull(audit.Best);
    }

    [Fact]
    public void The_busiest_stretch_of_a_day_is_its_peak()
    {
        var day = Audits.Chat with
        {
            Arrivals = new ArrivalPlan(ArrivalKind.Poisson, new RateCurve { PerSecond = 5, Daily = new Diurnal(10, 7200, 0) }),
            Requests = 36_000,
        };
        var look = TrafficLook.At(day.Traffic, 1, null);
        var stretch = Stretch.Busiest(day.Traffic, look, 5000);
        Assert.False(stretch.IsWhole);
        Assert.Equal((5000, 36_000), (stretch.Requests, stretch.Of));
        Assert.True(5000 / stretch.Seconds > 1.6 * look.Seconds.Count / look.Length, $"{5000 / stretch.Seconds}/s");
        var sent = IdealFleet.Asked(stretch.Traffic(1), 0.02).ToList();
        Assert.InRange(sent.Count, 4990, 5000);
        Assert.InRange(sent[0].Arrival.Seconds, 0, 1);
        Assert.InRange(sent[^1].Arrival.Seconds, stretch.Seconds - 1, stretch.Seconds + 1);
        Assert.InRange(look.PeakToMean(0, look.Length), 1.4, 2);
    }

    [Fact]
    public void Sessions_of_a_stretch_are_sent_to_their_end_and_closed_loops_by_number()
    {
        var sessions = new SessionPlan
        {
            Name = "s",
            Arrivals = ArrivalPlan.Poisson(5),
            Turns = new Constant(3),
            Lengths = new PairedLengths(new Constant(50), new Constant(10)),
            Think = new Constant(1),
            Sessions = 600,
        };
        var stretch = new TrafficStretch(sessions.Traffic(1), Instant.AtSeconds(20), Instant.AtSeconds(60));
        var turns = IdealFleet.Asked(stretch, 0.01).GroupBy(request => request.Session).ToList();
        Assert.InRange(turns.Count, 150, 250);
        Assert.All(turns, session => Assert.Equal(3, session.Count()));
        var closed = new ClosedPlan { Name = "c", Clients = 10, Lengths = new PairedLengths(new Constant(50), new Constant(10)), RequestsPerClient = 100 };
        var look = TrafficLook.At(closed.Traffic, 1, null);
        Assert.True(look.IsClosed);
        var first = Stretch.Busiest(closed.Traffic, look, 120);
        Assert.Equal(120, IdealFleet.Asked(first.Traffic(1), 0.01).Count());
    }

    [Fact]
    public void A_long_traffic_is_judged_on_its_peak_and_told_on_the_whole()
    {
        var day = Audits.Chat with
        {
            Arrivals = new ArrivalPlan(ArrivalKind.Poisson, new RateCurve { PerSecond = 15, Daily = new Diurnal(5, 1200, 0) }),
            Requests = 9000,
        };
        var audit = Auditor.Run(Audits.Fleet(6, stream: day), Audits.Only("replicas", "commitment", "power-cap") with { Requests = 1500 });
        Assert.Equal((1500, 9000), (audit.Sample.Requests, audit.Check.Requests));
        Assert.Equal(Simulator.Run(audit.Fleet.Plan(), 1).UsdPerMillionOutput, audit.Today[0].UsdPerMillion);
        Assert.Null(audit.BestBroken);
        Assert.NotEqual(audit.CutSample[0].UsdPerMillion, audit.CutFigures[0].UsdPerMillion);
    }

    /// <summary>The promise that a fleet breaks under a seed of the audit; null where it keeps all.</summary>
    private static string? Broken(AuditedFleet fleet) => Audits.Asked.Seeds
        .Select(seed => new PromiseFloors(Simulator.Run(Naive.Plan(), seed), 0.99).Broken(Simulator.Run(fleet.Plan(), seed)))
        .FirstOrDefault(broken => broken is not null);
}
