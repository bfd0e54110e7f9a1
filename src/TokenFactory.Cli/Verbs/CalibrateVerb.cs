using System.CommandLine;
using System.Globalization;
using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Cli.Output;
using TokenFactory.Performance.Calibration;
using TokenFactory.Performance.SteadyState;

namespace TokenFactory.Cli.Verbs;

/// <summary>calibrate: fit the performance model to measurements, and say how wrong it is where it has not looked.</summary>
internal sealed class CalibrateVerb
{
    private readonly Option<string[]> _from = new("--from")
    {
        Description = "A table of measured points, of serving or of power. May be repeated.",
        HelpName = "FILE.csv",
    };

    private readonly Option<string?> _kernels = new("--kernels")
    {
        Description = "A folder of measured kernel times (gemm.csv, attention.csv, mla.csv, moe.csv, comm.csv, "
            + "deepep_alltoall.csv), instead of --from.",
        HelpName = "DIR",
    };

    private readonly Option<string?> _out = new("--out")
    {
        Description = "The folder to write: 'calibration' in a catalog of yours. Default: nothing is written.",
        HelpName = "DIR",
    };

    private readonly Option<string?> _base = new("--base")
    {
        Description = "catalog keeps its factors and corrects them; none fits all anew. "
            + $"Default: none from {CalibrateRun.EnoughRows} usable rows and {CalibrateRun.EnoughCells} cells on.",
        HelpName = "catalog|none",
    };

    private readonly Option<string?> _source = new("--source")
    {
        Description = "Who measured. Default: the files' names.",
        HelpName = "TEXT",
    };

    private readonly Option<string?> _report = new("--report")
    {
        Description = "A Markdown page whose tables of errors and claims are written anew; made where it is missing.",
        HelpName = "FILE.md",
    };

    private readonly CommonFlags _common = new();
    private readonly Terminal _terminal;

    private CalibrateVerb(Terminal terminal) => _terminal = terminal;

    public static Command Command(Terminal terminal)
    {
        var verb = new CalibrateVerb(terminal);
        var command = new Command("calibrate", "Fit the performance model to measurements, and how wrong it is where it has not looked.")
        {
            verb._from, verb._kernels, verb._out, verb._base, verb._source, verb._report,
        };
        verb._common.AddTo(command);
        command.SetAction(verb.Answer);
        return command;
    }

    private int Answer(ParseResult parsed)
    {
        var paths = parsed.GetValue(_from) ?? [];
        Refusal.IfAny(Contradictions(parsed, paths));
        var catalog = _common.Catalog(parsed, _terminal, "prices", "points", "tiers", "api-prices");
        if (parsed.GetValue(_kernels) is { } kernels)
            return Kernels(parsed, CalibrateKernels.Of(kernels, catalog, parsed.GetValue(_source), _common.Today(parsed, _terminal)));
        var calibration = _common.Calibration(parsed, _terminal, catalog);
        if (paths.Length == 0)
            return Claims(parsed, ClaimsReport.Of(catalog, calibration.Kernels, calibration.Set));
        var input = CalibrateInput.Read(paths, catalog, calibration);
        RefuseTooFew(input);
        var keeps = parsed.GetValue(_base) is { } named ? named == "catalog" : !CalibrateRun.Suffices(input);
        var run = CalibrateRun.Of(input, keeps ? calibration.Set : null, _terminal);
        RefuseAnotherWorld(run);
        var files = Tables(parsed, run, calibration);
        if (parsed.GetValue(_report) is { } page)
            files.Add((page, Page(page, run, catalog, calibration)));
        FilePlaces.Apart(paths, files.Select(file => (file.Path == parsed.GetValue(_report) ? "--report" : "--out", (string?)file.Path)));
        FileSet.Replace(files, "Name another place with --out or --report", newFolders: true);
        App.Print(CalibrateReport.Of(run, [.. files.Select(file => file.Path)]), _terminal, _common, parsed);
        return App.Done;
    }

    /// <summary>The claims alone, with the calibration in force.</summary>
    private int Claims(ParseResult parsed, IReadOnlyList<Claim> claims)
    {
        var page = parsed.GetRequiredValue(_report)!;
        var before = File.Exists(page) ? Files.Text(page) : null;
        Files.Write(page, AccuracyPage.With(before, [(AccuracyPage.Claims, ClaimsReport.Page(claims))]), "--report");
        App.Print(ClaimsReport.Report(claims, page), _terminal, _common, parsed);
        return App.Done;
    }

    /// <summary>The page with errors and claims; the claims as the calibration says when it is read back from its table.</summary>
    private static string Page(string path, CalibrateRun run, CatalogContents catalog, CalibrationInput calibration)
    {
        var said = new Source(SourceKind.Measured, "this run", SourceDate.Parse("2026")!);
        var (set, _) = CalibrationTables.Read(CalibrationTables.Write(run.Set, said), "serving.csv", []);
        var claims = ClaimsReport.Of(catalog, calibration.Kernels, set);
        return AccuracyPage.With(
            File.Exists(path) ? Files.Text(path) : null,
            [
                (AccuracyPage.Errors, CalibrateReport.Page(run)),
                (AccuracyPage.Claims, ClaimsReport.Page(claims)),
                .. AccuracyChoice.Of(run) is { } choice ? [(AccuracyPage.Choice, choice.Page())] : Array.Empty<(string, string)>(),
                .. run.Twin?.Pairs() is { Count: > 0 } pairs
                    ? [(AccuracyPage.Twin, AccuracyTwin.Page(pairs))]
                    : Array.Empty<(string, string)>(),
            ]);
    }

    private int Kernels(ParseResult parsed, CalibrateKernels run)
    {
        var folder = parsed.GetValue(_out);
        var files = folder is null ? [] : run.Tables().Select(table => (Path: Path.Combine(folder, table.Name), table.Text)).ToList();
        FileSet.Replace(files, "Name another place with --out", newFolders: true);
        App.Print(run.Report([.. files.Select(file => file.Path)]), _terminal, _common, parsed);
        return App.Done;
    }

    private List<Mistake> Contradictions(ParseResult parsed, string[] paths)
    {
        var mistakes = new List<Mistake>();
        var kernels = parsed.GetValue(_kernels) is not null;
        if (kernels && paths.Length > 0)
            mistakes.Add(new Mistake("command line", "--kernels contradicts --from", "Fit one of them at a time"));
        if (kernels && (parsed.GetValue(_base) ?? parsed.GetValue(_report)) is not null)
            mistakes.Add(new Mistake("command line", "--kernels takes neither --base nor --report", "Leave them out"));
        if (!kernels && paths.Length == 0 && parsed.GetValue(_report) is null)
            mistakes.Add(new Mistake("command line", "--from is missing", "Name a table of measured points; see docs/guide/calibrate.md"));
        mistakes.AddRange(paths.GroupBy(path => path, StringComparer.Ordinal).Where(same => same.Count() > 1)
            .Select(same => new Mistake("command line", $"--from names '{same.Key}' {same.Count()} times", "Name each file once")));
        if (parsed.GetValue(_base) is { } named && named is not ("catalog" or "none"))
            mistakes.Add(new Mistake("command line", $"--base is '{named}'", "Write catalog or none"));
        if (parsed.GetValue(_out) is { } folder && File.Exists(folder))
            mistakes.Add(new Mistake("command line", $"--out is '{folder}', which is a file", "Name a folder"));
        return mistakes;
    }

    private static void RefuseTooFew(CalibrateInput input)
    {
        if (input.Samples.Count >= Calibrator.FewestRows)
            return;
        var reasons = input.Unused.GroupBy(row => row.Reason, StringComparer.Ordinal)
            .OrderByDescending(group => group.Count())
            .Select(group => new Mistake(
                string.Join(", ", input.Files),
                $"{group.Count():N0} rows cannot be used, first {group.First().RowId}: {group.Key}",
                "Complete them"));
        throw new Refusal(
        [
            new Mistake(
                string.Join(", ", input.Files),
                $"{input.Samples.Count:N0} of {input.Rows:N0} rows can be used, and fewer than {Calibrator.FewestRows} identify nothing",
                "Measure more points: several concurrencies, on two GPUs or models or more"),
            .. reasons,
        ]);
    }

    /// <summary>Refuses measurements most of which are nowhere near the model: a wrong unit or column, rather than a slow fleet.</summary>
    private static void RefuseAnotherWorld(CalibrateRun run)
    {
        var points = run.Input.Samples.Select(sample => sample.Point).ToList();
        var measured = new[]
        {
            points.Count(point => point.MeasuredTpot > 0),
            run.Input.Samples.Count(sample => sample.Load.Arrival == Arrival.Offline),
            points.Count(point => point.MeasuredTtft > 0),
            points.Count(point => point.MeasuredWatts > 0),
        };
        Refusal.IfAny(
        [
            .. CalibrateReport.SetAside(run.Set)
                .Zip(measured, (metric, rows) => (metric.Name, metric.Groups, Off: metric.Groups.Sum(group => group.Rows), Rows: rows))
                .Where(metric => metric.Rows >= Calibrator.FewestRows && metric.Off * 2 > metric.Rows)
                .Select(metric => new Mistake(
                    string.Join(", ", run.Input.Files),
                    $"{metric.Off:N0} of {metric.Rows:N0} rows with {metric.Name} are more than {CalibrateReport.FarOff} times off the "
                    + $"model (the largest group is {Spell.Number(metric.Groups.MaxBy(group => group.Rows)!.Ratio)} times it)",
                    "Check units (milliseconds, W per GPU), that concurrency counts the whole deployment, and model, GPU and parallelism"
                    + (run.Keeps ? "; if all are right, --base none fits every factor anew" : ""))),
        ]);
    }

    private List<(string Path, string Text)> Tables(ParseResult parsed, CalibrateRun run, CalibrationInput calibration)
    {
        if (parsed.GetValue(_out) is not { } folder)
            return [];
        var today = _common.Today(parsed, _terminal);
        var month = SourceDate.Parse(today.ToString("yyyy-MM", CultureInfo.InvariantCulture))!;
        var who = parsed.GetValue(_source) ?? string.Join(", ", run.Input.Files.Select(Path.GetFileName));
        if (run.Keeps && calibration.Source is { } before)
            who = $"{who}; over: {before.Text}";
        return
        [
            (Path.Combine(folder, "serving.csv"), CalibrationTables.Write(run.Set, new Source(SourceKind.Measured, who, month))),
            (Path.Combine(folder, "errors.csv"), CalibrationTables.Write(run.Bands(calibration))),
        ];
    }
}
