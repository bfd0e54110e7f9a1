using TokenFactory.Units;

namespace TokenFactory.Store.Sql;

/// <summary>Dollars as whole billionths, as they are kept: sums of integers do not depend on their order.</summary>
internal static class Money
{
    private const decimal NanosPerDollar = 1_000_000_000m;

    /// <summary>Billionths of a dollar, to the nearest; overflows beyond nine billion dollars.</summary>
    public static long Nanos(Usd amount) =>
        decimal.ToInt64(decimal.Round(amount.Value * NanosPerDollar, MidpointRounding.AwayFromZero));

    /// <summary>The dollars of so many billionths.</summary>
    public static Usd Dollars(long nanos) => new(nanos / NanosPerDollar);
}
