using TokenFactory.Fleet;
using TokenFactory.Simulation;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Tests.Simulation;

/// <summary>The laws of docs/INVARIANTS.md, on fleets with everything that may happen to them.</summary>
public sealed class SimulationLaws
{
    [Fact]
    public void Skipping_ahead_changes_nothing_whatever_happens() => Cases.Check(500, dice =>
    {
        var plan = Fleets.Draw(dice);
        var (fast, slow) = (Watch(plan), Watch(plan with { StepByStep = true }));
        Assert.Equal(slow.Rows.Select(Timed), fast.Rows.Select(Timed));
        Assert.Equal(slow.Events.Count, fast.Events.Count);
        Nearly.Equal(slow.Report.Machines.StepJoules, fast.Report.Machines.StepJoules, 1e-9);
        Nearly.Equal(slow.Report.Machines.BoardJoules, fast.Report.Machines.BoardJoules, 1e-9);
        Nearly.Equal(slow.Report.Machines.PaidUsd, fast.Report.Machines.PaidUsd, 1e-12);
        Assert.Equal(slow.Report.Seconds, fast.Report.Seconds);
        Assert.All(slow.Rows.Zip(fast.Rows), pair => Nearly.Equal(pair.First.Joules, pair.Second.Joules, 1e-9));
        Assert.All(slow.Report.Pools.Zip(fast.Report.Pools), pair => Assert.Equal(pair.First.TokenGap.P99, pair.Second.TokenGap.P99));
    });

    [Fact]
    public void The_same_seed_gives_the_same_run_to_the_last_bit() => Cases.Check(40, dice =>
    {
        var plan = Fleets.Draw(dice);
        var (one, other) = (Watch(plan), Watch(plan));
        Assert.Equal(one.Rows, other.Rows);
        Assert.Equal(one.Events, other.Events);
        Assert.Equal(one.Report.Machines, other.Report.Machines);
    });

    [Fact]
    public void Every_request_is_somewhere_at_every_instant_and_ends_once() => Cases.Check(150, dice =>
    {
        var plan = Fleets.Draw(dice);
        var run = Watch(plan);
        var counts = run.Report.Requests.Requests;
        Assert.Equal(counts.Arrived, counts.Accounted);
        Assert.Equal(run.Rows.Count, run.Rows.Select(row => row.Id).Distinct().Count());
        Assert.Equal(counts.Arrived - counts.Waiting - counts.Running, run.Rows.Count);
        foreach (var groups in (IReadOnlyList<RequestReport>[])[run.Report.Classes, run.Report.Tenants])
        {
            Assert.Equal(counts.Arrived, groups.Sum(group => group.Requests.Arrived));
            Assert.All(groups, group => Assert.Equal(group.Requests.Arrived, group.Requests.Accounted));
            Assert.All(groups, group => Assert.True(group.Requests is { Waiting: >= 0, Running: >= 0 }));
        }

        Assert.Equal(counts.Completed, run.Report.PoolRequests.Sum(pool => pool.Requests.Completed));
        if (plan.StopSeconds is null)
            Assert.Equal(0, counts.Running);
    });

    [Fact]
    public void Joules_and_dollars_of_requests_and_of_idling_are_those_of_the_machines() => Cases.Check(100, dice =>
    {
        var plan = Fleets.Draw(dice) with { StopSeconds = null };
        var run = Watch(plan);
        if (run.Report.Requests.Requests is { Waiting: > 0 } or { Running: > 0 })
            return;
        Nearly.Equal(run.Report.Machines.StepJoules, run.Rows.Sum(row => row.Joules), 1e-6);
        Nearly.Equal(run.Report.Machines.UsageUsd, run.Rows.Sum(row => row.UsageUsd), 1e-6);
        var idle = run.Report.Replicas.Zip(run.Hosts, (replica, pool) =>
            (replica.PaidSeconds - replica.BusySeconds) * plan.Pools[pool].Facts.Model.IdleWatts).Sum();
        Nearly.Equal(run.Report.Machines.BoardJoules, run.Report.Machines.StepJoules + idle, 1e-6);
        var paid = run.Report.Replicas.Zip(run.Hosts, (replica, pool) => replica.PaidSeconds / 3600 * plan.Pools[pool].Facts.UsdPerHour).Sum();
        Nearly.Equal(run.Report.Machines.PaidUsd, paid, 1e-9);
        Assert.True(run.Report.Machines.ItJoules >= run.Report.Machines.BoardJoules * (1 - 1e-9));
        Assert.True(run.Report.Machines.FacilityJoules >= run.Report.Machines.ItJoules * (1 - 1e-9));
        Nearly.Equal(run.Report.Machines.PaidUsd, run.Report.Intervals.Sum(stretch => stretch.All.PaidUsd), 1e-6);
    });

    [Fact]
    public void Little_s_law_holds() => Cases.Check(60, dice =>
    {
        var run = Watch(Fleets.Draw(dice) with { StopSeconds = null, Faults = [] });
        if (run.Rows.Count == 0)
            return;
        var steps = run.Rows.Select(row => (At: row.ArrivalSeconds, Change: 1)).Concat(run.Rows.Select(row => (At: row.EndSeconds, Change: -1)))
            .OrderBy(step => step.At).ToList();
        double area = 0, before = 0;
        var inside = 0;
        foreach (var (at, change) in steps)
        {
            area += inside * (at - before);
            (before, inside) = (at, inside + change);
        }

        Nearly.Equal(run.Rows.Sum(row => row.EndSeconds - row.ArrivalSeconds), area, 1e-9);
        var spread = run.Report.Requests.EndToEnd;
        var completed = run.Rows.Where(row => row.Outcome == "completed").ToList();
        Nearly.Equal(completed.Sum(row => row.EndSeconds - row.ArrivalSeconds), spread.Mean * spread.Count, 1e-9);
    });

    private static (string, long, long, long, int, int, int, int) Timed(RequestRow row) => (
        row.Outcome + row.Why, row.Id, (long)Math.Round(row.EndSeconds * 1e9), (long)Math.Round(row.FirstTokenSeconds * 1e9), row.OutputTokens, row.Replica, row.Attempts,
        row.CachedTokens);

    private static Watched Watch(FleetPlan plan)
    {
        var run = new Watched();
        run.Report = Simulator.Run(plan, 7, new RunHooks
        {
            Row = run.Rows.Add,
            Progress = progress => progress.Seconds < 100_000
                ? true
                : throw new InvalidOperationException($"still going at {progress}"),
            Event = one =>
            {
                run.Events.Add((one.Kind, one.At.Nanoseconds, one.Replica, one.Ask?.Id, one.OutputTokens, one.KvHeld));
                if (one.Kind == FleetEventKind.Starting)
                    run.Hosts.Add(one.Pool);
            },
        });
        return run;
    }

    private sealed class Watched
    {
        public List<RequestRow> Rows { get; } = [];

        public List<(FleetEventKind, long, int, long?, int, double)> Events { get; } = [];

        public List<int> Hosts { get; } = [];

        public RunReport Report { get; set; } = null!;
    }
}
