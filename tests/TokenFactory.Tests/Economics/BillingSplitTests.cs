using TokenFactory.Economics;
using TokenFactory.Units;

namespace TokenFactory.Tests.Economics;

/// <summary>Billing splits small enough to be worked by hand.</summary>
public sealed class BillingSplitTests
{
    private static readonly Commitment Reserved = new("reserved-1y", new UsdPerHour(2), default);

    /// <summary>10 GPUs by night, 20 by day.</summary>
    private static readonly Demand[] DayAndNight = [new(12, 10, 0), new(12, 20, 0)];

    [Fact]
    public void The_base_is_committed_and_the_peak_is_not()
    {
        var plan = BillingSplit.Best(DayAndNight, new PriceMenu(new UsdPerHour(3), null, [Reserved]));
        Assert.Equal([new Committed(Reserved, 10)], plan.Commitments);
        Assert.Equal(new BillingCost(new Usd(480), new Usd(360), Usd.Zero, 240, 120, 0), plan.Cost);
        Assert.Equal(840m, plan.Cost.Total.Value);
    }

    [Fact]
    public void Below_half_the_price_the_peak_is_committed_too()
    {
        var plan = BillingSplit.Best(DayAndNight, new PriceMenu(new UsdPerHour(5), null, [Reserved]));
        Assert.Equal(20, plan.CommittedGpus);
    }

    [Fact]
    public void Between_ties_the_smaller_commitment_wins()
    {
        var plan = BillingSplit.Best(DayAndNight, new PriceMenu(new UsdPerHour(4), null, [Reserved])); // the peak costs the same either way
        Assert.Equal(10, plan.CommittedGpus);
    }

    [Fact]
    public void Spot_takes_what_may_be_interrupted_and_lowers_the_commitment()
    {
        Demand[] half = [new(24, 10, 10)];
        var plan = BillingSplit.Best(half, new PriceMenu(new UsdPerHour(3), new UsdPerHour(1.5), [Reserved]));
        Assert.Equal(10, plan.CommittedGpus);
        Assert.Equal(new BillingCost(new Usd(480), Usd.Zero, new Usd(360), 240, 0, 240), plan.Cost);
        Assert.Equal(20, BillingSplit.Best(half, new PriceMenu(new UsdPerHour(3), null, [Reserved])).CommittedGpus);
    }

    [Fact]
    public void Spot_dearer_than_on_demand_is_not_taken()
    {
        var cost = BillingSplit.Cost([new(1, 0, 4)], new PriceMenu(new UsdPerHour(3), new UsdPerHour(3.5), []), []);
        Assert.Equal(new BillingCost(Usd.Zero, new Usd(12), Usd.Zero, 0, 4, 0), cost);
    }

    [Fact]
    public void A_commitment_with_a_running_cost_takes_the_middle()
    {
        var owned = new Commitment("owned", new UsdPerHour(1), new UsdPerHour(1.25));
        Demand[] steps = [new(8, 10, 0), new(8, 20, 0), new(8, 30, 0)];
        var plan = BillingSplit.Best(steps, new PriceMenu(new UsdPerHour(4), null, [Reserved, owned]));

        // Per GPU and day: used 24 h 48 reserved, 54 owned, 96 on demand; 16 h 48, 44, 64; 8 h 48, 34, 32.
        Assert.Equal([new Committed(Reserved, 10), new Committed(owned, 10)], plan.Commitments);
        Assert.Equal(480m + 440m + 320m, plan.Cost.Total.Value);
    }

    [Fact]
    public void Regret_of_a_forecast_that_was_too_high()
    {
        var menu = new PriceMenu(new UsdPerHour(3), null, [Reserved]);
        var regret = BillingSplit.Regret(DayAndNight, menu, BillingSplit.Best(DayAndNight, menu), [-0.5])[0];
        Assert.Equal(480m, regret.Plan.Value); // 10 committed all day, 5 and 10 used
        Assert.Equal(420m, regret.Best.Value);
        Assert.Equal(60m, regret.Regret.Value);
    }
}
