using TokenFactory.Fleet;
using TokenFactory.Performance;
using TokenFactory.Tests.Laws;
using TokenFactory.Units;

namespace TokenFactory.Tests.Fleet;

/// <summary>Time, dollars and joules of replicas are split over requests so that nothing is lost and nothing is counted twice.</summary>
public sealed class WorkMeterTests
{
    private const double Hour = 3600;

    private sealed record Flight(WorkMeter Meter, Work Work);

    [Fact]
    public void Requests_those_in_flight_and_idle_time_sum_to_the_meter() => Cases.Check(200, dice =>
    {
        var facts = Fleets.Pool(usd: dice.Real(0.5, 50));
        var pool = new PoolMeter(facts, new StepTable(facts.Model));
        var (meters, flights) = (new List<WorkMeter>(), new List<Flight>());
        var (now, ended, allocated, joules) = (1_760_000_000_000_000_000L, 0.0, 0.0, 0.0);
        for (var i = dice.Whole(1, 4); i > 0; i--)
            meters.Add(pool.Open(new Instant(now)));
        for (var i = dice.Whole(10, 300); i > 0; i--)
        {
            now += dice.Chance(0.1) ? dice.Whole(0, 2_000_000_000) * 100L : dice.Whole(0, 200_000_000);
            Step();
        }

        now += 1_000_000_000;
        meters.ForEach(meter => meter.Advance(new Instant(now)));
        var flying = flights.Select(flight => flight.Meter.Of(flight.Work)).ToList();
        var totals = meters.Select(meter => meter.Totals).ToList();
        var (paid, idle) = (totals.Sum(t => t.UsdPaid), totals.Sum(t => t.UsdIdle));
        Nearly.Equal(totals.Sum(t => t.Seconds) * facts.UsdPerHour / Hour, paid, 1e-9);
        Nearly.Equal(paid, ended + flying.Sum(cost => cost.UsageUsd) + idle, 1e-9);
        Nearly.Equal(paid, allocated + flying.Sum(cost => cost.UsageUsd) + pool.UnallocatedUsd, 1e-9);
        Nearly.Equal(totals.Sum(t => t.Joules), joules + flying.Sum(cost => cost.Joules) + totals.Sum(t => t.IdleJoules), 1e-9);
        Assert.True(pool.UnallocatedUsd >= 0);

        void Step()
        {
            var at = new Instant(now - dice.Whole(0, 1000)); // threads do not always come in order
            switch (dice.Whole(0, 9))
            {
                case 0 when dice.Chance(0.1):
                    meters[dice.Whole(0, meters.Count - 1)].Close(at); // requests may end there all the same
                    break;
                case <= 4:
                    var (meter, prompt) = (meters[dice.Whole(0, meters.Count - 1)], (int)dice.Scale(1, 100_000));
                    var work = meter.Dispatch(at, prompt, dice.Chance(0.5) ? prompt : dice.Whole(1, prompt), dice.Scale(1, 4000));
                    flights.Add(new Flight(meter, work));
                    break;
                case <= 6 when flights.Count > 0:
                    var begins = dice.Whole(0, flights.Count - 1);
                    flights[begins].Meter.FirstToken(flights[begins].Work, at);
                    break;
                case > 6 when flights.Count > 0:
                    var ends = flights[dice.Whole(0, flights.Count - 1)];
                    flights.Remove(ends);
                    var cost = ends.Meter.End(ends.Work, at);
                    Assert.True(cost is { BusySeconds: >= 0, Joules: >= 0 } && cost.AllocationUsd >= cost.UsageUsd);
                    (ended, allocated, joules) = (ended + cost.UsageUsd, allocated + cost.AllocationUsd, joules + cost.Joules);
                    break;
            }
        }
    });

    [Fact]
    public void A_request_alone_pays_all_and_equal_ones_share_alike()
    {
        var (pool, at) = (New(), Instant.AtSeconds(10));
        var meter = pool.Open(Instant.Start);
        var alone = meter.Dispatch(at, 1000, 1000, 100);
        meter.FirstToken(alone, Instant.AtSeconds(11));
        Nearly.Equal(3, meter.End(alone, Instant.AtSeconds(13)).BusySeconds, 1e-9);
        var equal = Enumerable.Range(0, 8).Select(_ => meter.Dispatch(Instant.AtSeconds(20), 200, 200, 100)).ToList();
        equal.ForEach(work => meter.FirstToken(work, Instant.AtSeconds(21)));
        var costs = equal.Select(work => meter.End(work, Instant.AtSeconds(28))).ToList();
        Assert.All(costs, cost => Nearly.Equal(1, cost.BusySeconds, 1e-9));
        Assert.All(costs, cost => Nearly.Equal(costs[0].Joules, cost.Joules, 1e-9));
        Nearly.Equal(11, meter.Totals.BusySeconds, 1e-9);
        Nearly.Equal(28, meter.Totals.Seconds, 1e-9);
    }

    [Fact]
    public void A_long_prompt_pays_for_its_computing_and_one_behind_it_does_not()
    {
        var pool = New();
        var meter = pool.Open(Instant.Start);
        var first = meter.Dispatch(Instant.Start, 60_000, 60_000, 100);
        var second = meter.Dispatch(Instant.Start, 60_000, 60_000, 100); // waits for the first
        meter.FirstToken(first, Instant.AtSeconds(3));
        meter.FirstToken(second, Instant.AtSeconds(6));
        Assert.InRange(meter.Of(first).BusySeconds, 3, 3.5);
        Assert.InRange(meter.Of(second).BusySeconds, 2.5, 3);
        Nearly.Equal(6, meter.Of(first).BusySeconds + meter.Of(second).BusySeconds, 1e-9);
    }

    [Fact]
    public void Longer_contexts_and_prompts_not_found_in_the_cache_cost_more()
    {
        var meter = New().Open(Instant.Start);
        var (small, large) = (meter.Dispatch(Instant.Start, 500, 500, 200), meter.Dispatch(Instant.Start, 60_000, 1, 200));
        meter.FirstToken(small, Instant.Start);
        meter.FirstToken(large, Instant.Start);
        meter.Advance(Instant.AtSeconds(10));
        Assert.True(meter.Of(large).BusySeconds > meter.Of(small).BusySeconds * 1.2);
        var (fresh, cached) = (Compute(20_000), Compute(100));
        Assert.True(fresh > cached * 1.5, $"{fresh} and {cached}");

        double Compute(int tokens)
        {
            var one = New().Open(Instant.Start);
            var generating = Enumerable.Range(0, 16).Select(_ => one.Dispatch(Instant.Start, 500, 500, 200)).ToList();
            generating.ForEach(work => one.FirstToken(work, Instant.Start));
            var asked = one.Dispatch(Instant.Start, 20_000, tokens, 200);
            one.FirstToken(asked, Instant.AtSeconds(1));
            return one.Of(asked).BusySeconds;
        }
    }

    [Fact]
    public void Power_lies_between_idling_and_the_limit_of_the_boards()
    {
        var facts = Fleets.Pool();
        var meter = New().Open(Instant.Start);
        meter.Advance(Instant.AtSeconds(1));
        Nearly.Equal(facts.Model.IdleWatts, meter.Watts, 1e-9);
        var work = meter.Dispatch(Instant.AtSeconds(2), 8000, 8000, 100);
        meter.Advance(Instant.AtSeconds(3));
        var computing = meter.Watts;
        meter.FirstToken(work, Instant.AtSeconds(4));
        meter.Advance(Instant.AtSeconds(5));
        var tdp = facts.Model.Deployment.Gpu.Tdp!.Value.Value.Value * facts.Model.Deployment.Gpus;
        Assert.InRange(computing, facts.Model.IdleWatts * 2, tdp);
        Assert.InRange(meter.Watts, facts.Model.IdleWatts * 1.5, computing);
        meter.Close(Instant.AtSeconds(6));
        Assert.Equal(0, meter.Watts);
    }

    [Fact]
    public void The_table_of_power_equals_the_model_at_its_points()
    {
        var model = Fleets.Pool().Model;
        var table = new PowerTable(model);
        foreach (var (sequences, context) in new[] { (1, 128), (8, 2048), (64, 8192), (512, 512) })
            Nearly.Equal(model.Decode(sequences, sequences, context).Watts, table.Decode(sequences, context), 1e-12);
        Assert.InRange(table.Decode(12, 3000), table.Decode(8, 2048), table.Decode(16, 4096));
    }

    private static PoolMeter New()
    {
        var facts = Fleets.Pool();
        return new PoolMeter(facts, new StepTable(facts.Model));
    }
}
