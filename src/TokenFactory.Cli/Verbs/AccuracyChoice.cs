using System.Collections.Concurrent;
using TokenFactory.Performance.Calibration;
using TokenFactory.Performance.SteadyState;

namespace TokenFactory.Cli.Verbs;

/// <summary>Who chooses, from what.</summary>
/// <param name="Title">Who, in words.</param>
/// <param name="Sets">What there is to choose from, with the predictions that the rule sees.</param>
/// <param name="Rule">How it chooses.</param>
internal sealed record Chooser(string Title, IReadOnlyList<ChoiceSet> Sets, ChoiceRule Rule)
{
    /// <summary>The grade; null where nothing can be judged.</summary>
    public ChoiceGrade? Grade => ChoiceGrade.Of(Sets, Rule);
}

/// <summary>Measured configurations as a planner would choose between them, blind; and what was lost.</summary>
internal sealed class AccuracyChoice
{
    /// <summary>Confidences that margins are shown for.</summary>
    public static IReadOnlyList<double> Confidences { get; } = [0.5, 0.75, 0.9, 0.95];

    private readonly ConcurrentDictionary<string, IReadOnlyList<ErrorBand>> _bands = new(StringComparer.Ordinal);
    private readonly Func<string, IReadOnlyList<ErrorBand>> _without;
    private readonly CalibrateRun _run;
    private readonly IReadOnlyList<Candidate> _candidates;

    private AccuracyChoice(CalibrateRun run)
    {
        _run = run;
        _without = ErrorBands.Without(run.Blind);
        Parallel.ForEach(run.Cells, CalibrateInput.Bounded, cell => Bands(cell));
        _candidates = Candidate.Of(run.Blind, Bands);
        Sets = Wide(_candidates);
        Narrow = ChoiceSet.Of(_candidates, ChoiceGrade.Limits, ChoiceGrade.FewestInCell, ChoiceGrade.FewestInCell);
    }

    /// <summary>Every choice of cells with enough configurations.</summary>
    public IReadOnlyList<ChoiceSet> Sets { get; }

    /// <summary>Those with enough configurations to choose between.</summary>
    public IReadOnlyList<ChoiceSet> Narrow { get; }

    /// <summary>The choices of a run; null where it left out no cell, or where none has enough configurations.</summary>
    public static AccuracyChoice? Of(CalibrateRun run)
    {
        var choice = run.Cells.Count > 0 ? new AccuracyChoice(run) : null;
        return choice?.Sets.Any(set => set.Best is not null) == true ? choice : null;
    }

    /// <summary>The part of a page that tells them.</summary>
    public string Page() => AccuracyPage.Text([Meaning()], AccuracyChoiceTables.Of(this));

    /// <summary>The predictions of this program, and everything that they are compared with.</summary>
    public IReadOnlyList<Chooser> Choosers()
    {
        var physics = new Predictor(CalibrationSet.Prior);
        var alone = _run.Blind.AsParallel().AsOrdered()
            .Select(outcome => outcome with { Prediction = physics.Predict(outcome.Sample.Prepared) });
        var implied = Candidate.Of(_run.Blind, implied: true);
        var (common, margins) = ChoiceRules.CrossValidated(Sets);
        var usual = AccuracyTables.Share(margins.Values.GroupBy(margin => margin).MaxBy(same => same.Count())!.Key - 1).Text;
        return
        [
            new("our prediction at its word", Sets, ChoiceRules.Predicted),
            .. Seen(_run.Gpus, "the same, with nothing seen of the GPU"),
            .. Seen(_run.Models, "the same, with nothing seen of the model"),
            new("the same, with rows whose tokens/s follow from measured times", Wide(implied), ChoiceRules.Predicted),
            new($"with one margin for all, the best on the other cells (mostly {usual})", Sets, common),
            new("with the margin of each prediction's band, 75 % confidence", Sets, ChoiceRules.Confident(0.75)),
            new("the same, 90 %", Sets, ChoiceRules.Confident(0.9)),
            new("our closed form with nothing fitted to serving", Wide(Candidate.Of(alone)), ChoiceRules.Predicted),
            new("most requests per GPU, whatever the limit", Sets, ChoiceRules.Fullest),
            new("the most measured deployment, tried at all its concurrencies", Sets, ChoiceRules.TestedUsual),
            new("any", Sets, ChoiceRules.AtRandom),
            new("not blind: who keeps the limit is known, tokens/s predicted", Sets, ChoiceRules.KnowingTimes),
            new("not blind: each deployment's median errors are known", Wide(Candidate.Unbiased(_candidates)), ChoiceRules.Predicted),
        ];

        static IEnumerable<Chooser> Seen(IReadOnlyList<Outcome> outcomes, string title) =>
            outcomes.Count > 0 ? [new(title, Wide(Candidate.Of(outcomes)), ChoiceRules.Predicted)] : [];
    }

    /// <summary>How often measured times stayed below predicted ones with their margin, of closed loops, blind.</summary>
    public (int Rows, double Kept)? Coverage(Metric metric, double confidence)
    {
        var rows = _run.Blind.Where(outcome => outcome.Sample.Counts && outcome.Sample.Load.Arrival == Arrival.ClosedLoop)
            .SelectMany(outcome => ErrorBands.Errors(outcome)
                .Where(error => error.Metric == metric)
                .Select(error => (error.Ratio, Band: ErrorBands.Find(Bands(outcome.Sample.Cell), metric, outcome.Sample.Prepared))))
            .Where(row => row.Band is not null)
            .ToList();
        return rows.Count == 0
            ? null
            : (rows.Count, rows.Average(row => 1 / row.Ratio <= PlanMargin.Factor(row.Band!, confidence) ? 1.0 : 0));
    }

    private static IReadOnlyList<ChoiceSet> Wide(IReadOnlyList<Candidate> candidates) =>
        ChoiceSet.Of(candidates, ChoiceGrade.Limits, ChoiceGrade.FewestInCell);

    private IReadOnlyList<ErrorBand> Bands(string cell) => _bands.GetOrAdd(cell, _without);

    private string Meaning()
    {
        var grade = ChoiceGrade.Of(Sets, ChoiceRules.Predicted)!;
        var limits = string.Join(", ", ChoiceGrade.Limits.SkipLast(1).Select(limit => $"{limit:0}"));
        return $"What a planner would have chosen: in every cell with at least {ChoiceGrade.FewestInCell} measured configurations, and "
            + "for each pair of lengths with two or more, the configuration with most tokens/s/GPU by a prediction that had not seen the "
            + $"cell, of those that it expects to keep a limit on the time per output token ({limits} or {ChoiceGrade.Limits[^1]:0} ms). "
            + "What was measured judges it. A configuration is the engine, the formats of weights and KV cache, "
            + "parallelism, replicas, the sizes of both pools, speculation and the requests at once; repeated runs of one "
            + "count once, by their medians, as no prediction tells them apart. Only runs with measured times "
            + "and throughput count; where requests arrive at a rate, throughput is asked for and not chosen.\n\n"
            + "Regret is the share of the best measured throughput within the limit that the measured throughput of the choice lacks; "
            + "a choice that makes more by breaking the limit has none. Loss is stricter: a choice that breaks the limit falls back "
            + "to the best lower concurrency of the same deployment that was measured and keeps it, and everything is lost where "
            + "there is none, or where the prediction says that nothing keeps the limit. In "
            + $"{grade.Choices:N0} choices of {grade.Cells} cells something measured keeps the limit; in {grade.Impossible:N0} nothing "
            + "does, and they only tell how often a prediction promises it nevertheless. Choices of one cell resemble each other.";
    }
}
