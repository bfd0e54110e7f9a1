using TokenFactory.Units;

namespace TokenFactory.Economics;

/// <summary>A kind of GPU that a site can be filled with.</summary>
/// <param name="Name">For people.</param>
/// <param name="FacilityPerGpu">Power per GPU at the site's meter.</param>
/// <param name="CostPerGpu">Cost of a GPU-hour, paid for every GPU that is switched on.</param>
/// <param name="Stock">The most there are; null for as many as power allows.</param>
public sealed record GpuPool(string Name, Watts FacilityPerGpu, UsdPerHour CostPerGpu, double? Stock);

/// <summary>A tier that is sold from the site.</summary>
/// <param name="Name">For people.</param>
/// <param name="Price">What a million tokens sells for.</param>
/// <param name="PerGpu">
/// Sold tokens per second and GPU at the tier's speed, utilisation in it, by pool; null where that GPU cannot keep the speed.
/// </param>
/// <param name="Demand">The most that is bought; null for whatever is made.</param>
public sealed record TierOnSite(string Name, UsdPerMillionTokens Price, IReadOnlyList<TokensPerSecond?> PerGpu, TokensPerSecond? Demand);

/// <summary>GPUs of a pool at work for a tier.</summary>
/// <param name="Tier">Index of the tier.</param>
/// <param name="Pool">Index of the pool.</param>
/// <param name="Gpus">How many; fractions are kept.</param>
public readonly record struct TierShare(int Tier, int Pool, double Gpus);

/// <summary>A site's power given to its tiers.</summary>
/// <param name="Shares">Who got what; only those above zero.</param>
/// <param name="Revenue">Taken in per hour.</param>
/// <param name="Cost">Paid per hour.</param>
public sealed record SiteAllocation(IReadOnlyList<TierShare> Shares, UsdPerHour Revenue, UsdPerHour Cost)
{
    /// <summary>Revenue less cost.</summary>
    public UsdPerHour Profit => Revenue - Cost;
}

/// <summary>The best allocation, and what more power would be worth.</summary>
/// <param name="Allocation">Who gets what.</param>
/// <param name="PerWattHour">Shadow price of site power: dollars per hour that one more watt earns; 0 where power is left over.</param>
public sealed record BestAllocation(SiteAllocation Allocation, double PerWattHour)
{
    /// <summary>Dollars per year that one more megawatt earns, at the margin.</summary>
    public Usd PerMegawattYear => new((decimal)(PerWattHour * 1e6 * OwnedCost.HoursPerYear));
}

/// <summary>
/// Site power to service tiers at their prices: maximise sum of (price x tokens - GPU cost) within the site's
/// power, each tier's demand and each pool's stock. A linear programme; its dual on power is the marginal value of a watt.
/// </summary>
public static class TierAllocation
{
    /// <summary>Dollars an hour that a token per second counts for, a free one too, when power goes out regardless of profit.</summary>
    private const double Whatever = 1e-6;

    /// <summary>The allocation of greatest profit. A tier that does not pay for its GPUs gets none.</summary>
    public static BestAllocation Best(Watts site, IReadOnlyList<GpuPool> pools, IReadOnlyList<TierOnSite> tiers)
    {
        var pairs = Pairs(pools, tiers);
        var profit = Row(pairs, pair => Hourly(tiers, pair).Value - pools[pair.Pool].CostPerGpu.Value);
        var (rows, limits) = Limits(site, pools, tiers, pairs);
        var (shares, shadowPrices) = Solve(profit, rows, limits, pairs);
        return new BestAllocation(Account(shares, pools, tiers), shadowPrices[0] / 1000);
    }

    /// <summary>
    /// The same power for every tier, whether it pays or not: the keynote's split. Within that, GPUs go where they bring most revenue.
    /// What a tier's demand or the stock does not take stays dark. Never better than <see cref="Best"/>.
    /// </summary>
    public static SiteAllocation Even(Watts site, IReadOnlyList<GpuPool> pools, IReadOnlyList<TierOnSite> tiers)
    {
        var pairs = Pairs(pools, tiers);
        var revenue = Row(pairs, pair => Hourly(tiers, pair).Value + (Rate(tiers, pair).Value * Whatever));
        var (rows, limits) = Limits(site, pools, tiers, pairs);
        for (var k = 0; k < tiers.Count; k++)
        {
            var tier = k;
            rows.Add(Row(pairs, pair => pair.Tier == tier ? Kilo(pools[pair.Pool].FacilityPerGpu) : 0));
            limits.Add(Kilo(site) / tiers.Count);
        }

        return Account(Solve(revenue, rows, limits, pairs).Shares, pools, tiers);
    }

    /// <summary>What holds for every allocation: the site's power first, then each tier's demand and each pool's stock.</summary>
    private static (List<double[]> Rows, List<double> Limits) Limits(
        Watts site, IReadOnlyList<GpuPool> pools, IReadOnlyList<TierOnSite> tiers, List<(int Tier, int Pool)> pairs)
    {
        var rows = new List<double[]> { Row(pairs, pair => Kilo(pools[pair.Pool].FacilityPerGpu)) };
        var limits = new List<double> { Kilo(site) };
        for (var k = 0; k < tiers.Count; k++)
        {
            var tier = k;
            if (tiers[k].Demand is { } demand)
                Limit(pair => pair.Tier == tier ? Rate(tiers, pair).Value : 0, demand.Value);
        }

        for (var j = 0; j < pools.Count; j++)
        {
            var pool = j;
            if (pools[j].Stock is { } stock)
                Limit(pair => pair.Pool == pool ? 1 : 0, stock);
        }

        return (rows, limits);

        void Limit(Func<(int Tier, int Pool), double> weight, double most)
        {
            rows.Add(Row(pairs, weight));
            limits.Add(most);
        }
    }

    private static (List<TierShare> Shares, IReadOnlyList<double> ShadowPrices) Solve(
        double[] objective, List<double[]> rows, List<double> limits, List<(int Tier, int Pool)> pairs)
    {
        var optimum = LinearProgram.Maximise(objective, rows, limits)
            ?? throw new InvalidOperationException("Site power bounds every GPU, so the programme has an optimum.");
        var shares = pairs.Select((pair, i) => new TierShare(pair.Tier, pair.Pool, optimum.Values[i])).Where(share => share.Gpus > 1e-9);
        return ([.. shares], optimum.ShadowPrices);
    }

    private static UsdPerHour Hourly(IReadOnlyList<TierOnSite> tiers, (int Tier, int Pool) pair) =>
        Rate(tiers, pair) * tiers[pair.Tier].Price;

    private static List<(int Tier, int Pool)> Pairs(IReadOnlyList<GpuPool> pools, IReadOnlyList<TierOnSite> tiers) =>
        [.. from tier in Enumerable.Range(0, tiers.Count)
            from pool in Enumerable.Range(0, pools.Count)
            where tiers[tier].PerGpu[pool] is not null
            select (tier, pool)];

    private static double[] Row(List<(int Tier, int Pool)> pairs, Func<(int Tier, int Pool), double> weight) => [.. pairs.Select(weight)];

    private static TokensPerSecond Rate(IReadOnlyList<TierOnSite> tiers, (int Tier, int Pool) pair) =>
        tiers[pair.Tier].PerGpu[pair.Pool]!.Value;

    /// <summary>Kilowatts keep the tableau's numbers near one another.</summary>
    private static double Kilo(Watts watts) => watts.Value / 1000;

    private static SiteAllocation Account(List<TierShare> shares, IReadOnlyList<GpuPool> pools, IReadOnlyList<TierOnSite> tiers)
    {
        var (revenue, cost) = (default(UsdPerHour), default(UsdPerHour));
        foreach (var share in shares)
        {
            revenue += Rate(tiers, (share.Tier, share.Pool)) * share.Gpus * tiers[share.Tier].Price;
            cost += pools[share.Pool].CostPerGpu * share.Gpus;
        }

        return new SiteAllocation(shares, revenue, cost);
    }
}
