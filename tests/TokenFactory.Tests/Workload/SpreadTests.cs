using TokenFactory.Tests.Laws;
using TokenFactory.Workload;

namespace TokenFactory.Tests.Workload;

/// <summary>Lengths have the distribution that they are asked for.</summary>
public sealed class SpreadTests
{
    private const int Many = 100_000;

    public static TheoryData<Spread> Spreads() =>
    [
        new Constant(12),
        new Uniform(800, 1000),
        Uniform.OfNominal(1024),
        new Exponential(20),
        new Geometric(6),
        new Geometric(1),
        new Lognormal(100, 1),
        Lognormal.OfMean(1000, 0.7),
        Lognormal.OfMean(1000, 1.5, 50, 4000),
        new Lognormal(100, 0),
        new Empirical(1, 2, 3, 500),
    ];

    [Theory]
    [MemberData(nameof(Spreads))]
    public void Average_to_their_mean(Spread spread)
    {
        var draws = new Draws(3, "test");
        var drawn = Enumerable.Range(0, Many).Select(_ => spread.Draw(draws)).ToList();
        var mean = drawn.Average();
        var deviation = Math.Sqrt(drawn.Average(value => Math.Pow(value - mean, 2)));
        Assert.InRange(mean - spread.Mean, -(5 * deviation / Math.Sqrt(Many)) - 1e-9, (5 * deviation / Math.Sqrt(Many)) + 1e-9);
    }

    [Theory]
    [MemberData(nameof(Spreads))]
    public void Rise_with_the_share_and_count_from_one(Spread spread)
    {
        var values = Enumerable.Range(1, 999).Select(i => spread.At(i / 1000.0)).ToList();
        Assert.Equal(values.Order(), values);
        Assert.All(Enumerable.Range(1, 999), i => Assert.True(spread.WholeAt(i / 1000.0) >= 1));
    }

    [Fact]
    public void A_lognormal_has_its_mean_and_variation_and_stays_inside_its_bounds()
    {
        var draws = new Draws(4, "test");
        var whole = Lognormal.OfMean(1000, 0.5);
        var drawn = Enumerable.Range(0, Many).Select(_ => whole.Draw(draws)).ToList();
        Assert.InRange(drawn.Average(), 990, 1010);
        Assert.InRange(Math.Sqrt(drawn.Average(value => Math.Pow(value - 1000, 2))) / 1000, 0.48, 0.52);
        var cut = Lognormal.OfMean(1000, 2, 900, 1100);
        Assert.All(Enumerable.Range(0, 10_000), _ => Assert.InRange(cut.Draw(draws), 900, 1100));
    }

    [Fact]
    public void Even_counts_hold_both_ends_as_often_as_the_middle()
    {
        var draws = new Draws(5, "test");
        var counts = new int[12];
        var spread = new Uniform(3, 8);
        for (var i = 0; i < 60_000; i++)
            counts[spread.DrawWhole(draws)]++;
        Assert.All(counts[3..9], count => Assert.InRange(count, 9_500, 10_500));
        Assert.Equal(60_000, counts[3..9].Sum());
    }

    [Fact]
    public void Nominal_lengths_lie_between_eight_tenths_and_all_of_it() =>
        Assert.Equal((819, 1024), (Uniform.OfNominal(1024).WholeAt(1e-12), Uniform.OfNominal(1024).WholeAt(1 - 1e-12)));

    [Theory]
    [InlineData(0.9)]
    [InlineData(-0.6)]
    [InlineData(0)]
    public void Linked_lengths_have_their_correlation_and_keep_their_own_distribution(double correlation)
    {
        var lengths = new PairedLengths(new Lognormal(1000, 1), new Lognormal(200, 0.5), correlation);
        var draws = new Draws(6, "test");
        var logs = Enumerable.Range(0, Many).Select(_ => lengths.Draw(draws)).Select(pair => (X: Math.Log(pair.Input / 1000.0), Y: Math.Log(pair.Output / 200.0) / 0.5)).ToList();
        Assert.InRange(logs.Average(pair => pair.X * pair.Y), correlation - 0.02, correlation + 0.02);
        Assert.InRange(logs.Average(pair => pair.Y * pair.Y), 0.97, 1.03);
    }

    [Fact]
    public void Recorded_pairs_stay_together()
    {
        var lengths = new SampledLengths([(10, 1), (20, 2), (30, 3)]);
        var draws = new Draws(7, "test");
        var drawn = Enumerable.Range(0, 300).Select(_ => lengths.Draw(draws)).ToList();
        Assert.All(drawn, pair => Assert.Equal(pair.Input, pair.Output * 10));
        Assert.Equal(3, drawn.Distinct().Count());
    }

    [Fact]
    public void A_sample_keeps_a_fair_share_of_every_part_in_bounded_room()
    {
        var sample = new Reservoir<int>(1000);
        for (var i = 0; i < 100_000; i++)
            sample.Add(i);
        Assert.Equal((1000, 100_000), (sample.Kept.Count, sample.Seen));
        Assert.InRange(sample.Kept.Count(item => item < 50_000), 420, 580);
        var few = new Reservoir<int>(10);
        foreach (var item in new[] { 5, 6, 7 })
            few.Add(item);
        Assert.Equal([5, 6, 7], few.Kept);
    }

    [Theory]
    [InlineData(0, 0.5)]
    [InlineData(1, 0.841344746068543)]
    [InlineData(-1.96, 0.024997895148220)]
    [InlineData(-6, 9.865876450377e-10)]
    [InlineData(-8, 6.22096057427e-16)]
    public void The_normal_distribution_is_the_one_of_the_tables(double z, double share)
    {
        Nearly.Equal(share, Normal.Share(z), 1e-7);
        Nearly.Equal(z, Normal.Quantile(share), 1e-8);
    }

    [Theory]
    [InlineData(0.5, 1.772453850905516)]
    [InlineData(5, 24)]
    [InlineData(1.5, 0.886226925452758)]
    public void The_gamma_function_is_the_one_of_the_tables(double x, double value) => Nearly.Equal(value, Math.Exp(Normal.LogGamma(x)), 1e-12);
}
