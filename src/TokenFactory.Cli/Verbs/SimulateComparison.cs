using TokenFactory.Cli.Output;
using TokenFactory.Simulation;

namespace TokenFactory.Cli.Verbs;

/// <summary>A figure of one scenario, beside that of the first.</summary>
/// <param name="Value">Mean over its seeds; null where it has no figure.</param>
/// <param name="Difference">From the first, seed by seed; null for the first itself or without common seeds.</param>
/// <param name="Best">Whether no other is better, and some other is worse.</param>
internal readonly record struct SimulateCompared(SimulateInterval? Value, SimulateInterval? Difference, bool Best);

/// <summary>Scenarios side by side on the same traffic: which is better, and whether that is more than chance.</summary>
internal static class SimulateComparison
{
    private const string NoDifference = "no difference shown";
    private static readonly string[] Keys =
    [
        "figure", "scenario", "seeds", "mean", "half_width_95", "best", "better", "difference_from_first",
        "difference_half_width_95", "difference_seeds", "difference_shown",
    ];

    private const string OneSeed = "one seed: not tested";

    /// <summary>The report.</summary>
    /// <param name="scenarios">The scenarios with a run per seed; the others are held against the first.</param>
    public static Report Of(IReadOnlyList<(string Name, IReadOnlyList<RunReport> Seeds)> scenarios)
    {
        var rows = SimulateMetrics.All.Select(metric => (metric, Compare(metric, scenarios))).ToList();
        return new Report(
            "simulate",
            [.. SimulateComparisonWords.Answer(scenarios)],
            [Values(scenarios, rows), Differences(scenarios, rows), Figures(scenarios, rows)],
            [.. SimulateComparisonWords.Notes(scenarios)]);
    }

    /// <summary>A figure of every scenario.</summary>
    public static IReadOnlyList<SimulateCompared> Compare(
        SimulateMetric metric, IReadOnlyList<(string Name, IReadOnlyList<RunReport> Seeds)> scenarios)
    {
        var values = scenarios.Select(one => SimulateInterval.Of([.. one.Seeds.Select(metric.Of).OfType<double>()])).ToList();
        var means = values.Where(value => value is not null).Select(value => value!.Value.Mean * metric.Better).ToList();
        var (best, worst) = means.Count > 0 ? (means.Max(), means.Min()) : (0, 0);
        return
        [
            .. scenarios.Select((one, i) => new SimulateCompared(
                values[i],
                i == 0 ? null : Difference(metric, scenarios[0].Seeds, one.Seeds),
                metric.Better != 0 && best > worst && values[i] is { } value && value.Mean * metric.Better == best)),
        ];
    }

    /// <summary>The mean difference of runs with the same seed: chance that both met the same way does not blur it.</summary>
    public static SimulateInterval? Difference(SimulateMetric metric, IReadOnlyList<RunReport> from, IReadOnlyList<RunReport> to)
    {
        var first = from.ToDictionary(run => run.Seed, metric.Of);
        return SimulateInterval.Of(
            [.. to.Where(run => first.ContainsKey(run.Seed)).Select(run => metric.Of(run) - first[run.Seed]).OfType<double>()]);
    }

    private static Section Values(
        IReadOnlyList<(string Name, IReadOnlyList<RunReport> Seeds)> scenarios,
        List<(SimulateMetric Metric, IReadOnlyList<SimulateCompared> Of)> rows) => new(
        "",
        "Side by side (* best; ± 95 % interval of the mean over seeds)",
        [Named("figure"), .. scenarios.Select((one, i) => new Column(one.Name, one.Name, i < 4 ? 0 : 1))],
        [.. rows.Select(row => (IReadOnlyList<Cell>)[Cell.Of(row.Metric.Title), .. row.Of.Select(one => Value(row.Metric, one))])])
        {
            For = Audience.People,
        };

    private static Cell Value(SimulateMetric metric, SimulateCompared one)
    {
        if (one.Value is not { } value)
            return Cell.None;
        var text = metric.Spell(value.Mean) + (value.HalfWidth is { } half ? $" ± {metric.Spell(half)}" : "");
        return Cell.Of(one.Best ? text + " *" : text);
    }

    private static Section Differences(
        IReadOnlyList<(string Name, IReadOnlyList<RunReport> Seeds)> scenarios,
        List<(SimulateMetric Metric, IReadOnlyList<SimulateCompared> Of)> rows) => new(
        "",
        scenarios.Count > 1 ? $"Difference from {scenarios[0].Name}, seed by seed (± 95 % interval)" : "",
        [Named("figure"), .. scenarios.Skip(1).Select((one, i) => new Column(one.Name, one.Name, i < 3 ? 0 : 1))],
        scenarios.Count < 2
            ? []
            : [.. rows.Select(row => (IReadOnlyList<Cell>)
                [Cell.Of(row.Metric.Title), .. row.Of.Skip(1).Select(one => Cell.Of(Told(row.Metric, one.Difference)))])])
        {
            For = Audience.People,
        };

    private static string Told(SimulateMetric metric, SimulateInterval? difference) => difference switch
    {
        null => "-",
        { HalfWidth: null } => OneSeed,
        { ExcludesZero: false } => NoDifference,
        { } shown => $"{(shown.Mean > 0 ? "+" : "")}{metric.Spell(shown.Mean)} ± {metric.Spell(shown.HalfWidth!.Value)}",
    };

    private static Section Figures(
        IReadOnlyList<(string Name, IReadOnlyList<RunReport> Seeds)> scenarios,
        List<(SimulateMetric Metric, IReadOnlyList<SimulateCompared> Of)> rows) => new(
        "comparison",
        "",
        [.. Keys.Select(key => new Column(key, key))],
        [.. rows.SelectMany(row => row.Of.Select((one, i) => Line(row.Metric, scenarios[i].Name, one)))])
        {
            For = Audience.Machines,
        };

    private static IReadOnlyList<Cell> Line(SimulateMetric metric, string scenario, SimulateCompared one) =>
    [
        .. new object?[]
        {
            metric.Key, scenario, one.Value?.Count ?? 0, one.Value?.Mean, one.Value?.HalfWidth, one.Best,
            metric.Better switch { 1 => "more", -1 => "less", _ => null },
            one.Difference?.Mean, one.Difference?.HalfWidth, one.Difference?.Count, one.Difference?.ExcludesZero,
        }.Select(value => new Cell(value, "")),
    ];

    private static Column Named(string name) => new(name, name, Number: false);
}
