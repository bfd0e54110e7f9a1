using System.Globalization;
using TokenFactory.Cli.Output;
using TokenFactory.Performance.Calibration;
using TokenFactory.Performance.SteadyState;

namespace TokenFactory.Cli.Verbs;

/// <summary>Tables of how wrong blind predictions were.</summary>
internal static class AccuracyTables
{
    private static readonly CultureInfo Plain = CultureInfo.InvariantCulture;

    /// <summary>Every table: the judged one first, then by what was left out, engine, GPU, model, mode and load.</summary>
    public static IReadOnlyList<Section> Of(CalibrateRun run)
    {
        var figures = Grades.Figures(run.Blind);
        return
        [
            Judged(figures),
            .. run.Gpus.Count > 0 || run.Models.Count > 0
                ? [ByLeftOut(figures, Grades.Figures(run.Gpus), Grades.Figures(run.Models))]
                : Array.Empty<Section>(),
            By(figures, "engine", "By engine", sample => Engine(sample.Traits.Engine)),
            By(figures, "gpu", "By GPU", sample => sample.Traits.Gpu),
            By(figures, "model", "By model", sample => sample.Traits.Model),
            By(figures, "mode", "By mode", sample => Mode(sample.Traits)),
            By(figures, "load", "By load", LoadOf),
            FarOff(figures),
        ];
    }

    /// <summary>
    /// Groups of like deployments that are off together, the worst first: their labels do not tell what sets them apart. Rows that do
    /// not fit their memory by our model are counted elsewhere.
    /// </summary>
    public static Section FarOff(IReadOnlyList<Figure> figures)
    {
        const int fewest = 8;
        const int most = 25;
        const double far = 1.4;
        return new Section(
            "far_off",
            $"Like deployments that are off together, by {far.ToString(Plain)} times or more ({fewest} rows or more, the worst {most})",
            [
                new Column("model", "model", Number: false),
                new Column("gpu", "gpu", Number: false),
                new Column("engine", "engine", Number: false),
                new Column("bits", "weight bits", 1),
                new Column("mode", "mode", 2, Number: false),
                new Column("load", "load", 1, Number: false),
                new Column("metric", "metric", Number: false),
                new Column("rows", "rows"),
                new Column("ratio", "measured / predicted"),
            ],
            [
                .. figures.Where(figure => figure.Fits)
                    .GroupBy(figure => (figure.Metric, figure.Outcome.Sample.Traits, figure.Outcome.Sample.Load.Arrival))
                    .Where(group => group.Count() >= fewest)
                    .Select(group => (group.Key, Rows: group.Count(), Ratio: 1 / Grades.Of(group)!.Ratio))
                    .Where(group => Math.Abs(Math.Log(group.Ratio)) >= Math.Log(far))
                    .OrderByDescending(group => Math.Abs(Math.Log(group.Ratio)))
                    .Take(most)
                    .Select(group => (IReadOnlyList<Cell>)
                    [
                        Cell.Of(group.Key.Traits.Model),
                        Cell.Of(group.Key.Traits.Gpu),
                        Cell.Of(Engine(group.Key.Traits.Engine)),
                        Cell.Of(group.Key.Traits.Bits),
                        Cell.Of(Mode(group.Key.Traits) + (group.Key.Traits.Spread == "dp" ? ", attention DP" : "")),
                        Cell.Of(LoadWord(group.Key.Arrival)),
                        Cell.Of(Metrics.First(metric => metric.Metric == group.Key.Metric).Title),
                        Count(group.Rows),
                        Ratio(group.Ratio),
                    ]),
            ]);
    }

    /// <summary>The table that predictions are judged by.</summary>
    public static Section Judged(IReadOnlyList<Figure> figures)
    {
        var rows = AccuracyTargets.Lines
            .Select(line => (Line: line, Grade: Grades.Of(figures.Where(figure => figure.Metric == line.Metric && line.Covers(figure)))))
            .Where(line => line.Grade is not null)
            .Select(line => Row(line.Line, line.Grade!))
            .ToList();
        if (OrderingGrade.Of(figures) is { } order)
        {
            var (floor, aim) = (AccuracyTargets.OrderingFloor, AccuracyTargets.OrderingAim);
            rows.Add(
            [
                Cell.Of("order of configurations by tok/s/GPU at equal TPOT, per cell, Kendall's tau"),
                Cell.Of("-"),
                Tau(floor),
                Tau(aim),
                Tau(order.Tau),
                Cell.Of(order.Tau >= aim ? "aim" : order.Tau >= floor ? "floor" : "neither"),
                Count(order.Rows),
                Count(order.Cells),
                Cell.None,
            ]);
        }

        return new Section(
            "accuracy", "How wrong, on cells that the fit had not seen",
            [
                new Column("metric", "metric", Number: false),
                new Column("published_best", "published best", 3, Number: false),
                new Column("floor", "floor"),
                new Column("aim", "aim"),
                new Column("error", "ours"),
                new Column("reaches", "reaches", Number: false),
                new Column("rows", "rows", 1),
                new Column("cells", "cells", 1),
                new Column("misfits", "do not fit", 2),
            ],
            rows);
    }

    /// <summary>The judged errors where the GPU, or the model, was unknown to the fit: what to expect of a new one.</summary>
    private static Section ByLeftOut(IReadOnlyList<Figure> cells, IReadOnlyList<Figure> gpus, IReadOnlyList<Figure> models) => new(
        "left_out", "The same, with a GPU or a model of which the fit had seen nothing",
        [
            new Column("metric", "metric", Number: false),
            new Column("cell", "cell not seen"),
            new Column("gpu", "GPU not seen"),
            new Column("model", "model not seen"),
        ],
        [
            .. AccuracyTargets.Lines.Select(line => (IReadOnlyList<Cell>)
                [Cell.Of(line.Title), Error(line, cells), Error(line, gpus), Error(line, models)]),
            [
                Cell.Of("order of configurations, Kendall's tau"),
                .. new[] { cells, gpus, models }.Select(figures => OrderingGrade.Of(figures) is { } order ? Tau(order.Tau) : Cell.None),
            ],
        ]);

    private static Cell Error(AccuracyTarget line, IReadOnlyList<Figure> figures) =>
        Grades.Of(figures.Where(figure => figure.Metric == line.Metric && line.Covers(figure))) is { } grade
            ? Share(line.Error(grade))
            : Cell.None;

    /// <summary>Errors by group: medians, and where predictions lie above or below what was measured.</summary>
    public static Section By(IReadOnlyList<Figure> figures, string key, string title, Func<Sample, string> group)
    {
        var measured = Metrics.Where(metric => figures.Any(figure => figure.Metric == metric.Metric)).ToList();
        return new Section(
            "by_" + key,
            title,
            [
                new Column(key, key, Number: false),
                new Column("cells", "cells", 1),
                .. measured.SelectMany(metric => new[]
                {
                    new Column(metric.Key + "_rows", "rows", 2),
                    new Column(metric.Key + "_median_error", metric.Title),
                    new Column(metric.Key + "_ratio", "ratio", 1),
                }),
            ],
            [
                .. figures.GroupBy(figure => group(figure.Outcome.Sample), StringComparer.Ordinal)
                    .OrderBy(each => Math.Max(0, Array.IndexOf(Loads, each.Key)))
                    .ThenBy(each => each.Key, StringComparer.Ordinal)
                    .Select(each => (IReadOnlyList<Cell>)
                    [
                        Cell.Of(each.Key),
                        Count(each.Select(figure => figure.Outcome.Sample.Cell).Distinct(StringComparer.Ordinal).Count()),
                        .. measured.SelectMany(metric => Graded(each.Where(figure => figure.Metric == metric.Metric))),
                    ]),
            ]);
    }

    /// <summary>A share as a percentage with one decimal.</summary>
    public static Cell Share(double share) => new(Math.Round(share, 4), (share * 100).ToString("0.0", Plain) + " %");

    /// <summary>A number of rows or cells.</summary>
    public static Cell Count(int count) => new(count, count.ToString("N0", Plain));

    private static readonly (Metric Metric, string Key, string Title)[] Metrics =
    [
        (Metric.Tpot, "tpot", "TPOT"), (Metric.Ttft, "ttft", "TTFT"), (Metric.Tokens, "tokens", "tok/s"), (Metric.Watts, "watts", "W"),
    ];

    /// <summary>Kinds of load, in the order of a table.</summary>
    private static readonly string[] Loads =
    [
        "closed loop, up to 1 per GPU", "closed loop, up to 8 per GPU", "closed loop, up to 64 per GPU", "closed loop, over 64 per GPU",
        "open loop", "offline, all at once", "one batch",
    ];

    private static IReadOnlyList<Cell> Row(AccuracyTarget line, Grade grade)
    {
        var error = line.Error(grade);
        return
        [
            Cell.Of(line.Title),
            Cell.Of(line.Published),
            Share(line.Floor),
            Share(line.Aim),
            Share(error),
            Cell.Of(error <= line.Aim ? "aim" : error <= line.Floor ? "floor" : "neither"),
            Count(grade.Rows),
            Count(grade.Cells),
            Count(grade.Misfits),
        ];
    }

    private static Cell[] Graded(IEnumerable<Figure> figures) => Grades.Of(figures) is { } grade
        ? [Count(grade.Rows), Share(grade.Median), Ratio(grade.Ratio)]
        : [Cell.None, Cell.None, Cell.None];

    private static Cell Ratio(double ratio) =>
        ratio > 0 ? new Cell(Math.Round(ratio, 3), ratio.ToString("0.00", Plain)) : Cell.None;

    private static Cell Tau(double tau) => new(Math.Round(tau, 3), tau.ToString("0.00", Plain));

    /// <summary>An engine in words.</summary>
    public static string Engine(string engine) => engine.Length > 0 ? engine : "not recorded";

    private static string Mode(Traits traits) => $"{traits.Mode}{(traits.Speculation == "none" ? "" : ", MTP")}";

    private static string LoadOf(Sample sample)
    {
        var each = (sample.Load.Concurrency ?? 0) / sample.Prepared.Scenario.Gpus;
        return sample.Load.Arrival switch
        {
            not Arrival.ClosedLoop => LoadWord(sample.Load.Arrival),
            _ when each <= 1 => Loads[0],
            _ when each <= 8 => Loads[1],
            _ when each <= 64 => Loads[2],
            _ => Loads[3],
        };
    }

    private static string LoadWord(Arrival arrival) => arrival switch
    {
        Arrival.OpenLoop => Loads[4],
        Arrival.Offline => Loads[5],
        Arrival.StaticBatch or Arrival.PrefillOnly => Loads[6],
        _ => "closed loop",
    };
}
