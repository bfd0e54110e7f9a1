using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Economics;
using TokenFactory.Units;

namespace TokenFactory.Cli.Verbs;

/// <summary>A GPU-hour at a price.</summary>
/// <param name="Provider">From whom.</param>
/// <param name="Billing">How it is paid for.</param>
/// <param name="PerGpu">The price.</param>
/// <param name="Stale">Whether it may be too old.</param>
/// <param name="Suspect">Whether it looks wrong.</param>
/// <param name="Asked">False for a row that is there only as a baseline.</param>
internal sealed record PricedHour(
    string Provider, Billing Billing, Sourced<UsdPerHour> PerGpu, bool Stale, bool Suspect, bool Asked = true)
{
    /// <summary>Whether the catalog estimates it, rather than a provider offers or the user gives it.</summary>
    public bool IsModelled { get; init; }
}

/// <summary>A point to price: throughput and power of a GPU, and its prices.</summary>
internal sealed record PointToPrice
{
    public required string Model { get; init; }

    public required Accelerator Gpu { get; init; }

    /// <summary>What tells this point from others of the same GPU.</summary>
    public required string Load { get; init; }

    public required TokenCount Counts { get; init; }

    public required Sourced<TokensPerSecond> Throughput { get; init; }

    public required Sourced<Power> PerGpuPower { get; init; }

    /// <summary>Input and output streams per GPU, where known.</summary>
    public (TokensPerSecond Input, TokensPerSecond Output)? Streams { get; init; }

    /// <summary>What one user sees while decoding, where known.</summary>
    public Sourced<TokensPerSecond>? PerUser { get; init; }

    /// <summary>Prefill GPUs over all GPUs, in a disaggregated deployment.</summary>
    public double? PrefillShare { get; init; }

    public required IReadOnlyList<PricedHour> Prices { get; init; }
}

/// <summary>A baseline that rows are compared with.</summary>
/// <param name="Text">Its name.</param>
/// <param name="Billing">A billing, or null.</param>
/// <param name="Provider">A provider, or null.</param>
/// <param name="Gpu">A GPU, or null.</param>
internal sealed record Baseline(string Text, Billing? Billing, string? Provider, Accelerator? Gpu);

/// <summary>The terms of the user; where they leave PUE out, that of the accelerator's usual cooling holds.</summary>
/// <param name="Terms">How points are judged; its PUE is the user's, or that of air cooling.</param>
/// <param name="GivenPue">The user's PUE, or null.</param>
/// <param name="Site">What is assumed.</param>
internal sealed record PriceTerms(PointTerms Terms, Sourced<Pue>? GivenPue, SiteDefaults Site)
{
    public Sourced<Pue> PueOf(Accelerator gpu) => GivenPue ?? Site.PueOf(gpu);

    public PointTerms Of(Accelerator gpu) => Terms with { Pue = PueOf(gpu) };
}

/// <summary>What price is asked: the points, and the terms under which they are judged.</summary>
internal sealed record PriceRequest
{
    public required IReadOnlyList<PointToPrice> Points { get; init; }

    public required PriceTerms Judged { get; init; }

    public PointTerms Terms => Judged.Terms;

    public required DateOnly Today { get; init; }

    public Baseline? Vs { get; init; }

    /// <summary>Where tokens per watt are shown: as asked, else at the board, or as wide as the widest power that was given.</summary>
    public required PowerBoundary PowerAt { get; init; }

    public Sourced<UsdPerMillionTokens>? Api { get; init; }

    public double? PrefillShare { get; init; }

    public double CacheHitRate { get; init; }

    public double CachedWeight { get; init; }

    public OwnedGpu? Owned { get; init; }

    /// <summary>What could not be priced, and why.</summary>
    public IReadOnlyList<string> Unpriced { get; init; } = [];

    public static PriceRequest Read(Terms terms, CatalogContents catalog, bool everyPoint)
    {
        var site = catalog.Site;
        var assumed = new Source(SourceKind.Estimated, "assumed: fully used and always available", SourceDate.On(terms.Today));
        var certain = Provenance.Of(assumed);
        var givenPue = terms.Number("pue", 1, 10)?.Select(v => new Pue(v));
        var how = new PointTerms(
            terms.Share("utilisation", new Sourced<Fraction>(Fraction.All, certain)),
            terms.Share("availability", new Sourced<Fraction>(Fraction.All, certain)),
            givenPue ?? site.PueAir,
            terms.ElectricityOr(site.Electricity),
            terms.Number("carbon_g_per_kwh", 0)?.Select(v => new GramsPerKilowattHour(v)),
            terms.Number("sell_usd_per_million", 0)?.Select(v => new UsdPerMillionTokens(v)));
        var vs = ReadBaseline(terms, catalog);
        var judged = new PriceTerms(how, givenPue, site);
        var points = new PricePoints(terms, catalog, vs, judged, everyPoint);
        var read = points.Read();
        return new PriceRequest
        {
            Points = read,
            Unpriced = points.Unpriced,
            Owned = points.Owned,
            Judged = judged,
            Today = terms.Today,
            Vs = vs,
            PowerAt = ReadBoundary(terms, read),
            Api = terms.Number("api_usd_per_million")?.Select(v => new UsdPerMillionTokens(v)),
            PrefillShare = terms.Number("prefill_share", 0, 1)?.Value,
            CacheHitRate = terms.Number("cache_hit_rate", 0, 1)?.Value ?? 0,
            CachedWeight = terms.Number("cached_weight", 0, 1)?.Value ?? 0.1,
        };
    }

    private static Baseline? ReadBaseline(Terms terms, CatalogContents catalog)
    {
        if (terms.Of("vs") is not { } settings || settings.Text("vs") is not { } text)
            return null;
        if (BillingNames.Parse(text) is { } billing)
            return new Baseline(billing.Text(), billing, null, null);
        var inFile = terms.File?.Items("points").SelectMany(point => point.Has("prices") ? point.Items("prices") : [point])
            .Select(price => price.Text("provider")).OfType<string>() ?? [];
        if (inFile.Concat(catalog.Providers).FirstOrDefault(provider => Names.Fold(provider) == Names.Fold(text)) is { } known)
            return new Baseline(known, null, known, null);
        if (catalog.AcceleratorNames.Find(text) is { } gpu)
            return new Baseline(gpu.Key, null, null, gpu);
        settings.Note("vs", $"is '{text}'", $"Name a billing ({string.Join(", ", BillingNames.All)}), a provider or a GPU");
        return null;
    }

    private static PowerBoundary ReadBoundary(Terms terms, IReadOnlyList<PointToPrice> points)
    {
        if (terms.Of("power_at") is not { } settings || settings.Text("power_at") is not { } text)
        {
            return points.Select(point => point.PerGpuPower.Value.Boundary).DefaultIfEmpty().Max() switch
            {
                PowerBoundary.Facility => PowerBoundary.Facility,
                PowerBoundary.It or PowerBoundary.Chassis => PowerBoundary.It,
                _ => PowerBoundary.Board,
            };
        }

        if (Choice.Of<PowerBoundary>(text) is { } boundary and (PowerBoundary.Board or PowerBoundary.It or PowerBoundary.Facility))
            return boundary;
        settings.Note("power_at", $"is '{text}'", "Write board, it or facility");
        return PowerBoundary.Board;
    }
}
