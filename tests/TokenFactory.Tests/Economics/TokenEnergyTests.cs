using TokenFactory.Economics;
using TokenFactory.Tests.Laws;
using TokenFactory.Units;

namespace TokenFactory.Tests.Economics;

/// <summary>Joules, dollars and grams per token against worked figures.</summary>
public sealed class TokenEnergyTests
{
    private static readonly Power Board = new(new Watts(637), PowerBoundary.Board);

    [Theory]
    [InlineData(0.5, 0.0144)]
    [InlineData(3.8, 0.110)]
    public void Electricity_per_million(double joules, double dollars) =>
        Assert.Equal(dollars, TokenEnergy.Cost(new JoulesPerToken(joules), new Pue(1.3), new UsdPerKilowattHour(0.08)).Value, 0.0005 * (joules / 3.8));

    [Fact]
    public void The_measured_70b_on_h100() =>
        Assert.Equal(0.373, TokenEnergy.PerToken(Board, new TokensPerSecond(1707)).Value, 0.0005); // ML.ENERGY 2026-02-16: 637 W, 1,707 tok/s

    [Fact]
    public void Tokens_per_watt_is_the_inverse() =>
        Nearly.Equal(1, TokenEnergy.PerToken(Board, new TokensPerSecond(1707)).Value * TokenEnergy.PerWatt(new TokensPerSecond(1707), Board).Value);

    [Fact]
    public void Tokens_per_megawatt()
    {
        var facility = new Power(new Watts(2000), PowerBoundary.Facility);
        Nearly.Equal(500_000, TokenEnergy.PerMegawatt(new TokensPerSecond(1000), facility).Value);
    }

    [Fact]
    public void A_joule_per_token_is_a_kilowatt_hour_per_3_6_million() =>
        Nearly.Equal(1, TokenEnergy.KilowattHoursPerMillion(new JoulesPerToken(3.6)));

    [Fact]
    public void Carbon_per_million() =>
        Nearly.Equal(1.3 * 400, TokenEnergy.Carbon(new JoulesPerToken(3.6), new Pue(1.3), new GramsPerKilowattHour(400)).Value);
}
