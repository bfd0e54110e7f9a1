using System.Globalization;
using TokenFactory.Cli.Output;
using TokenFactory.Performance.Calibration;
using TokenFactory.Simulation;

namespace TokenFactory.Cli.Verbs;

/// <summary>The twin beside the closed form, on measured closed loops that neither had seen.</summary>
internal static class AccuracyTwin
{
    private const double Apart = 0.1;
    private static readonly CultureInfo Plain = CultureInfo.InvariantCulture;

    private static readonly (Metric Metric, string Title)[] Metrics =
        [(Metric.Tpot, "TPOT"), (Metric.Ttft, "mean TTFT"), (Metric.Tokens, "tokens/s"), (Metric.Watts, "W per GPU at the board")];

    private static readonly (string Title, Func<Sample, bool> Holds)[] Loads =
    [
        ("1 to 4 clients", sample => sample.Load.Concurrency <= 4),
        ("5 to 64 clients", sample => sample.Load.Concurrency is > 4 and <= 64),
        ("more than 64 clients", sample => sample.Load.Concurrency > 64),
        ("answers at least as long as prompts", sample => sample.Load.OutputTokens >= sample.Load.InputTokens),
        ("prompts longer than answers", sample => sample.Load.OutputTokens < sample.Load.InputTokens),
        ("attention over data-parallel groups", sample => sample.Traits.Spread == "dp"),
    ];

    /// <summary>The tables as the text of a page's part.</summary>
    public static string Page(IReadOnlyList<TwinPair> pairs) => AccuracyPage.Text([], Of(pairs));

    /// <summary>How wrong both were on the same rows; by engine; and where they differ.</summary>
    public static IReadOnlyList<Section> Of(IReadOnlyList<TwinPair> pairs) =>
    [
        new Section(
            "twin",
            "The twin beside the closed form, blind, on the same rows",
            [Word("metric"), Count("rows"), Count("cells"), .. Graded("closed form"), .. Graded("twin")],
            [.. Metrics.Select(metric => Row(pairs, metric.Metric, metric.Title)).OfType<IReadOnlyList<Cell>>()]),
        new Section(
            "twin_by_engine",
            "The same by engine",
            [Word("engine"), Word("metric"), Count("rows"), Count("cells"), .. Graded("closed form"), .. Graded("twin")],
            [
                .. pairs.GroupBy(pair => pair.Twin.Sample.Traits.Stack, StringComparer.Ordinal).OrderBy(group => group.Key, StringComparer.Ordinal)
                    .SelectMany(group => Metrics.Take(2).Select(metric => Row([.. group], metric.Metric, metric.Title) is { } row
                        ? (IReadOnlyList<Cell>)[Cell.Of(group.Key.Replace("|", ", ", StringComparison.Ordinal)), .. row]
                        : null))
                    .OfType<IReadOnlyList<Cell>>(),
            ]),
        new Section(
            "twin_apart",
            "Where closed form and twin differ by more than 10 %",
            [Word("load"), Count("rows"), Count("TPOT"), Count("median TPOT twin / closed"), Count("TTFT"), Count("median TTFT twin / closed")],
            [.. Loads.Select(load => Apartness([.. pairs.Where(pair => load.Holds(pair.Twin.Sample))], load.Title))]),
    ];

    private static IReadOnlyList<Cell>? Row(IReadOnlyList<TwinPair> pairs, Metric metric, string title)
    {
        var (closed, twin) = (Grade(pairs.Select(pair => pair.Closed), metric), Grade(pairs.Select(pair => pair.Twin), metric));
        return closed is null || twin is null
            ? null
            :
            [
                Cell.Of(title),
                Number(twin.Rows, "0"),
                Number(twin.Cells, "0"),
                .. Graded(closed),
                .. Graded(twin),
            ];
    }

    private static Grade? Grade(IEnumerable<Outcome> outcomes, Metric metric) =>
        Grades.Of(Grades.Figures(outcomes).Where(figure => figure.Metric == metric));

    private static IReadOnlyList<Cell> Apartness(IReadOnlyList<TwinPair> pairs, string title)
    {
        double[] tpot = [.. pairs.Where(pair => pair.Twin.Prediction.Fits).Select(pair => pair.Twin.Prediction.Tpot / pair.Closed.Prediction.Tpot)];
        double[] ttft = [.. pairs.Where(pair => pair.Twin.Prediction.Fits).Select(pair => pair.Twin.Prediction.Ttft / pair.Closed.Prediction.Ttft)];
        return [Cell.Of(title), Number(tpot.Length, "0"), Share(tpot), Median(tpot), Share(ttft), Median(ttft)];
    }

    private static Cell Share(double[] ratios) =>
        Number(ratios.Length == 0 ? 0 : ratios.Count(ratio => Math.Abs(ratio - 1) > Apart) * 100.0 / ratios.Length, "0", " %");

    private static Cell Median(double[] ratios) => Number(ratios.Length == 0 ? 0 : ratios.Order().ElementAt(ratios.Length / 2), "0.00");

    private static IEnumerable<Column> Graded(string who) =>
        [Count($"{who}: median error"), Count($"{who}: mean error"), Count($"{who}: predicted / measured")];

    private static IEnumerable<Cell> Graded(Grade grade) =>
        [Number(grade.Median * 100, "0.0", " %"), Number(grade.Mean * 100, "0.0", " %"), Number(grade.Ratio, "0.00")];

    private static Column Word(string title) => new(title, title, Number: false);

    private static Column Count(string title) => new(title, title);

    private static Cell Number(double value, string format, string unit = "") => new(value, value.ToString(format, Plain) + unit);
}
