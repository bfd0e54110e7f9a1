using System.Globalization;
using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Economics;
using TokenFactory.Planning;
using TokenFactory.Units;

namespace TokenFactory.Cli.Verbs;

/// <summary>Reads what a plan may buy and what is owned: the catalog's offers, the user's own, stock, commitments.</summary>
internal sealed class PlanSupplies(Terms terms, CatalogContents catalog, CalibrationInput calibration, List<string> assumed)
{
    private const int MostGpus = 10_000_000;
    private static readonly int[] MachineSizes = [1, 2, 4, 8];

    /// <summary>The supplies; every mistake is noted.</summary>
    /// <param name="interruptible">Whether any work may be interrupted, so that spot is worth a look.</param>
    public IReadOnlyList<Supply> Read(bool interruptible)
    {
        var offers = terms.File?.Item("offers");
        var gpus = Gpus(offers);
        var billings = Billings(offers, interruptible);
        var providers = Names(offers, "provider", "providers", (settings, key, text) => Lookup.Provider(settings, key, text, catalog));
        var regions = Texts(offers, "region", "regions");
        var own = Apart((offers?.Items("prices") ?? []).Select(item => Own(item)).OfType<Supply>())
            .Where(supply => !(terms.Flags.Has("gpu") || offers?.Has("gpus") == true)
                || gpus.Exists(gpu => gpu.Key == supply.Gpu.Key)).ToList();
        var bought = (offers?.Items("owned") ?? []).Select(item => Bought(item, Billing.Owned))
            .Concat((offers?.Items("commitments") ?? []).Select(item => Bought(item, Billing.Reserved1Year))).OfType<Supply>().ToList();
        var listed = Listed(gpus, billings, providers, regions, own);
        var supplies = Stocked(offers, [.. own.Where(supply => supply.Stock != 0), .. listed]);
        Beyond = [.. supplies.Where(supply => !billings.Contains(supply.Billing))];
        supplies = [.. bought, .. supplies.Where(supply => billings.Contains(supply.Billing))];
        Missing(offers, gpus, supplies, billings);
        return supplies;
    }

    /// <summary>Offers that nothing else tells apart, told apart by a number: so many cheap ones, and dearer ones beyond.</summary>
    private static IEnumerable<Supply> Apart(IEnumerable<Supply> own) => own.GroupBy(supply => supply.Key, StringComparer.Ordinal)
        .SelectMany(same => same.Count() == 1 ? same : same.Select((supply, i) => i == 0 ? supply : supply with
        {
            Offered = string.Create(CultureInfo.InvariantCulture, $"#{i + 1}"),
        }));

    /// <summary>Notes GPUs that are named and that nobody offers.</summary>
    private void Missing(Settings? offers, List<Accelerator> gpus, IReadOnlyList<Supply> supplies, List<Billing> billings)
    {
        const string remedy = "Name other GPUs, billings, providers or regions, or give a price in a file under offers.prices";
        var (settings, key) = terms.Of("gpu") is { } flat ? (flat, "gpu") : (offers, "gpus");
        var ways = string.Join(" or ", billings.Select(billing => billing.Text()));
        if (billings.Count == 0)
            return;
        if (settings?.Has(key) == true)
        {
            foreach (var gpu in gpus.Where(gpu => supplies.All(supply => supply.Gpu.Key != gpu.Key)))
                settings.Note(key, $"names {gpu.Key}, which nobody who may be asked offers {ways}", remedy);
        }
        else if (supplies.Count == 0 && terms.Mistakes.Count == 0)
        {
            var from = terms.File ?? terms.Flags;
            from.Mistakes.Add(new Mistake(from.Where, $"nobody who may be asked offers a GPU {ways}", remedy));
        }
    }

    /// <summary>Prices of the user's by ways to pay that the plan may not use.</summary>
    public IReadOnlyList<Supply> Beyond { get; private set; } = [];

    /// <summary>Offers of the same GPUs by another way to pay, from anybody whom the user allows.</summary>
    public static IReadOnlyList<Supply> Otherwise(
        PlanRequest request, Terms terms, CatalogContents catalog, CalibrationInput calibration, Billing billing)
    {
        var self = new PlanSupplies(terms, catalog, calibration, []);
        var gpus = request.Ask.Supplies.Select(supply => supply.Gpu).DistinctBy(gpu => gpu.Key).ToList();
        var providers = self.Names(
            terms.File?.Item("offers"),
            "provider",
            "providers",
            (settings, key, text) => Lookup.Provider(settings, key, text, catalog));
        return [.. self.Listed(gpus, [billing], providers, self.Texts(terms.File?.Item("offers"), "region", "regions"), [])];
    }

    /// <summary>GPUs that are named, or all that are offered and of which enough is known.</summary>
    private List<Accelerator> Gpus(Settings? offers)
    {
        var named = Names(offers, "gpu", "gpus", (settings, key, text) => Lookup.Gpu(settings, key, text, catalog));
        if (named is not null)
        {
            foreach (var gpu in named.Where(gpu => !Usable(gpu)))
                (terms.Of("gpu") ?? offers)!.Note(
                    terms.Of("gpu") is null ? "gpus" : "gpu",
                    $"name {gpu.Key}, of whose memory, bandwidth, speed or power the catalog knows too little",
                    "Add it in a catalog of your own (--catalog DIR)");
            return [.. named.Where(Usable).DistinctBy(gpu => gpu.Key)];
        }

        var all = catalog.Accelerators.Where(gpu => Usable(gpu) && catalog.Cheapest(gpu, Billing.OnDemand) is not null).ToList();
        assumed.Add($"gpus: the {all.Count} that somebody offers on demand");
        return all;
    }

    private bool Usable(Accelerator gpu) =>
        gpu.MemoryBandwidth is not null && (gpu.UsableMemoryGigabytes ?? gpu.MemoryGigabytes) is not null
        && (gpu.Bf16 ?? gpu.Fp8 ?? gpu.Fp4) is not null && gpu.Tdp is not null && calibration.Kernels.For(gpu) is not null;

    private List<Billing> Billings(Settings? offers, bool interruptible)
    {
        offers?.Has("billing");
        var (settings, key) = terms.Of("billing") is { } flat ? (flat, "billing") : (offers, "billing");
        if (settings is null || !settings.Has(key))
        {
            assumed.Add(interruptible ? "billing on-demand, and spot for what may be interrupted" : "billing on-demand");
            return interruptible ? [Billing.OnDemand, Billing.Spot] : [Billing.OnDemand];
        }

        var billings = new List<Billing>();
        foreach (var text in settings.Texts(key))
        {
            if (BillingNames.Parse(text) is { } billing)
                billings.Add(billing);
            else if (text == "all")
                billings.AddRange(Enum.GetValues<Billing>());
            else
                settings.Note(key, $"is '{text}'", $"Write {string.Join(", ", BillingNames.All)}, or all");
        }

        return [.. billings.Distinct()];
    }

    /// <summary>
    /// The cheapest offer of each GPU and billing for replicas of one, two, four and eight GPUs in a machine, from whom and where the user
    /// allows: who offers machines of one GPU cheapest may have none of eight, and eight are dear where one is needed.
    /// </summary>
    private IEnumerable<Supply> Listed(
        List<Accelerator> gpus, List<Billing> billings, List<string>? providers, IReadOnlyList<string> regions, List<Supply> own)
    {
        foreach (var gpu in gpus)
        {
            foreach (var billing in billings.Where(billing => !own.Exists(one => one.Gpu.Key == gpu.Key && one.Billing == billing)))
            {
                var offers = catalog.Offers.Where(offer => offer.Gpu.Key == gpu.Key && offer.Billing == billing)
                    .Where(offer => providers is null || providers.Contains(offer.Provider))
                    .Where(offer => regions.Count == 0
                        || regions.Any(region => offer.Region.Contains(region, StringComparison.OrdinalIgnoreCase)))
                    .OrderBy(offer => offer.Suspect)
                    .ThenBy(offer => offer.PerGpu.Value.Value)
                    .ThenBy(offer => offer.Provider, StringComparer.Ordinal)
                    .ToList();
                var chosen = MachineSizes.SelectMany(size => (Offer?[])
                [
                    offers.Find(offer => Machine(offer) >= size),
                    offers.Find(offer => Machine(offer) >= size && offer.GpusPerInstance <= size),
                ]).OfType<Offer>().Distinct();
                foreach (var offer in chosen)
                    yield return Of(offer);
            }
        }
    }

    /// <summary>GPUs of the machine of an offer: not known where a provider prices single GPUs and lists no machine of more.</summary>
    private int Machine(Offer offer) =>
        offer.GpusPerInstance > 1
        || catalog.Offers.Any(other => other.Provider == offer.Provider && other.Gpu.Key == offer.Gpu.Key
            && other.GpusPerInstance > 1)
            ? offer.GpusPerInstance
            : int.MaxValue;

    private Supply Of(Offer offer) => Spot(new Supply
    {
        Gpu = offer.Gpu,
        Billing = offer.Billing,
        PerGpu = offer.PerGpu,
        Provider = offer.Provider,
        Region = offer.Region,
        InstanceType = offer.InstanceType,
        GpusPerInstance = offer.GpusPerInstance,
        GpusPerMachine = Machine(offer),
        Stale = offer.IsStale(terms.Today),
    });

    /// <summary>What is taken back costs its restarts too, and is gone part of the time.</summary>
    private Supply Spot(Supply supply)
    {
        if (supply.Billing != Billing.Spot)
            return supply;
        var mean = terms.Number("mean_hours_to_preemption", double.Epsilon, 1e6)?.Value ?? catalog.Site.SpotMeanHours.Value;
        var restart = (terms.Number("restart_minutes", 0, 1e6)?.Value ?? catalog.Site.SpotRestartMinutes.Value) / 60;
        var behaviour = new SpotBehaviour(TimeSpan.FromHours(mean), TimeSpan.FromHours(restart));
        var request = TimeSpan.FromSeconds(catalog.Site.SpotRequestSeconds.Value);
        return supply with
        {
            WallTimePerWork = SpotCost.WallTimePerWorkOfRequests(behaviour, request, Fraction.All),
            Unavailable = restart / (mean + restart),
        };
    }

    private Supply? Own(Settings item)
    {
        item.Require("gpu", "Name what is offered");
        item.Require("usd_per_gpu_hour", "Give the price of a GPU-hour");
        var gpu = item.Text("gpu") is { } name ? Lookup.Gpu(item, "gpu", name, catalog) : null;
        var price = item.Number("usd_per_gpu_hour", 0);
        var (provider, region, stock) = (item.Text("provider"), item.Text("region"), Count(item, "gpus"));
        var (instance, together) = (item.Text("instance_type"), Count(item, "gpus_per_instance"));
        var billing = BillingOf(item, Billing.OnDemand);
        var given = terms.Given(item);
        return gpu is null || price is not { } usd ? null : Spot(new Supply
        {
            Gpu = gpu,
            Billing = billing,
            PerGpu = new Sourced<UsdPerHour>(new UsdPerHour(usd), given),
            Provider = provider ?? "given",
            Region = region ?? "",
            InstanceType = instance ?? "",
            GpusPerInstance = together ?? 1,
            GpusPerMachine = together ?? int.MaxValue,
            Stock = stock,
        });
    }

    /// <summary>Machines or commitments that are paid for already, whether a plan uses them or not.</summary>
    private Supply? Bought(Settings item, Billing usual)
    {
        item.Require("gpu", "Name what is there");
        item.Require("gpus", "Say how many there are");
        var gpu = item.Text("gpu") is { } name ? Lookup.Gpu(item, "gpu", name, catalog) : null;
        var (gpus, price) = (Count(item, "gpus"), item.Number("usd_per_gpu_hour", 0));
        var (provider, region) = (item.Text("provider"), item.Text("region"));
        var billing = BillingOf(item, usual);
        var given = terms.Given(item);
        if (gpu is null || gpus is null)
            return null;
        var offer = price is null ? catalog.Cheapest(gpu, billing) : null;
        return new Supply
        {
            Gpu = gpu,
            Billing = billing,
            PerGpu = price is { } usd ? new Sourced<UsdPerHour>(new UsdPerHour(usd), given)
                : offer?.PerGpu ?? new Sourced<UsdPerHour>(default, given),
            Provider = provider ?? (billing == Billing.Owned ? "owned" : offer?.Provider ?? "given"),
            Region = region ?? "",
            Stock = gpus,
            Sunk = true,
        };
    }

    /// <summary>The supplies with the stock limits that the user names.</summary>
    private List<Supply> Stocked(Settings? offers, List<Supply> supplies)
    {
        foreach (var item in offers?.Items("stock") ?? [])
        {
            item.Require("gpu", "Name what is short");
            item.Require("gpus", "Say how many there are");
            var gpu = item.Text("gpu") is { } name ? Lookup.Gpu(item, "gpu", name, catalog) : null;
            var (gpus, provider) = (Count(item, "gpus"), item.Text("provider"));
            var billing = item.Has("billing") ? BillingOf(item, Billing.OnDemand) : (Billing?)null;
            if (gpu is null || gpus is not { } most)
                continue;
            var meant = supplies.Where(one => one.Gpu.Key == gpu.Key && (billing is null || one.Billing == billing)
                && (provider is null || Catalog.Names.Fold(one.Provider) == Catalog.Names.Fold(provider))).ToList();
            if (meant.Count == 0)
                item.Note("gpu", $"is {gpu.Key}, of which nothing is on offer here", "Take the line out, or name it under gpus");
            var key = string.Join(' ', ((string?[])[gpu.Key, billing?.Text(), provider]).OfType<string>());
            supplies = [.. supplies.Select(one => meant.Contains(one) ? one with { Stock = most, StockKey = key } : one)];
        }

        return supplies;
    }

    private static Billing BillingOf(Settings item, Billing usual)
    {
        if (item.Text("billing") is not { } text)
            return usual;
        if (BillingNames.Parse(text) is { } billing)
            return billing;
        item.Note("billing", $"is '{text}'", $"Write one of {string.Join(", ", BillingNames.All)}");
        return usual;
    }

    private static int? Count(Settings item, string key)
    {
        if (item.Whole(key, 0) is not { } count)
            return null;
        if (count <= MostGpus)
            return count;
        item.Note(key, $"is {count:N0}", $"Give at most {MostGpus:N0}");
        return null;
    }

    /// <summary>Things that a flag or the file's offers name; null where neither names any.</summary>
    private List<T>? Names<T>(Settings? offers, string flag, string key, Func<Settings, string, string, T?> find)
        where T : class
    {
        offers?.Has(key);
        var (settings, name) = terms.Of(flag) is { } flat ? (flat, flag) : (offers, key);
        if (settings is null || !settings.Has(name))
            return null;
        return [.. settings.Texts(name).Select(text => find(settings, name, text)).OfType<T>()];
    }

    private IReadOnlyList<string> Texts(Settings? offers, string flag, string key)
    {
        offers?.Has(key);
        return terms.Of(flag)?.Texts(flag) ?? offers?.Texts(key) ?? [];
    }
}
