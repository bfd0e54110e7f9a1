using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Economics;
using TokenFactory.Units;

namespace TokenFactory.Cli.Verbs;

/// <summary>Gathers the points to price from a file, from flags or from the catalog, and finds their prices.</summary>
internal sealed class PricePoints(Terms terms, CatalogContents catalog, Baseline? vs, PointTerms judged, bool everyPoint)
{
    private const string All = "all";
    private static readonly Billing[] FirstChoice = [Billing.OnDemand, Billing.Reserved3Year, Billing.Reserved1Year, Billing.Owned];
    private static readonly string[] ThroughputKeys = ["gpus", "prefill_gpus", "decode_gpus", "counts", "watts_per_gpu", "power_boundary"];
    private static readonly string[] OfferKeys = ["provider", "billing", "region", "usd_per_gpu_hour", "capital_usd", "prices"];
    private readonly Settings _flags = terms.Flags;
    private readonly List<string> _unpriced = [];

    /// <summary>What could not be priced, and why.</summary>
    public IReadOnlyList<string> Unpriced => [.. _unpriced.Distinct(StringComparer.Ordinal)];

    /// <summary>The owned GPU that was asked about, where one was.</summary>
    public OwnedGpu? Owned { get; private set; }

    public IReadOnlyList<PointToPrice> Read()
    {
        if (terms.File is { } file)
            return FromFile(file);
        var gpus = _flags.Texts("gpu").Select(name => Lookup.Gpu(_flags, "gpu", name, catalog)).OfType<Accelerator>().ToList();
        var models = _flags.Texts("model").Select(name => Lookup.Model(_flags, "model", name, catalog)).OfType<string>().ToList();
        ReadOfferFilter(_flags);
        return _flags.Has("tokens_per_second_per_gpu") || _flags.Has("tokens_per_second")
            ? FromFlags(gpus, models)
            : FromCatalog(gpus, models);
    }

    private IReadOnlyList<PointToPrice> FromFile(Settings file)
    {
        file.Text("source");
        file.Text("date");
        file.Text("kind");
        file.Require("points", "List at least one point under it");
        var points = file.Items("points").Select(item => FromSettings(item, file.Text("model"), file.Text("counts"))).OfType<PointToPrice>();
        return [.. points];
    }

    private List<PointToPrice> FromFlags(List<Accelerator> gpus, List<string> models)
    {
        _flags.Require("gpu", "Name the accelerator that makes so many tokens");
        if (gpus.Count > 1)
            _flags.Note("gpu", "is given more than once beside one throughput", "Price one GPU at a time, or list the points in a file");
        if (models.Count > 1)
            _flags.Note("model", "is given more than once beside one throughput", "Price one model at a time, or list the points in a file");
        return gpus.Count == 1 && FromSettings(_flags, models.FirstOrDefault(), null) is { } point ? [point] : [];
    }

    /// <summary>One point of a file or of the flags: the same keys in both.</summary>
    private PointToPrice? FromSettings(Settings item, string? model, string? counts)
    {
        item.Require("gpu", "Name the accelerator");
        var gpu = item.Text("gpu") is { } name ? Lookup.Gpu(item, "gpu", name, catalog) : null;
        var named = item == _flags ? model : item.Text("model") ?? model;
        var throughput = Throughput(item, out var prefillShare);
        var power = ReadPower(item, gpu);
        ReadOfferFilter(item);
        if (gpu is null)
            return null;
        var prices = item.Has("prices")
            ? item.Items("prices").Select(price => Given(price, gpu)).OfType<PricedHour>().ToList()
            : Prices(item, gpu);
        if (throughput is not { } rate || power is not { } watts)
            return null;
        return new PointToPrice
        {
            Model = named is null ? "" : catalog.ModelNames.Find(named)?.Key ?? named,
            Gpu = gpu,
            Load = (item == _flags ? null : item.Text("load")) ?? "",
            Counts = Counts(item, counts),
            Throughput = rate,
            PerGpuPower = watts,
            Streams = Streams(item),
            PrefillShare = prefillShare,
            Prices = prices,
        };
    }

    private IReadOnlyList<PointToPrice> FromCatalog(List<Accelerator> gpus, List<string> models)
    {
        foreach (var key in ThroughputKeys.Where(_flags.Has))
            _flags.Note(key, "describes a throughput that is not given", "Add --tokens-per-second-per-gpu or --tokens-per-second");
        var chosen = catalog.Points
            .Where(point => gpus.Count == 0 || gpus.Contains(point.Gpu))
            .Where(point => models.Count == 0 || models.Contains(ModelKey(point)))
            .ToList();
        if (chosen.Count == 0 && _flags.Mistakes.Count == 0)
            throw new Refusal("catalog", "has no published point of that GPU and model", "Give --tokens-per-second-per-gpu, or see 'catalog list points'");
        if (!everyPoint)
            chosen = [.. chosen.GroupBy(point => $"{ModelKey(point)} {point.Counts} {point.Gpu.Key}", StringComparer.Ordinal).Select(group => group.MaxBy(point => point.Throughput.Value.Value)!)];
        return [.. chosen.Select(FromCatalog).Where(point => point.Prices.Count > 0)];
    }

    private PointToPrice FromCatalog(OperatingPoint point) => new()
    {
        Model = ModelKey(point),
        Gpu = point.Gpu,
        Load = string.Join(", ", new[] { point.Engine, point.Precision, point.Load }.OfType<string>()),
        Counts = point.Counts,
        Throughput = point.Throughput with { Note = point.Note },
        PerGpuPower = point.PerGpuPower ?? Rated(point.Gpu) ?? throw new Refusal("catalog", $"{point.Gpu.Key} has neither measured power nor TDP", "Add tdp_w to it"),
        Streams = point is { InputThroughput: { } input, OutputThroughput: { } output } ? (input.Value, output.Value) : null,
        Prices = Prices(_flags, point.Gpu),
    };

    private string ModelKey(OperatingPoint point) => catalog.ModelNames.Find(point.Model)?.Key ?? point.Model;

    private Sourced<TokensPerSecond>? Throughput(Settings item, out double? prefillShare)
    {
        item.Exclude("tokens_per_second", "tokens_per_second_per_gpu", "Give the throughput of the deployment or that of a GPU");
        item.Exclude("gpus", "prefill_gpus", "Give all GPUs, or prefill and decode apart");
        var (all, prefill, decode) = (item.Number("gpus", 1), item.Number("prefill_gpus", 0), item.Number("decode_gpus", 1));
        if ((prefill is null) != (decode is null))
            item.Note(prefill is null ? "decode_gpus" : "prefill_gpus", "stands alone", "Give prefill_gpus and decode_gpus together");
        prefillShare = prefill is { } p && decode is { } d ? p / (p + d) : null;
        if (item.Number("tokens_per_second_per_gpu") is { } perGpu)
            return new Sourced<TokensPerSecond>(new TokensPerSecond(perGpu), terms.Given(item));
        if (item.Number("tokens_per_second") is not { } total)
        {
            if (!item.Has("tokens_per_second_per_gpu") && !item.Has("tokens_per_second"))
                item.Require("tokens_per_second_per_gpu", "Give it, or tokens_per_second of the deployment with its gpus");
            return null;
        }

        if (all is null && decode is null)
            item.Note("tokens_per_second", "does not say of how many GPUs", "Add gpus, or prefill_gpus and decode_gpus");
        var perAll = TokenCost.PerGpu(new TokensPerSecond(total), (int)(prefill ?? 0), (int)(decode ?? all ?? 1));
        return new Sourced<TokensPerSecond>(perAll, terms.Given(item));
    }

    private static (TokensPerSecond Input, TokensPerSecond Output)? Streams(Settings item)
    {
        var (input, output) = (item.Number("input_tokens_per_second_per_gpu", 0), item.Number("output_tokens_per_second_per_gpu"));
        return input is { } i && output is { } o ? (new TokensPerSecond(i), new TokensPerSecond(o)) : null;
    }

    private Sourced<Power>? ReadPower(Settings item, Accelerator? gpu)
    {
        var boundary = PowerBoundary.Board;
        if (item.Text("power_boundary") is { } text && !Enum.TryParse(text, ignoreCase: true, out boundary))
            item.Note("power_boundary", $"is '{text}'", "Write chip, board, chassis, it or facility");
        if (item.Number("watts_per_gpu") is { } watts)
            return new Sourced<Power>(new Power(new Watts(watts), boundary), terms.Given(item));
        if (gpu is null || item.Has("watts_per_gpu"))
            return null;
        if (Rated(gpu) is { } rated)
            return rated;
        item.Note("gpu", $"is {gpu.Key}, whose TDP nobody published", "Add watts_per_gpu");
        return null;
    }

    private static Sourced<Power>? Rated(Accelerator gpu) =>
        gpu.Tdp is { } tdp ? new Sourced<Power>(new Power(tdp.Value, PowerBoundary.Board), tdp.From, "TDP, not measured: an upper bound") : null;

    private static TokenCount Counts(Settings item, string? otherwise)
    {
        var text = item.Text("counts") ?? otherwise ?? "unstated";
        if (Enum.TryParse<TokenCount>(text, ignoreCase: true, out var count))
            return count;
        item.Note("counts", $"is '{text}'", "Write output, total or unstated");
        return TokenCount.Unstated;
    }

    /// <summary>Marks the keys of an offer as known, also where a price makes them mere labels.</summary>
    private static void ReadOfferFilter(Settings item)
    {
        foreach (var key in OfferKeys)
            item.Has(key);
    }

    private List<PricedHour> Prices(Settings item, Accelerator gpu)
    {
        var prices = new List<PricedHour>();
        if (item.Has("usd_per_gpu_hour") && Given(item, gpu) is { } given)
            prices.Add(given);
        else if (!item.Has("usd_per_gpu_hour"))
            prices.AddRange(Offered(item, gpu));
        if (item.Number("capital_usd") is { } capital)
            prices.Add(OwnedHour(item, gpu, capital));
        return prices;
    }

    private PricedHour? Given(Settings price, Accelerator gpu)
    {
        price.Require("usd_per_gpu_hour", $"Give the price of an hour of {gpu.Key}");
        var billings = ReadBillings(price);
        if (billings.Count > 1)
            price.Note("billing", "names more than one way to pay beside one price", "Give one price per billing");
        return price.Number("usd_per_gpu_hour") is { } dollars
            ? new PricedHour(price.Text("provider") ?? "given", billings.Count == 0 ? Billing.OnDemand : billings[0], new Sourced<UsdPerHour>(new UsdPerHour(dollars), terms.Given(price)), false, false)
            : null;
    }

    private static List<Billing> ReadBillings(Settings item)
    {
        var billings = new List<Billing>();
        foreach (var text in item.Texts("billing"))
        {
            if (text == All)
                billings.AddRange(Enum.GetValues<Billing>());
            else if (BillingNames.Parse(text) is { } billing)
                billings.Add(billing);
            else
                item.Note("billing", $"is '{text}'", $"Write one of {string.Join(", ", BillingNames.All)} or all");
        }

        return billings;
    }

    private IEnumerable<PricedHour> Offered(Settings item, Accelerator gpu)
    {
        var billings = ReadBillings(item);
        var asked = billings.Count == 0 ? [Usual(gpu)] : billings;
        var names = item.Texts("provider");
        var providers = names.Contains(All)
            ? catalog.Offers.Where(offer => offer.Gpu.Key == gpu.Key).Select(offer => offer.Provider).Distinct(StringComparer.Ordinal).ToList<string?>()
            : [.. names.Select(name => Lookup.Provider(item, "provider", name, catalog))];
        if (vs?.Provider is { } baseline && providers.Count > 0 && !providers.Contains(baseline))
            providers.Add(baseline);
        var found = new List<PricedHour>();
        foreach (var billing in asked.Distinct())
        {
            var offers = (providers.Count == 0 ? [null] : providers).Select(provider => catalog.Cheapest(gpu, billing, provider, item.Text("region"))).OfType<Offer>().ToList();
            if (offers.Count == 0)
                _unpriced.Add($"{gpu.Key} {billing.Text()}");
            found.AddRange(offers.Select(offer => Priced(offer, true)));
        }

        return found.Concat(BaselineOf(found, gpu)).OrderBy(price => price.PerGpu.Value.Value);
    }

    /// <summary>On demand where it is offered; a GPU that is only let for years or owned is priced so rather than not at all.</summary>
    private Billing Usual(Accelerator gpu) =>
        FirstChoice.FirstOrDefault(billing => catalog.Cheapest(gpu, billing) is not null, Billing.OnDemand);

    /// <summary>The offers that the baseline needs and nobody asked for.</summary>
    private List<PricedHour> BaselineOf(List<PricedHour> found, Accelerator gpu)
    {
        var missing = vs switch
        {
            { Billing: { } billing } => found.Where(price => price.Billing != billing).Select(price => catalog.Cheapest(gpu, billing, price.Provider)),
            { Provider: { } provider } => found.Select(price => catalog.Cheapest(gpu, price.Billing, provider)),
            _ => [],
        };
        return
        [
            .. missing.OfType<Offer>().Distinct()
                .Where(offer => !found.Exists(price => price.Provider == offer.Provider && price.Billing == offer.Billing))
                .Select(offer => Priced(offer, false)),
        ];
    }

    private PricedHour Priced(Offer offer, bool asked) =>
        new(offer.Provider, offer.Billing, offer.PerGpu, offer.IsStale(terms.Today), offer.Suspect, asked);

    private PricedHour OwnedHour(Settings item, Accelerator gpu, double capital)
    {
        var site = catalog.Site;
        var board = Rated(gpu) ?? new Sourced<Power>(new Power(new Watts(1000), PowerBoundary.Board), terms.Given(item));
        var it = PowerLadder.Climb(gpu, board, site, judged.Pue).It!.Value;

        // An availability that the user gives divides every row's cost later; only the assumed one belongs into the owned hour.
        var up = terms.Of("availability") is null ? site.Availability : site.Availability with { Value = Fraction.All };
        Owned = new OwnedGpu
        {
            Capital = new Usd((decimal)capital),
            CostOfCapital = site.CostOfCapital.Value.Value,
            LifeYears = site.LifeYears.Value,
            Residual = site.Residual.Value,
            ItPower = it.Value.Watts,
            AverageLoad = site.AverageLoad.Value,
            Pue = judged.Pue.Value,
            Electricity = judged.Electricity.Value,
            Hosting = site.Hosting.Value,
            OpexPerYear = new Usd((decimal)site.OpexPerGpuYear.Value),
            Availability = up.Value,
        };
        var from = terms.Given(item).And(it.From).And(site.CostOfCapital.From).And(site.LifeYears.From).And(site.Residual.From)
            .And(site.AverageLoad.From).And(judged.Pue.From).And(judged.Electricity.From).And(site.Hosting.From)
            .And(site.OpexPerGpuYear.From).And(up.From);
        return new PricedHour("own site", Billing.Owned, new Sourced<UsdPerHour>(OwnedCost.PerHour(Owned).Total, from), false, false);
    }
}
