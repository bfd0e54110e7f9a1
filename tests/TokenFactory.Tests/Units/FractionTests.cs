using TokenFactory.Units;

namespace TokenFactory.Tests.Units;

/// <summary>Shares and ratios refuse what they cannot be.</summary>
public sealed class FractionTests
{
    [Theory]
    [InlineData(-0.000001)]
    [InlineData(1.000001)]
    [InlineData(60)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(double.NegativeInfinity)]
    public void A_share_outside_0_to_1_is_refused(double value) => Assert.Throws<ArgumentOutOfRangeException>(() => new Fraction(value));

    [Theory]
    [InlineData(0)]
    [InlineData(0.25)]
    [InlineData(1)]
    public void A_share_and_its_rest_are_the_whole(double value)
    {
        var share = new Fraction(value);
        Assert.Equal(value, share.Value);
        Assert.Equal(1, share.Value + share.Rest.Value);
    }

    [Fact]
    public void None_and_all_are_the_ends()
    {
        Assert.Equal(Fraction.All, Fraction.None.Rest);
        Assert.Equal(Fraction.None, default);
    }

    [Theory]
    [InlineData(0.999)]
    [InlineData(0)]
    [InlineData(-1.3)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void A_facility_that_draws_less_than_its_IT_is_refused(double value) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new Pue(value));

    [Theory]
    [InlineData(1)]
    [InlineData(1.3)]
    public void Any_other_ratio_is_kept(double value) => Assert.Equal(value, new Pue(value).Value);
}
