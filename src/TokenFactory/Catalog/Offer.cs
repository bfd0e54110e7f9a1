using TokenFactory.Units;

namespace TokenFactory.Catalog;

/// <summary>How a GPU-hour is paid for.</summary>
public enum Billing
{
    /// <summary>By the hour or second, no commitment, not taken back.</summary>
    OnDemand,

    /// <summary>By the hour, taken back at short notice.</summary>
    Spot,

    /// <summary>Committed for a year: paid whether used or not.</summary>
    Reserved1Year,

    /// <summary>Committed for three years: paid whether used or not.</summary>
    Reserved3Year,

    /// <summary>The levelised cost of owning it.</summary>
    Owned,
}

/// <summary>How billing is written in files and flags.</summary>
public static class BillingNames
{
    private static readonly (Billing Billing, string Text)[] Known =
    [
        (Billing.OnDemand, "on-demand"), (Billing.Spot, "spot"), (Billing.Reserved1Year, "reserved-1y"),
        (Billing.Reserved3Year, "reserved-3y"), (Billing.Owned, "owned"),
    ];

    /// <summary>Every way it is written.</summary>
    public static IReadOnlyList<string> All { get; } = [.. Known.Select(known => known.Text)];

    /// <summary>As it is written: "on-demand".</summary>
    public static string Text(this Billing billing) => Known.First(known => known.Billing == billing).Text;

    /// <summary>Reads it, forgiving case and punctuation; null where it is none of them.</summary>
    public static Billing? Parse(string text)
    {
        var folded = Names.Fold(text);
        return Known.Where(known => Names.Fold(known.Text) == folded).Select(known => (Billing?)known.Billing).FirstOrDefault();
    }
}

/// <summary>A GPU-hour that somebody offers.</summary>
/// <param name="Provider">Who offers it.</param>
/// <param name="Gpu">What is offered.</param>
/// <param name="Billing">How it is paid for.</param>
/// <param name="PerGpu">Price per GPU and hour, with who said so and when.</param>
/// <param name="GpusPerInstance">GPUs that are rented together.</param>
/// <param name="InstanceType">The provider's name for it.</param>
/// <param name="Region">Where.</param>
/// <param name="Suspect">Whether the number looks wrong: kept for the record, taken only when nothing else is offered.</param>
public sealed record Offer(
    string Provider,
    Accelerator Gpu,
    Billing Billing,
    Sourced<UsdPerHour> PerGpu,
    int GpusPerInstance,
    string InstanceType,
    string Region,
    bool Suspect)
{
    /// <summary>A price older than this is marked stale wherever it is used.</summary>
    public const int FreshDays = 60;

    /// <summary>Whether the price may be older than <see cref="FreshDays"/> days.</summary>
    public bool IsStale(DateOnly today) => IsStale(PerGpu, today);

    /// <summary>Whether a price may be older than <see cref="FreshDays"/> days.</summary>
    public static bool IsStale(Sourced<UsdPerHour> price, DateOnly today) =>
        price.From.Sources.Any(source => source.Date.AgeInDays(today) > FreshDays);
}

/// <summary>A provider's price sheet: a CSV of offers.</summary>
public static class PriceSheet
{
    /// <summary>Columns that a sheet must have.</summary>
    public static readonly IReadOnlyList<string> Required = ["provider", "gpu", "billing", "usd_per_gpu_hour", "date", "kind", "source"];

    /// <summary>Columns that a sheet may have.</summary>
    public static readonly IReadOnlyList<string> Optional = ["gpus_per_instance", "instance_type", "region", "note", "suspect"];

    /// <summary>Reads a sheet whole; its mistakes are noted.</summary>
    /// <param name="file">The sheet.</param>
    /// <param name="accelerators">The GPUs there are.</param>
    /// <param name="mistakes">Where mistakes go.</param>
    public static IReadOnlyList<Offer> Read(CatalogFile file, NameIndex<Accelerator> accelerators, ICollection<Mistake> mistakes)
    {
        var offers = new List<Offer>();
        foreach (var row in CsvTable.Read(file.Text, file.Path, Required, Optional, mistakes))
        {
            if (ReadRow(row, accelerators) is { } offer)
                offers.Add(offer);
        }

        return offers;
    }

    private static Offer? ReadRow(CsvRow row, NameIndex<Accelerator> accelerators)
    {
        var gpu = accelerators.Find(row.Required("gpu"));
        if (gpu is null)
            row.Note("gpu", $"names '{row["gpu"]}', which the catalog lacks", DidYouMean(accelerators.Nearest(row["gpu"])));
        var billing = BillingNames.Parse(row.Required("billing"));
        if (billing is null)
            row.Note("billing", $"is '{row["billing"]}'", $"Write one of {string.Join(", ", BillingNames.All)}");
        var price = row.Number("usd_per_gpu_hour");
        var date = SourceDate.Parse(row["date"]);
        if (date is null)
            row.Note("date", $"is '{row["date"]}'", "Write 2026-11-21, 2026-11 or an interval 2025-11/2026-09");
        var kind = SourceKinds.Parse(row["kind"]);
        if (kind is null)
            row.Note("kind", $"is '{row["kind"]}'", "Write measured, datasheet or estimated");
        var gpus = row["gpus_per_instance"].Length == 0 ? 1 : row.Number("gpus_per_instance", 1);
        if (gpus is { } count && (count != Math.Floor(count) || count > int.MaxValue))
            row.Note("gpus_per_instance", $"is '{row["gpus_per_instance"]}'", "Give a whole number");
        if (row["suspect"].ToLowerInvariant() is not ("" or "true" or "false"))
            row.Note("suspect", $"is '{row["suspect"]}'", "Write true or false");
        var provider = row.Required("provider");
        var source = row.Required("source");
        if (gpu is null || billing is null || price is null || date is null || kind is null || gpus is null)
            return null;
        var from = Provenance.Of(new Source(kind.Value, source, date));
        var note = row["note"];
        return new Offer(
            provider,
            gpu,
            billing.Value,
            new Sourced<UsdPerHour>(new UsdPerHour(price.Value), from, note.Length == 0 ? null : note),
            (int)gpus.Value,
            row["instance_type"],
            row["region"],
            string.Equals(row["suspect"], "true", StringComparison.OrdinalIgnoreCase));
    }

    private static string DidYouMean(IReadOnlyList<string> names) =>
        names.Count == 0 ? "See 'catalog list accelerators'" : $"Did you mean {string.Join(" or ", names)}?";
}
