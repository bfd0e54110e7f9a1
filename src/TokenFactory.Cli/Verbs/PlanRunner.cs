using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Planning;
using TokenFactory.Planning.Explain;
using TokenFactory.Planning.Search;

namespace TokenFactory.Cli.Verbs;

/// <summary>What a plan is asked for beside its report.</summary>
/// <param name="Why">Whether its reasons are told.</param>
/// <param name="Frontier">Whether the trade of speed per user against tokens per megawatt and dollars is shown.</param>
/// <param name="Html">Where a page goes.</param>
/// <param name="Schedule">Where a row per hour of the schedule goes.</param>
/// <param name="Emit">Where the files that run it go.</param>
internal sealed record PlanAsked(bool Why, bool Frontier, string? Html, string? Schedule, string? Emit);

/// <summary>Makes a plan, shows progress, and writes what was asked for.</summary>
internal sealed class PlanRunner(
    Terminal terminal,
    CommonFlags common,
    ParseResult parsed,
    CatalogContents catalog,
    CalibrationInput calibration)
{
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private double _nextLine = 1;

    /// <summary>The plan.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="asked">What is wanted beside the report.</param>
    /// <param name="path">The file of the ask, which nothing may replace; null for none.</param>
    public int Run(PlanRequest request, PlanAsked asked, string? path)
    {
        Check(request, asked);
        using var files = new SimulateFiles(new SimulateAsked(null, asked.Html, null, asked.Schedule, false, null), [path, request.Demand]);
        try
        {
            return Run(request, asked, files);
        }
        catch (OperationCanceledException)
        {
            terminal.Err.WriteLine("error: stopped before there was a plan; nothing was written.");
            return App.CouldNotAnswer;
        }
    }

    private int Run(PlanRequest request, PlanAsked asked, SimulateFiles files)
    {
        var knowledge = new PlanKnowledge(calibration.Set, calibration.Kernels.For, catalog.Site)
        {
            Margin = request.Confidence is { } confidence ? PlanExplained.Margin(confidence, calibration) : null,
        };
        var answer = new Planner(knowledge, Told).Solve(request.Ask);
        var report = PlanReport.Of(request, answer, calibration);
        var reasons = asked.Why || asked.Html is not null
            ? new Explainer(knowledge, Told).Of(answer, PlanExplained.Options(request, answer, catalog, calibration))
            : null;
        var year = PlanYear.Read(request, [.. answer.Searches.Select(search => search.Profile.RequestsPerSecond)]) is { } hours
            ? YearPlan.Of(answer, hours, PlanExplained.AllSupplies(request, catalog, calibration))
            : null;
        var frontiers = asked.Frontier || asked.Html is not null
            ? answer.Searches.Select(search => new Frontier(knowledge).Of(request.Ask, search)).ToList()
            : [];
        if (year is not null)
            report = PlanYear.With(report, year);
        if (asked.Frontier)
            report = PlanFrontier.With(report, answer, frontiers);
        if (asked.Why && reasons is not null)
            report = PlanWhy.With(report, answer, reasons);
        if (asked.Emit is { } folder && answer.Best is { } best)
        {
            var written = PlanEmit.Write(request, best, catalog, folder);
            report = report with { Notes = [.. report.Notes, $"Wrote {written} files to {folder}; its README.md says what each is."] };
        }

        files.Keep(asked.Html is null ? "" : PlanPage.Of(answer, report, frontiers, reasons, year), year is null ? [] : PlanYear.Csv(year));
        terminal.Err.WriteLine(string.Create(CultureInfo.InvariantCulture, $"planned in {_watch.Elapsed.TotalSeconds:0.0} s"));
        App.Print(report, terminal, common, parsed);
        return answer.Best is null ? App.AnswerIsNo : App.Done;
    }

    /// <summary>Refuses what would only be noticed after the search.</summary>
    private static void Check(PlanRequest request, PlanAsked asked)
    {
        if (asked.Schedule is not null && request.Demand is null)
            throw new Refusal("command line", "--schedule-csv needs a demand by the hour", "Name a CSV with --demand");
        if (File.Exists(asked.Emit))
            throw new Refusal("command line", $"--emit is '{asked.Emit}', which is a file", "Name a folder");
        PlanYear.Read(request, [.. request.Ask.Services.Select(_ => 1.0)]);
    }

    /// <summary>A line on standard error at most once a second.</summary>
    private bool Told(string what)
    {
        if (what.Length > 0 && _watch.Elapsed.TotalSeconds >= _nextLine)
        {
            terminal.Err.WriteLine(what);
            _nextLine = _watch.Elapsed.TotalSeconds + 1;
        }

        return !terminal.Stopped();
    }
}
