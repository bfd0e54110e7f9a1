using System.Globalization;
using TokenFactory.Cli.Output;
using TokenFactory.Performance.Calibration;

namespace TokenFactory.Cli.Verbs;

/// <summary>Answers calibrate --from.</summary>
internal static class CalibrateReport
{
    /// <summary>The report of a run.</summary>
    /// <param name="run">The run.</param>
    /// <param name="written">Files that were written; empty for none.</param>
    public static Report Of(CalibrateRun run, IReadOnlyList<string> written)
    {
        var sections = new List<Section>();
        if (run.Before is { } before && run.Cells.Count > 0)
            sections.Add(Change(before, run.Blind));
        sections.AddRange(AccuracyTables.Of(run));
        sections.Add(Aside(run.Set));
        sections.Add(Unused(run.Input));
        if (run.Identification is { } known)
        {
            sections.Add(Small(known));
            sections.Add(Findings(known));
        }

        return new Report("calibrate", Answer(run, written), sections, Notes(run));
    }

    /// <summary>What the tables of errors mean, in sentences; also the head of the page.</summary>
    public static string Meaning(CalibrateRun run)
    {
        var figures = Grades.Figures(run.Blind);
        var misfits = run.Blind.Count(outcome => !outcome.Prediction.Fits);
        var missed = misfits == 0
            ? "All deployments fit their memory by our model."
            : $"{misfits:N0} rows do not fit their memory by our model and count as wrong by 100 %.";
        return $"{run.Blind.Count:N0} rows of {run.Cells.Count} cells (a model on a GPU), {figures.Count:N0} figures after those that two "
            + "collections report of the same run count once. Each cell was predicted by a fit that had not seen it. An error is "
            + $"|predicted / measured - 1|, of a group its median unless it says mean. {missed} A ratio is the median of predicted over "
            + "measured. MLPerf, whose input lengths are not published, has lines of its own.";
    }

    /// <summary>The part of a page that tells the errors.</summary>
    public static string Page(CalibrateRun run) => AccuracyPage.Text(
        [Meaning(run)],
        [
            .. AccuracyTables.Of(run), Aside(run.Set), Unused(run.Input),
            .. run.Identification is { } known ? [Small(known), Findings(known)] : Array.Empty<Section>(),
        ]);

    private static List<string> Answer(CalibrateRun run, IReadOnlyList<string> written)
    {
        var cells = CrossValidation.Groups([.. run.Input.Samples.Where(Grades.Named)], LeftOut.Cell).Count;
        var how = run.Keeps
            ? "started from the catalog's factors and fitted corrections to them"
            : "fitted every factor anew";
        var answer = new List<string>
        {
            $"{run.Input.Samples.Count:N0} of {run.Input.Rows:N0} rows can be used, from {cells} {(cells == 1 ? "cell" : "cells")} "
            + $"(a model on a GPU); {how}.",
        };
        if (run.Cells.Count == 0)
        {
            answer.Add(
                "There is only one cell, so none can be held out: nothing tells how wrong the result is on another model or GPU, and no "
                + "error bands are written.");
        }
        else
        {
            answer.AddRange(InShort(run));
        }

        answer.Add(written.Count == 0
            ? "Nothing was written: name a folder with --out, such as mycatalog/calibration, and use it with --catalog mycatalog."
            : $"Written: {string.Join(", ", written)}.");
        return answer;
    }

    private static readonly (Metric Metric, string Name)[] Measures =
        [(Metric.Tpot, "TPOT"), (Metric.Ttft, "mean TTFT"), (Metric.Tokens, "tokens/s"), (Metric.Watts, "watts per GPU")];

    private static IEnumerable<string> InShort(CalibrateRun run)
    {
        var figures = Grades.Figures(run.Blind);
        var parts = Measures
            .Select(each => (each.Name, Grade: Grades.Of(figures.Where(figure => figure.Metric == each.Metric))))
            .Where(each => each.Grade is not null)
            .Select(each => $"{each.Name} by {AccuracyTables.Share(each.Grade!.Median).Text}")
            .ToList();
        if (parts.Count > 0)
            yield return $"On cells that the fit had not seen it is wrong (median) in {string.Join(", ", parts)}.";
    }

    private static Section Change(IReadOnlyList<Outcome> before, IReadOnlyList<Outcome> blind)
    {
        var (then, now) = (Grades.Figures(before), Grades.Figures(blind));
        return new Section(
            "change", "What the measurements change",
            [
                new Column("metric", "metric", Number: false),
                new Column("rows", "rows"),
                new Column("catalog_median_error", "the catalog's calibration"),
                new Column("catalog_ratio", "ratio"),
                new Column("blind_median_error", "corrected, cell not seen"),
                new Column("blind_ratio", "ratio"),
            ],
            [
                .. Measures
                    .Select(each => (each.Name, Then: Grade(then, each.Metric), Now: Grade(now, each.Metric)))
                    .Where(each => each.Then is not null && each.Now is not null)
                    .Select(each => (IReadOnlyList<Cell>)
                    [
                        Cell.Of(each.Name),
                        AccuracyTables.Count(each.Now!.Rows),
                        AccuracyTables.Share(each.Then!.Median),
                        Ratio(each.Then),
                        AccuracyTables.Share(each.Now.Median),
                        Ratio(each.Now),
                    ]),
            ]);

        static Grade? Grade(IReadOnlyList<Figure> figures, Metric metric) => Grades.Of(figures.Where(figure => figure.Metric == metric));

        static Cell Ratio(Grade grade) => new(Math.Round(grade.Ratio, 3), Spell.Number(Math.Round(grade.Ratio, 2)));
    }

    /// <summary>How far off is taken for something else, in times: "2.5".</summary>
    public static string FarOff { get; } = Math.Exp(Corrections.Another).ToString("0.0", CultureInfo.InvariantCulture);

    /// <summary>What the fit did not look at, by what was measured.</summary>
    public static IEnumerable<(string Name, IReadOnlyList<SetAside> Groups)> SetAside(CalibrationSet set) =>
    [
        ("TPOT", [.. set.Times.SetAside, .. set.Variants.SetAside]),
        ("tokens/s offline", set.Offline.SetAside),
        ("mean TTFT", set.FirstTokenTimes.SetAside),
        ("watts per GPU", set.Watts.SetAside),
    ];

    private static Section Aside(CalibrationSet set) => new(
        "set_aside",
        $"Taken for something else than their labels say, as they are off by more than {FarOff} times: no correction follows them",
        [
            new Column("model", "model", Number: false),
            new Column("gpu", "gpu", Number: false),
            new Column("engine", "engine", Number: false),
            new Column("bits", "weight bits", 1),
            new Column("metric", "metric", Number: false),
            new Column("rows", "rows"),
            new Column("ratio", "measured / fitted"),
        ],
        [
            .. SetAside(set).SelectMany(metric => metric.Groups
                .GroupBy(group => (group.Traits.Model, group.Traits.Gpu, group.Traits.Engine, group.Traits.Bits))
                .Select(groups => (groups.Key, Rows: groups.Sum(group => group.Rows), groups.MaxBy(group => group.Rows)!.Ratio))
                .OrderByDescending(group => group.Rows)
                .ThenBy(group => group.Key.ToString(), StringComparer.Ordinal)
                .Select(group => (IReadOnlyList<Cell>)
                [
                    Cell.Of(group.Key.Model),
                    Cell.Of(group.Key.Gpu),
                    Cell.Of(AccuracyTables.Engine(group.Key.Engine)),
                    Cell.Of(group.Key.Bits),
                    Cell.Of(metric.Name),
                    AccuracyTables.Count(group.Rows),
                    new Cell(group.Ratio, Spell.Number(Math.Round(group.Ratio, 2))),
                ])),
        ]);

    private static Section Unused(CalibrateInput input) => new(
        "unused", "Rows that are not used",
        [new Column("reason", "reason", Number: false), new Column("rows", "rows"), new Column("first", "first", Number: false)],
        [
            .. input.Unused.GroupBy(row => row.Reason, StringComparer.Ordinal)
                .OrderByDescending(group => group.Count())
                .ThenBy(group => group.Key, StringComparer.Ordinal)
                .Select(group => (IReadOnlyList<Cell>)
                    [Cell.Of(group.Key), AccuracyTables.Count(group.Count()), Cell.Of(group.First().RowId)]),
        ]);

    private static Section Small(Identification known) => new(
        "small_groups", $"Too few rows for factors of their own (fewer than {Calibrator.FewestRows}): the common ones serve",
        [new Column("table", "table", Number: false), new Column("group", "group", Number: false), new Column("rows", "rows")],
        [
            .. known.SmallGroups.Select(group => (IReadOnlyList<Cell>)
                [Cell.Of(group.Table), Cell.Of(Named(group.Group)), AccuracyTables.Count(group.Rows)]),
        ]);

    private static Section Findings(Identification known) => new(
        "not_identified", "Factors that the rows do not identify",
        [
            new Column("table", "table", Number: false),
            new Column("group", "group", Number: false),
            new Column("standing", "standing", Number: false),
            new Column("terms", "terms", Number: false),
        ],
        [
            .. known.Findings.GroupBy(finding => (finding.Table, finding.Group, finding.Standing))
                .Select(group => (IReadOnlyList<Cell>)
                [
                    Cell.Of(group.Key.Table),
                    Cell.Of(Named(group.Key.Group)),
                    Cell.Of(Word(group.Key.Standing)),
                    Cell.Of(string.Join(", ", group.Select(finding => finding.Term))),
                ]),
        ],
        2);

    private static string Named(string group) => group switch
    {
        "*" or CalibrationSet.AnyStack => "all",
        _ when group.StartsWith('|') => "engine not recorded, " + group[1..],
        _ => group.Replace("|", ", ", StringComparison.Ordinal),
    };

    private static string Word(Standing standing) => standing switch
    {
        Standing.Unseen => "in no row: stays as assumed",
        Standing.Undecided => "not told from others: held at the common one",
        Standing.AtZero => "at zero",
        _ => "at the largest allowed",
    };

    private static List<string> Notes(CalibrateRun run)
    {
        var notes = new List<string>();
        if (run.Cells.Count > 0)
            notes.Add(Meaning(run));
        if (run.Keeps)
        {
            notes.Add(
                $"Fewer than {CalibrateRun.EnoughRows} usable rows or {CalibrateRun.EnoughCells} cells do not tell what each part of a "
                + $"step costs, so the "
                + "fit starts from the catalog's factors, moves them little, and makes what they leave over corrections of time per "
                + "token, time to the first token and watts. --base none fits everything anew.");
        }

        return notes;
    }
}
