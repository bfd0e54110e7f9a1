using System.Globalization;
using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Cli.Output;

namespace TokenFactory.Cli.Verbs;

/// <summary>Answers catalog show: a thing with every number and its source.</summary>
internal sealed class CatalogShow(CatalogContents catalog, IReadOnlyList<CatalogFile> files, DateOnly today)
{
    public Report Of(string name)
    {
        if (catalog.AcceleratorNames.Find(name) is { } gpu)
            return Gpu(gpu);
        if (catalog.ModelNames.Find(name) is { } model)
            return Model(model);
        if (catalog.EngineNames.Find(name) is { } engine)
            return Entry($"engines/{engine.Key}.json", $"{engine.Name}: {engine.Home}.");
        var folded = Names.Fold(name);
        if (catalog.Providers.FirstOrDefault(provider => Names.Fold(provider) == folded) is { } seller)
            return Provider(seller);
        if (catalog.TierSets.FirstOrDefault(set => Names.Fold(set.Key) == folded) is { } tiers)
            return Entry($"tiers/{tiers.Key}.json", $"{tiers.Name}: {string.Join(", ", tiers.Tiers.Select(tier => tier.Name))}.");
        if (catalog.ApiPrices.FirstOrDefault(price => Names.Fold(price.Key) == folded) is { } api)
            return Entry($"api-prices/{api.Key}.json", $"{api.Provider}'s API price of {api.Model}.");
        if (folded == "sitedefaults")
            return Entry("site-defaults.json", "What is assumed about a site where you say nothing.");
        return catalog.Points.FirstOrDefault(p => Names.Fold(p.Key) == folded) is { } point ? Point(point) : throw Missing(name);
    }

    private Report Gpu(Accelerator gpu)
    {
        var offers = catalog.Offers.Where(offer => offer.Gpu == gpu).ToList();
        var words = new List<string> { $"{gpu.Name}: {gpu.Architecture}, {gpu.Vendor}. Also called {string.Join(", ", gpu.Aliases)}." };
        var onDemand = offers.Where(offer => offer is { Billing: Billing.OnDemand, Suspect: false });
        if (onDemand.MinBy(offer => offer.PerGpu.Value.Value) is { } cheapest)
        {
            var least = Spell.Dollars(cheapest.PerGpu.Value.Value);
            words.Add($"{offers.Count} offers; on demand from {least} per GPU-hour ({cheapest.Provider}).");
        }

        var perProvider = offers
            .GroupBy(offer => (offer.Provider, offer.Billing))
            .Select(group => group.OrderBy(offer => offer.Suspect).ThenBy(offer => offer.PerGpu.Value.Value).First());
        var prices = CatalogList.Prices(perProvider, today);
        return Entry(
            $"accelerators/{gpu.Key}.json",
            words,
            [
                prices with { Title = "Offers, the cheapest of each provider and billing" },
                Published(catalog.Points.Where(point => point.Gpu == gpu)),
            ]);
    }

    private Report Model(ModelShape model)
    {
        var words = new List<string> { ModelWords.Sizes(model) };
        if (ModelWords.AgainstPublished(model) is { } published)
            words.Add(published);
        var points = catalog.Points.Where(point => catalog.ModelNames.Find(point.Model) == model);
        return Entry($"models/{model.Key}.json", words, [Published(points)], model.Notes);
    }

    private static Section Published(IEnumerable<OperatingPoint> points) =>
        CatalogList.Points(points) with { Title = "Published operating points" };

    private Report Provider(string provider)
    {
        var offers = catalog.Offers.Where(offer => offer.Provider == provider).ToList();
        var gpus = offers.Select(offer => offer.Gpu.Key).Distinct(StringComparer.Ordinal).Count();
        return new Report(
            "catalog show",
            [$"{provider}: {offers.Count} offers of {gpus} accelerators. Add --sources to see who says so."],
            [CatalogList.Prices(offers, today)],
            []);
    }

    private static Report Point(OperatingPoint point) =>
        new(
            "catalog show",
            [$"{point.Key}: {point.Model} on {point.Gpu.Name}. Add --sources to see who says so."],
            [CatalogList.Points([point])],
            point.Note is null ? [] : [point.Note]);

    private Report Entry(string path, string words) => Entry(path, [words], [], []);

    private Report Entry(string path, IReadOnlyList<string> words, IReadOnlyList<Section> more, IReadOnlyList<string>? notes = null)
    {
        var numbers = EntryNumbers.Of(files.Last(file => file.Path == path));
        var sources = numbers.Select(number => number.From).OfType<Source>().Distinct().ToList();
        var section = new Section(
            "numbers", "Every number with its source",
            [
                new Column("number", "number", Number: false),
                new Column("value", "value"),
                new Column("kind", "kind", 1, Number: false),
                new Column("date", "date", 2, Number: false),
                new Column("source", "source", 1, Number: false),
                new Column("note", "note", 4, Number: false),
            ],
            [.. numbers.Select(number => (IReadOnlyList<Cell>)
            [
                Cell.Of(number.Path),
                new Cell(number.Value, number.Value.ToString(CultureInfo.InvariantCulture)),
                Cell.Of(number.From?.Kind.ToString().ToLowerInvariant() ?? ""),
                Cell.Of(number.From?.Date.Text ?? ""),
                number.From is { } from ? new Cell(from.Text, $"[{sources.IndexOf(from) + 1}]") : Cell.None,
                Cell.Of(number.Note ?? ""),
            ])]);
        var listed = sources.Select((source, i) => $"[{i + 1}] {source.Text}");
        return new Report("catalog show", words, [section, .. more], [.. listed, .. notes ?? []]);
    }

    private Refusal Missing(string name)
    {
        var near = catalog.AcceleratorNames.Nearest(name)
            .Concat(catalog.ModelNames.Nearest(name))
            .Concat(catalog.EngineNames.Nearest(name))
            .Take(3)
            .ToList();
        var remedy = near.Count > 0 ? $"Did you mean {string.Join(" or ", near)}?" : "See 'catalog list'";
        return new Refusal("catalog", $"holds nothing called '{name}'", remedy);
    }
}
