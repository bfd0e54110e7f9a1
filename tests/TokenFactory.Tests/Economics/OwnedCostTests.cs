using TokenFactory.Economics;
using TokenFactory.Units;

namespace TokenFactory.Tests.Economics;

/// <summary>The levelised cost of an owned GPU-hour against the worked examples of the economics notes.</summary>
public sealed class OwnedCostTests
{
    private static readonly OwnedGpu Example = new()
    {
        Capital = new Usd(40_000),
        CostOfCapital = 0.10,
        LifeYears = 4,
        Residual = new Fraction(0.10),
        ItPower = new Watts(1280),
        AverageLoad = new Fraction(0.7),
        Pue = new Pue(1.3),
        Electricity = new UsdPerKilowattHour(0.08),
        Hosting = new UsdPerKilowattMonth(180),
        OpexPerYear = new Usd(1_500),
        Availability = new Fraction(0.97),
    };

    [Fact]
    public void The_worked_example_line_by_line()
    {
        var hour = OwnedCost.PerHour(Example);
        Assert.Equal(1.384, hour.Capital.Value, 0.0005);
        Assert.Equal(0.325, hour.Hosting.Value, 0.0005);
        Assert.Equal(0.096, hour.Electricity.Value, 0.0005);
        Assert.Equal(0.177, hour.Opex.Value, 0.0005);
        Assert.Equal(1.98, hour.Total.Value, 0.005);
        Assert.Equal(0.70, hour.Capital / hour.Total, 0.005);
        Assert.Equal(0.16, hour.Hosting / hour.Total, 0.005);
        Assert.Equal(0.05, hour.Electricity / hour.Total, 0.005);
    }

    [Fact]
    public void A_dearer_gpu_of_more_watts()
    {
        var hour = OwnedCost.PerHour(Example with { Capital = new Usd(60_000), ItPower = new Watts(1600), OpexPerYear = new Usd(2_000) });
        Assert.Equal(2.84, hour.Total.Value, 0.005);
    }

    [Fact]
    public void Against_a_lease()
    {
        var comparison = OwnedCost.AgainstLease(Example, new UsdPerHour(2.98));
        Assert.Equal(1.00, comparison.SavingPerHour.Value, 0.005);
        Assert.Equal(40_000 * (1.384 + 0.998) / 1.384, (double)comparison.CapitalAtParity.Value, 60.0);
    }

    [Fact]
    public void Without_interest_the_price_is_spread_evenly() => Assert.Equal(0.25, OwnedCost.CapitalRecovery(0, 4));

    [Fact]
    public void Ten_percent_over_four_years() => Assert.Equal(0.315_471, OwnedCost.CapitalRecovery(0.10, 4), 0.000_001);
}
