using TokenFactory.Catalog;
using TokenFactory.Simulation;

namespace TokenFactory.Cli.Verbs;

/// <summary>
/// What pools would cost under another billing: what the file says; else what the pool's own provider asks; else today's price less the
/// median discount of the providers that list both for the GPU.
/// </summary>
internal sealed class AuditPrices(CatalogContents catalog, IReadOnlyList<SimulatePrice> today, AuditInput asked, Catalog.Provenance said)
{
    /// <summary>Dollars per GPU-hour; null where nobody says.</summary>
    public Sourced<double>? Of(PoolOrder pool, Billing billing)
    {
        if (asked.Usd.TryGetValue(billing.Text(), out var given))
            return new Sourced<double>(given, said);
        var gpu = pool.Deployment.Gpu;
        var own = today.FirstOrDefault(price =>
            pool.Name == price.Pool || pool.Name.StartsWith(price.Pool + "-", StringComparison.Ordinal)); // a half of a pool that was split
        if (own is not null && own.Provider != "given" && catalog.Cheapest(gpu, billing, own.Provider) is { } offer)
            return offer.PerGpu.Select(price => price.Value);
        if (Discount(gpu, billing) is not { } discount)
            return null;
        var from = own is null ? discount.From : own.UsdPerGpuHour.From.And(discount.From);
        return new Sourced<double>(pool.UsdPerGpuHour * (1 - discount.Value), from, discount.Note);
    }

    /// <summary>The median discount on demand's price, of providers that list both.</summary>
    public Sourced<double>? Discount(Accelerator gpu, Billing billing)
    {
        var discounts = new List<Sourced<double>>();
        foreach (var provider in catalog.Providers)
        {
            if (catalog.Cheapest(gpu, Billing.OnDemand, provider) is { Suspect: false } full
                && catalog.Cheapest(gpu, billing, provider) is { Suspect: false } less)
                discounts.Add(less.PerGpu.With(full.PerGpu, (part, all) => 1 - (part.Value / all.Value)));
        }

        if (discounts.Count == 0)
            return null;
        var sorted = discounts.OrderBy(one => one.Value).ToList();
        var middle = sorted[(sorted.Count - 1) / 2];
        var note = $"{billing.Text()}: {middle.Value:0%} off {gpu.Key}, the median of {SimulateSpell.Count(sorted.Count, "provider")}";
        return new Sourced<double>(middle.Value, middle.From, note);
    }
}
