using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Cli.Output;

namespace TokenFactory.Cli.Verbs;

/// <summary>Answers catalog list.</summary>
internal static class CatalogList
{
    public static readonly string[] Kinds = ["accelerators", "models", "engines", "prices", "points", "tiers", "api-prices"];

    public static Report Of(CatalogContents catalog, string? kind, string? filter, DateOnly today)
    {
        var sections = Kinds.Select(each => Section(catalog, each, today)).ToList();
        if (kind is null)
            return Summary(sections);
        var folded = Names.Fold(kind is "gpus" or "gpu" ? "accelerators" : kind);
        var section = sections.Find(each => Names.Fold(each.Key) == folded || Names.Fold(each.Key) == folded + "s")
            ?? throw new Refusal("command line", $"'{kind}' is no kind of entry", $"Write one of {string.Join(", ", Kinds)}");
        var rows = filter is null
            ? section.Rows
            : [.. section.Rows.Where(row => row.Any(cell => Names.Fold(cell.Text).Contains(Names.Fold(filter), StringComparison.Ordinal)))];
        var found = filter is null
            ? $"{rows.Count} {section.Key} in the catalog."
            : $"{rows.Count} of {section.Rows.Count} {section.Key} contain '{filter}'.";
        return new Report(
            "catalog list",
            [found],
            [section with { Rows = rows }],
            ["'catalog show NAME' tells every number with its source."]);
    }

    private static Report Summary(List<Section> sections) => new(
        "catalog list",
        ["The catalog holds " + string.Join(", ", sections.Select(section => $"{section.Rows.Count} {section.Key}")) + "."],
        [new Section(
            "kinds", "",
            [new Column("kind", "kind", Number: false), new Column("entries", "entries")],
            [.. sections.Select(s => (IReadOnlyList<Cell>)[Cell.Of(s.Key), Count(s.Rows.Count)])])],
        ["'catalog list KIND [FILTER]' lists them; 'catalog show NAME' tells every number with its source."]);

    private static Section Section(CatalogContents catalog, string kind, DateOnly today) => kind switch
    {
        "accelerators" => Accelerators(catalog),
        "models" => Models(catalog),
        "engines" => new Section(
            kind, "",
            [Text("engine", "engine"), Text("name", "name"), Text("home", "home", 1)],
            [.. catalog.Engines.Select(e => Texts(e.Key, e.Name, e.Home))]),
        "prices" => Prices(catalog.Offers, today),
        "points" => Points(catalog.Points),
        "tiers" => new Section(
            kind, "",
            [Text("set", "set"), Text("tiers", "tiers, $/M tok")],
            [.. catalog.TierSets.Select(set => Texts(
                set.Key,
                string.Join(", ", set.Tiers.Select(tier => $"{tier.Name} {Spell.Dollars(tier.Price.Value.Value)}"))))]),
        _ => ApiPrices(catalog, kind),
    };

    private static Section ApiPrices(CatalogContents catalog, string kind) => new(
        kind, "",
        [
            Text("key", "key"),
            Text("model", "model"),
            Text("provider", "provider"),
            new Column("input_usd_per_million", "$/M in"),
            new Column("cached_input_usd_per_million", "$/M cached in"),
            new Column("output_usd_per_million", "$/M out"),
        ],
        [.. catalog.ApiPrices.Select(price => (IReadOnlyList<Cell>)
        [
            Cell.Of(price.Key),
            Cell.Of(price.Model),
            Cell.Of(price.Provider),
            Cell.Of(price.Input, Spell.Of),
            Cell.Of(price.CachedInput, Spell.Of),
            Cell.Of(price.Output, Spell.Of),
        ])]);

    private static Section Accelerators(CatalogContents catalog) => new(
        "accelerators", "",
        [
            Text("gpu", "GPU"),
            Text("name", "name", 2),
            Text("architecture", "architecture", 4),
            new Column("memory_gb", "memory GB"),
            new Column("memory_bandwidth_tb_per_s", "TB/s"),
            new Column("bf16_dense_tflops", "BF16 TFLOPS", 1),
            new Column("fp8_dense_tflops", "FP8", 1),
            new Column("fp4_dense_tflops", "FP4", 1),
            new Column("tdp_w", "TDP W"),
            new Column("offers", "offers", 3),
        ],
        [.. catalog.Accelerators.Select(gpu => (IReadOnlyList<Cell>)
        [
            Cell.Of(gpu.Key),
            Cell.Of(gpu.Name),
            Cell.Of(gpu.Architecture),
            Known(gpu.MemoryGigabytes, v => v),
            Known(gpu.MemoryBandwidth, v => v.Value / 1e12),
            Known(gpu.Bf16, v => v.Value / 1e12),
            Known(gpu.Fp8, v => v.Value / 1e12),
            Known(gpu.Fp4, v => v.Value / 1e12),
            Known(gpu.Tdp, v => v.Value),
            Count(catalog.Offers.Count(offer => offer.Gpu == gpu)),
        ])]);

    private static Section Models(CatalogContents catalog) => new(
        "models", "",
        [
            Text("model", "model"),
            Text("name", "name", 2),
            new Column("total_parameters_billion", "total B"),
            new Column("active_parameters_billion", "active B"),
            new Column("layers", "layers", 3),
            Text("attention", "attention", 4),
            new Column("kv_bytes_per_token_16bit", "KV B/tok 16-bit", 1),
            new Column("max_context_tokens", "context tok", 5),
        ],
        [.. catalog.Models.Select(model => (IReadOnlyList<Cell>)
        [
            Cell.Of(model.Key),
            Cell.Of(model.Name),
            Billion(model.TotalParameters, model),
            Billion(model.ActiveParameters, model),
            Count(model.Layers),
            Cell.Of(string.Join(" + ", model.Attention.Select(ModelWords.Kind).Distinct(StringComparer.Ordinal))),
            new Cell(model.KvBytesPerToken(2), model.KvBytesPerToken(2).ToString("N0"), model.From),
            Known(model.MaxContextTokens, v => v),
        ])]);

    public static Section Prices(IEnumerable<Offer> offers, DateOnly today) => new(
        "prices", "",
        [
            Text("gpu", "GPU"),
            Text("provider", "provider"),
            Text("billing", "billing"),
            new Column("usd_per_gpu_hour", "$/GPU-h"),
            Text("instance_type", "instance", 2),
            Text("region", "region", 3),
            Text("date", "date", 1),
            Text("kind", "kind", 1),
            new Column("stale", "stale", 4, Number: false),
            new Column("suspect", "suspect", 4, Number: false),
        ],
        [.. offers
            .OrderBy(offer => offer.Gpu.Key, StringComparer.Ordinal)
            .ThenBy(offer => offer.Billing)
            .ThenBy(offer => offer.PerGpu.Value.Value)
            .Select(offer => (IReadOnlyList<Cell>)
            [
                Cell.Of(offer.Gpu.Key),
                Cell.Of(offer.Provider),
                Cell.Of(offer.Billing.Text()),
                Cell.Of(offer.PerGpu, Spell.Of),
                Cell.Of(offer.InstanceType),
                Cell.Of(offer.Region),
                Cell.Of(offer.PerGpu.From.Sources[0].Date.Text),
                Cell.Of(offer.PerGpu.From.Kind.ToString().ToLowerInvariant()),
                new Cell(offer.IsStale(today), offer.IsStale(today) ? "stale" : ""),
                new Cell(offer.Suspect, offer.Suspect ? "suspect" : ""),
            ])]);
    public static Section Points(IEnumerable<OperatingPoint> points) => new(
        "points", "",
        [
            Text("point", "point", 3),
            Text("model", "model"),
            Text("gpu", "GPU"),
            new Column("gpus", "GPUs", 2),
            Text("load", "load", 4),
            Text("counts", "tokens", 1),
            new Column("tokens_per_second_per_gpu", "tok/s/GPU"),
            new Column("tokens_per_second_per_user", "tok/s/user", 1),
            new Column("watts_per_gpu", "W/GPU", 2),
            Text("kind", "kind", 1),
        ],
        [.. points.Select(point => (IReadOnlyList<Cell>)
        [
            Cell.Of(point.Key),
            Cell.Of(point.Model),
            Cell.Of(point.Gpu.Key),
            Count(point.Gpus),
            Cell.Of(string.Join(", ", new[] { point.Engine, point.Precision, point.Load }.OfType<string>())),
            Cell.Of(point.Counts.ToString().ToLowerInvariant()),
            Cell.Of(point.Throughput, Spell.Of),
            Known(point.PerUser, v => v.Value),
            Known(point.PerGpuPower, v => v.Watts.Value),
            Cell.Of(point.Throughput.From.Kind.ToString().ToLowerInvariant()),
        ])]);

    private static Column Text(string key, string title, int rank = 0) => new(key, title, rank, Number: false);

    private static IReadOnlyList<Cell> Texts(params string[] texts) => [.. texts.Select(Cell.Of)];

    private static Cell Count(int count) => new(count, count.ToString("N0"));

    private static Cell Billion(long parameters, ModelShape model) => new(parameters / 1e9, Spell.Number(parameters / 1e9), model.From);

    private static Cell Known<T>(Sourced<T>? number, Func<T, double> value) =>
        number is { } known ? Cell.Of(known, v => (value(v), Spell.Number(value(v)))) : Cell.None;
}
