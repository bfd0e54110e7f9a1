using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Economics;
using TokenFactory.Units;

namespace TokenFactory.Cli.Verbs;

/// <summary>Gathers the points to price from a file, from flags or from the catalog, each with its prices.</summary>
internal sealed class PricePoints(Terms terms, CatalogContents catalog, Baseline? vs, PriceTerms judged, bool everyPoint)
{
    private static readonly string[] ThroughputKeys = ["gpus", "prefill_gpus", "decode_gpus", "counts", "watts_per_gpu", "power_boundary"];
    private readonly Settings _flags = terms.Flags;
    private readonly PriceOffers _offers = new(terms, catalog, vs, judged);

    /// <summary>What could not be priced, and why.</summary>
    public IReadOnlyList<string> Unpriced => _offers.Unpriced;

    /// <summary>The owned GPU that was asked about, where one was.</summary>
    public OwnedGpu? Owned => _offers.Owned;

    public IReadOnlyList<PointToPrice> Read()
    {
        if (terms.File is { } file)
            return FromFile(file);
        var gpus = _flags.Texts("gpu").Select(name => Lookup.Gpu(_flags, "gpu", name, catalog)).OfType<Accelerator>().ToList();
        var models = _flags.Texts("model").Select(name => Lookup.Model(_flags, "model", name, catalog)).OfType<string>().ToList();
        PriceOffers.MarkKeys(_flags);
        return _flags.Has("tokens_per_second_per_gpu") || _flags.Has("tokens_per_second")
            ? FromFlags(gpus, models)
            : FromCatalog(gpus, models);
    }

    private IReadOnlyList<PointToPrice> FromFile(Settings file)
    {
        file.Require("points", "List at least one point under it");
        var points = file.Items("points")
            .Select(item => FromSettings(item, file.Text("model"), file.Text("counts")))
            .OfType<PointToPrice>();
        return [.. points];
    }

    private List<PointToPrice> FromFlags(List<Accelerator> gpus, List<string> models)
    {
        _flags.Require("gpu", "Name the accelerator that makes so many tokens");
        if (gpus.Count > 1)
            _flags.Note("gpu", "is given more than once beside one throughput", "Price one GPU at a time, or list the points in a file");
        if (models.Count > 1)
        {
            _flags.Note(
                "model",
                "is given more than once beside one throughput",
                "Price one model at a time, or list the points in a file");
        }

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
        PriceOffers.MarkKeys(item);
        if (gpu is null)
            return null;
        foreach (var key in PriceOffers.Keys.Where(_ => item != _flags))
            item.Exclude("prices", key, "Put it into the list, or leave the list out");
        var prices = item.Has("prices")
            ? item.Items("prices").Select(price => _offers.Given(price, gpu)).OfType<PricedHour>().ToList()
            : _offers.Of(item, gpu);
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
        {
            throw new Refusal(
                "catalog",
                "has no published point of that GPU and model",
                "Give --tokens-per-second-per-gpu, or see 'catalog list points'");
        }

        if (!everyPoint)
        {
            var alike = chosen.GroupBy(point => $"{ModelKey(point)} {point.Counts} {point.Gpu.Key}", StringComparer.Ordinal);
            chosen = [.. alike.Select(group => group.MaxBy(point => point.Throughput.Value.Value)!)];
        }

        return [.. chosen.Select(FromCatalog).Where(point => point.Prices.Count > 0)];
    }

    private PointToPrice FromCatalog(OperatingPoint point) => new()
    {
        Model = ModelKey(point),
        Gpu = point.Gpu,
        Load = string.Join(", ", new[] { point.Engine, point.Precision, point.Load }.OfType<string>()),
        Counts = point.Counts,
        Throughput = point.Throughput with { Note = point.Note },
        PerGpuPower = point.PerGpuPower
            ?? Rated(point.Gpu)
            ?? throw new Refusal("catalog", $"{point.Gpu.Key} has neither measured power nor TDP", "Add tdp_w to it"),
        Streams = point is { InputThroughput: { } input, OutputThroughput: { } output } ? (input.Value, output.Value) : null,
        PerUser = point.PerUser,
        PrefillShare = point.PrefillShare,
        Prices = _offers.Of(_flags, point.Gpu),
    };

    private string ModelKey(OperatingPoint point) => catalog.ModelNames.Find(point.Model)?.Key ?? point.Model;

    private Sourced<TokensPerSecond>? Throughput(Settings item, out double? prefillShare)
    {
        item.Exclude("tokens_per_second", "tokens_per_second_per_gpu", "Give the throughput of the deployment or that of a GPU");
        item.Exclude("gpus", "prefill_gpus", "Give all GPUs, or prefill and decode apart");
        item.Exclude("gpus", "tokens_per_second_per_gpu", "A throughput per GPU needs no count; give tokens_per_second of the deployment");
        var (all, prefill, decode) = (item.Whole("gpus", 1), item.Whole("prefill_gpus", 0), item.Whole("decode_gpus", 1));
        if ((prefill is null) != (decode is null))
            item.Note(prefill is null ? "decode_gpus" : "prefill_gpus", "stands alone", "Give prefill_gpus and decode_gpus together");
        prefillShare = prefill is { } p && decode is { } d ? (double)p / (p + d) : null;
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
        var perAll = TokenCost.PerGpu(new TokensPerSecond(total), prefill ?? 0, decode ?? all ?? 1);
        return new Sourced<TokensPerSecond>(perAll, terms.Given(item));
    }

    private static (TokensPerSecond Input, TokensPerSecond Output)? Streams(Settings item)
    {
        var (input, output) = (item.Number("input_tokens_per_second_per_gpu", 0), item.Number("output_tokens_per_second_per_gpu"));
        return input is { } i && output is { } o ? (new TokensPerSecond(i), new TokensPerSecond(o)) : null;
    }

    private Sourced<Power>? ReadPower(Settings item, Accelerator? gpu)
    {
        var boundary = Choice.Of<PowerBoundary>(item.Text("power_boundary") ?? "board");
        if (boundary is null)
            item.Note("power_boundary", $"is '{item.Text("power_boundary")}'", $"Write {Choice.Words<PowerBoundary>()}");
        if (item.Has("power_boundary") && !item.Has("watts_per_gpu"))
            item.Note("power_boundary", "says where absent watts are measured", "Add watts_per_gpu; power_at chooses what is shown");
        if (item.Number("watts_per_gpu") is { } watts)
            return new Sourced<Power>(new Power(new Watts(watts), boundary ?? PowerBoundary.Board), terms.Given(item));
        if (gpu is null || item.Has("watts_per_gpu"))
            return null;
        if (Rated(gpu) is { } rated)
            return rated;
        item.Note("gpu", $"is {gpu.Key}, whose TDP nobody published", "Add watts_per_gpu");
        return null;
    }

    public static Sourced<Power>? Rated(Accelerator gpu) =>
        gpu.Tdp is { } tdp
            ? new Sourced<Power>(new Power(tdp.Value, PowerBoundary.Board), tdp.From, "TDP, not measured: an upper bound")
            : null;

    private static TokenCount Counts(Settings item, string? otherwise)
    {
        var text = item.Text("counts") ?? otherwise ?? "unstated";
        if (Choice.Of<TokenCount>(text) is { } count)
            return count;
        item.Note("counts", $"is '{text}'", $"Write {Choice.Words<TokenCount>()}");
        return TokenCount.Unstated;
    }
}
