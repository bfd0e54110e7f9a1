using TokenFactory.Engine;
using TokenFactory.Performance;
using TokenFactory.Tests.Laws;
using TokenFactory.Tests.Simulation;
using TokenFactory.Units;

namespace TokenFactory.Tests.Engine;

/// <summary>Counts of times instead of times.</summary>
public sealed class TimeHistogramTests
{
    [Fact]
    public void Percentiles_are_within_their_bound() => Cases.Check(200, dice =>
    {
        var (histogram, times) = (new TimeHistogram(), new List<long>());
        var (least, most) = (dice.Scale(10, 1e6), dice.Scale(1e7, 1e13));
        for (var i = 0; i < dice.Whole(1, 2000); i++)
        {
            times.Add((long)dice.Scale(least, most));
            histogram.Add(new Duration(times[^1]));
        }

        times.Sort();
        foreach (var share in (double[])[0.001, 0.1, 0.5, 0.9, 0.99, 1])
        {
            var exact = times[Math.Max(0, (int)Math.Ceiling(share * times.Count) - 1)] * 1e-9;
            Assert.InRange(histogram.Percentile(share), (exact * (1 - 0.008)) - 1e-9, (exact * (1 + 0.008)) + 1e-9);
        }

        Nearly.Equal(times.Average() * 1e-9, histogram.Mean, 1e-9);
        Assert.Equal(times[^1] * 1e-9, histogram.Max);
        Assert.Equal(times.Count, histogram.Stretches(dice.Whole(1, 100)).Sum(stretch => stretch.Count));
    });

    [Fact]
    public void Counts_up_to_a_time_are_those_of_times_within_the_bound() => Cases.Check(200, dice =>
    {
        var times = dice.Many(1, 300, () => (long)dice.Scale(10, 1e12));
        var histogram = new TimeHistogram();
        foreach (var time in times)
            histogram.Add(new Duration(time));
        var limit = dice.Scale(10, 1e12);
        var count = histogram.CountUpTo(limit * 1e-9);
        Assert.InRange(count, times.Count(time => time <= limit * 0.98), times.Count(time => time <= limit * 1.02));
        Assert.Equal(times.Count, histogram.CountUpTo(1e9));
    });

    [Fact]
    public void The_order_and_the_company_do_not_matter() => Cases.Check(50, dice =>
    {
        var times = dice.Many(1, 300, () => new Duration((long)dice.Scale(1, 1e12)));
        var (whole, first, second) = (new TimeHistogram(), new TimeHistogram(), new TimeHistogram());
        foreach (var time in dice.Shuffled(times))
            whole.Add(time);
        for (var i = 0; i < times.Count; i++)
            (i % 3 == 0 ? first : second).Add(times[i]);
        first.Add(second);
        Assert.Equal((whole.Count, whole.Max), (first.Count, first.Max));
        Nearly.Equal(whole.Sum, first.Sum, 1e-9);
        foreach (var share in (double[])[0, 0.3, 0.5, 0.99, 1])
            Assert.Equal(whole.Percentile(share), first.Percentile(share));
    });

    [Fact]
    public void Runs_of_steps_count_like_their_steps() => Cases.Check(30, dice =>
    {
        var deployment = Fleets.Small with { Speculation = dice.Chance(0.5) ? new SpeculativeDecoding(3, dice.Real(0, 1)) : null };
        var requests = dice.Many(1, 12, () => (Prompt: (int)dice.Scale(1, 100_000), Output: dice.Whole(1, 3000)));
        var (fast, slow) = (Gaps(false), Gaps(true));
        Assert.Equal((slow.Count, slow.Max), (fast.Count, fast.Max));
        Nearly.Equal(slow.Sum, fast.Sum, 1e-9);
        Assert.Equal(slow.Stretches(4000), fast.Stretches(4000)); // bucket by bucket

        TimeHistogram Gaps(bool stepByStep)
        {
            var replica = Engines.Of(deployment: deployment, stepByStep: stepByStep);
            var run = Engines.Run(replica, [.. requests.Select((one, i) => Engines.Ask(i, one.Prompt, one.Output))]);
            return replica.Gaps(run.Log[^1].At);
        }
    });

    [Fact]
    public void Nothing_counted_is_nothing()
    {
        var none = new TimeHistogram();
        Assert.Equal((0L, 0.0, 0.0, 0.0), (none.Count, none.Mean, none.Max, none.Percentile(0.5)));
        Assert.Empty(none.Stretches(10));
    }
}
