using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Cli.Output;
using TokenFactory.Units;

namespace TokenFactory.Cli.Verbs;

/// <summary>A provider's price sheet, validated whole, that takes the place of all the provider's rows.</summary>
internal sealed class PriceImport
{
    private readonly string _text;
    private readonly string _provider;
    private readonly IReadOnlyList<Offer> _offers;
    private readonly IReadOnlyList<Offer> _before;

    private PriceImport(string text, string provider, IReadOnlyList<Offer> offers, IReadOnlyList<Offer> before) =>
        (_text, _provider, _offers, _before) = (text, provider, offers, before);

    public static PriceImport Read(string path, CatalogContents catalog, DateOnly today)
    {
        var mistakes = new List<Mistake>();
        var text = Files.Text(path);
        var offers = PriceSheet.Read(new CatalogFile(path, text), catalog.AcceleratorNames, mistakes);
        var providers = offers.Select(offer => offer.Provider).Distinct(StringComparer.Ordinal).ToList();
        if (providers.Select(Names.Fold).Distinct(StringComparer.Ordinal).Count() > 1)
        {
            mistakes.Add(new Mistake(
                path,
                $"holds prices of {string.Join(" and ", providers)}",
                "Give one file per provider: an import replaces all rows of its provider"));
        }

        foreach (var offer in offers.Where(offer => offer.PerGpu.From.Sources[0].Date.Earliest > today))
        {
            var what = $"dates {offer.Gpu.Key} {offer.Billing.Text()} {offer.PerGpu.From.Sources[0].Date}, which is to come";
            mistakes.Add(new Mistake(path, what, $"Give the day the price was read, up to {today:yyyy-MM-dd}"));
        }

        Refusal.IfAny(mistakes);
        var known = catalog.Providers.FirstOrDefault(provider => Names.Fold(provider) == Names.Fold(providers[0])) ?? providers[0];
        return new PriceImport(text, known, offers, [.. catalog.Offers.Where(offer => offer.Provider == known)]);
    }

    /// <summary>Writes the sheet as the provider's only one in the folder, whole or not at all.</summary>
    /// <returns>The file.</returns>
    public string Write(string folder)
    {
        var path = Path.Combine(folder, "prices", FileName(_provider) + ".csv");
        RefuseOthers(Path.Combine(folder, "prices"), path);
        Files.Replace(path, _text);
        return path;
    }

    /// <summary>A second file with rows of the provider would stand beside the new ones, not be replaced by them.</summary>
    private void RefuseOthers(string folder, string path)
    {
        if (!Directory.Exists(folder))
            return;
        var mistakes = new List<Mistake>();
        foreach (var other in Directory.EnumerateFiles(folder, "*.csv", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            var providers = CsvTable.Read(Files.Text(other), other, PriceSheet.Required, PriceSheet.Optional, [])
                .Select(row => Names.Fold(row["provider"]))
                .ToHashSet(StringComparer.Ordinal);
            var own = providers.Remove(Names.Fold(_provider));
            if (own && other != path)
            {
                var remedy = $"Remove them, or the file: an import keeps {Path.GetFileName(path)} as the provider's only one";
                mistakes.Add(new Mistake(other, $"holds prices of {_provider} too", remedy));
            }

            if (other == path && providers.Count > 0)
            {
                var what = $"holds prices of another provider than {_provider}";
                mistakes.Add(new Mistake(other, what, "Move them to a file of their own first"));
            }
        }

        Refusal.IfAny(mistakes);
    }

    public Report Report(string? written)
    {
        var rows = _offers.Concat(_before).Select(offer => (offer.Gpu.Key, offer.Billing)).Distinct()
            .OrderBy(pair => pair.Key, StringComparer.Ordinal).ThenBy(pair => pair.Billing)
            .Select(pair => Row(pair.Key, pair.Billing))
            .ToList();
        var done = written is null
            ? "Nothing was written (--dry-run)."
            : $"Written to {written}; it takes the place of all {_provider} rows.";
        return new Report(
            "catalog import-prices",
            [$"{_provider}: {_offers.Count} prices in place of {_before.Count}. {done}"],
            [new Section(
                "prices", "Cheapest before and after",
                [
                    new Column("gpu", "GPU", Number: false),
                    new Column("billing", "billing", Number: false),
                    new Column("before_usd_per_gpu_hour", "before $/GPU-h"),
                    new Column("after_usd_per_gpu_hour", "after $/GPU-h"),
                    new Column("change", "change", 1),
                ],
                rows)],
            []);
    }

    private IReadOnlyList<Cell> Row(string gpu, Billing billing)
    {
        var (before, after) = (Cheapest(_before, gpu, billing), Cheapest(_offers, gpu, billing));
        var change = before is { } b && after is { } a ? (a.Value / b.Value) - 1 : (double?)null;
        return
        [
            Cell.Of(gpu), Cell.Of(billing.Text()), Price(before), Price(after),
            change is { } c ? new Cell(c, Spell.Change(c)) : Cell.Of(after is null ? "gone" : "new"),
        ];
    }

    private static UsdPerHour? Cheapest(IReadOnlyList<Offer> offers, string gpu, Billing billing) =>
        offers
            .Where(offer => offer.Gpu.Key == gpu && offer.Billing == billing)
            .Select(offer => (UsdPerHour?)offer.PerGpu.Value)
            .MinBy(price => price!.Value.Value);

    private static Cell Price(UsdPerHour? price) => price is { } known ? new Cell(known.Value, Spell.Dollars(known.Value)) : Cell.None;

    private static string FileName(string provider)
    {
        var words = string.Concat(provider.ToLowerInvariant().Select(c => char.IsLetterOrDigit(c) ? c : ' '));
        return string.Join('-', words.Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }
}
