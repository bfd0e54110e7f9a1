using TokenFactory.Store.Ledger;
using TokenFactory.Units;

namespace TokenFactory.Store.Reports;

/// <summary>Sums over usage records of one group.</summary>
/// <param name="Group">Names of the group, one per dimension; none for all records.</param>
public sealed record UsageSum(IReadOnlyList<string> Group)
{
    /// <summary>Requests.</summary>
    public long Requests => Completed + Cancelled + Failed;

    /// <summary>Of them, those that were answered in full.</summary>
    public long Completed { get; init; }

    /// <summary>Of them, those whose client left.</summary>
    public long Cancelled { get; init; }

    /// <summary>Of them, those that the engine or the fleet failed.</summary>
    public long Failed { get; init; }

    /// <summary>Their tokens.</summary>
    public TokenCounts Tokens { get; init; }

    /// <summary>Of them, tokens of requests that were charged for.</summary>
    public TokenCounts ChargedTokens { get; init; }

    /// <summary>What tenants were charged.</summary>
    public Usd Charged { get; init; }

    /// <summary>Cost on the basis of busy time.</summary>
    public Usd UsageCost { get; init; }

    /// <summary>Cost on the basis of all paid time.</summary>
    public Usd AllocationCost { get; init; }

    /// <summary>Joules of the steps that worked for them.</summary>
    public double Joules { get; init; }

    /// <summary>Requests whose first token came.</summary>
    public long FirstTokens { get; init; }

    /// <summary>Seconds from arrival to the first token, summed over them.</summary>
    public double TtftSeconds { get; init; }

    /// <summary>Tokens after the first, and the seconds from the first to the last, summed over requests.</summary>
    public (long Tokens, double Seconds) Pace { get; init; }

    /// <summary>Charged less the cost of all paid time.</summary>
    public Usd Margin => Charged - AllocationCost;

    /// <summary>Joules per token of output; null where there is none.</summary>
    public double? JoulesPerOutputToken => Tokens.Output > 0 ? Joules / Tokens.Output : null;

    /// <summary>Dollars charged per million tokens of prompt and answer; null where there is none.</summary>
    public decimal? ChargedPerMillionTokens => PerMillion(Charged);

    /// <summary>Dollars of cost (all paid time) per million tokens of prompt and answer; null where there is none.</summary>
    public decimal? CostPerMillionTokens => PerMillion(AllocationCost);

    /// <summary>Mean seconds to the first token; null where none came.</summary>
    public double? MeanTtftSeconds => FirstTokens > 0 ? TtftSeconds / FirstTokens : null;

    /// <summary>Mean seconds per token after the first; null where there is none.</summary>
    public double? MeanTpotSeconds => Pace.Tokens > 0 ? Pace.Seconds / Pace.Tokens : null;

    private decimal? PerMillion(Usd amount) =>
        Tokens.Prompt + Tokens.Output is > 0 and var tokens ? amount.Value * 1_000_000m / tokens : null;
}

/// <summary>Sums over meter records of one group.</summary>
/// <param name="Group">Names of the group, one per dimension; none for all records.</param>
public sealed record MeterSum(IReadOnlyList<string> Group)
{
    /// <summary>Dollars for all of the time.</summary>
    public Usd Paid { get; init; }

    /// <summary>Of them, dollars of idle time.</summary>
    public Usd Idle { get; init; }

    /// <summary>Joules of all of the time.</summary>
    public double Joules { get; init; }

    /// <summary>Of them, joules of idle time.</summary>
    public double IdleJoules { get; init; }

    /// <summary>Seconds of all replicas.</summary>
    public double Seconds { get; init; }

    /// <summary>Of them, seconds in which at least one request was there.</summary>
    public double BusySeconds { get; init; }
}

/// <summary>How the times of one group spread.</summary>
/// <param name="Group">Names of the group, one per dimension; none for all records.</param>
/// <param name="Ttft">From arrival to the first token.</param>
/// <param name="Tpot">Per token after the first.</param>
public sealed record TimeSpread(IReadOnlyList<string> Group, Spread Ttft, Spread Tpot);
