using TokenFactory.Catalog;
using TokenFactory.Units;

namespace TokenFactory.Economics;

/// <summary>The terms under which a point is judged.</summary>
/// <param name="Utilisation">Served tokens over what the point could produce.</param>
/// <param name="Availability">Share of the paid hours in which it can serve.</param>
/// <param name="Pue">Facility over IT power.</param>
/// <param name="Electricity">Price at the meter; only its own line, a rented GPU-hour includes it.</param>
/// <param name="Carbon">Carbon of the grid; null where nobody said.</param>
/// <param name="Sold">What a million tokens sells for; null where nobody said.</param>
public sealed record PointTerms(
    Sourced<Fraction> Utilisation,
    Sourced<Fraction> Availability,
    Sourced<Pue> Pue,
    Sourced<UsdPerKilowattHour> Electricity,
    Sourced<GramsPerKilowattHour>? Carbon,
    Sourced<UsdPerMillionTokens>? Sold);

/// <summary>One (GPU, price, throughput, power) point in dollars and joules. Every figure carries its sources.</summary>
public sealed record PointEconomics
{
    private static readonly Watts Megawatt = new(1e6);

    /// <summary>$/M tok of all paid time: divided by utilisation and availability.</summary>
    public required Sourced<UsdPerMillionTokens> Allocation { get; init; }

    /// <summary>$/M tok of busy time only.</summary>
    public required Sourced<UsdPerMillionTokens> Usage { get; init; }

    /// <summary>Tokens per second and GPU, over all GPUs of the deployment.</summary>
    public required Sourced<TokensPerSecond> Throughput { get; init; }

    /// <summary>Power per GPU by boundary.</summary>
    public required PowerLadder Power { get; init; }

    /// <summary>Tokens per second that a megawatt at the meter makes.</summary>
    public required Sourced<TokensPerSecond> PerFacilityMegawatt { get; init; }

    /// <summary>$ of electricity per million tokens, at the meter.</summary>
    public required Sourced<UsdPerMillionTokens> Electricity { get; init; }

    /// <summary>gCO2 per million tokens, at the meter; null where the grid is unknown.</summary>
    public required Sourced<GramsPerMillionTokens>? Carbon { get; init; }

    /// <summary>What the GPUs of a megawatt at the meter cost in a year.</summary>
    public required Sourced<Usd> CostPerMegawattYear { get; init; }

    /// <summary>What they take in; null where no selling price is known.</summary>
    public required Sourced<Usd>? RevenuePerMegawattYear { get; init; }

    /// <summary>1 - cost / revenue; null where no selling price is known or it is zero.</summary>
    public required Sourced<double>? GrossMargin { get; init; }

    /// <summary>Judges a point.</summary>
    /// <param name="perGpu">Price of a GPU-hour.</param>
    /// <param name="throughput">Tokens per second and GPU, over all GPUs of the deployment.</param>
    /// <param name="power">Power per GPU at every boundary that could be reached.</param>
    /// <param name="terms">How it is used, cooled and sold.</param>
    public static PointEconomics Of(
        Sourced<UsdPerHour> perGpu, Sourced<TokensPerSecond> throughput, PowerLadder power, PointTerms terms)
    {
        var cost = TokenCost.Bases(perGpu.Value, throughput.Value, terms.Utilisation.Value, terms.Availability.Value);
        var busy = perGpu.From.And(throughput.From);
        var hourly = terms.Sold is { } sold ? Sales(sold, throughput, terms) : (Sourced<UsdPerHour>?)null;
        var atMeter = power.Facility.With(throughput, TokenEnergy.PerToken);
        return new PointEconomics
        {
            Usage = new Sourced<UsdPerMillionTokens>(cost.Usage, busy),
            Allocation = new Sourced<UsdPerMillionTokens>(cost.Allocation, busy.And(terms.Utilisation.From).And(terms.Availability.From)),
            Power = power,
            Throughput = throughput,
            PerFacilityMegawatt = throughput.With(power.Facility, TokenEnergy.PerMegawatt),
            Electricity = atMeter.With(terms.Electricity, (joules, price) => joules * price),
            Carbon = terms.Carbon is { } grid ? atMeter.With(grid, (joules, intensity) => joules * intensity) : null,
            CostPerMegawattYear = perGpu.With(
                power.Facility, (price, watts) => Revenue.PerYear(default, price, Megawatt, watts.Watts).Cost),
            RevenuePerMegawattYear = hourly?.With(
                power.Facility, (revenue, watts) => Revenue.PerYear(revenue, default, Megawatt, watts.Watts).Revenue),
            GrossMargin = hourly is { } taken ? Margin(taken, perGpu) : null,
        };
    }

    /// <summary>Tokens per watt at a boundary; null where its power cannot be reached from the one that was given.</summary>
    public Sourced<TokensPerJoule>? PerWattAt(PowerBoundary boundary) =>
        Power.At(boundary) is { } watts ? Throughput.With(watts, TokenEnergy.PerWatt) : null;

    /// <summary>J/tok at a boundary; null where its power cannot be reached from the one that was given.</summary>
    public Sourced<JoulesPerToken>? EnergyAt(PowerBoundary boundary) =>
        Power.At(boundary) is { } watts ? watts.With(Throughput, TokenEnergy.PerToken) : null;

    /// <summary>What a GPU-hour takes in.</summary>
    private static Sourced<UsdPerHour> Sales(Sourced<UsdPerMillionTokens> sold, Sourced<TokensPerSecond> throughput, PointTerms terms) =>
        new(
            Revenue.PerGpuHour([new SoldTokens(throughput.Value, sold.Value)], terms.Utilisation.Value, terms.Availability.Value),
            sold.From.And(throughput.From).And(terms.Utilisation.From).And(terms.Availability.From));

    private static Sourced<double>? Margin(Sourced<UsdPerHour> revenue, Sourced<UsdPerHour> perGpu) =>
        Revenue.GrossMargin(revenue.Value, perGpu.Value) is { } margin
            ? new Sourced<double>(margin, revenue.From.And(perGpu.From))
            : null;
}
