using System.Runtime.CompilerServices;
using TokenFactory.Economics;
using TokenFactory.Units;

namespace TokenFactory.Tests.Laws;

/// <summary>What an owned hour costs grows with what it is made of.</summary>
public sealed class OwnedCostLaws
{
    [Fact]
    public void Whatever_is_dearer_makes_the_hour_dearer() => Cases.Check(500, dice =>
    {
        var gpu = Drawn(dice);
        Dearer(gpu, gpu with { Capital = gpu.Capital + new Usd(100) });
        Dearer(gpu, gpu with { CostOfCapital = gpu.CostOfCapital + 0.01 });
        Dearer(gpu, gpu with { Residual = new Fraction(gpu.Residual.Value / 2) });
        Dearer(gpu, gpu with { LifeYears = gpu.LifeYears * 0.9 });
        Dearer(gpu, gpu with { ItPower = gpu.ItPower * 1.1 });
        Dearer(gpu, gpu with { AverageLoad = new Fraction(gpu.AverageLoad.Value + 0.05) });
        Dearer(gpu, gpu with { Pue = new Pue(gpu.Pue.Value + 0.1) });
        Dearer(gpu, gpu with { Electricity = gpu.Electricity * 1.1 });
        Dearer(gpu, gpu with { Hosting = gpu.Hosting * 1.1 });
        Dearer(gpu, gpu with { OpexPerYear = gpu.OpexPerYear + new Usd(100) });
        Dearer(gpu, gpu with { Availability = new Fraction(gpu.Availability.Value * 0.9) });
    });

    [Fact]
    public void At_the_parity_price_owning_costs_the_lease() => Cases.Check(500, dice =>
    {
        var gpu = Drawn(dice);
        var hour = OwnedCost.PerHour(gpu);
        var lease = new UsdPerHour((hour.Total - hour.Capital).Value + dice.Real(0.1, 10));
        var parity = OwnedCost.AgainstLease(gpu, lease).CapitalAtParity;
        var again = OwnedCost.AgainstLease(gpu with { Capital = parity }, lease);
        Nearly.Equal(lease.Value, OwnedCost.PerHour(gpu with { Capital = parity }).Total.Value, 1e-12);
        Assert.True(Math.Abs(again.SavingPerHour.Value) < 1e-9);
        Assert.Equal(parity.Value > gpu.Capital.Value, OwnedCost.AgainstLease(gpu, lease).SavingPerHour.Value > 0);
    });

    [Fact]
    public void A_lease_below_the_running_cost_has_no_parity_price() => Cases.Check(100, dice =>
    {
        var gpu = Drawn(dice);
        var hour = OwnedCost.PerHour(gpu);
        var comparison = OwnedCost.AgainstLease(gpu, (hour.Total - hour.Capital) * 0.9);
        Assert.Equal(Usd.Zero, comparison.CapitalAtParity);
        Assert.True(comparison.SavingPerHour.Value < 0);
    });

    [Fact]
    public void Capital_recovery_pays_back_with_interest() => Cases.Check(500, dice =>
    {
        var (rate, years) = (dice.Real(0.001, 0.5), dice.Whole(1, 30));
        var debt = 1.0;
        for (var year = 0; year < years; year++)
            debt = (debt * (1 + rate)) - OwnedCost.CapitalRecovery(rate, years);
        Assert.True(Math.Abs(debt) < 1e-8, $"{debt} is left after {years} years at {rate}");
        Nearly.Equal(1.0 / years, OwnedCost.CapitalRecovery(0, years));
        Nearly.Equal(1.0 / years, OwnedCost.CapitalRecovery(1e-7, years), 1e-5);
    });

    private static void Dearer(OwnedGpu before, OwnedGpu after, [CallerArgumentExpression(nameof(after))] string change = "") =>
        Assert.True(OwnedCost.PerHour(after).Total > OwnedCost.PerHour(before).Total, change);

    private static OwnedGpu Drawn(Dice dice) => new()
    {
        Capital = new Usd(dice.Whole(1_000, 100_000)),
        CostOfCapital = dice.Real(0, 0.3),
        LifeYears = dice.Real(1, 8),
        Residual = new Fraction(dice.Real(0.01, 0.5)),
        ItPower = new Watts(dice.Real(200, 3000)),
        AverageLoad = new Fraction(dice.Real(0.1, 0.9)),
        Pue = new Pue(dice.Real(1, 1.8)),
        Electricity = new UsdPerKilowattHour(dice.Real(0.01, 0.4)),
        Hosting = new UsdPerKilowattMonth(dice.Real(10, 300)),
        OpexPerYear = new Usd(dice.Whole(0, 5_000)),
        Availability = new Fraction(dice.Real(0.5, 1)),
    };
}
