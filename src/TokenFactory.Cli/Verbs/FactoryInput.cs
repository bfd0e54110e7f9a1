using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Economics;
using TokenFactory.Units;

namespace TokenFactory.Cli.Verbs;

/// <summary>A kind of GPU on the site.</summary>
/// <param name="Gpu">Which.</param>
/// <param name="ItPower">IT power per GPU that must be provisioned.</param>
/// <param name="Facility">The same at the meter.</param>
/// <param name="Pue">What lies between the two.</param>
/// <param name="Cost">Of a GPU-hour.</param>
/// <param name="Paid">Who asks it, in words.</param>
/// <param name="Stock">The most there are, or null.</param>
/// <param name="Stale">Whether the price may be too old.</param>
internal sealed record SitePool(
    Accelerator Gpu,
    Sourced<Power> ItPower,
    Sourced<Power> Facility,
    Sourced<Pue> Pue,
    Sourced<UsdPerHour> Cost,
    string Paid,
    double? Stock,
    bool Stale);

/// <summary>A tier that the site sells.</summary>
/// <param name="Name">For people.</param>
/// <param name="Price">Of a million output tokens.</param>
/// <param name="MinimumPerUser">Speed promised to a user, or null where the throughput was given.</param>
/// <param name="PerGpu">Output tokens per second and GPU at that speed, by pool; null where no point keeps it.</param>
/// <param name="Demand">The most that is bought, or null.</param>
internal sealed record SiteTier(
    string Name,
    Sourced<UsdPerMillionTokens> Price,
    Sourced<TokensPerSecond>? MinimumPerUser,
    IReadOnlyList<Sourced<TokensPerSecond>?> PerGpu,
    Sourced<TokensPerSecond>? Demand);

/// <summary>What factory is asked.</summary>
internal sealed record FactoryRequest(
    Power Site, Fraction Headroom, IReadOnlyList<SitePool> Pools, IReadOnlyList<SiteTier> Tiers, string TierSource, string Model,
    Sourced<Fraction> Utilisation, Sourced<Fraction> Availability, DateOnly Today)
{
    /// <summary>Power that may be filled: the site less its headroom.</summary>
    public Watts Usable => Site.Watts * Headroom.Rest.Value;

    /// <summary>Tokens sold over tokens possible: utilisation x availability.</summary>
    public double Sold => Utilisation.Value.Value * Availability.Value.Value;
}

/// <summary>Reads a site from flags and file.</summary>
internal sealed class FactoryInput(Terms terms, CatalogContents catalog)
{
    private static readonly string[] CostKeys = ["usd_per_gpu_hour", "billing", "provider", "gpus", "gpu", "tiers"];

    public FactoryRequest Read()
    {
        var site = catalog.Site;
        foreach (var key in CostKeys)
            terms.File?.Has(key);
        if (terms.Of("mw") is null)
            terms.Flags.Note("mw", "is missing", "Give the site's power in megawatts");
        var megawatts = terms.Number("mw")?.Value ?? 1;
        var headroom = terms.Number("headroom", 0, 0.99)?.Value ?? 0;
        var model = terms.Of("model") is { } named && named.Text("model") is { } name
            ? Lookup.Model(named, "model", name, catalog) ?? name
            : "deepseek-r1";
        var gpus = Gpus();
        var pools = gpus.Select(gpu => Pool(gpu.Item, gpu.Gpu, terms.PueOr(site.PueOf(gpu.Gpu)))).OfType<SitePool>().ToList();
        var (tiers, source) = Tiers(pools, model);
        return new FactoryRequest(
            new Power(new Watts(megawatts * 1e6), PowerBoundary.Facility), new Fraction(headroom), pools, tiers, source, model,
            terms.Share("utilisation", site.Utilisation), terms.Share("availability", site.Availability), terms.Today);
    }

    /// <summary>The GPUs of the flags, or those of the file: plain names, or mappings with stock and cost.</summary>
    private List<(Settings Item, Accelerator Gpu)> Gpus()
    {
        var found = new List<(Settings, Accelerator)>();
        if (terms.Flags.Has("gpu") || terms.File is not { } file || !file.Has("gpus"))
        {
            var settings = terms.Of("gpu") ?? terms.Flags;
            if (!settings.Has("gpu"))
                settings.Note("gpu", "is missing", "Name the accelerator to fill the site with");
            found.AddRange(Known(settings, "gpu").Select(gpu => (settings, gpu)));
        }
        else
        {
            file.Exclude("gpu", "gpus", "Give one name, or a list under gpus");
            if (!file.IsList("gpus"))
                return [.. Known(file, "gpus").Select(gpu => (file, gpu))];
            foreach (var item in file.Items("gpus"))
            {
                item.Require("gpu", "Name the accelerator");
                if (item.Text("gpu") is { } name && Lookup.Gpu(item, "gpu", name, catalog) is { } gpu)
                    found.Add((item, gpu));
            }
        }

        return found;
    }

    private IEnumerable<Accelerator> Known(Settings settings, string key) =>
        settings.Texts(key).Select(name => Lookup.Gpu(settings, key, name, catalog)).OfType<Accelerator>();

    private SitePool? Pool(Settings item, Accelerator gpu, Sourced<Pue> pue)
    {
        var own = item != terms.Flags && item != terms.File ? item : null;
        var stock = own?.Number("stock");
        var given = own?.Number("it_watts_per_gpu") is { } watts
            ? new Sourced<Power>(new Power(new Watts(watts), PowerBoundary.It), terms.Given(own))
            : Provisioned(gpu);
        if (given is not { } power)
        {
            item.Note("gpu", $"is {gpu.Key}, whose power nobody published", "List it in a file with it_watts_per_gpu");
            return null;
        }

        var ladder = PowerLadder.Climb(gpu, power, catalog.Site, pue);
        return Cost(own, gpu) is var (cost, paid, stale)
            ? new SitePool(gpu, ladder.It!.Value, ladder.Facility, pue, cost, paid, stock, stale)
            : null;
    }

    /// <summary>What must be provisioned: the modelled IT power at full load, else the board at TDP.</summary>
    private static Sourced<Power>? Provisioned(Accelerator gpu) =>
        gpu.ItPower is { } it
            ? new Sourced<Power>(new Power(it.Value, PowerBoundary.It), it.From, it.Note)
            : gpu.Tdp.As(tdp => new Power(tdp, PowerBoundary.Board));

    private (Sourced<UsdPerHour> Cost, string Paid, bool Stale)? Cost(Settings? own, Accelerator gpu)
    {
        if ((own?.Has("usd_per_gpu_hour") == true ? own : terms.Of("usd_per_gpu_hour")) is { } given)
        {
            if (given.Number("usd_per_gpu_hour") is not { } dollars)
                return null;
            var perGpu = new Sourced<UsdPerHour>(new UsdPerHour(dollars), terms.Given(given));
            return (perGpu, "given", Offer.IsStale(perGpu, terms.Today));
        }

        var settings = terms.Of("billing");
        var text = settings?.Text("billing") ?? "owned";
        var billing = BillingNames.Parse(text);
        if (billing is null)
            settings!.Note("billing", $"is '{text}'", $"Write one of {string.Join(", ", BillingNames.All)}");
        var provider = terms.Of("provider") is { } from && from.Text("provider") is { } who
            ? Lookup.Provider(from, "provider", who, catalog)
            : null;
        if (billing is null)
            return null;
        if (catalog.Cheapest(gpu, billing.Value, provider) is { } offer)
        {
            var instance = offer.InstanceType.Length > 0 ? ", " + offer.InstanceType : "";
            return (offer.PerGpu, $"{offer.Provider} {offer.Billing.Text()}{instance}", offer.IsStale(terms.Today));
        }

        (settings ?? terms.Flags).Note(
            "billing",
            $"is {text}, which nobody in the catalog offers for {gpu.Key}",
            "Give --usd-per-gpu-hour or another billing");
        return null;
    }

    private (IReadOnlyList<SiteTier> Tiers, string Source) Tiers(IReadOnlyList<SitePool> pools, string model)
    {
        if (!terms.Flags.Has("tiers") && terms.File is { } file && file.IsList("tiers"))
            return ([.. file.Items("tiers").Select(item => Tier(item, pools, model))], file.Name);
        var settings = terms.Of("tiers");
        var name = settings?.Text("tiers") ?? "gtc-2026";
        var set = catalog.TierSets.FirstOrDefault(known => Names.Fold(known.Key) == Names.Fold(name));
        if (set is null)
        {
            var known = string.Join(", ", catalog.TierSets.Select(each => each.Key));
            (settings ?? terms.Flags).Note("tiers", $"names '{name}', which the catalog lacks", $"Known: {known}");
            return ([], name);
        }

        var tiers = set.Tiers.Select(tier => new SiteTier(
            tier.Name,
            tier.Price,
            tier.MinimumPerUser,
            [.. pools.Select(pool => Fastest(pool.Gpu, model, tier.MinimumPerUser.Value))],
            null));
        return ([.. tiers], set.Name);
    }

    private SiteTier Tier(Settings item, IReadOnlyList<SitePool> pools, string model)
    {
        item.Require("name", "Name the tier");
        item.Require("usd_per_million_tokens", "Say what a million output tokens sells for, 0 for a free tier");
        var dollars = new UsdPerMillionTokens(item.Number("usd_per_million_tokens", 0) ?? 0);
        var price = new Sourced<UsdPerMillionTokens>(dollars, terms.Given(item));
        var speed = Rate(item, "minimum_tokens_per_second_per_user");
        var demand = Rate(item, "demand_tokens_per_second");
        if (!item.Has("tokens_per_second_per_gpu") && speed is null)
        {
            item.Require(
                "tokens_per_second_per_gpu",
                "Give it (one number, or one per GPU), or minimum_tokens_per_second_per_user to take the catalog's points");
        }

        var perGpu = item.Has("tokens_per_second_per_gpu")
            ? Given(item, pools)
            : [.. pools.Select(pool => speed is { } min ? Fastest(pool.Gpu, model, min.Value) : null)];
        return new SiteTier(item.Text("name") ?? "", price, speed, perGpu, demand);
    }

    private Sourced<TokensPerSecond>? Rate(Settings item, string key) =>
        item.Number(key) is { } rate ? new Sourced<TokensPerSecond>(new TokensPerSecond(rate), terms.Given(item)) : null;

    /// <summary>A throughput for every GPU alike, or one per GPU by name; a GPU that is not named does not serve the tier.</summary>
    private IReadOnlyList<Sourced<TokensPerSecond>?> Given(Settings item, IReadOnlyList<SitePool> pools)
    {
        if (!item.IsItem("tokens_per_second_per_gpu"))
        {
            var one = Rate(item, "tokens_per_second_per_gpu");
            return [.. pools.Select(_ => one)];
        }

        var byGpu = item.Item("tokens_per_second_per_gpu")!;
        var rates = new Sourced<TokensPerSecond>?[pools.Count];
        foreach (var key in byGpu.Keys().ToList())
        {
            var gpu = Lookup.Gpu(byGpu, key, key, catalog);
            var pool = pools.ToList().FindIndex(p => p.Gpu == gpu);
            if (gpu is not null && pool < 0)
                byGpu.Note(key, "is not on the site", "List it under gpus, or remove it here");
            if (byGpu.Number(key) is { } rate && pool >= 0)
                rates[pool] = new Sourced<TokensPerSecond>(new TokensPerSecond(rate), terms.Given(byGpu));
        }

        return rates;
    }

    /// <summary>The published point of most output tokens that still gives each user the speed; null where none does.</summary>
    private Sourced<TokensPerSecond>? Fastest(Accelerator gpu, string model, TokensPerSecond perUser) =>
        catalog.Points
            .Where(point => point.Gpu == gpu && (catalog.ModelNames.Find(point.Model)?.Key ?? point.Model) == model)
            .Where(point => point.PerUser is { } speed && speed.Value >= perUser)
            .Select(point => point.OutputThroughput ?? (point.Counts == TokenCount.Output ? point.Throughput : null))
            .Where(rate => rate is not null)
            .MaxBy(rate => rate!.Value.Value.Value);
}
