namespace TokenFactory.Catalog;

/// <summary>Everything the catalog holds, immutable, with forgiving look-ups.</summary>
public sealed class CatalogContents
{
    /// <summary>Accelerators by key, in alphabetical order.</summary>
    public required IReadOnlyList<Accelerator> Accelerators { get; init; }

    /// <summary>Models by key, in alphabetical order.</summary>
    public required IReadOnlyList<ModelShape> Models { get; init; }

    /// <summary>Engines by key, in alphabetical order.</summary>
    public required IReadOnlyList<Engine> Engines { get; init; }

    /// <summary>Every offer of every provider.</summary>
    public required IReadOnlyList<Offer> Offers { get; init; }

    /// <summary>Published operating points.</summary>
    public required IReadOnlyList<OperatingPoint> Points { get; init; }

    /// <summary>Published API prices.</summary>
    public required IReadOnlyList<ApiPrice> ApiPrices { get; init; }

    /// <summary>Sets of service tiers.</summary>
    public required IReadOnlyList<TierSet> TierSets { get; init; }

    /// <summary>What is assumed about a site.</summary>
    public required SiteDefaults Site { get; init; }

    /// <summary>Finds an accelerator by any of its names.</summary>
    public required NameIndex<Accelerator> AcceleratorNames { get; init; }

    /// <summary>Finds a model by any of its names.</summary>
    public required NameIndex<ModelShape> ModelNames { get; init; }

    /// <summary>Finds an engine by any of its names.</summary>
    public required NameIndex<Engine> EngineNames { get; init; }

    /// <summary>The providers that offer something, in alphabetical order.</summary>
    public IEnumerable<string> Providers =>
        Offers.Select(offer => offer.Provider).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);

    /// <summary>
    /// The cheapest offer that matches, or null. Suspect prices count only where nothing else is offered.
    /// </summary>
    /// <param name="gpu">What to rent.</param>
    /// <param name="billing">How to pay.</param>
    /// <param name="provider">From whom, or null for anybody.</param>
    /// <param name="region">A text that the region must contain, or null for anywhere.</param>
    public Offer? Cheapest(Accelerator gpu, Billing billing, string? provider = null, string? region = null) =>
        Offers.Where(offer => offer.Gpu.Key == gpu.Key && offer.Billing == billing)
            .Where(offer => provider is null || Names.Fold(offer.Provider) == Names.Fold(provider))
            .Where(offer => region is null || offer.Region.Contains(region, StringComparison.OrdinalIgnoreCase))
            .OrderBy(offer => offer.Suspect)
            .ThenBy(offer => offer.PerGpu.Value.Value)
            .ThenBy(offer => offer.Provider, StringComparer.Ordinal)
            .FirstOrDefault();
}
