using TokenFactory.Units;

namespace TokenFactory.Economics;

/// <summary>A stream of tokens that is sold.</summary>
/// <param name="PerGpu">Tokens per second and GPU at full use.</param>
/// <param name="Price">What a million of them sells for.</param>
public readonly record struct SoldTokens(TokensPerSecond PerGpu, UsdPerMillionTokens Price);

/// <summary>What a GPU-hour, a megawatt-year or a gigawatt-year takes in and costs, in US dollars of that span.</summary>
/// <param name="Revenue">Taken in.</param>
/// <param name="Cost">Paid.</param>
public readonly record struct Earnings(Usd Revenue, Usd Cost)
{
    /// <summary>Revenue less cost.</summary>
    public Usd Profit => Revenue - Cost;

    /// <summary>Profit over revenue; null where nothing is taken in.</summary>
    public double? GrossMargin => Revenue.Value == 0 ? null : (double)(Profit.Value / Revenue.Value);
}

/// <summary>Revenue, margin and payback. Availability and utilisation scale revenue, never cost.</summary>
public static class Revenue
{
    private static readonly TimeSpan Year = TimeSpan.FromHours(OwnedCost.HoursPerYear);

    /// <summary>Revenue of a GPU-hour: sum of tokens per hour x price, times utilisation and availability.</summary>
    public static UsdPerHour PerGpuHour(IEnumerable<SoldTokens> streams, Fraction utilisation, Fraction availability) =>
        new(streams.Sum(stream => (stream.PerGpu * stream.Price).Value) * utilisation.Value * availability.Value);

    /// <summary>Gross margin of a GPU-hour: 1 - cost / revenue; null where nothing is taken in.</summary>
    public static double? GrossMargin(UsdPerHour revenue, UsdPerHour cost) => revenue.Value > 0 ? 1 - (cost / revenue) : null;

    /// <summary>GPU-hours in a year of site power: site / facility power per GPU x 8760.</summary>
    public static double GpuHoursPerYear(Watts site, Watts facilityPerGpu) => site / facilityPerGpu * OwnedCost.HoursPerYear;

    /// <summary>What a year of site power takes in and costs.</summary>
    /// <param name="revenuePerGpuHour">Utilisation and availability already in it.</param>
    /// <param name="costPerGpuHour">Paid for every hour.</param>
    /// <param name="site">Power at the meter: a megawatt, a gigawatt.</param>
    /// <param name="facilityPerGpu">Power per GPU at the meter.</param>
    public static Earnings PerYear(UsdPerHour revenuePerGpuHour, UsdPerHour costPerGpuHour, Watts site, Watts facilityPerGpu)
    {
        var gpus = (decimal)(site / facilityPerGpu);
        return new Earnings(revenuePerGpuHour * Year * gpus, costPerGpuHour * Year * gpus);
    }

    /// <summary>Years until what a GPU earns above its running cost has paid for it; null where it never does.</summary>
    /// <param name="capital">Purchase price per GPU.</param>
    /// <param name="revenuePerHour">Revenue of a GPU-hour, utilisation and availability in it.</param>
    /// <param name="runningPerHour">What the hour costs without capital.</param>
    public static double? PaybackYears(Usd capital, UsdPerHour revenuePerHour, UsdPerHour runningPerHour)
    {
        var perYear = (revenuePerHour - runningPerHour) * OwnedCost.HoursPerYear;
        return perYear.Value > 0 ? (double)capital.Value / perYear.Value : null;
    }

    /// <summary>Profit after a licence fee that is a share of revenue.</summary>
    public static Usd ProfitAfterLicence(Earnings earnings, Fraction licence) =>
        earnings.Profit - (earnings.Revenue * (decimal)licence.Value);

    /// <summary>Availability from the mean time between interruptions and the time to recover: m / (m + d).</summary>
    public static Fraction Availability(TimeSpan betweenInterruptions, TimeSpan recovery) =>
        new(betweenInterruptions / (betweenInterruptions + recovery));
}
