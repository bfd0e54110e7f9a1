using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Cli.Output;
using TokenFactory.Economics;
using TokenFactory.Units;

namespace TokenFactory.Cli.Verbs;

/// <summary>Answers factory: what fits, the best split of power, the even split, and what one more megawatt is worth.</summary>
internal static class FactoryReport
{
    private const double SecondsPerDay = 86_400;
    private static readonly TimeSpan Year = TimeSpan.FromHours(OwnedCost.HoursPerYear);

    public static Report Of(FactoryRequest request, out bool pays)
    {
        if (request.Tiers.All(tier => tier.PerGpu.All(rate => rate is null)))
        {
            var gpus = string.Join(", ", request.Pools.Select(pool => pool.Gpu.Key));
            throw new Refusal(
                "catalog",
                $"has no point of {request.Model} with output tokens and speed per user on {gpus}",
                "Name another --model or --gpu ('catalog list points'), or give tiers with tokens_per_second_per_gpu in a file");
        }

        var pools = request.Pools
            .Select(pool => new GpuPool(pool.Gpu.Key, pool.Facility.Value.Watts, pool.Cost.Value, pool.Stock))
            .ToList();
        var tiers = request.Tiers.Select(OnSite).ToList();
        var best = TierAllocation.Best(request.Usable, pools, tiers);
        pays = best.Allocation.Shares.Count > 0;
        var even = TierAllocation.Even(request.Usable, pools, tiers);
        return new Report(
            "factory",
            [.. Answer(request, best, even)],
            [
                Fits(request),
                Split("best_split", "The best split of power", request, best.Allocation, tiers),
                Split("even_split", "The even split: the same power for every tier", request, even, tiers),
                Compare(request, best, even),
            ],
            [.. Notes(request, best, even)]);

        TierOnSite OnSite(SiteTier tier)
        {
            var sold = tier.PerGpu.Select(rate => rate is { } r ? r.Value * request.Sold : (TokensPerSecond?)null);
            return new TierOnSite(tier.Name, tier.Price.Value, [.. sold], tier.Demand?.Value);
        }
    }

    private static IEnumerable<string> Answer(FactoryRequest request, BestAllocation best, SiteAllocation even)
    {
        var tokens = Tokens(request, best.Allocation);
        var profit = Yearly(best.Allocation.Profit);
        var megawatts = Spell.Number(request.Site.Watts.Value / 1e6);
        var utilisation = Spell.Percent(request.Utilisation.Value.Value);
        yield return best.Allocation.Shares.Count == 0
            ? $"No tier pays for its GPUs on this site: the best is to leave the {megawatts} MW unused."
            : $"{megawatts} MW carries {Gpus(request, best.Allocation)} and sells {Big(tokens)} output tokens a day "
                + $"at {utilisation} utilisation: {Dollars(Yearly(best.Allocation.Revenue))} revenue and {Dollars(profit)} profit a year "
                + $"at the prices of {request.TierSource}{(Unlimited(request) ? ", if all of them find buyers" : "")}.";
        var gain = profit - Yearly(even.Profit);
        yield return $"That is {Dollars(gain)} a year more than the same power for every tier; "
            + $"one more megawatt would earn {Dollars(PerSiteMegawatt(request, best))} a year.";
    }

    private static Section Fits(FactoryRequest request) => new(
        "gpus", "What fits, if the site held one kind of GPU",
        [
            new Column("gpu", "GPU", Number: false),
            new Column("it_w_per_gpu", "IT W/GPU", 2),
            new Column("facility_w_per_gpu", "site W/GPU", 3),
            new Column("gpus_that_fit", "GPUs"),
            new Column("usd_per_gpu_hour", "$/GPU-h"),
            new Column("cost_usd_per_year", "cost $/year", 1),
            new Column("price_source", "price", 1, Number: false),
        ],
        [.. request.Pools.Select(pool =>
        {
            var usable = new Power(request.Usable, PowerBoundary.Facility);
            var room = PowerLadder.DeploymentsThatFit(usable, pool.Facility.Value, Fraction.None);
            var fit = Math.Min(room, pool.Stock ?? double.MaxValue);
            var cost = new Sourced<double>(Yearly(pool.Cost.Value * fit), pool.Cost.From.And(pool.Facility.From));
            var price = Cell.Of(pool.Cost, Spell.Of);
            return (IReadOnlyList<Cell>)
            [
                Cell.Of(pool.Gpu.Key),
                Cell.Of(pool.ItPower, Spell.Of),
                Cell.Of(pool.Facility, Spell.Of),
                Cell.Of(pool.Facility.Select(_ => fit), g => (g, g.ToString("N0"))),
                pool.Stale ? price with { Text = price.Text + "*" } : price,
                Cell.Of(cost, c => (c, Spell.Dollars(c))),
                Cell.Of(pool.Paid),
            ];
        })]);

    private static Section Split(
        string key, string title, FactoryRequest request, SiteAllocation allocation, IReadOnlyList<TierOnSite> tiers)
    {
        var rows = new List<IReadOnlyList<Cell>>();
        for (var k = 0; k < request.Tiers.Count; k++)
        {
            var shares = allocation.Shares.Where(share => share.Tier == k).ToList();
            if (shares.Count == 0)
                rows.Add(Idle(request.Tiers[k]));
            rows.AddRange(shares.Select(share => Row(request, request.Tiers[k], share, tiers[k].PerGpu[share.Pool]!.Value)));
        }

        return new Section(
            key, title,
            [
                new Column("tier", "tier", Number: false),
                new Column("usd_per_million_tokens", "$/M tok", 1),
                new Column("minimum_tokens_per_second_per_user", "tok/s/user", 4),
                new Column("gpu", "GPU", Number: false),
                new Column("gpus", "GPUs", 2),
                new Column("megawatts", "MW"),
                new Column("share_of_power", "power", 3),
                new Column("tokens_per_day", "tokens/day", 1),
                new Column("revenue_usd_per_year", "revenue $/year"),
                new Column("cost_usd_per_year", "cost $/year", 3),
                new Column("gross_margin", "margin", 2),
            ],
            rows);
    }

    private static IReadOnlyList<Cell> Idle(SiteTier tier)
    {
        var reason = tier.PerGpu.All(rate => rate is null) ? "no GPU here keeps the speed" : "-";
        return [Cell.Of(tier.Name), Price(tier), Speed(tier), Cell.Of(reason), Zero, Zero, Zero, Zero, Zero, Zero, Cell.None];
    }

    private static Cell Zero { get; } = new(0.0, "0");

    private static IReadOnlyList<Cell> Row(FactoryRequest request, SiteTier tier, TierShare share, TokensPerSecond sold)
    {
        var pool = request.Pools[share.Pool];
        var from = tier.Price.From
            .And(tier.PerGpu[share.Pool]!.Value.From)
            .And(request.Utilisation.From)
            .And(request.Availability.From)
            .And(pool.Facility.From);
        var watts = pool.Facility.Value.Watts * share.Gpus;
        var revenue = Yearly(sold * share.Gpus * tier.Price.Value);
        var cost = Yearly(pool.Cost.Value * share.Gpus);
        return
        [
            Cell.Of(tier.Name),
            Price(tier),
            Speed(tier),
            Cell.Of(pool.Gpu.Key),
            new Cell(share.Gpus, Math.Floor(share.Gpus + 1e-6).ToString("N0")),
            new Cell(watts.Value / 1e6, Spell.Number(watts.Value / 1e6)),
            new Cell(watts / request.Usable, Spell.Percent(watts / request.Usable)),
            new Cell(sold.Value * share.Gpus * SecondsPerDay, Big(sold.Value * share.Gpus * SecondsPerDay), from),
            new Cell(revenue, $"{Spell.Dollars(revenue)}", from),
            new Cell(cost, Spell.Dollars(cost), pool.Cost.From),
            Revenue.GrossMargin(new UsdPerHour(revenue), new UsdPerHour(cost)) is { } margin
                ? new Cell(margin, Spell.Percent(margin), from.And(pool.Cost.From))
                : Cell.None,
        ];
    }

    private static Cell Price(SiteTier tier) => Cell.Of(tier.Price, Spell.Of);

    private static Cell Speed(SiteTier tier) => tier.MinimumPerUser is { } speed ? Cell.Of(speed, Spell.Of) : Cell.None;

    private static Section Compare(FactoryRequest request, BestAllocation best, SiteAllocation even)
    {
        var utilisation = Spell.Percent(request.Utilisation.Value.Value);
        var availability = Spell.Percent(request.Availability.Value.Value);
        return new Section(
            "per_year",
            $"A year, at {utilisation} utilisation, {availability} availability and the prices of {request.TierSource}",
            [
                new Column("split", "split", Number: false),
                new Column("revenue_usd_per_year", "revenue $/year"),
                new Column("cost_usd_per_year", "cost $/year"),
                new Column("profit_usd_per_year", "profit $/year"),
                new Column("gross_margin", "margin"),
                new Column("profit_usd_per_mw_year", "profit $/MW-year", 1),
                new Column("profit_usd_per_gw_year", "profit $/GW-year", 2),
                new Column("utilisation", "utilisation", 1),
                new Column("price_source", "prices", 3, Number: false),
            ],
            [Line("best", best.Allocation), Line("even", even)]);

        IReadOnlyList<Cell> Line(string name, SiteAllocation split)
        {
            var profit = Yearly(split.Profit);
            var perMegawatt = profit / (request.Site.Watts.Value / 1e6);
            return
            [
                Cell.Of(name),
                Money(Yearly(split.Revenue)),
                Money(Yearly(split.Cost)),
                Money(profit),
                Margin(split),
                Money(perMegawatt),
                Money(perMegawatt * 1000),
                Cell.Of(request.Utilisation, u => (u.Value, Spell.Percent(u.Value))),
                Cell.Of(request.TierSource),
            ];
        }

        static Cell Margin(SiteAllocation split) =>
            Revenue.GrossMargin(split.Revenue, split.Cost) is { } margin ? new Cell(margin, Spell.Percent(margin)) : Cell.None;

        static Cell Money(double amount) => new(amount, Spell.Dollars(amount));
    }

    private static IEnumerable<string> Notes(FactoryRequest request, BestAllocation best, SiteAllocation even)
    {
        var pues = request.Pools.Select(pool => pool.Pue.Value.Value).Distinct().Order().Select(Spell.Number);
        yield return $"Site power is at the meter: IT power x PUE {string.Join(" or ", pues)}, "
            + $"headroom {Spell.Percent(request.Headroom.Value)}. Every GPU that is switched on costs its full price; "
            + "sold tokens are utilisation x availability of what it could make. Fractions of a GPU are kept in the sums.";
        if (request.Tiers.Any(tier => tier.MinimumPerUser is not null))
        {
            yield return $"Tokens per GPU are the published points of {request.Model} that give each user at least the tier's speed, "
                + "output tokens only.";
        }

        foreach (var tier in request.Tiers.Where(tier => tier.Price.Note is not null))
            yield return $"Tier {tier.Name}: {tier.Price.Note}.";
        foreach (var pool in request.Pools.Where((_, j) => request.Tiers.All(tier => tier.PerGpu[j] is null)))
            yield return $"{pool.Gpu.Key} serves no tier: the catalog has no point of {request.Model} on it that keeps a tier's speed.";
        if (Unlimited(request))
        {
            yield return "No tier's demand is limited, so the best split is the one tier that earns most per watt: "
                + "give demand_tokens_per_second in a file to see how demand shares the site.";
        }

        var dark = request.Usable.Value - Watts(request, even);
        if (dark > 0.005 * request.Usable.Value)
        {
            yield return $"The even split leaves {Spell.Number(dark / 1e6)} MW dark, "
                + "which some tier's demand, speed or stock does not take: part of the difference is that power.";
        }

        var perMegawatt = PerSiteMegawatt(request, best);
        yield return $"Shadow price of power at the meter: {Spell.Dollars(perMegawatt)} per MW-year "
            + $"= {Spell.Dollars(perMegawatt / OwnedCost.HoursPerYear / 1000)} per kWh above what the GPUs cost.";
        if (request.Pools.Any(pool => pool.Stale))
        {
            yield return $"* Price may be older than {Offer.FreshDays} days on {request.Today:yyyy-MM-dd}: "
                + "bring fresh ones with 'catalog import-prices'.";
        }
    }

    private static double Watts(FactoryRequest request, SiteAllocation allocation) =>
        allocation.Shares.Sum(share => request.Pools[share.Pool].Facility.Value.Watts.Value * share.Gpus);

    /// <summary>Dollars a year of one more megawatt at the meter, of which the headroom stays free.</summary>
    private static double PerSiteMegawatt(FactoryRequest request, BestAllocation best) =>
        (double)best.PerMegawattYear.Value * request.Headroom.Rest.Value;

    private static bool Unlimited(FactoryRequest request) => request.Tiers.All(tier => tier.Demand is null);

    private static string Gpus(FactoryRequest request, SiteAllocation allocation)
    {
        var counts = allocation.Shares
            .GroupBy(share => share.Pool)
            .Select(pool => $"{Math.Floor(pool.Sum(share => share.Gpus) + 1e-6):N0} {request.Pools[pool.Key].Gpu.Key} GPUs");
        return string.Join(" and ", counts);
    }

    private static double Tokens(FactoryRequest request, SiteAllocation allocation) =>
        allocation.Shares.Sum(share =>
            request.Tiers[share.Tier].PerGpu[share.Pool]!.Value.Value.Value * request.Sold * share.Gpus) * SecondsPerDay;

    private static double Yearly(UsdPerHour perHour) => (double)(perHour * Year).Value;

    private static string Dollars(double amount) => Spell.Dollars(amount);

    private static string Big(double tokens) => tokens switch
    {
        >= 1e12 => $"{tokens / 1e12:0.00} T",
        >= 1e9 => $"{tokens / 1e9:0.00} B",
        _ => $"{tokens / 1e6:0.0} M",
    };
}
