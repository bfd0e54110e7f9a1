namespace TokenFactory.Performance.Calibration;

/// <summary>A configuration chosen from a set of which at least one keeps the limit.</summary>
/// <param name="Set">What there was to choose from.</param>
/// <param name="Candidate">What was chosen.</param>
/// <param name="Promised">Whether it was chosen to keep the limit; else as the nearest to it, by who holds that none does.</param>
public sealed record Pick(ChoiceSet Set, Candidate Candidate, bool Promised)
{
    /// <summary>Share of the best measured throughput that the choice's own lacks, whether or not it keeps the limit.</summary>
    public double Regret => Set.Best is { } best ? Math.Max(0, 1 - (Candidate.Tokens / best.Tokens)) : 0;

    /// <summary>
    /// What is left of the choice once the limit is kept: itself, or its deployment at the best lower concurrency that was measured and
    /// keeps it. Null where there is none, and where it was said that none would.
    /// </summary>
    public Candidate? Kept => !Promised ? null : Keeps ? Candidate : Set.Keeping.FirstOrDefault(other =>
        other.Configuration.Concurrency < Candidate.Configuration.Concurrency
        && other.Configuration.Deployment() == Candidate.Configuration.Deployment());

    /// <summary>Share of the best measured throughput that is lost once the limit is kept; all of it where nothing is left.</summary>
    public double Loss => Kept is { } kept && Set.Best is { } best ? 1 - (kept.Tokens / best.Tokens) : 1;

    /// <summary>Whether the measured time keeps the limit.</summary>
    public bool Keeps => Candidate.Tpot <= Set.Limit;

    /// <summary>How far the measured time lies over the limit, a share of it; negative within.</summary>
    public double Excess => (Candidate.Tpot / Set.Limit) - 1;

    /// <summary>What sets the choice apart from the best, the first of the decisions that a fleet is set up by.</summary>
    public Difference Difference
    {
        get
        {
            var (mine, best) = (Candidate.Configuration, (Set.Best ?? Candidate).Configuration);
            return mine == best ? Difference.None
                : mine.Disaggregated != best.Disaggregated ? Difference.Pools
                : mine.Speculates != best.Speculates ? Difference.Speculation
                : mine.Engine != best.Engine ? Difference.Engine
                : mine.Precision != best.Precision ? Difference.Precision
                : mine.Deployment() != best.Deployment() ? Difference.Layout
                : Difference.Concurrency;
        }
    }

    /// <summary>Whether a candidate keeps the limit and fewer than <paramref name="top"/> that do make more tokens.</summary>
    public bool IsAmong(int top, Candidate? candidate) => candidate is not null && candidate.Tpot <= Set.Limit
        && (Set.Keeping.Count <= top || candidate.Tokens >= Set.Keeping[top - 1].Tokens);
}

/// <summary>What sets a choice apart from the best one: the first that differs, in this order.</summary>
public enum Difference
{
    /// <summary>Nothing: it is the best.</summary>
    None,

    /// <summary>One computes prompts in a pool of its own, the other does not.</summary>
    Pools,

    /// <summary>One speculates, the other does not.</summary>
    Speculation,

    /// <summary>The engine.</summary>
    Engine,

    /// <summary>The formats of weights or KV cache.</summary>
    Precision,

    /// <summary>Parallelism, replicas or the size of pools.</summary>
    Layout,

    /// <summary>Only the requests at once.</summary>
    Concurrency,
}

/// <summary>
/// How good choices are: of the configurations that were measured, which would a rule have run, and what would have been lost. The figures
/// are means over choices, unless they say median; of equally likely choices the mean counts as one.
/// </summary>
/// <param name="Choices">Sets of which at least one configuration keeps the limit.</param>
/// <param name="Cells">Cells that they come from.</param>
/// <param name="MedianRegret">Median <see cref="Pick.Regret"/>.</param>
/// <param name="MeanRegret">Mean regret.</param>
/// <param name="MedianLoss">Median <see cref="Pick.Loss"/>.</param>
/// <param name="MeanLoss">Mean loss.</param>
/// <param name="Within">Share with a loss of at most <see cref="Small"/>.</param>
/// <param name="TopThree">Share of choices that were to keep the limit, do, and that at most two others beat.</param>
/// <param name="TopThreeKept">The same of what is left once the limit is kept.</param>
/// <param name="Breaks">Share that break the limit although they were to keep it.</param>
/// <param name="BreaksFar">Share that do by more than <see cref="Far"/>.</param>
/// <param name="Refused">Share where none was held to keep it.</param>
/// <param name="Promise">Median of predicted throughput of the choice over the best measured one; above 1 promises too much.</param>
/// <param name="PromiseError">Median of how far the two are apart, a share of the measured one.</param>
/// <param name="Impossible">Sets of which nothing measured keeps the limit.</param>
/// <param name="PromisedAnyway">Share of those where something was held to keep it.</param>
public sealed record ChoiceGrade(
    int Choices,
    int Cells,
    double MedianRegret,
    double MeanRegret,
    double MedianLoss,
    double MeanLoss,
    double Within,
    double TopThree,
    double TopThreeKept,
    double Breaks,
    double BreaksFar,
    double Refused,
    double Promise,
    double PromiseError,
    int Impossible,
    double PromisedAnyway)
{
    /// <summary>A cell must have this many configurations to be judged.</summary>
    public const int FewestInCell = 8;

    /// <summary>A loss that hardly matters beside what engines differ by from one month to the next.</summary>
    public const double Small = 0.1;

    /// <summary>An excess over the limit that users notice.</summary>
    public const double Far = 0.05;

    /// <summary>Choices of which this many are looked at.</summary>
    private const int Top = 3;

    /// <summary>Limits on the time per output token, in ms: 50, 33, 20 and 10 tokens per second and user.</summary>
    public static IReadOnlyList<double> Limits { get; } = [20, 30, 50, 100];

    /// <summary>The grade of a rule; null where no set can be judged.</summary>
    public static ChoiceGrade? Of(IReadOnlyList<ChoiceSet> sets, ChoiceRule rule)
    {
        var judged = sets.Where(set => set.Best is not null).Select(set => rule(set)).ToList();
        if (judged.Count == 0)
            return null;
        var impossible = sets.Where(set => set.Best is null).Select(set => rule(set)).ToList();
        double[] promises = [.. judged.SelectMany(choices => choices).Where(choice => choice.Promised)
            .Select(choice => choice.Candidate.PredictedTokens / choice.Set.Best!.Tokens)];
        return new ChoiceGrade(
            judged.Count,
            judged.Select(choices => choices[0].Set.Cell).Distinct(StringComparer.Ordinal).Count(),
            Median(choice => choice.Regret),
            Mean(choice => choice.Regret),
            Median(choice => choice.Loss),
            Mean(choice => choice.Loss),
            Share(choice => choice.Loss <= Small),
            Share(choice => choice.Promised && choice.IsAmong(Top, choice.Candidate)),
            Share(choice => choice.IsAmong(Top, choice.Kept)),
            Share(choice => choice.Promised && !choice.Keeps),
            Share(choice => choice.Promised && choice.Excess > Far),
            Share(choice => !choice.Promised),
            promises.Length > 0 ? Corrections.Median([.. promises]) : 0,
            promises.Length > 0 ? Corrections.Median([.. promises.Select(ratio => Math.Abs(ratio - 1))]) : 0,
            impossible.Count,
            impossible.Count > 0 ? impossible.Average(choices => choices.Average(choice => choice.Promised ? 1.0 : 0)) : 0);

        double Median(Func<Pick, double> of) => Corrections.Median([.. judged.Select(choices => choices.Average(of))]);

        double Mean(Func<Pick, double> of) => judged.Average(choices => choices.Average(of));

        double Share(Func<Pick, bool> holds) => Mean(choice => holds(choice) ? 1 : 0);
    }
}
