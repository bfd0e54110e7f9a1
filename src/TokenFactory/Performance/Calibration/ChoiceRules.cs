namespace TokenFactory.Performance.Calibration;

/// <summary>Chooses from a set: one pick, or several that are equally likely.</summary>
/// <param name="set">What there is to choose from.</param>
public delegate IReadOnlyList<Pick> ChoiceRule(ChoiceSet set);

/// <summary>Ways to choose a configuration: by prediction, and what people do without one.</summary>
public static class ChoiceRules
{
    /// <summary>Factors on predicted times that <see cref="CrossValidated"/> chooses from.</summary>
    public static IReadOnlyList<double> Margins { get; } = [1, 1.05, 1.1, 1.15, 1.2, 1.25, 1.3, 1.4, 1.5];

    /// <summary>Takes predictions at their word.</summary>
    public static ChoiceRule Predicted { get; } = ByPrediction(_ => 1);

    /// <summary>Keeps the margin that each prediction's band asks for; none where there is no band.</summary>
    /// <param name="confidence">Share of limits to be kept, 0.01 to 0.99.</param>
    public static ChoiceRule Confident(double confidence) =>
        ByPrediction(candidate => candidate.Band is { } band ? PlanMargin.Factor(band, confidence) : 1);

    /// <summary>Keeps the same margin everywhere.</summary>
    /// <param name="factor">What predicted times are multiplied by.</param>
    public static ChoiceRule WithMargin(double factor) => ByPrediction(_ => factor);

    /// <summary>Keeps one margin for all, for each cell the one that would have lost least, on average, on all others.</summary>
    /// <param name="sets">What there is to choose from.</param>
    /// <returns>The rule, and the margin of each cell.</returns>
    public static (ChoiceRule Rule, IReadOnlyDictionary<string, double> Margins) CrossValidated(IReadOnlyList<ChoiceSet> sets)
    {
        var judged = sets.Where(set => set.Best is not null).ToList();
        var losses = Margins.Select(margin => (
            Margin: margin,
            ByCell: judged.ToLookup(set => set.Cell, set => WithMargin(margin)(set).Average(pick => pick.Loss), StringComparer.Ordinal)))
            .ToList();
        var margins = sets.Select(set => set.Cell).Distinct(StringComparer.Ordinal).ToDictionary(
            cell => cell,
            cell => losses.MinBy(each => each.ByCell.Where(other => other.Key != cell).Sum(other => other.Sum())).Margin,
            StringComparer.Ordinal);
        return (set => WithMargin(margins[set.Cell])(set), margins);
    }

    /// <summary>Most predicted tokens of those whose measured time keeps the limit: what wrong times cost.</summary>
    public static ChoiceRule KnowingTimes { get; } = set => set.Keeping.Count > 0
        ? [new Pick(set, set.Keeping.MaxBy(candidate => candidate.PredictedTokens)!, true)]
        : [new Pick(set, set.Candidates.MinBy(candidate => candidate.Tpot)!, false)];

    /// <summary>Most requests at once per GPU, whatever the limit.</summary>
    public static ChoiceRule Fullest { get; } = set =>
    {
        var most = set.Candidates.Max(PerGpu);
        return [.. set.Candidates.Where(candidate => PerGpu(candidate) == most).Select(candidate => new Pick(set, candidate, true))];

        static double PerGpu(Candidate candidate) => candidate.Configuration.Concurrency / candidate.Configuration.Gpus;
    };

    /// <summary>
    /// The deployment that people measured most often, tried at every concurrency that they measured, and run at the best: what testing
    /// what is usual finds.
    /// </summary>
    public static ChoiceRule TestedUsual { get; } = set =>
    {
        var deployments = set.Candidates.GroupBy(candidate => candidate.Configuration.Deployment()).ToList();
        var most = deployments.Max(deployment => deployment.Count());
        return [.. deployments.Where(deployment => deployment.Count() == most).Select(Tried)];

        Pick Tried(IEnumerable<Candidate> deployment) =>
            deployment.Where(candidate => candidate.Tpot <= set.Limit).MaxBy(candidate => candidate.Tokens) is { } best
                ? new Pick(set, best, true)
                : new Pick(set, deployment.MinBy(candidate => candidate.Tpot)!, false);
    };

    /// <summary>Any, as likely as every other.</summary>
    public static ChoiceRule AtRandom { get; } = set => [.. set.Candidates.Select(candidate => new Pick(set, candidate, true))];

    /// <summary>
    /// Most predicted tokens per second and GPU, of those whose predicted time, with its margin, keeps the limit. Where none does, the one
    /// that comes nearest, as the one to ask a wider limit for.
    /// </summary>
    private static ChoiceRule ByPrediction(Func<Candidate, double> margin) => set =>
    {
        var sure = set.Candidates.Where(candidate => candidate.PredictedTpot * margin(candidate) <= set.Limit).ToList();
        return sure.Count > 0
            ? [new Pick(set, sure.OrderByDescending(each => each.PredictedTokens).ThenBy(each => each.PredictedTpot).First(), true)]
            : [new Pick(set, set.Candidates.MinBy(candidate => candidate.PredictedTpot * margin(candidate))!, false)];
    };
}
