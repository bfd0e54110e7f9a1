using TokenFactory.Catalog;
using TokenFactory.Planning.Search;
using TokenFactory.Policies;
using TokenFactory.Units;
using TokenFactory.Workload;

namespace TokenFactory.Planning;

/// <summary>What a plan is judged by.</summary>
public enum PlanObjective
{
    /// <summary>Least dollars per million tokens: least dollars per hour for the traffic asked.</summary>
    Cost,

    /// <summary>Most tokens per watt: least watts at the site's meter for the traffic asked.</summary>
    TokensPerWatt,

    /// <summary>Most revenue less cost within the site's power.</summary>
    Profit,
}

/// <summary>One model with its users.</summary>
public sealed record PlanService
{
    /// <summary>What it is called: letters, digits and hyphens.</summary>
    public required string Name { get; init; }

    /// <summary>What is served.</summary>
    public required ModelShape Model { get; init; }

    /// <summary>Its requests from a seed, from the first on at every call.</summary>
    public required Func<ulong, ITraffic> Traffic { get; init; }

    /// <summary>What its classes are promised; a class that is not named is promised nothing.</summary>
    public required IReadOnlyList<Promise> Promises { get; init; }

    /// <summary>What may be chosen of its replicas.</summary>
    public SearchSpace Space { get; init; } = new();

    /// <summary>Requests that are longer than the model is made for are rejected and count for nothing.</summary>
    public bool RejectsTooLong { get; init; }

    /// <summary>Requests may be turned away where they do not pay, and there are as many as one cares to serve.</summary>
    public bool Unlimited { get; init; }
}

/// <summary>What a plan may not exceed. What is null is not limited.</summary>
public sealed record PlanLimits
{
    /// <summary>Dollars per month of 730 hours, on top of what is bought already.</summary>
    public double? UsdPerMonth { get; init; }

    /// <summary>Watts at the site's meter, all replicas at full load.</summary>
    public double? FacilityWatts { get; init; }

    /// <summary>Kilograms of CO2 per month; needs <see cref="CarbonGramsPerKwh"/>.</summary>
    public double? CarbonKgPerMonth { get; init; }

    /// <summary>Grams of CO2 per kWh at the meter.</summary>
    public double? CarbonGramsPerKwh { get; init; }

    /// <summary>GPUs of all kinds together.</summary>
    public int? Gpus { get; init; }

    /// <summary>Hours of a month: a twelfth of a year.</summary>
    public const double HoursPerMonth = 730;

    /// <summary>The tighter of the limit on power and the one that carbon sets.</summary>
    public double? MostWatts => CarbonKgPerMonth is { } kilograms && CarbonGramsPerKwh is { } grams
        ? Math.Min(FacilityWatts ?? double.PositiveInfinity, kilograms * 1e3 / grams / HoursPerMonth * 1e3)
        : FacilityWatts;

    /// <summary>Dollars per hour.</summary>
    public double? UsdPerHour => UsdPerMonth / HoursPerMonth;
}

/// <summary>Everything that a plan follows from, beside what the catalog and calibration know.</summary>
public sealed record PlanAsk
{
    /// <summary>What it is called.</summary>
    public required string Name { get; init; }

    /// <summary>What is served.</summary>
    public required IReadOnlyList<PlanService> Services { get; init; }

    /// <summary>What may be bought, and what is owned already.</summary>
    public required IReadOnlyList<Supply> Supplies { get; init; }

    /// <summary>What may not be exceeded.</summary>
    public PlanLimits Limits { get; init; } = new();

    /// <summary>What it is judged by.</summary>
    public PlanObjective Objective { get; init; }

    /// <summary>Replicas that every pool of a service with promises has beyond its need.</summary>
    public int Spare { get; init; }

    /// <summary>Facility over IT power; null for what is usual with each accelerator.</summary>
    public Sourced<Pue>? Pue { get; init; }

    /// <summary>How requests are routed; null for marginal cost.</summary>
    public Func<IRouter>? Router { get; init; }

    /// <summary>Its name.</summary>
    public string Routing { get; init; } = "marginal-cost";

    /// <summary>What chance follows from.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Requests of each service that the twin replays at least to verify a fleet; 0 for no verification.</summary>
    public int TwinRequests { get; init; } = 6000;

    /// <summary>Seconds of traffic that the twin replays at least, up to <see cref="MostTwinRequests"/>.</summary>
    public double TwinSeconds { get; init; } = 60;

    /// <summary>Requests beyond which a run is not made longer.</summary>
    public const int MostTwinRequests = 60_000;

    /// <summary>Fleets that are verified in the twin.</summary>
    public int Finalists { get; init; } = 4;

    /// <summary>Whether replicas are left out that a bound shows to be no better than others.</summary>
    public bool Prunes { get; init; } = true;
}
