using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Economics;
using TokenFactory.Units;

namespace TokenFactory.Cli.Verbs;

/// <summary>Finds what an hour of a GPU costs: as the user says, as providers offer it, or as its owner pays.</summary>
internal sealed class PriceOffers(Terms terms, CatalogContents catalog, Baseline? vs, PriceTerms judged)
{
    private const string All = "all";
    private static readonly Billing[] FirstChoice = [Billing.OnDemand, Billing.Reserved3Year, Billing.Reserved1Year, Billing.Owned];
    private readonly List<string> _unpriced = [];

    /// <summary>The keys of one price; a list of prices holds them inside.</summary>
    public static IReadOnlyList<string> Keys { get; } = ["usd_per_gpu_hour", "provider", "billing", "region", "capital_usd"];

    /// <summary>What could not be priced, and why.</summary>
    public IReadOnlyList<string> Unpriced => [.. _unpriced.Distinct(StringComparer.Ordinal)];

    /// <summary>The owned GPU that was asked about, where one was.</summary>
    public OwnedGpu? Owned { get; private set; }

    /// <summary>Marks the keys of an offer as known, also where a price makes them mere labels.</summary>
    public static void MarkKeys(Settings item)
    {
        item.Has("prices");
        foreach (var key in Keys)
            item.Has(key);
    }

    /// <summary>Every price to judge the GPU by: the one that is given or those that are offered, and that of owning it.</summary>
    public List<PricedHour> Of(Settings item, Accelerator gpu)
    {
        var prices = new List<PricedHour>();
        if (item.Has("usd_per_gpu_hour") && Given(item, gpu) is { } given)
            prices.Add(given);
        else if (!item.Has("usd_per_gpu_hour"))
            prices.AddRange(Offered(item, gpu));
        if (item.Number("capital_usd") is { } capital && OwnedHour(item, gpu, capital) is { } owned)
            prices.Add(owned);
        return prices;
    }

    /// <summary>The price that the user gives; null where it is not a number.</summary>
    public PricedHour? Given(Settings price, Accelerator gpu)
    {
        price.Require("usd_per_gpu_hour", $"Give the price of an hour of {gpu.Key}");
        var billings = ReadBillings(price);
        if (billings.Count > 1)
            price.Note("billing", "names more than one way to pay beside one price", "Give one price per billing");
        if (price.Number("usd_per_gpu_hour") is not { } dollars)
            return null;
        var provider = price.Text("provider") ?? "given";
        var billing = billings.Count == 0 ? Billing.OnDemand : billings[0];
        var perGpu = new Sourced<UsdPerHour>(new UsdPerHour(dollars), terms.Given(price));
        return new PricedHour(provider, billing, perGpu, Offer.IsStale(perGpu, terms.Today), false);
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
            ? catalog.Offers
                .Where(offer => offer.Gpu.Key == gpu.Key)
                .Select(offer => offer.Provider)
                .Distinct(StringComparer.Ordinal)
                .ToList<string?>()
            : [.. names.Select(name => Lookup.Provider(item, "provider", name, catalog))];
        if (vs?.Provider is { } baseline && providers.Count > 0 && !providers.Contains(baseline))
            providers.Add(baseline);
        var found = new List<PricedHour>();
        foreach (var billing in asked.Distinct())
        {
            var offers = (providers.Count == 0 ? [null] : providers)
                .Select(provider => catalog.Cheapest(gpu, billing, provider, item.Text("region")))
                .OfType<Offer>()
                .ToList();
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
            { Billing: { } billing } => found
                .Where(price => price.Billing != billing)
                .Select(price => catalog.Cheapest(gpu, billing, price.Provider)),
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
        new(offer.Provider, offer.Billing, offer.PerGpu, offer.IsStale(terms.Today), offer.Suspect, asked)
        {
            IsModelled = offer.PerGpu.From.Kind == SourceKind.Estimated,
        };

    private PricedHour? OwnedHour(Settings item, Accelerator gpu, double capital)
    {
        var site = catalog.Site;
        if (PricePoints.Rated(gpu) is not { } board)
        {
            item.Note("capital_usd", $"needs the power of {gpu.Key}, which nobody published", "Add tdp_w to it in your catalog");
            return null;
        }

        var pue = judged.PueOf(gpu);
        var it = PowerLadder.Climb(gpu, board, site, pue).It!.Value;
        // Per paid hour: downtime divides every row's cost later, owned and rented alike.
        Owned = new OwnedGpu
        {
            Capital = new Usd((decimal)capital),
            CostOfCapital = site.CostOfCapital.Value.Value,
            LifeYears = site.LifeYears.Value,
            Residual = site.Residual.Value,
            ItPower = it.Value.Watts,
            AverageLoad = site.AverageLoad.Value,
            Pue = pue.Value,
            Electricity = judged.Terms.Electricity.Value,
            Hosting = site.Hosting.Value,
            OpexPerYear = new Usd((decimal)site.OpexPerGpuYear.Value),
            Availability = Fraction.All,
        };
        var from = terms.Said(item).And(it.From).And(site.CostOfCapital.From).And(site.LifeYears.From).And(site.Residual.From)
            .And(site.AverageLoad.From).And(pue.From).And(judged.Terms.Electricity.From).And(site.Hosting.From)
            .And(site.OpexPerGpuYear.From);
        return new PricedHour("own site", Billing.Owned, new Sourced<UsdPerHour>(OwnedCost.PerHour(Owned).Total, from), false, false);
    }
}
