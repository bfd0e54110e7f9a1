using TokenFactory.Cli.Output;
using TokenFactory.Simulation;

namespace TokenFactory.Cli.Verbs;

/// <summary>A run over time in letters: a row of bars each for speed, queue and memory.</summary>
internal static class SimulatePicture
{
    private const int Bars = 56;
    private const int Label = 18;
    private const string Heights = " ▁▂▃▄▅▆▇█";

    /// <summary>The rows; none where the run has too few stretches to show anything.</summary>
    public static IReadOnlyList<string> Of(RunReport run)
    {
        var stretches = run.Intervals;
        if (stretches.Count < 3)
            return [];
        var (first, last) = (stretches[0].FromSeconds, stretches[^1].FromSeconds + stretches[^1].Seconds);
        var width = Math.Min(Bars, stretches.Count);
        return
        [
            $"Over time, {SimulateSpell.Period(first)} to {SimulateSpell.Period(last)}, "
                + $"a bar for {SimulateSpell.Period((last - first) / width)}: the mean of tokens/s, the most of",
            "the others. A full bar is the number at its right.",
            Row("output tokens/s", stretches, one => one.All.OutputTokensPerSecond, values => values.Average(), Spell.Number),
            Row("requests waiting", stretches, one => one.GatewayWaiting + one.All.EngineWaiting, values => values.Max(), Spell.Number),
            Row("KV blocks held", stretches, one => one.All.KvHeld, values => values.Max(), Spell.Percent, 1),
        ];
    }

    private static string Row(
        string name,
        IReadOnlyList<IntervalReport> stretches,
        Func<IntervalReport, double> of,
        Func<IEnumerable<double>, double> sum,
        Func<double, string> spell,
        double? full = null)
    {
        var values = Merged([.. stretches.Select(of)], Bars, sum);
        var most = full ?? values.Max();
        return $"{name.PadRight(Label)} {string.Concat(values.Select(value => Bar(value, most)))} {spell(most)}";
    }

    /// <summary>The lowest bar is for all that is not nothing.</summary>
    private static char Bar(double value, double most) =>
        most > 0 && value > 0 ? Heights[Math.Clamp((int)Math.Ceiling(value / most * (Heights.Length - 1)), 1, Heights.Length - 1)] : ' ';

    /// <summary>At most so many values, each made of neighbours.</summary>
    /// <param name="values">The values.</param>
    /// <param name="most">How many may remain.</param>
    /// <param name="sum">What neighbours become.</param>
    public static IReadOnlyList<double> Merged(IReadOnlyList<double> values, int most, Func<IEnumerable<double>, double> sum) =>
        values.Count <= most
            ? values
            : [.. Enumerable.Range(0, most).Select(i =>
                sum(values.Skip(i * values.Count / most).Take(((i + 1) * values.Count / most) - (i * values.Count / most))))];
}
