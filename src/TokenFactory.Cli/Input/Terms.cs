using TokenFactory.Catalog;
using TokenFactory.Units;

namespace TokenFactory.Cli.Input;

/// <summary>Settings that a flag gives, else the file, else the catalog; each with where it came from.</summary>
/// <param name="Flags">The command line.</param>
/// <param name="File">The YAML file, or null.</param>
/// <param name="Today">The day of this run: when the user said so.</param>
internal sealed record Terms(Settings Flags, Settings? File, DateOnly Today)
{
    /// <summary>What any file may say of its own figures.</summary>
    private static readonly string[] WhoSays = ["source", "date", "kind"];

    /// <summary>Every mistake of both.</summary>
    public List<Mistake> Mistakes => [.. Flags.Mistakes, .. File?.Mistakes ?? []];

    /// <summary>Where a key is set: the flag wins over the file. Null where neither sets it.</summary>
    public Settings? Of(string key) => Both(key) switch
    {
        (true, _) => Flags,
        (_, true) => File,
        _ => null,
    };

    /// <summary>A number of the user's, with its source; null where neither sets it.</summary>
    public Sourced<double>? Number(string key, double atLeast = double.Epsilon, double atMost = CsvRow.Largest) =>
        Of(key) is { } settings && settings.Number(key, atLeast, atMost) is { } number
            ? new Sourced<double>(number, Said(settings))
            : null;

    public Sourced<Fraction> Share(string key, Sourced<Fraction> otherwise) =>
        Number(key, double.Epsilon, 1)?.Select(v => new Fraction(v)) ?? otherwise;

    public Sourced<Pue> PueOr(Sourced<Pue> otherwise) => Number("pue", 1, 10)?.Select(v => new Pue(v)) ?? otherwise;

    public Sourced<UsdPerKilowattHour> ElectricityOr(Sourced<UsdPerKilowattHour> otherwise) =>
        Number("usd_per_kwh", 0)?.Select(v => new UsdPerKilowattHour(v)) ?? otherwise;

    /// <summary>
    /// The source of a described figure (a throughput, a price): what its entry says of itself, else what the file says, else an
    /// estimate given today.
    /// </summary>
    public Provenance Given(Settings settings)
    {
        if (settings == Flags || File is not { } file)
            return Said(settings);
        var said = Said(settings).Sources[0];
        var text = settings.Text("source") ?? file.Text("source") ?? said.Text;
        var kind = Who(settings, file, "kind") is { } from ? KindOf(from, from.Text("kind") ?? "") : said.Kind;
        var date = Who(settings, file, "date") is { } dated ? DateOf(dated, dated.Text("date") ?? "") : said.Date;
        return Provenance.Of(new Source(kind, text, date));
    }

    /// <summary>The source of an assumption of the user's, such as a selling price: where it stands, an estimate given today.</summary>
    public Provenance Said(Settings settings)
    {
        var text = settings == Flags ? "given on the command line" : $"given in {settings.Where}";
        return Provenance.Of(new Source(SourceKind.Estimated, text, SourceDate.On(Today)));
    }

    private static Settings? Who(Settings item, Settings file, string key) => item.Has(key) ? item : file.Has(key) ? file : null;

    /// <summary>
    /// Who says a key that stands in a block of the file, or is a flag, which wins; both know it then. Null where nobody does.
    /// </summary>
    public Settings? Of(string key, Settings? block) => (Flags.Has(key), block?.Has(key)) switch
    {
        (true, _) => Flags,
        (_, true) => block,
        _ => null,
    };

    /// <summary>Refuses unless every setting was understood.</summary>
    public void Conclude()
    {
        foreach (var key in WhoSays)
            File?.Has(key);
        Flags.RefuseUnknownKeys();
        File?.RefuseUnknownKeys();
        Refusal.IfAny(Mistakes);
    }

    private (bool Flag, bool File) Both(string key) => (Flags.Has(key), File?.Has(key) ?? false);

    private static SourceKind KindOf(Settings file, string text)
    {
        if (SourceKinds.Parse(text) is { } kind)
            return kind;
        file.Note("kind", $"is '{text}'", "Write measured, datasheet or estimated");
        return SourceKind.Estimated;
    }

    private SourceDate DateOf(Settings file, string text)
    {
        if (SourceDate.Parse(text) is { } date)
            return date;
        file.Note("date", $"is '{text}'", "Write 2026-11-21, 2026-11 or an interval 2025-11/2026-09");
        return SourceDate.On(Today);
    }
}
