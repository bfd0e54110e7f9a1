using TokenFactory.Economics;
using TokenFactory.Units;

namespace TokenFactory.Tests.Laws;

/// <summary>A site's power goes where it earns most, within every limit.</summary>
public sealed class TierAllocationLaws
{
    [Fact]
    public void The_best_earns_at_least_what_even_shares_earn() => Cases.Check(1000, dice =>
    {
        var site = Drawn(dice);
        var best = TierAllocation.Best(site.Power, site.Pools, site.Tiers).Allocation.Profit.Value;
        var even = TierAllocation.Even(site.Power, site.Pools, site.Tiers).Profit.Value;
        Assert.True(best >= even - (1e-9 * (1 + Math.Abs(even))), $"best {best}, even {even}");
        Assert.True(best >= -1e-9, $"best {best}: a tier that does not pay gets nothing");
    });

    [Fact]
    public void Power_demand_and_stock_are_kept() => Cases.Check(1000, dice =>
    {
        var site = Drawn(dice);
        AssertWithinLimits(site, TierAllocation.Best(site.Power, site.Pools, site.Tiers).Allocation);
        AssertWithinLimits(site, TierAllocation.Even(site.Power, site.Pools, site.Tiers));
    });

    [Fact]
    public void Revenue_and_cost_are_those_of_the_shares() => Cases.Check(300, dice =>
    {
        var site = Drawn(dice);
        var best = TierAllocation.Best(site.Power, site.Pools, site.Tiers).Allocation;
        var revenue = best.Shares.Sum(share => share.Gpus * Rate(site, share) * 3600 / 1e6 * site.Tiers[share.Tier].Price.Value);
        Nearly.Equal(revenue, best.Revenue.Value, 1e-9);
        Nearly.Equal(best.Shares.Sum(share => share.Gpus * site.Pools[share.Pool].CostPerGpu.Value), best.Cost.Value, 1e-9);
    });

    [Fact]
    public void The_marginal_value_of_a_watt_is_what_one_more_watt_earns()
    {
        var (all, compared) = (0, 0);
        Cases.Check(1000, dice =>
        {
            var site = Drawn(dice);
            var step = new Watts(site.Power.Value * 1e-6);
            double Profit(Watts power) => TierAllocation.Best(power, site.Pools, site.Tiers).Allocation.Profit.Value;
            var here = TierAllocation.Best(site.Power, site.Pools, site.Tiers);
            var more = (Profit(site.Power + step) - here.Allocation.Profit.Value) / step.Value;
            var less = (here.Allocation.Profit.Value - Profit(site.Power - step)) / step.Value;
            all++;
            if (Math.Abs(more - less) > 1e-6 * (Math.Abs(more) + Math.Abs(less) + 1e-6))
                return; // a corner of the profit curve: the value of a watt jumps here
            compared++;
            Assert.True(Math.Abs(here.PerWattHour - more) <= (1e-4 * Math.Abs(more)) + 1e-9,
                $"shadow price {here.PerWattHour}, one more watt {more}");
        });
        Assert.True(compared > all * 0.9 || all <= 1, $"only {compared} of {all} sites could be compared");
    }

    [Fact]
    public void More_power_never_earns_less() => Cases.Check(300, dice =>
    {
        var site = Drawn(dice);
        var less = TierAllocation.Best(site.Power, site.Pools, site.Tiers);
        var more = TierAllocation.Best(site.Power * dice.Real(1, 3), site.Pools, site.Tiers);
        Assert.True(more.Allocation.Profit.Value >= less.Allocation.Profit.Value - (1e-9 * (1 + less.Allocation.Profit.Value)));
        Assert.True(more.PerWattHour <= less.PerWattHour + 1e-9, "the value of a watt never grows with power");
        Assert.True(more.PerWattHour >= -1e-12);
    });

    private static void AssertWithinLimits(Site site, SiteAllocation allocation)
    {
        const double Slack = 1 + 1e-9;
        Assert.All(allocation.Shares, share => Assert.True(share.Gpus > 0 && site.Tiers[share.Tier].PerGpu[share.Pool] is not null));
        Assert.True(allocation.Shares.Sum(share => share.Gpus * site.Pools[share.Pool].FacilityPerGpu.Value) <= site.Power.Value * Slack);
        Assert.All(allocation.Shares.GroupBy(share => share.Tier), tier =>
            Assert.True(tier.Sum(share => share.Gpus * Rate(site, share)) <= (site.Tiers[tier.Key].Demand?.Value ?? double.PositiveInfinity) * Slack));
        Assert.All(allocation.Shares.GroupBy(share => share.Pool), pool =>
            Assert.True(pool.Sum(share => share.Gpus) <= (site.Pools[pool.Key].Stock ?? double.PositiveInfinity) * Slack));
    }

    private static double Rate(Site site, TierShare share) => site.Tiers[share.Tier].PerGpu[share.Pool]!.Value.Value;

    private static Site Drawn(Dice dice)
    {
        var pools = dice.Many(1, 4, () => new GpuPool(
            "pool", new Watts(dice.Real(500, 3000)), new UsdPerHour(dice.Real(0.5, 8)), dice.Chance(0.4) ? dice.Scale(1, 1e4) : null));
        var tiers = dice.Many(1, 5, () => new TierOnSite(
            "tier",
            new UsdPerMillionTokens(dice.Chance(0.1) ? 0 : dice.Scale(0.05, 45)),
            [.. pools.Select(_ => dice.Chance(0.2) ? (TokensPerSecond?)null : new TokensPerSecond(dice.Scale(10, 10_000)))],
            dice.Chance(0.5) ? new TokensPerSecond(dice.Scale(100, 1e7)) : null));
        return new Site(new Watts(dice.Scale(1e4, 1e8)), pools, tiers);
    }

    private sealed record Site(Watts Power, IReadOnlyList<GpuPool> Pools, IReadOnlyList<TierOnSite> Tiers);
}
