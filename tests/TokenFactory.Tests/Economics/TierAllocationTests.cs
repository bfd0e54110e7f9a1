using TokenFactory.Economics;
using TokenFactory.Tests.Laws;
using TokenFactory.Units;

namespace TokenFactory.Tests.Economics;

/// <summary>A small site whose best split can be worked by hand.</summary>
public sealed class TierAllocationTests
{
    private static readonly GpuPool Gpus = new("gpu", new Watts(1000), new UsdPerHour(3), null);

    /// <summary>
    /// 100 GPUs fit. "fast" earns 1,000 tok/s x $4 = $14.40/h a GPU up to 30 GPUs, "bulk" 2,000 x $1 = $7.20/h, "free" nothing.
    /// </summary>
    private static readonly TierOnSite[] Tiers =
    [
        new("free", default, [new TokensPerSecond(2000)], null),
        new("bulk", new UsdPerMillionTokens(1), [new TokensPerSecond(2000)], null),
        new("fast", new UsdPerMillionTokens(4), [new TokensPerSecond(1000)], new TokensPerSecond(30_000)),
    ];

    [Fact]
    public void The_dear_tier_to_its_demand_and_the_rest_to_bulk()
    {
        var best = TierAllocation.Best(new Watts(100_000), [Gpus], Tiers);
        Assert.Equal([1, 2], best.Allocation.Shares.Select(share => share.Tier));
        Nearly.Equal(70, best.Allocation.Shares[0].Gpus, 1e-9);
        Nearly.Equal(30, best.Allocation.Shares[1].Gpus, 1e-9);
        Nearly.Equal((70 * 7.2) + (30 * 14.4), best.Allocation.Revenue.Value, 1e-9);
        Nearly.Equal((70 * 4.2) + (30 * 11.4), best.Allocation.Profit.Value, 1e-9);
        Nearly.Equal(0.0042, best.PerWattHour, 1e-9); // one more watt is a thousandth of a bulk GPU: $4.20/h
        Nearly.Equal(0.0042 * 1e6 * 8760, (double)best.PerMegawattYear.Value, 1e-9);
    }

    [Fact]
    public void Even_thirds_pay_for_the_free_tier_too()
    {
        var even = TierAllocation.Even(new Watts(100_000), [Gpus], Tiers);
        Nearly.Equal((100 / 3.0 * 7.2) + (30 * 14.4), even.Revenue.Value, 1e-9);
        Nearly.Equal(((200 / 3.0) + 30) * 3, even.Cost.Value, 1e-9);
    }

    [Fact]
    public void Power_that_nobody_needs_is_worth_nothing()
    {
        var best = TierAllocation.Best(new Watts(100_000), [Gpus with { Stock = 10 }], Tiers);
        Nearly.Equal(10, best.Allocation.Shares.Single().Gpus, 1e-9);
        Assert.Equal(0, best.PerWattHour);
    }

    [Fact]
    public void A_tier_that_no_gpu_is_fast_enough_for_gets_none()
    {
        TierOnSite[] tiers = [Tiers[1], Tiers[2] with { PerGpu = [null] }];
        Assert.Equal([0], TierAllocation.Best(new Watts(100_000), [Gpus], tiers).Allocation.Shares.Select(share => share.Tier));
        Assert.Equal([0], TierAllocation.Even(new Watts(100_000), [Gpus], tiers).Shares.Select(share => share.Tier));
    }
}
