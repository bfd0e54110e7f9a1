using System.Text.Json;
using TokenFactory.Fleet;
using TokenFactory.Simulation;
using TokenFactory.Tests.Laws;
using TokenFactory.Units;

namespace TokenFactory.Tests.Simulation;

/// <summary>The laws of docs/INVARIANTS.md, on fleets with everything that may happen to them.</summary>
public sealed class SimulationLaws
{
    private static readonly JsonSerializerOptions WithTuples = new() { IncludeFields = true };

    [Fact]
    public void Skipping_ahead_changes_nothing_whatever_happens() => Cases.Check(500, dice =>
    {
        var plan = Fleets.Draw(dice);
        var (fast, slow) = (Watched.Run(plan), Watched.Run(plan with { StepByStep = true }));
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
    public void Time_never_runs_backwards() => Cases.Check(100, dice =>
    {
        var run = Watched.Run(Fleets.Draw(dice));
        Assert.All(run.Events.Zip(run.Events.Skip(1)), pair => Assert.True(pair.First.At <= pair.Second.At, $"{pair}"));
        Assert.All(run.Rows.Zip(run.Rows.Skip(1)), pair => Assert.True(pair.First.EndSeconds <= pair.Second.EndSeconds));
    });

    [Fact]
    public void The_log_of_a_run_replays_to_the_same_decisions() => Cases.Check(100, dice =>
    {
        var plan = Fleets.Draw(dice);
        var log = Watched.Run(plan).Events;
        var (state, router) = (new FleetState([.. plan.Pools.Select(pool => pool.Facts)], plan.Classes, 2), plan.Router());
        for (var i = 0; i < log.Count; i++)
        {
            if (Sent(log, i) is { } sent && log[i].Ask is { } ask)
            {
                var decode = plan.Pools[state.Snapshot.Replicas[sent.Replica].Pool].Facts.Role == ReplicaRole.Decode;
                var role = decode ? ReplicaRole.Decode : ReplicaRole.Aggregated;
                var choice = plan.Classes[ask.Class].FillsSlack && !decode
                    ? plan.Fill.Place(state.Snapshot, ask, role, router, sent.At)
                    : router.Decide(state.Snapshot, ask, role, sent.At);
                Assert.Equal((sent.Replica, sent.FreshTokens), (choice.Replica, choice.FreshTokens));
            }

            state.Apply(log[i]);
        }

        // A first leg is decided on before it leaves the gateway, a second one as it is sent.
        static FleetEvent? Sent(List<FleetEvent> log, int i) => log[i].Kind switch
        {
            FleetEventKind.Unqueued when i + 1 < log.Count && log[i + 1] is { Kind: FleetEventKind.Dispatched } next && next.Ask!.Id == log[i].Ask!.Id => next,
            FleetEventKind.Dispatched when log[i - 1].Kind != FleetEventKind.Unqueued => log[i],
            _ => null,
        };
    });

    [Fact]
    public void The_same_seed_gives_the_same_run_to_the_last_bit() => Cases.Check(40, dice =>
    {
        var plan = Fleets.Draw(dice);
        var (one, other) = (Watched.Run(plan), Watched.Run(plan));
        Assert.Equal(one.Rows, other.Rows);
        Assert.Equal(one.Events.Select(Told), other.Events.Select(Told));
        Assert.Equal(Text(one.Report), Text(other.Report));

        static (FleetEventKind, Instant, int, long?, int, double) Told(FleetEvent e) => (e.Kind, e.At, e.Replica, e.Ask?.Id, e.OutputTokens, e.KvHeld);
        static string Text(RunReport report) => JsonSerializer.Serialize(report, WithTuples);
    });

    [Fact]
    public void Every_request_is_somewhere_at_every_instant_and_ends_once() => Cases.Check(150, dice =>
    {
        var plan = Fleets.Draw(dice);
        var run = Watched.Run(plan);
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
        var run = Watched.Run(plan);
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
        var run = Watched.Run(Fleets.Draw(dice) with { StopSeconds = null, Faults = [] });
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
}
