using TokenFactory.Economics;
using TokenFactory.Tests.Laws;
using TokenFactory.Units;

namespace TokenFactory.Tests.Economics;

/// <summary>Cost per million tokens against published figures.</summary>
public sealed class TokenCostTests
{
    [Theory]
    [InlineData(2.21, 1613.8, 0.3804)]
    [InlineData(2.21, 3148, 0.1950)]
    public void Rented_gpu(double price, double throughput, double cost) =>
        Assert.Equal(cost, TokenCost.Blended(new UsdPerHour(price), new TokensPerSecond(throughput)).Value, 0.00005);

    [Fact]
    public void OpenCost_s_dollar_of_usage_is_four_of_allocation_at_a_quarter_of_use()
    {
        var bases = TokenCost.Bases(new UsdPerHour(3.6), new TokensPerSecond(1000), new Fraction(0.25), Fraction.All);
        Nearly.Equal(1, bases.Usage.Value);
        Nearly.Equal(4, bases.Allocation.Value);
    }

    [Fact]
    public void Hours_that_cannot_serve_are_paid_too()
    {
        var bases = TokenCost.Bases(new UsdPerHour(3.6), new TokensPerSecond(1000), new Fraction(0.8), new Fraction(0.5));
        Nearly.Equal(2.5, bases.Allocation.Value);
    }

    [Fact]
    public void Disaggregated_deployments_divide_by_prefill_and_decode() =>
        Assert.Equal(new TokensPerSecond(100), TokenCost.PerGpu(new TokensPerSecond(4800), prefillGpus: 16, decodeGpus: 32));

    [Fact]
    public void Split_by_the_time_of_the_phases()
    {
        // $4/h; a quarter of the time is prefill for 800 fresh and 2,000 cached tokens/s at a tenth: 1,000 weighted tokens/s.
        var streams = new TokenStreams(new TokensPerSecond(800), new TokensPerSecond(2000), new TokensPerSecond(100));
        var split = TokenCost.Split(new UsdPerHour(4), streams, new Fraction(0.25), new Fraction(0.1));
        Nearly.Equal(1 / 3.6, split.FreshInput.Value);
        Nearly.Equal(0.1 / 3.6, split.CachedInput.Value);
        Nearly.Equal(3 / 0.36, split.Output.Value);
        Assert.Equal(new TokensPerSecond(2900), streams.Total);
    }

    [Fact]
    public void Without_input_the_output_pays_everything()
    {
        var split = TokenCost.Split(new UsdPerHour(3.6), new TokenStreams(default, default, new TokensPerSecond(1000)), new Fraction(0.5), new Fraction(0.1));
        Assert.Equal(new CostByClass(default, default, new UsdPerMillionTokens(1)), split);
    }

    [Fact]
    public void A_cache_hit_is_billed_at_its_relative_price() =>
        Nearly.Equal(1000 * (0.08 + (0.92 * 0.1)), TokenCost.BillableInput(new TokensPerSecond(1000), new Fraction(0.92), new Fraction(0.1)).Value);

    [Fact]
    public void A_third_each_leaves_no_cent_behind()
    {
        var parts = TokenCost.Apportion(new Usd(1), [1, 1, 1, 0]);
        Assert.Equal([0.333333333333m, 0.333333333333m, 0.333333333334m, 0m], parts.Select(part => part.Value));
    }

    [Fact]
    public void Weights_that_cannot_share_are_refused()
    {
        Assert.Throws<ArgumentException>(() => TokenCost.Apportion(new Usd(1), [0, 0]));
        Assert.Throws<ArgumentException>(() => TokenCost.Apportion(new Usd(1), []));
        Assert.Throws<ArgumentException>(() => TokenCost.Apportion(new Usd(1), [2, -1]));
    }
}
