using TokenFactory.Units;

namespace TokenFactory.Economics;

/// <summary>Where two ways to pay cost the same.</summary>
public static class BreakEven
{
    /// <summary>
    /// Utilisation above which self-hosting beats an API: usage-basis cost / API price. Above 1 means never.
    /// </summary>
    public static double SelfHostUtilisation(UsdPerMillionTokens usageCost, UsdPerMillionTokens api) => usageCost / api;

    /// <summary>Utilisation above which a commitment beats on-demand: reserved / on-demand price. Above 1 means never.</summary>
    public static double ReservedUtilisation(UsdPerHour reserved, UsdPerHour onDemand) => reserved / onDemand;

    /// <summary>
    /// The quantile of demand to commit to when all of it could run on demand: F(c*) = 1 - reserved / on-demand (newsvendor);
    /// 0 where the commitment is dearer.
    /// </summary>
    public static Fraction CommitmentQuantile(UsdPerHour reserved, UsdPerHour onDemand) =>
        new(Math.Clamp(1 - (reserved / onDemand), 0, 1));
}
