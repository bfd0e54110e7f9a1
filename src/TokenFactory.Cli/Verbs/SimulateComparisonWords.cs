using TokenFactory.Cli.Output;
using TokenFactory.Simulation;

namespace TokenFactory.Cli.Verbs;

/// <summary>Which of some scenarios to choose, in words.</summary>
internal static class SimulateComparisonWords
{
    /// <summary>Scenarios whose kept shares are this near to the most are held to keep as much.</summary>
    private const double AsMuch = 0.001;

    /// <summary>The answer: the cheapest of those that keep the most promises, and what is cheaper but keeps less.</summary>
    public static IEnumerable<string> Answer(IReadOnlyList<(string Name, IReadOnlyList<RunReport> Seeds)> scenarios)
    {
        var all = scenarios
            .Select((one, i) => new Judged(
                i, one.Name, one.Seeds, Mean(SimulateMetrics.Kept, one.Seeds) ?? 0, Mean(SimulateMetrics.Allocation, one.Seeds)))
            .ToList();
        var most = all.Max(one => one.Kept);
        var keeping = all.Where(one => one.Kept >= most - AsMuch).ToList();
        if (keeping.TrueForAll(one => one.Cost is null))
        {
            yield return $"{Names(keeping)} {(keeping.Count == 1 ? "keeps" : "keep")} the most promises: {SimulateSpell.Kept(most)}. "
                + "Without prices and output tokens nothing is said of cost.";
            yield break;
        }

        var chosen = keeping.Where(one => one.Cost is not null).OrderBy(one => one.Cost).First();
        var lead = keeping.Count switch
        {
            1 => $"{chosen.Name} keeps the most promises",
            _ when keeping.Count == all.Count => $"All keep as many promises as each other, and {chosen.Name} is the cheapest",
            _ => $"Of the {keeping.Count} that keep the most promises, {chosen.Name} is the cheapest",
        };
        yield return $"{lead}: {SimulateSpell.Kept(chosen.Kept)} kept at {Spell.Dollars(chosen.Cost!.Value)} per million output tokens "
            + $"(allocation){Beside(chosen, all[0])}.";
        var cheaper = all.Where(one => one.Cost < chosen.Cost).OrderBy(one => one.Cost).FirstOrDefault();
        if (cheaper is not null)
        {
            yield return $"{cheaper.Name} costs less, {Spell.Dollars(cheaper.Cost!.Value)} per million output tokens (allocation), "
                + $"but keeps only {SimulateSpell.Kept(cheaper.Kept)}.";
        }
    }

    /// <summary>How to read the tables.</summary>
    public static IEnumerable<string> Notes(IReadOnlyList<(string Name, IReadOnlyList<RunReport> Seeds)> scenarios)
    {
        var seeds = scenarios.Min(one => one.Seeds.Count);
        yield return seeds < 2
            ? "One seed: the figures are exact for this traffic, but nothing is said of other traffic of its kind. "
                + "Run more seeds to test differences."
            : $"{seeds} seeds each; a difference is claimed only where the 95 % interval of the paired differences "
                + "(Student's t) leaves out zero. "
                + "Of many figures tested at once, one in twenty may seem to differ by chance.";
        yield return "Dollars by allocation count all paid time, by usage the time in which replicas worked; "
            + "joules: board is the GPUs' boards, facility the site's meter.";
        foreach (var (name, runs) in scenarios.Where(one => one.Seeds.Any(run => run.Partial)))
        {
            yield return $"Partial: {name} was stopped before its end{(runs.Count > 1 ? " with one seed or more" : "")}, "
                + "and is compared by what ran until then.";
        }
    }

    private static string Beside(Judged chosen, Judged first)
    {
        if (chosen.Place == 0 || first.Cost is not > 0)
            return "";
        var change = (chosen.Cost!.Value / first.Cost.Value) - 1;
        var shown = SimulateComparison.Difference(SimulateMetrics.Allocation, first.Runs, chosen.Runs);
        var tested = shown switch
        {
            { ExcludesZero: true } => "",
            { HalfWidth: not null } => ", which may be chance: no difference shown",
            _ => ", on one seed",
        };
        return $", {Spell.Change(change)} against {first.Name} with {Spell.Dollars(first.Cost.Value)} "
            + $"and {SimulateSpell.Kept(first.Kept)} kept{tested}";
    }

    private static double? Mean(SimulateMetric metric, IReadOnlyList<RunReport> runs) =>
        SimulateInterval.Of([.. runs.Select(metric.Of).OfType<double>()])?.Mean;

    private static string Names(List<Judged> some) =>
        some.Count == 1 ? some[0].Name : $"{string.Join(", ", some.SkipLast(1).Select(one => one.Name))} and {some[^1].Name}";

    private sealed record Judged(int Place, string Name, IReadOnlyList<RunReport> Runs, double Kept, double? Cost);
}
