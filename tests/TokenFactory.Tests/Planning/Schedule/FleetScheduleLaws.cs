using TokenFactory.Economics;
using TokenFactory.Planning.Schedule;
using TokenFactory.Tests.Laws;
using TokenFactory.Units;

namespace TokenFactory.Tests.Planning.Schedule;

/// <summary>The schedule against trying everything, its bound, and what must hold however large it is.</summary>
public sealed class FleetScheduleLaws
{
    [Fact]
    public void A_few_hours_cost_what_trying_everything_finds() => Cases.Check(300, dice =>
    {
        var problem = Draw(dice, dice.Whole(1, 3), dice.Whole(1, 2), 4);
        var schedule = FleetSchedule.Solve(problem);
        Assert.Equal(0, schedule.Unserved);
        Assert.Equal(ScheduleReference.Least(problem), schedule.Cost.Total, 1e-6);
        Nearly.Equal(schedule.Cost.Total, schedule.Bound, 1e-6);
    });

    [Fact]
    public void Every_hour_is_served_within_the_commitments_and_no_plain_way_is_cheaper() => Cases.Check(25, dice =>
    {
        var problem = Draw(dice, dice.Whole(5, 40), dice.Whole(1, 3), 30);
        var schedule = FleetSchedule.Solve(problem);
        Holds(problem, schedule);
        Assert.True(schedule.Bound <= schedule.Cost.Total + 1e-6);
        Assert.True(schedule.Cost.Total <= schedule.AllOnDemand.Cost.Total + 1e-6);
        Assert.True(schedule.ReservePeak is not { } peak || schedule.Cost.Total <= peak.Cost.Total + 1e-6);
        Assert.All(schedule.AllOnDemand.Gpus, gpus => Assert.Equal(0, gpus));
    });

    [Fact]
    public void A_dearer_price_never_makes_a_proven_schedule_cheaper_nor_its_bound_lower() => Cases.Check(150, dice =>
    {
        var problem = Draw(dice, dice.Whole(1, 4), dice.Whole(1, 2), 6);
        var dearer = problem with
        {
            Hourly = [.. problem.Hourly.Select(gpu => gpu with { OnDemand = gpu.OnDemand * 1.3 })],
            Commitments = [.. problem.Commitments.Select(c => c with { Fixed = c.Fixed * 1.1 })],
        };
        var (before, after) = (FleetSchedule.Solve(problem), FleetSchedule.Solve(dearer));
        Assert.True(after.Cost.Total >= before.Bound - 1e-6);
        if (before.Gap < 1e-9)
            Assert.True(after.Cost.Total >= before.Cost.Total - 1e-6);
    });

    /// <summary>One service, one replica of one GPU: the commitment lies where demand exceeds it for r/p of the time, F(c*) = 1 - r/p.</summary>
    [Fact]
    public void One_commitment_goes_to_the_newsvendor_quantile() => Cases.Check(40, dice =>
    {
        var demand = dice.Many(20, 120, () => (double)dice.Whole(0, 60));
        var (onDemand, share) = (dice.Whole(2, 60) / 8.0, (dice.Whole(0, demand.Count - 1) + 0.5) / demand.Count);
        var problem = One(demand, onDemand, null, new GpuCommitment("reserved", "h100", onDemand * share));
        var quantile = BreakEven.CommitmentQuantile(new UsdPerHour(onDemand * share), new UsdPerHour(onDemand)).Value;
        var schedule = FleetSchedule.Solve(problem);
        Assert.Equal([(int)demand.Order().ElementAt((int)Math.Ceiling(quantile * demand.Count) - 1)], schedule.Committed);
        Assert.Equal(0, schedule.Gap, 1e-6);
    });

    /// <summary>Whole GPUs, one service: the screening curve of <see cref="BillingSplit"/> is exact, and the schedule costs the same.</summary>
    [Fact]
    public void One_service_of_one_GPU_costs_what_the_screening_curve_says() => Cases.Check(60, dice =>
    {
        var hours = dice.Whole(10, 80);
        var firm = Enumerable.Range(0, hours).Select(_ => (double)dice.Whole(0, 30)).ToList();
        var rest = Enumerable.Range(0, hours).Select(_ => dice.Chance(0.5) ? (double)dice.Whole(0, 20) : 0).ToList();
        var onDemand = dice.Whole(8, 40) / 8.0;
        double? spot = dice.Chance(0.6) ? dice.Whole(1, 40) / 8.0 : null;
        var commitments = dice.Many(1, 3, () => (Fixed: onDemand * dice.Real(0.2, 1), Used: dice.Chance(0.5) ? 0 : onDemand * dice.Real(0, 0.3)));
        var problem = One(firm, onDemand, spot, [.. commitments.Select((c, k) => new GpuCommitment($"{k}", "h100", c.Fixed, c.Used))]);
        problem = problem with { Services = [new ServiceHours("all", firm, rest)] };
        var menu = new PriceMenu(new UsdPerHour(onDemand), spot is { } s ? new UsdPerHour(s) : null,
            [.. commitments.Select((c, k) => new Commitment($"{k}", new UsdPerHour(c.Fixed), new UsdPerHour(c.Used)))]);
        var split = BillingSplit.Best([.. firm.Select((f, h) => new Demand(1, f, rest[h]))], menu);
        Nearly.Equal((double)split.Cost.Total.Value, FleetSchedule.Solve(problem).Cost.Total, 1e-6);
    });

    [Fact]
    public void What_is_paid_anyway_is_used_first_where_its_use_is_free()
    {
        var problem = One([3, 7, 10, 4], 2, null, new GpuCommitment("sunk", "h100", 1.5, 0, Already: 5, Most: 0));
        var schedule = FleetSchedule.Solve(problem);
        Assert.Equal((2 + 5) * 2, schedule.Cost.Total, 1e-9);
        Assert.Equal(5 * 1.5 * 4, schedule.Cost.Sunk, 1e-9);
        var sunk = schedule.Uses.ToList().FindIndex(use => use.Commitment == 0);
        Assert.Equal([3, 5, 5, 4], schedule.Replicas.Select(hour => hour[sunk]));
    }

    [Fact]
    public void Services_that_peak_at_different_hours_share_their_commitments()
    {
        ScheduleShape Shape(string service) => new(service, service, "h100", 1, 1);
        var problem = new ScheduleProblem
        {
            Services = [new ServiceHours("day", [9, 1], [0, 0]), new ServiceHours("night", [1, 9], [0, 0])],
            Shapes = [Shape("day"), Shape("night")],
            Hourly = [new HourlyGpu("h100", 4)],
            Commitments = [new GpuCommitment("reserved", "h100", 2.1)],
        };
        var schedule = FleetSchedule.Solve(problem);
        Assert.Equal([10], schedule.Committed);
        Assert.Equal(42, schedule.Cost.Total, 1e-9); // apart, each would commit to 1 and rent 8 in its hour: 4.2 + 32 each
    }

    [Fact]
    public void What_cannot_be_served_is_said()
    {
        var problem = One([5, 12], 2, null) with { Hourly = [new HourlyGpu("h100", 2, null, 8)] };
        Assert.Equal(4 * 3600, FleetSchedule.Solve(problem).Unserved, 1.0);
        Assert.Throws<ArgumentException>(() => FleetSchedule.Solve(One([-1], 2, null)));
    }

    internal static ScheduleProblem One(IReadOnlyList<double> firm, double onDemand, double? spot, params GpuCommitment[] commitments) => new()
    {
        Services = [new ServiceHours("all", firm, [.. firm.Select(_ => 0.0)])],
        Shapes = [new ScheduleShape("h100", "all", "h100", 1, 1)],
        Hourly = [new HourlyGpu("h100", onDemand, spot)],
        Commitments = commitments,
    };

    private static ScheduleProblem Draw(Dice dice, int hours, int services, int peak)
    {
        string[] gpus = ["h100", "l40s"];
        var names = Enumerable.Range(0, services).Select(s => $"service {s}").ToList();
        List<double> Curve(int most) => [.. Enumerable.Range(0, hours).Select(_ => (double)dice.Whole(0, most))];
        return new ScheduleProblem
        {
            Services = [.. names.Select(name => new ServiceHours(name, Curve(peak), dice.Chance(0.5) ? Curve(peak) : [.. new double[hours]]))],
            Shapes = [.. names.SelectMany(name => gpus.Where(gpu => gpu == "h100" || dice.Chance(0.5))
                .Select(gpu => new ScheduleShape($"{name} on {gpu}", name, gpu, dice.Whole(1, 2), dice.Whole(1, 4))))],
            Hourly = [.. gpus.Select(gpu => new HourlyGpu(gpu, dice.Whole(4, 24) / 4.0, dice.Chance(0.5) ? dice.Whole(1, 20) / 4.0 : null))],
            Commitments = [.. gpus.Where(_ => dice.Chance(0.7)).Select(gpu => new GpuCommitment("reserved", gpu, dice.Whole(1, 12) / 4.0,
                dice.Chance(0.3) ? 0.25 : 0, dice.Chance(0.2) ? dice.Whole(1, 3) : 0, dice.Chance(0.3) ? dice.Whole(0, 4) : null))],
        };
    }

    private static void Holds(ScheduleProblem problem, YearSchedule schedule)
    {
        for (var h = 0; h < problem.Hours; h++)
        {
            var used = schedule.Uses.Select((use, u) => (Use: use, Shape: problem.Shapes[use.Shape], Count: schedule.Replicas[h][u])).ToList();
            foreach (var service in problem.Services)
            {
                var own = used.Where(item => item.Shape.Service == service.Name).ToList();
                Assert.True(own.Where(item => !item.Use.Spot).Sum(item => item.Count * item.Shape.RequestsPerSecond) >= service.Firm[h] - 1e-6);
                Assert.True(own.Sum(item => item.Count * item.Shape.RequestsPerSecond) >= service.Firm[h] + service.Interruptible[h] - 1e-6);
            }

            for (var c = 0; c < problem.Commitments.Count; c++)
                Assert.True(used.Where(item => item.Use.Commitment == c).Sum(item => item.Count * item.Shape.Gpus) <= schedule.Committed[c] + problem.Commitments[c].Already);
        }
    }
}
