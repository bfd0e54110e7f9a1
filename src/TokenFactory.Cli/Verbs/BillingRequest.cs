using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Economics;
using TokenFactory.Units;

namespace TokenFactory.Cli.Verbs;

/// <summary>A price of the menu with who offers it.</summary>
/// <param name="Billing">How it is paid for.</param>
/// <param name="Provider">From whom, or "given".</param>
/// <param name="PerGpu">Per GPU and hour, as listed.</param>
/// <param name="Stale">Whether it may be too old.</param>
internal sealed record MenuPrice(Billing Billing, string Provider, Sourced<UsdPerHour> PerGpu, bool Stale);

/// <summary>What spot really costs: list price times wall time per work.</summary>
/// <param name="Listed">The listed price.</param>
/// <param name="WallTime">Hours paid per hour of work.</param>
/// <param name="Effective">Per useful GPU-hour.</param>
/// <param name="Arithmetic">How the wall time came about.</param>
internal sealed record SpotPrice(MenuPrice Listed, Sourced<double> WallTime, Sourced<UsdPerHour> Effective, string Arithmetic);

/// <summary>A typical load.</summary>
/// <param name="Name">As users call it.</param>
/// <param name="Gpus">GPUs at its peak.</param>
/// <param name="Utilisation">Share of the hours in which it runs, or average over peak.</param>
/// <param name="Interruptible">Share that may be interrupted.</param>
/// <param name="Assumption">What was assumed, in words.</param>
internal sealed record Workload(string Name, double Gpus, double Utilisation, double Interruptible, string Assumption)
{
    public static readonly Workload[] Known =
    [
        new("development", 8, 40.0 / 168, 0, "office hours: 40 of the 168 hours of a week"),
        new("stable", 8, 0.85, 0, "a steady service: busy 85 % of the hours"),
        new("bursty", 8, 0.35, 0, "a daily wave between a tenth of the peak and the peak, 35 % of it on average"),
        new("batch", 8, 1, 1, "latency-tolerant work that may be interrupted, always enough of it"),
    ];
}

/// <summary>What billing is asked.</summary>
internal sealed record BillingRequest
{
    /// <summary>More hours, minutes or seconds than any plan spans: a spot pool that is "never" preempted.</summary>
    private const double MostHours = 1e6;

    private const string None = "none";

    public required IReadOnlyList<Demand> Demand { get; init; }

    public required string DemandText { get; init; }

    public required MenuPrice OnDemand { get; init; }

    public required SpotPrice? Spot { get; init; }

    public required IReadOnlyList<MenuPrice> Reserved { get; init; }

    public required DateOnly Today { get; init; }

    public required string Gpu { get; init; }

    /// <summary>Millions of tokens that are asked for, where known.</summary>
    public double? MillionTokens { get; init; }

    public double Hours => Demand.Sum(span => span.Hours);

    public double MeanGpus => Demand.Sum(span => span.Gpus * span.Hours) / Hours;

    public double PeakGpus => Demand.Max(span => span.Gpus);

    public PriceMenu Menu => new(
        OnDemand.PerGpu.Value,
        Spot?.Effective.Value,
        [.. Reserved.Select(price => new Commitment(price.Billing.Text(), price.PerGpu.Value, default))]);

    public static BillingRequest Read(Terms terms, CatalogContents catalog, string? path)
    {
        var gpu = terms.Of("gpu") is { } settings && settings.Text("gpu") is { } name ? Lookup.Gpu(settings, "gpu", name, catalog) : null;
        var provider = terms.Of("provider") is { } from && from.Text("provider") is { } who
            ? Lookup.Provider(from, "provider", who, catalog)
            : null;
        var onDemand = Price("on_demand_usd", Billing.OnDemand);
        var reserved = new[] { Price("reserved_1y_usd", Billing.Reserved1Year), Price("reserved_3y_usd", Billing.Reserved3Year) };
        var spot = Price("spot_usd", Billing.Spot) is { } listed ? ReadSpot(terms, catalog.Site, listed) : null;
        if (onDemand is null && terms.Mistakes.Count == 0)
        {
            var remedy = gpu is null
                ? "Name a GPU with --gpu, or give the price"
                : $"{gpu.Key} is not offered on demand{(provider is null ? "" : " by " + provider)}: give the price";
            terms.Flags.Note("on_demand_usd", "is unknown", remedy);
        }

        var load = new DemandInput(terms, path).Read();
        return new BillingRequest
        {
            Demand = load.Demand,
            DemandText = load.Text,
            OnDemand = onDemand
                ?? new MenuPrice(Billing.OnDemand, "", new Sourced<UsdPerHour>(new UsdPerHour(1), terms.Given(terms.Flags)), false),
            Spot = spot,
            Reserved = [.. reserved.OfType<MenuPrice>()],
            Today = terms.Today,
            Gpu = gpu?.Key ?? "GPU",
            MillionTokens = load.MillionTokens,
        };

        MenuPrice? Price(string key, Billing billing)
        {
            if (terms.Of(key) is { } given)
            {
                if (key != "on_demand_usd" && given.Text(key) == None)
                    return null;
                if (given.Number(key) is not { } dollars)
                    return null;
                var perGpu = new Sourced<UsdPerHour>(new UsdPerHour(dollars), terms.Given(given));
                return new MenuPrice(billing, "given", perGpu, Offer.IsStale(perGpu, terms.Today));
            }

            return gpu is not null && catalog.Cheapest(gpu, billing, provider) is { } offer
                ? new MenuPrice(billing, offer.Provider, offer.PerGpu, offer.IsStale(terms.Today))
                : null;
        }
    }

    private static SpotPrice ReadSpot(Terms terms, SiteDefaults site, MenuPrice listed)
    {
        var mean = terms.Number("mean_hours_to_preemption", atMost: MostHours) ?? site.SpotMeanHours;
        var restart = terms.Number("restart_minutes", 0, MostHours) ?? site.SpotRestartMinutes;
        var behaviour = new SpotBehaviour(TimeSpan.FromHours(mean.Value), TimeSpan.FromMinutes(restart.Value));
        if (terms.Of("checkpoint_seconds") is { } settings && terms.Of("request_seconds") == settings)
            settings.Exclude("checkpoint_seconds", "request_seconds", "Give the one that the work has");
        if (terms.Number("checkpoint_seconds", atMost: MostHours) is { } write)
        {
            var checkpoint = TimeSpan.FromSeconds(write.Value);
            var interval = SpotCost.Daly(checkpoint, behaviour.MeanToPreemption);
            var paid = SpotCost.WallTimePerWork(behaviour, checkpoint, interval);
            return Priced(paid, write, $"checkpoints of {write.Value:0.#} s every {interval.TotalSeconds:0} s (Daly)");
        }

        var request = terms.Number("request_seconds", 0, MostHours) ?? site.SpotRequestSeconds;
        var wall = SpotCost.WallTimePerWorkOfRequests(behaviour, TimeSpan.FromSeconds(request.Value), Fraction.All);
        return Priced(wall, request, $"requests of {request.Value:0.#} s, each its own checkpoint");

        SpotPrice Priced(double wallTime, Sourced<double> work, string how)
        {
            var from = mean.From.And(restart.From).And(work.From);
            var paid = new Sourced<double>(wallTime, from);
            return new SpotPrice(
                listed, paid, listed.PerGpu.With(paid, SpotCost.Effective),
                $"preempted every {mean.Value:0.##} h on average, {restart.Value:0.#} min to restart, {how}: "
                + $"{wallTime:0.000} paid hours per hour of work");
        }
    }
}
