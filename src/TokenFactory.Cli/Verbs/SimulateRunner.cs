using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using TokenFactory.Cli.Input;
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
        RunReport report;
        if (asked.Requests is { } path)
        {
            using var staged = StagedFile.Open(path, "--requests-csv");
            var rows = new SimulateRequestTable(staged.Writer);
            report = Simulator.Run(scenario.Plan, asked.Seed ?? scenario.Seed, Hooks(scenario.Plan.Name) with { Row = row => rows.Add(row) });
            staged.Keep();
        }
        else
        {
            report = Simulator.Run(scenario.Plan, asked.Seed ?? scenario.Seed, Hooks(scenario.Plan.Name));
        }

        Rate(report);
        if (asked.Intervals is { } table)
        {
            using var text = new StringWriter();
            SimulateIntervalTable.Write(report, text);
            Files.Write(table, text.ToString(), "--intervals-csv");
        }

        if (asked.Html is { } page)
            Files.Write(page, SimulatePage.Of(report), "--html");
        var shown = SimulateReport.Of(report, asked.Replicas);
        App.Print(shown with { Notes = [.. shown.Notes, .. Notes(scenario)] }, terminal, common, parsed);
        return report.Requests.Requests.Completed > 0 ? App.Done : App.AnswerIsNo;
    }

    /// <summary>Scenarios side by side: each seed's traffic is the same for all of them.</summary>
    public int Compare(IReadOnlyList<SimulateScenario> scenarios, int seeds, SimulateAsked asked)
    {
        if (asked.Requests is not null || asked.Intervals is not null)
            throw new Refusal("command line", "--compare writes no tables of requests or intervals", "Run one scenario for them");
        var first = asked.Seed ?? scenarios[0].Seed;
        var runs = new List<(string, IReadOnlyList<RunReport>)>();
        foreach (var scenario in scenarios)
        {
            var reports = new List<RunReport>();
            for (var i = 0; i < seeds && !terminal.Stopped(); i++)
                reports.Add(Simulator.Run(scenario.Plan, first + (ulong)i, Hooks($"{scenario.Plan.Name}, seed {first + (ulong)i}")));
            if (reports.Count > 0)
                runs.Add((scenario.Plan.Name, reports));
        }

        var report = SimulateComparison.Of(runs);
        if (asked.Html is { } page)
            Files.Write(page, SimulatePage.Of("Comparison", report), "--html");
        App.Print(report with { Notes = [.. report.Notes, .. scenarios.SelectMany(Notes).Distinct()] }, terminal, common, parsed);
        return App.Done;
    }

    private RunHooks Hooks(string name) => new()
    {
        Progress = progress =>
        {
            if (_watch.Elapsed.TotalSeconds >= _nextLine)
            {
                _nextLine = _watch.Elapsed.TotalSeconds + 1;
                var share = progress.Expected is { } all and > 0 ? $" ({progress.Ended * 100 / all} %)" : "";
                terminal.Err.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{name}: {progress.Ended:N0} requests{share}, {progress.Seconds:N0} s simulated, "
                    + $"{progress.Seconds / _watch.Elapsed.TotalSeconds:N0} x real time"));
            }

            return !terminal.Stopped();
        },
    };

    private void Rate(RunReport report)
    {
        var seconds = Math.Max(1e-3, _watch.Elapsed.TotalSeconds);
        terminal.Err.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{report.Requests.Requests.Arrived:N0} requests in {seconds:0.00} s, {report.Seconds / seconds:N0} x real time"));
    }

    private static IEnumerable<string> Notes(SimulateScenario scenario)
    {
        foreach (var price in scenario.Prices)
            yield return $"Price of {price}.";
        if (scenario.Assumed.Count > 0)
            yield return $"Assumed: {string.Join("; ", scenario.Assumed)}.";
        yield return "Times and watts of engine steps are estimated from measurements; docs/accuracy.md says how wrong they are.";
    }
}
