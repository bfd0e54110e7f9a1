using TokenFactory.Economics;
using TokenFactory.Tests.Laws;
using TokenFactory.Units;

namespace TokenFactory.Tests.Economics;

/// <summary>Where two ways to pay cost the same.</summary>
public sealed class BreakEvenTests
{
    [Fact]
    public void Self_hosting_at_one_dollar_beats_an_api_at_two_above_half_use() =>
        Assert.Equal(0.5, BreakEven.SelfHostUtilisation(new UsdPerMillionTokens(1), new UsdPerMillionTokens(2)));

    [Theory] // rent for three years over on-demand, autumn 2026
    [InlineData(2.00, 3.99, 0.50, 0.50)]
    [InlineData(2.90, 3.99, 0.73, 0.27)]
    [InlineData(3.70, 6.00, 0.62, 0.38)]
    [InlineData(4.25, 7.40, 0.57, 0.43)]
    public void Commit_to_the_quantile_one_less_the_price_ratio(double reserved, double onDemand, double ratio, double quantile)
    {
        Assert.Equal(ratio, BreakEven.ReservedUtilisation(new UsdPerHour(reserved), new UsdPerHour(onDemand)), 0.005);
        var share = BreakEven.CommitmentQuantile(new UsdPerHour(reserved), new UsdPerHour(onDemand)).Value;
        Assert.Equal(quantile, share, 0.005);
        Nearly.Equal(1 - (reserved / onDemand), share);
    }

    [Fact]
    public void Nothing_is_committed_where_the_commitment_is_dearer() =>
        Assert.Equal(Fraction.None, BreakEven.CommitmentQuantile(new UsdPerHour(5), new UsdPerHour(4)));
}
