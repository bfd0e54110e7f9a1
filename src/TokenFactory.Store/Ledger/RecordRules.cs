namespace TokenFactory.Store.Ledger;

/// <summary>What every record keeps to. A record that does not is its maker's mistake, and is refused before it is written.</summary>
internal static class RecordRules
{
    /// <summary>Refuses what is no record.</summary>
    /// <exception cref="ArgumentException">The record breaks a rule; the message says which.</exception>
    public static void Check(UsageRecord record)
    {
        Must(record.Id.Length > 0, record, "has no identity");
        var tokens = record.Tokens;
        Must((tokens.Fresh | tokens.Cached | tokens.Output | tokens.Reasoning) >= 0, record, "has negative tokens");
        Must(tokens.Reasoning <= tokens.Output, record, "has more tokens of reasoning than of output");
        Must(record.Charged.Value >= 0 && record.UsageCost.Value >= 0 && record.AllocationCost.Value >= 0, record, "has negative dollars");
        Must(record.Joules is >= 0 and < double.PositiveInfinity, record, "has joules that are no amount");
        Must(record.Attempts >= 1, record, "was never sent");
        Must(record.Outcome <= Outcome.Failed && record.TokensFrom <= TokensFrom.Estimated, record, "has no known outcome or counter");
    }

    /// <summary>Refuses what is no record.</summary>
    /// <exception cref="ArgumentException">The record breaks a rule; the message says which.</exception>
    public static void Check(MeterRecord meter)
    {
        Must(meter.To >= meter.From, meter, "ends before it begins");
        Must(meter.Paid.Value >= 0 && meter.Idle.Value >= 0, meter, "has negative dollars");
        var amounts = Amount(meter.Joules) && Amount(meter.IdleJoules) && Amount(meter.BusySeconds);
        Must(amounts, meter, "has joules or seconds that are no amount");

        static bool Amount(double value) => value is >= 0 and < double.PositiveInfinity;
    }

    private static void Must(bool holds, UsageRecord record, string otherwise)
    {
        if (!holds)
            throw new ArgumentException($"The usage record '{record.Id}' {otherwise}.");
    }

    private static void Must(bool holds, MeterRecord meter, string otherwise)
    {
        if (!holds)
            throw new ArgumentException($"The meter record of {meter.Replica} at {meter.From} {otherwise}.");
    }
}
