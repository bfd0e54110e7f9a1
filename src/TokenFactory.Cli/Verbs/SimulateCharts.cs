using TokenFactory.Simulation;

namespace TokenFactory.Cli.Verbs;

/// <summary>Which charts a run's page shows.</summary>
internal static class SimulateCharts
{
    /// <summary>So many happenings are marked on a chart.</summary>
    public const int MostMarks = 40;

    /// <summary>So many points has a line at most.</summary>
    private const int MostPoints = 400;

    /// <summary>So many points have the lines of one kind of all pools together: the page stays below a megabyte.</summary>
    private const int MostPoolPoints = 3000;

    private const int TimePoints = 160;

    /// <summary>A cost above so many medians is cut: the first and last stretches of a run answer next to nothing.</summary>
    private const double MostMedians = 4;

    /// <summary>How long requests took, by class.</summary>
    public static IEnumerable<SimulateChart> Times(RunReport run)
    {
        if (Shares(run, "Time to first token (TTFT)", one => one.TtftHistogram, one => one.Class?.TtftSeconds) is { } first)
            yield return first;
        if (Shares(run, "Time per token after it (TPOT)", one => one.TpotHistogram, one => one.Class?.TpotSeconds) is { } each)
            yield return each;
    }

    /// <summary>What all pools did over time.</summary>
    public static IEnumerable<SimulateChart> Fleet(RunReport run)
    {
        var time = new Timeline(run, MostPoints);
        if (!time.Shown)
            yield break;
        var marks = run.Happenings
            .Take(MostMarks)
            .Select(one => (one.AtSeconds / time.Scale, $"{SimulateSpell.Period(one.AtSeconds)}: {one.What}"))
            .ToList();
        yield return time.Chart("Requests per second", "requests/s",
            time.Mean("arriving", 0, one => one.Arrived / one.Seconds),
            time.Mean("answered", 1, one => one.Completed / one.Seconds),
            time.Mean("kept every promise", 2, one => one.Kept / one.Seconds)) with
        { Marks = marks };
        yield return time.Chart("Requests at once, at the end of each stretch", "requests",
            time.Most("waiting at the gateway", 4, one => one.GatewayWaiting),
            time.Most("waiting in engines", 1, one => one.All.EngineWaiting),
            time.Most("running", 0, one => one.All.Running)) with
        { Marks = marks, Shift = 1 };
        foreach (var chart in Machines(time, one => one.All))
            yield return chart with { Marks = marks };
    }

    /// <summary>What one pool did over time.</summary>
    public static IEnumerable<SimulateChart> OfPool(RunReport run, int pool)
    {
        var time = new Timeline(run, Math.Clamp(MostPoolPoints / run.Pools.Count, 20, MostPoints));
        if (!time.Shown || !run.Intervals.All(one => pool < one.Pools.Count))
            yield break;
        yield return time.Chart("Requests at once, at the end of each stretch", "requests",
            time.Most("waiting in engines", 1, one => one.Pools[pool].EngineWaiting),
            time.Most("running", 0, one => one.Pools[pool].Running)) with
        { Shift = 1 };
        foreach (var chart in Machines(time, one => one.Pools[pool]))
            yield return chart;
    }

    private static IEnumerable<SimulateChart> Machines(Timeline time, Func<IntervalReport, IntervalPool> of)
    {
        yield return time.Chart("Tokens per second", "tokens/s",
            time.Mean("prompt, computed", 1, one => of(one).PromptTokensPerSecond),
            time.Mean("output, generated", 0, one => of(one).OutputTokensPerSecond));
        var held = time.Most("held by requests", 3, one => of(one).KvHeld * 100);
        yield return time.Chart("KV blocks held, %", "%", held) with { Most = 100, Shift = 1 };
        if (time.Any(one => of(one).FacilityWatts + of(one).BoardWatts))
        {
            yield return time.Chart("Power, kW", "kW",
                time.Mean("facility, at the site's meter", 6, one => of(one).FacilityWatts / 1e3),
                time.Mean("board, all GPUs", 2, one => of(one).BoardWatts / 1e3));
        }

        if (time.Any(one => of(one).PaidUsd) && time.Any(one => of(one).OutputTokensPerSecond))
        {
            var cost = time.Ratio("allocation", 5, one => of(one).PaidUsd * 1e6, one => of(one).OutputTokensPerSecond * one.Seconds);
            yield return time.Chart("Dollars per million output tokens, allocation", "$ per million", cost) with
            {
                Most = Usual(cost.Values),
            };
        }

        var ready = time.Most("ready", 7, one => of(one).Replicas);
        yield return time.Chart("Replicas that take requests", "replicas", ready) with { Shift = 1 };
    }

    /// <summary>The scale of what is usual: the most, but at most a few medians.</summary>
    private static double Usual(IReadOnlyList<double> values)
    {
        var told = values.Where(double.IsFinite).Order().ToList();
        return told.Count == 0 ? 1 : Math.Min(told[^1], told[told.Count / 2] * MostMedians);
    }

    private static SimulateChart? Shares(
        RunReport run,
        string what,
        Func<RequestReport, IReadOnlyList<(double UpTo, long Count)>> of,
        Func<RequestReport, double?> promise)
    {
        var classes = (run.Classes.Count > 0 ? run.Classes : [run.Requests])
            .Where(one => of(one).Any(bar => bar.Count > 0))
            .ToList();
        var bounds = classes.SelectMany(one => of(one).Where(bar => bar.Count > 0).Select(bar => bar.UpTo))
            .Concat(classes.Select(promise).OfType<double>())
            .Where(at => at > 0 && double.IsFinite(at)).ToList();
        if (bounds.Count == 0)
            return null;
        var across = new ChartAcross(Math.Max(bounds.Min() / 1.25, bounds.Max() / 1e6) * 1e3, bounds.Max() * 1.25 * 1e3, "ms", true);
        return new SimulateChart
        {
            Title = $"{what}: % of answers within it{(classes.Exists(one => promise(one) is not null) ? "; dashes: promised" : "")}",
            Unit = "%",
            Across = across,
            Most = 100,
            Lines =
            [
                .. classes.Select((one, i) => new ChartLine(one.Name, i, Within(of(one), across))
                {
                    Mark = promise(one) is { } limit ? (limit * 1e3, $"promised to {one.Name}: {SimulateSpell.Ms(limit)} ms") : null,
                }),
            ],
        };
    }

    /// <summary>Percent of the requests at or below each point across.</summary>
    private static List<double> Within(IReadOnlyList<(double UpTo, long Count)> bars, ChartAcross across)
    {
        double all = bars.Sum(bar => bar.Count);
        var values = new List<double>(TimePoints);
        var (next, below) = (0, 0L);
        var sorted = bars.OrderBy(bar => bar.UpTo).ToList();
        for (var i = 0; i < TimePoints; i++)
        {
            var at = across.Value(i / (TimePoints - 1.0)) / 1e3 * (1 + 1e-9);
            while (next < sorted.Count && sorted[next].UpTo <= at)
                below += sorted[next++].Count;
            values.Add(below / all * 100);
        }

        return values;
    }
}
