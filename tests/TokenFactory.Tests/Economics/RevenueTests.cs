using TokenFactory.Economics;
using TokenFactory.Tests.Laws;
using TokenFactory.Units;

namespace TokenFactory.Tests.Economics;

/// <summary>Revenue and profit per site power against published forms. The last-replica plan (6, not 10) is planning and not in the library yet.</summary>
public sealed class RevenueTests
{
    private static readonly Watts Gigawatt = new(1e9);
    private static readonly Watts B200 = new(1710);

    [Fact]
    public void Gpu_hours_of_a_gigawatt_year_of_b200() => Assert.Equal(5.1228e9, Revenue.GpuHoursPerYear(Gigawatt, B200), 0.00005e9);

    [Fact]
    public void Revenue_of_a_gpu_hour()
    {
        SoldTokens[] streams = [new(new TokensPerSecond(1000), new UsdPerMillionTokens(1)), new(new TokensPerSecond(500), new UsdPerMillionTokens(4))];
        Nearly.Equal((3.6 + 7.2) * 0.5 * 0.9, Revenue.PerGpuHour(streams, new Fraction(0.5), new Fraction(0.9)).Value);
    }

    [Fact]
    public void InferenceX_profit_estimator()
    {
        // Its form: revenue scaled by 60 % utilisation, cost not, and 30 % of the revenue to the model's owner.
        var revenue = Revenue.PerGpuHour([new(new TokensPerSecond(2000), new UsdPerMillionTokens(2))], new Fraction(0.6), Fraction.All);
        var year = Revenue.PerYear(revenue, new UsdPerHour(3.7), Gigawatt, B200);
        var hours = 1e6 / 1.71 * 8760;
        var taken = hours * 2000 * 3600 / 1e6 * 2 * 0.6;
        Nearly.Equal(taken, (double)year.Revenue.Value, 1e-9);
        Nearly.Equal(hours * 3.7, (double)year.Cost.Value, 1e-9);
        Nearly.Equal((taken * 0.7) - (hours * 3.7), (double)Revenue.ProfitAfterLicence(year, new Fraction(0.3)).Value, 1e-9);
    }

    [Fact]
    public void Interruptions_cost_revenue() =>
        Nearly.Equal(0.99, Revenue.Availability(TimeSpan.FromHours(99), TimeSpan.FromHours(1)).Value);

    [Fact]
    public void Margin_and_payback_where_there_is_none()
    {
        Assert.Null(Revenue.GrossMargin(default, new UsdPerHour(2)));
        Assert.Null(new Earnings(Usd.Zero, new Usd(5)).GrossMargin);
        Assert.Null(Revenue.PaybackYears(new Usd(40_000), new UsdPerHour(1), new UsdPerHour(1)));
    }

    [Fact]
    public void Margin_and_payback_where_there_is_one()
    {
        Nearly.Equal(0.5, Revenue.GrossMargin(new UsdPerHour(4), new UsdPerHour(2))!.Value);
        Nearly.Equal(2, Revenue.PaybackYears(new Usd(35_040), new UsdPerHour(3), new UsdPerHour(1))!.Value);
    }
}
