using TokenFactory.Units;

namespace TokenFactory.Catalog;

/// <summary>What is assumed about a site where the user says nothing; every figure names its source.</summary>
/// <param name="PueAir">PUE with air cooling.</param>
/// <param name="PueLiquid">PUE with direct liquid cooling.</param>
/// <param name="PlanningHeadroom">Power kept free when a site is filled.</param>
/// <param name="Electricity">Price of electricity.</param>
/// <param name="Hosting">Price of a contracted kilowatt of IT power and month.</param>
/// <param name="CostOfCapital">Weighted average cost of capital, per year (0.10 = 10 %).</param>
/// <param name="LifeYears">Years over which a GPU is written off.</param>
/// <param name="Residual">Share of the purchase price left at the end of its life.</param>
/// <param name="OpexPerGpuYear">Staff, repair and software, US dollars per GPU and year.</param>
/// <param name="Availability">Share of the hours in which a GPU can serve.</param>
/// <param name="AverageLoad">Average over peak power.</param>
/// <param name="Utilisation">Sold tokens over what the operating point could produce.</param>
/// <param name="HostShareOfTdp">Host and network power as a share of TDP where no chassis model exists.</param>
/// <param name="SpotMeanHours">Mean hours from start to preemption on spot.</param>
/// <param name="SpotRestartMinutes">Minutes to provision, load weights and warm up.</param>
/// <param name="SpotRequestSeconds">Seconds that a batch request takes.</param>
public sealed record SiteDefaults(
    Sourced<Pue> PueAir,
    Sourced<Pue> PueLiquid,
    Sourced<Fraction> PlanningHeadroom,
    Sourced<UsdPerKilowattHour> Electricity,
    Sourced<UsdPerKilowattMonth> Hosting,
    Sourced<Fraction> CostOfCapital,
    Sourced<double> LifeYears,
    Sourced<Fraction> Residual,
    Sourced<double> OpexPerGpuYear,
    Sourced<Fraction> Availability,
    Sourced<Fraction> AverageLoad,
    Sourced<Fraction> Utilisation,
    Sourced<double> HostShareOfTdp,
    Sourced<double> SpotMeanHours,
    Sourced<double> SpotRestartMinutes,
    Sourced<double> SpotRequestSeconds)
{
    /// <summary>PUE of the cooling that an accelerator usually has: liquid for rack-scale systems, else air.</summary>
    public Sourced<Pue> PueOf(Accelerator gpu) =>
        gpu.FormFactor?.StartsWith("rack", StringComparison.OrdinalIgnoreCase) == true ? PueLiquid : PueAir;

    /// <summary>Reads the entry; its mistakes are noted with the reader.</summary>
    public static SiteDefaults Read(EntryReader entry)
    {
        var defaults = new SiteDefaults(
            Ratio(entry, "pue_air"),
            Ratio(entry, "pue_liquid"),
            Share(entry, "planning_headroom"),
            entry.Number("usd_per_kwh").Select(v => new UsdPerKilowattHour(v)),
            entry.Number("hosting_usd_per_kw_month").Select(v => new UsdPerKilowattMonth(v)),
            Share(entry, "cost_of_capital_per_year"),
            entry.Number("life_years"),
            Share(entry, "residual_fraction"),
            entry.Number("opex_usd_per_gpu_year", 0),
            Share(entry, "availability"),
            Share(entry, "average_load_fraction"),
            Share(entry, "utilisation_default"),
            entry.Number("host_share_of_tdp", 0),
            entry.Number("spot_mean_hours_to_preemption"),
            entry.Number("spot_restart_minutes", 0),
            entry.Number("spot_request_seconds", 0));
        entry.RefuseUnknownKeys();
        return defaults;
    }

    private static Sourced<Fraction> Share(EntryReader entry, string key)
    {
        var number = entry.Number(key, 0);
        if (number.Value > 1)
            entry.Note(key, $"is {number.Value}", "Give a share from 0 to 1");
        return number.Select(v => new Fraction(Math.Min(v, 1)));
    }

    private static Sourced<Pue> Ratio(EntryReader entry, string key)
    {
        var number = entry.Number(key, 1);
        return number.Select(v => new Pue(Math.Max(v, 1)));
    }
}
