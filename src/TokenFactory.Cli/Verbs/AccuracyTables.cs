using System.Globalization;
using TokenFactory.Cli.Output;
using TokenFactory.Performance.Calibration;
using TokenFactory.Performance.SteadyState;

namespace TokenFactory.Cli.Verbs;

/// <summary>Tables of how wrong blind predictions were.</summary>
internal static class AccuracyTables
{
    private static readonly CultureInfo Plain = CultureInfo.InvariantCulture;

    /// <summary>Every table: the judged one first, then by engine, GPU, model, mode and load.</summary>
    public static IReadOnlyList<Section> Of(IReadOnlyList<Outcome> blind)
    {
        var figures = Grades.Figures(blind);
        return
        [
            Judged(figures),
            By(figures, "engine", "By engine", sample => sample.Traits.Engine is { Length: > 0 } engine ? engine : "not recorded"),
            By(figures, "gpu", "By GPU", sample => sample.Traits.Gpu),
            By(figures, "model", "By model", sample => sample.Traits.Model),
            By(figures, "mode", "By mode", Mode),
            By(figures, "load", "By load", LoadOf),
        ];
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

    private static string Mode(Sample sample) =>
        $"{sample.Traits.Mode}{(sample.Point.Speculates ? ", MTP" : "")}";

    private static string LoadOf(Sample sample)
    {
        var each = (sample.Load.Concurrency ?? 0) / sample.Prepared.Scenario.Gpus;
        return sample.Load.Arrival switch
        {
            Arrival.OpenLoop => Loads[4],
            Arrival.Offline => Loads[5],
            Arrival.StaticBatch or Arrival.PrefillOnly => Loads[6],
            _ when each <= 1 => Loads[0],
            _ when each <= 8 => Loads[1],
            _ when each <= 64 => Loads[2],
            _ => Loads[3],
        };
    }
}
