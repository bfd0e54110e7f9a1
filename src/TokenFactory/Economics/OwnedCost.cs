using TokenFactory.Units;

namespace TokenFactory.Economics;

/// <summary>What a GPU costs its owner.</summary>
public sealed record OwnedGpu
{
    /// <summary>Purchase price per GPU with its share of server and network, in US dollars.</summary>
    public required Usd Capital { get; init; }

    /// <summary>Cost of capital per year; 0.10 = 10 %. Zero is allowed.</summary>
    public required double CostOfCapital { get; init; }

    /// <summary>Years over which it is written off.</summary>
    public required double LifeYears { get; init; }

    /// <summary>Share of the purchase price left at the end.</summary>
    public required Fraction Residual { get; init; }

    /// <summary>IT power per GPU at full load.</summary>
    public required Watts ItPower { get; init; }

    /// <summary>Average over peak power.</summary>
    public required Fraction AverageLoad { get; init; }

    /// <summary>Facility over IT power.</summary>
    public required Pue Pue { get; init; }

    /// <summary>Electricity at the meter; zero where hosting includes it.</summary>
    public required UsdPerKilowattHour Electricity { get; init; }

    /// <summary>Contracted IT power per kilowatt and month; zero where the site is owned.</summary>
    public required UsdPerKilowattMonth Hosting { get; init; }

    /// <summary>Staff, repair and software per GPU and year, in US dollars.</summary>
    public required Usd OpexPerYear { get; init; }

    /// <summary>Share of the hours in which it can serve.</summary>
    public required Fraction Availability { get; init; }
}

/// <summary>A GPU-hour that can serve, by what it pays for.</summary>
/// <param name="Capital">Recovery of the purchase price less the residual value.</param>
/// <param name="Opex">Staff, repair and software.</param>
/// <param name="Hosting">Space and contracted power.</param>
/// <param name="Electricity">Energy at the meter.</param>
public readonly record struct OwnedHour(UsdPerHour Capital, UsdPerHour Opex, UsdPerHour Hosting, UsdPerHour Electricity)
{
    /// <summary>All of it.</summary>
    public UsdPerHour Total => Capital + Opex + Hosting + Electricity;
}

/// <summary>Owning against leasing the same GPU.</summary>
/// <param name="SavingPerHour">What owning saves per hour; negative where the lease is cheaper.</param>
/// <param name="CapitalAtParity">The purchase price at which both cost the same; zero where no price is low enough.</param>
public readonly record struct LeaseComparison(UsdPerHour SavingPerHour, Usd CapitalAtParity);

/// <summary>Levelised cost of an owned GPU-hour.</summary>
public static class OwnedCost
{
    /// <summary>Hours in a year of 365 days.</summary>
    public const double HoursPerYear = 8760;

    private const double MonthsPerYear = 12;
    private const double NoInterest = 1e-9;
    private const double WattsPerKilowatt = 1000;

    /// <summary>The yearly payment per dollar borrowed: i(1+i)^n / ((1+i)^n - 1), or 1/n without interest.</summary>
    public static double CapitalRecovery(double rate, double years)
    {
        if (rate < NoInterest)
            return 1 / years;
        var growth = Math.Pow(1 + rate, years);
        return rate * growth / (growth - 1);
    }

    /// <summary>The cost of an hour in which the GPU can serve.</summary>
    public static OwnedHour PerHour(OwnedGpu gpu)
    {
        var servingHours = HoursPerYear * gpu.Availability.Value;
        var kilowatts = gpu.ItPower.Value / WattsPerKilowatt;
        return new OwnedHour(
            new UsdPerHour((double)gpu.Capital.Value * CapitalFactor(gpu) / servingHours),
            new UsdPerHour((double)gpu.OpexPerYear.Value / servingHours),
            new UsdPerHour(gpu.Hosting.Value * kilowatts * MonthsPerYear / servingHours),
            gpu.ItPower * gpu.AverageLoad.Value * gpu.Pue * gpu.Electricity / gpu.Availability.Value);
    }

    /// <summary>Compares owning with a lease of the same hours.</summary>
    public static LeaseComparison AgainstLease(OwnedGpu gpu, UsdPerHour lease)
    {
        var hour = PerHour(gpu);
        var leftForCapital = lease - (hour.Total - hour.Capital);
        var parity = leftForCapital.Value * HoursPerYear * gpu.Availability.Value / CapitalFactor(gpu);
        return new LeaseComparison(lease - hour.Total, new Usd((decimal)Math.Max(0, parity)));
    }

    /// <summary>Yearly payment per dollar of purchase price, less what the residual value pays back.</summary>
    private static double CapitalFactor(OwnedGpu gpu) =>
        (1 - (gpu.Residual.Value / Math.Pow(1 + gpu.CostOfCapital, gpu.LifeYears))) * CapitalRecovery(gpu.CostOfCapital, gpu.LifeYears);
}
