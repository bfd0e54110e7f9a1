using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Cli.Output;
using TokenFactory.Simulation;

namespace TokenFactory.Cli.Verbs;

/// <summary>Runs scenarios, shows progress, and writes what was asked for.</summary>
internal sealed class SimulateRunner(Terminal terminal, CommonFlags common, ParseResult parsed)
{
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private double _nextLine = 1;

    /// <summary>One run.</summary>
    public int Run(SimulateScenario scenario, SimulateAsked asked)
    {
        using var files = new SimulateFiles(asked, [scenario.File.Name, asked.Trace]);
        var hooks = Hooks(scenario.Plan.Name);
        if (files.Requests is { } table)
            hooks = hooks with { Row = row => table.Add(row) };
        var report = Simulator.Run(scenario.Plan, asked.Seed ?? scenario.Seed, hooks);
        Rate(report);
        files.Keep(report);
        var shown = SimulateReport.Of(report, asked.Replicas);
        shown = shown with { Sections = [.. shown.Sections, Prices([scenario])], Notes = [.. shown.Notes, .. Notes([scenario])] };
        App.Print(shown, terminal, common, parsed);
        return report.Requests.Requests.Completed > 0 ? App.Done : App.AnswerIsNo;
    }

    /// <summary>Scenarios side by side: each seed's traffic is the same for all of them.</summary>
    public int Compare(IReadOnlyList<SimulateScenario> scenarios, int seeds, SimulateAsked asked)
    {
        if (asked.Requests is not null || asked.Intervals is not null)
            throw new Refusal("command line", "--compare writes no tables of requests or intervals", "Run one scenario for them");
        if (asked.Replicas)
            throw new Refusal("command line", "--compare shows no replicas", "Run one scenario for them");
        using var files = new SimulateFiles(asked, scenarios.Select(scenario => scenario.File.Name).Append(asked.Trace));
        var names = Names(scenarios);
        var runs = Runs(scenarios, names, asked.Seed ?? scenarios[0].Seed, seeds);
        var report = SimulateComparison.Of([.. runs.Select((done, i) => (names[i], done)).Where(one => one.done.Count > 0)]);
        report = report with
        {
            Sections = [.. report.Sections, Prices(scenarios)],
            Notes = [.. report.Notes, .. Unlike(scenarios, names, runs, seeds), .. Notes(scenarios)],
        };
        files.Keep(SimulatePage.Of("Comparison", report));
        App.Print(report, terminal, common, parsed);
        return App.Done;
    }

    /// <summary>Seed by seed, so that what is stopped compares the seeds that all had: one that some lack is left out.</summary>
    private IReadOnlyList<RunReport>[] Runs(IReadOnlyList<SimulateScenario> scenarios, IReadOnlyList<string> names, ulong first, int seeds)
    {
        var runs = scenarios.Select(_ => new List<RunReport>()).ToArray();
        for (var i = 0; i < seeds; i++)
        {
            var seed = first + (ulong)i;
            for (var s = 0; s < scenarios.Count; s++)
            {
                var run = Simulator.Run(scenarios[s].Plan, seed, Hooks($"{names[s]}, seed {seed}"));
                if (!run.Partial || i == 0)
                    runs[s].Add(run);
                if (!run.Partial && !terminal.Stopped())
                    continue;
                if (i > 0)
                    Array.ForEach(runs, done => done.RemoveRange(Math.Min(i, done.Count), done.Count - Math.Min(i, done.Count)));
                return runs;
            }
        }

        return runs;
    }

    /// <summary>Names that differ: a scenario with the name of another gets that of its file too, or a number.</summary>
    private static List<string> Names(IReadOnlyList<SimulateScenario> scenarios)
    {
        var names = new List<string>();
        foreach (var scenario in scenarios)
        {
            var (plain, own) = (scenario.Plan.Name, Path.GetFileName(scenario.File.Name));
            var twin = scenarios.Count(other => other.Plan.Name == plain) > 1;
            var name = twin ? $"{plain} ({own})" : plain;
            for (var number = 2; names.Contains(name); number++)
                name = $"{plain} ({own}, {number})";
            names.Add(name);
        }

        return names;
    }

    /// <summary>What makes a comparison less than it seems.</summary>
    private static IEnumerable<string> Unlike(
        IReadOnlyList<SimulateScenario> scenarios, IReadOnlyList<string> names, IReadOnlyList<RunReport>[] runs, int seeds)
    {
        var others = scenarios.Skip(1).Where(other => !other.File.Agrees(scenarios[0].File, "workload")).ToList();
        if (others.Count > 0)
        {
            var which = string.Join(", ", others.Select(other => names[scenarios.ToList().IndexOf(other)]));
            yield return $"Not the same traffic: the workload of {which} is written otherwise than that of {names[0]}.";
        }

        var missing = names.Where((_, i) => runs[i].Count == 0).ToList();
        if (missing.Count > 0)
            yield return $"Stopped before {string.Join(", ", missing)} ran.";
        else if (runs[0].Count < seeds)
            yield return $"Stopped after {runs[0].Count} of {seeds} seeds.";
    }

    private RunHooks Hooks(string name)
    {
        var begun = _watch.Elapsed.TotalSeconds;
        return new RunHooks { Progress = progress => Told(name, progress, begun) };
    }

    private bool Told(string name, RunProgress progress, double begun)
    {
        if (_watch.Elapsed.TotalSeconds >= _nextLine)
        {
            _nextLine = _watch.Elapsed.TotalSeconds + 1;
            var share = progress.Expected is { } all and > 0 ? $" ({progress.Ended * 100 / all} %)" : "";
            terminal.Err.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{name}: {progress.Ended:N0} requests{share}, {progress.Seconds:N0} s simulated, "
                + $"{progress.Seconds / Math.Max(1e-3, _watch.Elapsed.TotalSeconds - begun):N0} x real time"));
        }

        return !terminal.Stopped();
    }

    private void Rate(RunReport report)
    {
        var seconds = Math.Max(1e-3, _watch.Elapsed.TotalSeconds);
        terminal.Err.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{report.Requests.Requests.Arrived:N0} requests in {seconds:0.00} s, {report.Seconds / seconds:N0} x real time"));
    }

    /// <summary>What GPUs cost, with who says so.</summary>
    internal static Section Prices(IReadOnlyList<SimulateScenario> scenarios) => new(
        "prices",
        "Prices",
        [
            new Column("pool", "pool", Number: false),
            new Column("billing", "billing", Number: false),
            new Column("provider", "provider", Number: false),
            new Column("usd_per_gpu_hour", "$/GPU-hour"),
            new Column("as_of", "as of", Number: false),
        ],
        [
            .. scenarios.SelectMany(scenario => scenario.Prices)
                .DistinctBy(price => (price.Pool, price.Billing, price.Provider, price.UsdPerGpuHour.Value))
                .Select(price => (IReadOnlyList<Cell>)
                [
                    Cell.Of(price.Pool),
                    Cell.Of(price.Billing),
                    Cell.Of(price.Provider),
                    Cell.Of(price.UsdPerGpuHour, usd => (usd, Spell.Dollars(usd) + (price.Stale ? "*" : ""))),
                    Cell.Of(price.UsdPerGpuHour.From.Sources[0].Date.Text),
                ]),
        ]);

    internal static IEnumerable<string> Notes(IReadOnlyList<SimulateScenario> scenarios)
    {
        if (scenarios.Any(scenario => scenario.Prices.Any(price => price.Stale)))
            yield return $"* Price may be older than {Offer.FreshDays} days: give usd_per_gpu_hour, "
                + "or bring fresh ones with 'catalog import-prices'.";
        var assumed = scenarios.SelectMany(scenario => scenario.Assumed).Distinct(StringComparer.Ordinal).ToList();
        if (assumed.Count > 0)
            yield return $"Assumed, as you did not say: {string.Join("; ", assumed)}.";
        foreach (var remark in scenarios.SelectMany(scenario => scenario.Remarks).Distinct(StringComparer.Ordinal))
            yield return remark;
        yield return "Times and watts of engine steps are estimated from measurements; docs/accuracy.md says how wrong they are.";
    }
}
