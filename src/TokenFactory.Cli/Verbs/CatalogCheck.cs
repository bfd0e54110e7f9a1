using TokenFactory.Catalog;
using TokenFactory.Cli.Output;

namespace TokenFactory.Cli.Verbs;

/// <summary>Answers catalog check.</summary>
internal static class CatalogCheck
{
    public static Report Of(CatalogContents catalog, IReadOnlyList<Mistake> mistakes, DateOnly today)
    {
        var stale = catalog.Offers.Count(offer => offer.IsStale(today));
        var strangers = catalog.Points
            .Where(point => catalog.ModelNames.Find(point.Model) is null)
            .Select(point => point.Model)
            .Distinct(StringComparer.Ordinal)
            .ToList();
        var words = mistakes.Count == 0
            ? $"The catalog is sound: {catalog.Accelerators.Count} accelerators, {catalog.Models.Count} models, "
                + $"{catalog.Engines.Count} engines, {catalog.Offers.Count} prices of {catalog.Providers.Count()} providers, "
                + $"{catalog.Points.Count} points; every number has a source."
            : $"The catalog has {mistakes.Count} {(mistakes.Count == 1 ? "mistake" : "mistakes")}.";
        var section = new Section(
            "mistakes", "",
            [
                new Column("where", "where", Number: false),
                new Column("what", "what", Number: false),
                new Column("remedy", "remedy", 1, Number: false),
            ],
            [.. mistakes.Select(mistake => (IReadOnlyList<Cell>)[Cell.Of(mistake.Where), Cell.Of(mistake.What), Cell.Of(mistake.Remedy)])]);
        var notes = new List<string>();
        if (stale > 0)
        {
            notes.Add(
                $"{stale} of {catalog.Offers.Count} prices may be older than {Offer.FreshDays} days on {today:yyyy-MM-dd}: "
                + "bring fresh ones with 'catalog import-prices'.");
        }

        if (strangers.Count > 0)
            notes.Add($"Points name models that the catalog lacks: {string.Join(", ", strangers)}.");
        return new Report("catalog check", [words], [section], notes);
    }
}
