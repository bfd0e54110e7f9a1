using System.Globalization;
using TokenFactory.Cli.Output;
using TokenFactory.Performance.Calibration;

namespace TokenFactory.Cli.Verbs;

/// <summary>Tables of what was chosen by prediction, and what was lost.</summary>
internal static class AccuracyChoiceTables
{
    /// <summary>Median regret and loss that may not be exceeded.</summary>
    public const double RegretFloor = 0.1;

    /// <summary>Median regret and loss that are aimed at.</summary>
    public const double RegretAim = 0.05;

    /// <summary>Share of choices among the true top three that is aimed at.</summary>
    public const double TopAim = 0.9;

    private const int Worst = 12;
    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    /// <summary>Every table, the judged one first.</summary>
    public static IReadOnlyList<Section> Of(AccuracyChoice choice) =>
    [
        Judged(choice), ByRule(choice), ByLimit(choice), ByDifference(choice), ByCell(choice), WorstOf(choice), Margins(choice),
    ];

    /// <summary>The table that choices are judged by.</summary>
    public static Section Judged(AccuracyChoice choice)
    {
        ChoiceGrade?[] grades = [ChoiceGrade.Of(choice.Sets, ChoiceRules.Predicted), ChoiceGrade.Of(choice.Narrow, ChoiceRules.Predicted)];
        return new Section(
            "choice",
            "What choosing by prediction loses",
            [
                Word("measure"), Number("floor"), Number("aim"),
                Number($"cells of {ChoiceGrade.FewestInCell} configurations or more"), Word("reaches"),
                Number("of these, choices among as many"), Word("it reaches"),
            ],
            [
                Row("regret, median", grade => grade.MedianRegret, RegretFloor, RegretAim),
                Row("loss, median", grade => grade.MedianLoss, RegretFloor, RegretAim),
                Row("choice keeps the limit and is among the true top three", grade => grade.TopThree, null, TopAim),
                Row("the same once it has fallen back within the limit", grade => grade.TopThreeKept),
                Row("regret, mean", grade => grade.MeanRegret),
                Row("loss, mean", grade => grade.MeanLoss),
                Row($"loses at most {Percent(ChoiceGrade.Small)}", grade => grade.Within),
                Row("breaks the limit", grade => grade.Breaks),
                Row($"breaks it by more than {Percent(ChoiceGrade.Far)}", grade => grade.BreaksFar),
                Row("says that nothing keeps the limit, though something does", grade => grade.Refused),
                Row("promises the limit where nothing measured keeps it", grade => grade.Impossible > 0 ? grade.PromisedAnyway : null),
                Row("predicted tokens/s/GPU of the choice against the best measured, apart by, median", grade => grade.PromiseError),
                Plain("the same, predicted / measured, median", grade => Ratio(grade.Promise)),
                Plain("choices", grade => AccuracyTables.Count(grade.Choices)),
                Plain("cells", grade => AccuracyTables.Count(grade.Cells)),
            ]);

        IReadOnlyList<Cell> Plain(string title, Func<ChoiceGrade, Cell> of) =>
            [Cell.Of(title), Cell.None, Cell.None, .. grades.SelectMany(grade => Alone(grade is null ? Cell.None : of(grade)))];

        IReadOnlyList<Cell> Row(string title, Func<ChoiceGrade, double?> of, double? floor = null, double? aim = null) =>
        [
            Cell.Of(title),
            floor is { } least ? AccuracyTables.Share(least) : Cell.None,
            aim is { } wanted ? AccuracyTables.Share(wanted) : Cell.None,
            .. grades.SelectMany(grade => grade is null || of(grade) is not { } share
                ? Alone(Cell.None)
                : [AccuracyTables.Share(share), aim is { } most ? Cell.Of(Reaches(share, floor, most)) : Cell.None]),
        ];

        static Cell[] Alone(Cell cell) => [cell, Cell.None];
    }

    /// <summary>What a share reaches; with a floor less is better, without one more.</summary>
    private static string Reaches(double share, double? floor, double aim) => floor is { } least
        ? share <= aim ? "aim" : share <= least ? "floor" : "neither"
        : share >= aim ? "aim" : "not the aim";

    private static Section ByRule(AccuracyChoice choice) => Graded(
        "choice_rules",
        "The same by who chooses",
        "chosen by",
        choice.Choosers().Select(chooser => (new[] { Cell.Of(chooser.Title) }, chooser.Grade)));

    private static Section ByLimit(AccuracyChoice choice) => Graded(
        "choice_limits",
        "By limit",
        "TPOT, ms",
        ChoiceGrade.Limits.Select(limit => (
            new[] { new Cell(limit, limit.ToString("0", Invariant)) },
            ChoiceGrade.Of([.. choice.Sets.Where(set => set.Limit == limit)], ChoiceRules.Predicted))));

    private static Section ByCell(AccuracyChoice choice) => Graded(
        "choice_cells",
        "By cell",
        "model, GPU",
        choice.Sets.GroupBy(set => set.Cell, StringComparer.Ordinal).Select(cell => (
            new[] { Cell.Of(cell.Key.Replace("|", ", ", StringComparison.Ordinal)) },
            ChoiceGrade.Of([.. cell], ChoiceRules.Predicted))));

    private static Section Graded(string key, string title, string of, IEnumerable<(Cell[] Name, ChoiceGrade? Grade)> grades) => new(
        key,
        title,
        [
            Word(of), Number("choices"), Number("regret, median"), Number("regret, mean"), Number("loss, median"), Number("loss, mean"),
            Number("top three"), Number("breaks limit"), Number($"by over {Percent(ChoiceGrade.Far)}"),
        ],
        [
            .. grades.Where(each => each.Grade is not null).Select(each => (IReadOnlyList<Cell>)
            [
                .. each.Name,
                AccuracyTables.Count(each.Grade!.Choices),
                AccuracyTables.Share(each.Grade.MedianRegret),
                AccuracyTables.Share(each.Grade.MeanRegret),
                AccuracyTables.Share(each.Grade.MedianLoss),
                AccuracyTables.Share(each.Grade.MeanLoss),
                AccuracyTables.Share(each.Grade.TopThree),
                AccuracyTables.Share(each.Grade.Breaks),
                AccuracyTables.Share(each.Grade.BreaksFar),
            ]),
        ]);

    /// <summary>Which decision differs from the best one's, and how much of all that is lost is lost there.</summary>
    private static Section ByDifference(AccuracyChoice choice)
    {
        var picks = Picks(choice);
        var all = picks.Sum(pick => pick.Loss);
        return new Section(
            "choice_differences",
            "Where the choice differs from the best measured one: the first of these that differs",
            [
                Word("differs in"), Number("choices"), Number("breaks limit"), Number("best was held to break it"), Number("loss, mean"),
                Number("of all that is lost"),
            ],
            [
                .. picks.GroupBy(pick => pick.Difference).OrderBy(group => group.Key).Select(group => (IReadOnlyList<Cell>)
                [
                    Cell.Of(Words(group.Key)),
                    AccuracyTables.Count(group.Count()),
                    AccuracyTables.Count(group.Count(pick => pick.Promised && !pick.Keeps)),
                    AccuracyTables.Count(group.Count(pick => pick.Set.Best!.PredictedTpot > pick.Set.Limit)),
                    AccuracyTables.Share(group.Average(pick => pick.Loss)),
                    AccuracyTables.Share(all > 0 ? group.Sum(pick => pick.Loss) / all : 0),
                ]),
            ]);
    }

    private static Section WorstOf(AccuracyChoice choice) => new(
        "choice_worst",
        $"The {Worst} choices with the largest regret",
        [
            Word("model, GPU"), Word("tokens in / out"), Number("limit, ms"),
            Word("chosen"), Number("TPOT"), Number("predicted"), Number("tok/s/GPU"), Number("predicted"),
            Word("best"), Number("TPOT"), Number("predicted"), Number("tok/s/GPU"), Number("predicted"),
        ],
        [
            .. Picks(choice).OrderByDescending(pick => pick.Regret).Take(Worst).Select(pick => (IReadOnlyList<Cell>)
            [
                Cell.Of(pick.Set.Cell.Replace("|", ", ", StringComparison.Ordinal)),
                Cell.Of(pick.Set.Workload),
                new Cell(pick.Set.Limit, pick.Set.Limit.ToString("0", Invariant)),
                .. Figures(pick.Candidate),
                .. Figures(pick.Set.Best!),
            ]),
        ]);

    /// <summary>How often promises with a margin are kept, on cells that neither fit nor band had seen.</summary>
    private static Section Margins(AccuracyChoice choice) => new(
        "choice_margins",
        "How often a promise with a margin is kept, on cells that neither the fit nor the error band had seen",
        [Number("confidence"), Number("TPOT rows"), Number("TPOT kept"), Number("TTFT rows"), Number("TTFT kept")],
        [
            .. AccuracyChoice.Confidences.Select(confidence => (IReadOnlyList<Cell>)
            [
                new Cell(confidence, Percent(confidence)),
                .. Covered(choice.Coverage(Metric.Tpot, confidence)),
                .. Covered(choice.Coverage(Metric.Ttft, confidence)),
            ]),
        ]);

    private static Cell[] Covered((int Rows, double Kept)? covered) => covered is { } of
        ? [AccuracyTables.Count(of.Rows), AccuracyTables.Share(of.Kept)]
        : [Cell.None, Cell.None];

    private static List<Pick> Picks(AccuracyChoice choice) =>
        [.. choice.Sets.Where(set => set.Best is not null).SelectMany(set => ChoiceRules.Predicted(set))];

    private static Cell[] Figures(Candidate candidate)
    {
        var c = candidate.Configuration;
        var mtp = c.Speculates ? ", MTP" : "";
        var how = $"{AccuracyTables.Engine(c.Engine)}, {c.Precision}, {c.Layout}{mtp}, {c.Concurrency.ToString("0", Invariant)} at once";
        return
        [
            Cell.Of(how),
            new Cell(candidate.Tpot, Spell.Number(candidate.Tpot)),
            double.IsFinite(candidate.PredictedTpot) ? new Cell(candidate.PredictedTpot, Spell.Number(candidate.PredictedTpot)) : Cell.None,
            new Cell(candidate.Tokens, Spell.Number(candidate.Tokens)),
            new Cell(candidate.PredictedTokens, Spell.Number(candidate.PredictedTokens)),
        ];
    }

    private static string Words(Difference difference) => difference switch
    {
        Difference.None => "nothing: it is the best",
        Difference.Pools => "aggregated or disaggregated",
        Difference.Speculation => "speculation",
        Difference.Engine => "engine",
        Difference.Precision => "precision",
        Difference.Layout => "parallelism, replicas, sizes of pools",
        _ => "requests at once only",
    };

    private static Column Word(string title) => new(title, title, Number: false);

    private static Column Number(string title) => new(title, title);

    private static Cell Ratio(double ratio) => new(Math.Round(ratio, 3), ratio.ToString("0.00", Invariant));

    private static string Percent(double share) => (share * 100).ToString("0", Invariant) + " %";
}
