using System.CommandLine;
using TokenFactory.Cli.Input;
using TokenFactory.Cli.Output;
using TokenFactory.Gateway.Live;

namespace TokenFactory.Cli.Verbs;

/// <summary>replay: decides what a gateway decided once more, from its log of events.</summary>
internal static class ReplayVerb
{
    private const string Purpose = "Decides again what a gateway decided, from its log of events, and says whether it comes out the same.";

    public static Command Command(Terminal terminal)
    {
        var command = new Command("replay", Purpose);
        var log = new Argument<string>("EVENTS.jsonl") { Description = "The log that telemetry.events of a factory file names." };
        var file = new Argument<string?>("FACTORY.yaml")
        {
            Arity = ArgumentArity.ZeroOrOne,
            Description = "The factory file that it was written under. Default: the one that 'serve' runs by when none is named.",
        };
        var set = new Option<string[]>("--set")
        {
            HelpName = "KEY=VALUE",
            Description = "A key of the file, as it was given to 'serve'. May be repeated.",
            Arity = ArgumentArity.OneOrMore,
        };
        var trace = new Option<string?>("--trace", "-t")
        {
            HelpName = "FILE.jsonl",
            Description = "Writes the requests as a trace for 'simulate --trace' and 'bench --trace'.",
        };
        var model = new Option<string?>("--model") { HelpName = "NAME", Description = "With --trace: only requests for this model." };
        command.Arguments.Add(log);
        command.Arguments.Add(file);
        foreach (var option in (Option[])[set, trace, model])
            command.Options.Add(option);
        var common = new CommonFlags();
        common.AddTo(command);
        command.SetAction(parsed =>
        {
            var path = parsed.GetValue(file) ?? ServeRunner.DefaultFile;
            if (parsed.GetValue(model) is not null && parsed.GetValue(trace) is null)
                throw new Refusal("command line", "--model goes with --trace", "Name the file of the trace");
            FilePlaces.Apart([parsed.GetValue(log), path], ("--trace", parsed.GetValue(trace)));
            var changes = SimulateChanges.Read(parsed.GetValue(set) ?? [], null);
            var catalog = common.Catalog(parsed, terminal, "points", "api-prices", "tiers", "engines");
            var calibration = common.Calibration(parsed, terminal, catalog);
            var factory = new ServeInput(Settings.OfFile(path, changes), catalog, calibration, common.Today(parsed, terminal)).Read();
            try
            {
                var events = parsed.GetValue(log)!;
                Files.Reader(events).Dispose(); // says what is wrong with a file that cannot be read
                var report = Replay.Run(events, factory.Setup);
                var written = 0L;
                if (parsed.GetValue(trace) is { } rows)
                    Files.Write(rows, EventTrace.Lines(events, parsed.GetValue(model)).Select(line => (line, ++written).line), "--trace");
                App.Print(Report(report, events, parsed.GetValue(trace), written), terminal, common, parsed);
                return report.Equal == report.Decisions && report.Stopped is null ? App.Done : App.AnswerIsNo;
            }
            catch (EventLogException wrong)
            {
                throw new Refusal(parsed.GetValue(log)!, Plain(wrong.Message), "Name the log, and the factory file as it was then");
            }
        });
        return command;
    }

    private static Report Report(ReplayReport replay, string log, string? trace, long written)
    {
        var answer = $"{log}: {Outcome(replay)}, over {replay.Events:#,0} {(replay.Events == 1 ? "event" : "events")}.";
        var counts = new Section(
            "replay",
            "",
            [new("events", "events"), new("decisions", "decisions"), new("equal", "equal")],
            [[Count(replay.Events), Count(replay.Decisions), Count(replay.Equal)]])
        {
            For = Audience.Machines,
        };
        var differences = new Section(
            "differences", "The first that differ", [new("difference", "difference", Number: false)], [.. replay.Differences.Select(IReadOnlyList<Cell> (words) => [Cell.Of(words)])]);
        if (replay.Stopped is { } why)
            answer += $" It could not be followed further: {why}.";
        List<string> notes = [];
        if (trace is not null)
            notes.Add($"{written:#,0} {(written == 1 ? "request" : "requests")} written to {trace}; those that got no token are left out");
        return new Report("replay", [answer], replay.Differences.Count > 0 ? [counts, differences] : [counts], notes);
    }

    private static string Outcome(ReplayReport replay) => (replay.Decisions, replay.Decisions - replay.Equal) switch
    {
        (0, _) => "no decision was made",
        (1, 0) => "the one decision comes out the same",
        (1, _) => "the one decision comes out otherwise",
        (var all, 0) => $"all {all:#,0} decisions come out the same",
        var (all, others) => $"{others:#,0} of {all:#,0} decisions come out otherwise",
    };

    /// <summary>What is wrong, without the place inside the line that the JSON reader adds: it counts lines from 0 in that line.</summary>
    private static string Plain(string message) =>
        message.Split(" Path: $")[0].Split(" LineNumber: ")[0].TrimEnd('.');

    private static Cell Count(long number) => new(number, number.ToString("#,0"));
}
