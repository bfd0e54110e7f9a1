using TokenFactory.Tests.Laws;
using TokenFactory.Units;
using TokenFactory.Workload;

namespace TokenFactory.Tests.Workload;

/// <summary>Arrival processes have the rate and the variation that they are asked for, at every time of a curve.</summary>
public sealed class ArrivalTests
{
    private const int Many = 20_000;

    [Theory]
    [InlineData(ArrivalKind.Poisson, 1, 1)]
    [InlineData(ArrivalKind.Gamma, 0.3, 0.3)]
    [InlineData(ArrivalKind.Gamma, 1, 1)]
    [InlineData(ArrivalKind.Gamma, 3, 3)]
    [InlineData(ArrivalKind.Gamma, 0, 0)]
    [InlineData(ArrivalKind.Weibull, 0.3, 0.3)]
    [InlineData(ArrivalKind.Weibull, 2.5, 2.5)]
    [InlineData(ArrivalKind.Constant, 1, 0)]
    public void Have_their_rate_and_variation(ArrivalKind kind, double cv, double expected)
    {
        const double rate = 7;
        var plan = new ArrivalPlan(kind, new RateCurve { PerSecond = rate }, cv);
        Cases.Check(5, dice =>
        {
            var arrivals = new Arrivals(plan, new Draws((ulong)dice.Whole(0, 1 << 30), "test"));
            var gaps = new List<double>();
            var last = Instant.Start;
            for (var i = 0; i < Many; i++)
            {
                var at = arrivals.Next();
                gaps.Add((at - last).Seconds);
                last = at;
            }

            var mean = gaps.Average();
            var deviation = Math.Sqrt(gaps.Average(gap => (gap - mean) * (gap - mean)));
            Assert.InRange(mean * rate, 1 - (5 * Math.Max(cv, 0.001) / Math.Sqrt(Many)), 1 + (5 * Math.Max(cv, 0.001) / Math.Sqrt(Many)));
            Assert.InRange(deviation / mean, expected * 0.85, (expected * 1.15) + 1e-6);
        });
    }

    [Fact]
    public void Poisson_arrivals_follow_their_curve_in_every_part_of_it() =>
        Cases.Check(20, dice =>
        {
            var curve = Curve(dice);
            var arrivals = new Arrivals(new ArrivalPlan(ArrivalKind.Poisson, curve), new Draws((ulong)dice.Whole(0, 1 << 30), "test"));
            const double end = 2000;
            var counts = new double[20];
            for (var at = arrivals.Next(); at < Instant.AtSeconds(end); at = arrivals.Next())
                counts[(int)(at.Seconds / 100)]++;
            for (var i = 0; i < counts.Length; i++)
            {
                var expected = curve.Between(i * 100, (i + 1) * 100);
                Assert.True(Math.Abs(counts[i] - expected) <= (5.5 * Math.Sqrt(expected)) + 3, $"{counts[i]} arrivals where {expected} were expected");
            }
        });

    [Fact]
    public void A_metronome_on_a_curve_comes_whenever_one_more_is_expected() =>
        Cases.Check(50, dice =>
        {
            var curve = Curve(dice);
            var arrivals = new Arrivals(new ArrivalPlan(ArrivalKind.Constant, curve), new Draws(1, "test"));
            for (var i = 1; i <= 500; i++)
            {
                var at = arrivals.Next();
                if (at == Instant.Never)
                    break;
                Nearly.Equal(i, curve.Between(0, at.Seconds), 1e-6);
            }
        });

    [Fact]
    public void What_a_curve_sums_up_to_is_its_rate_over_time() =>
        Cases.Check(10, dice =>
        {
            var curve = Curve(dice);
            var (from, to) = (dice.Real(0, 500), dice.Real(500, 2000));
            const int steps = 20_000;
            var sum = Enumerable.Range(0, steps).Sum(i => curve.At(from + ((i + 0.5) * (to - from) / steps))) * (to - from) / steps;
            Nearly.Equal(sum, curve.Between(from, to), 5e-3);
        });

    [Fact]
    public void A_day_has_its_peak_and_its_trough()
    {
        var day = new Diurnal(3, 100, 10);
        Nearly.Equal(3, day.At(35) / day.At(85));
        Nearly.Equal(1, day.At(10));
        Nearly.Equal(100, day.Between(17, 117));
    }

    [Fact]
    public void Nothing_arrives_where_the_rate_is_zero_and_nothing_ever_after_the_last_zero()
    {
        var curve = new RateCurve { PerSecond = 10, Steps = [new RateStep(10, 0), new RateStep(20, 1), new RateStep(30, 0)] };
        var arrivals = new Arrivals(new ArrivalPlan(ArrivalKind.Poisson, curve), new Draws(5, "test"));
        var times = new List<double>();
        for (var at = arrivals.Next(); at != Instant.Never; at = arrivals.Next())
            times.Add(at.Seconds);
        Assert.InRange(times.Count, 130, 270);
        Assert.DoesNotContain(times, at => at is > 10 and < 20 or > 30);
        Assert.Contains(times, at => at is > 20 and < 30);
    }

    [Fact]
    public void All_at_once_is_at_the_start()
    {
        var arrivals = new Arrivals(new ArrivalPlan(ArrivalKind.AtOnce, new RateCurve { PerSecond = 1 }), new Draws(5, "test"));
        Assert.All(Enumerable.Range(0, 10), _ => Assert.Equal(Instant.Start, arrivals.Next()));
    }

    private static RateCurve Curve(Dice dice) => new()
    {
        PerSecond = dice.Scale(0.5, 5),
        Daily = dice.Chance(0.7) ? new Diurnal(dice.Real(1, 10), dice.Real(100, 3000), dice.Real(-500, 500)) : null,
        Steps = [.. dice.Many(0, 4, () => new RateStep(dice.Whole(0, 2000), dice.Real(0.2, 3))).OrderBy(step => step.AtSeconds).DistinctBy(step => step.AtSeconds)],
        Bursts = dice.Many(0, 3, () => new Burst(dice.Whole(0, 1500), dice.Whole(1, 500), dice.Real(0, 6))),
    };
}
