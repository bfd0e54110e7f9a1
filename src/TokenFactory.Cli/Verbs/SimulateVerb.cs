using System.CommandLine;
using System.Globalization;
using TokenFactory.Cli.Input;

namespace TokenFactory.Cli.Verbs;

/// <summary>simulate: replays traffic against a fleet and reports what every request and every machine went through.</summary>
internal static class SimulateVerb
{
    private const int DefaultSeeds = 5;

    private const string Purpose = "Replays traffic against a fleet: every request's times, every replica's cache, watts and dollars.";

    private const string Sets = "Sets a key of the file: pools.0.replicas=4, pools.h100.tp=2, policies.routing=round-robin. "
        + "KEY= takes one away. May be repeated.";

    public static Command Command(Terminal terminal)
    {
        var command = new Command("simulate", Purpose);
        var files = new Argument<string[]>("FILE.yaml")
        {
            Arity = ArgumentArity.OneOrMore,
            Description = "A scenario; several with --compare.",
        };
        var compare = new Option<bool>("--compare") { Description = "Several scenarios side by side, over seeds, on the same traffic." };
        var trace = Option("--trace", "TRACE", "Sends this recorded trace instead of the file's workload.");
        var seed = Option("--seed", "N", "What chance follows from. Default: the file's, else 1.");
        var seeds = Option("--seeds", "N", $"With --compare: runs of each scenario. Default: {DefaultSeeds}.");
        var html = Option("--html", "FILE.html", "Writes a page with charts.");
        var requests = Option("--requests-csv", "FILE.csv", "Writes a row per request.");
        var intervals = Option("--intervals-csv", "FILE.csv", "Writes a row per interval.");
        var replicas = new Option<bool>("--replicas") { Description = "Shows every replica." };
        var slow = new Option<bool>("--step-by-step") { Description = "Runs every engine step by itself: slow, the same results." };
        var set = new Option<string[]>("--set")
        {
            HelpName = "KEY=VALUE",
            Description = Sets,
            Arity = ArgumentArity.OneOrMore,
        };
        command.Arguments.Add(files);
        foreach (var option in (Option[])[compare, trace, seed, seeds, html, requests, intervals, replicas, slow, set])
            command.Options.Add(option);
        var common = new CommonFlags();
        common.AddTo(command);
        command.SetAction(parsed =>
        {
            var catalog = common.Catalog(parsed, terminal, "points", "api-prices", "tiers", "engines");
            var calibration = common.Calibration(parsed, terminal, catalog);
            var asked = new SimulateAsked(
                Whole("--seed", parsed.GetValue(seed), 0), parsed.GetValue(html), parsed.GetValue(requests),
                parsed.GetValue(intervals), parsed.GetValue(replicas), parsed.GetValue(trace));
            var changes = SimulateChanges.Read(parsed.GetValue(set) ?? [], parsed.GetValue(trace));
            var scenarios = new List<SimulateScenario>();
            var mistakes = new List<Catalog.Mistake>();
            foreach (var file in parsed.GetValue(files)!)
                Read(file);
            Refusal.IfAny(mistakes);
            scenarios = [.. scenarios.Select(one => one with { Plan = one.Plan with { StepByStep = parsed.GetValue(slow) } })];
            if (!parsed.GetValue(compare))
            {
                if (scenarios.Count > 1)
                    throw new Refusal("command line", $"{scenarios.Count} scenarios are named", "Give one, or --compare");
                if (parsed.GetValue(seeds) is not null)
                    throw new Refusal("command line", "--seeds goes with --compare", "Give --seed for one run");
                return new SimulateRunner(terminal, common, parsed).Run(scenarios[0], asked);
            }

            var count = (int)(Whole("--seeds", parsed.GetValue(seeds), 1) ?? DefaultSeeds);
            return new SimulateRunner(terminal, common, parsed).Compare(scenarios, count, asked);

            void Read(string file)
            {
                try
                {
                    var settings = Settings.OfFile(file, changes);
                    scenarios.Add(new SimulateInput(settings, catalog, calibration, common.Today(parsed, terminal)).Read());
                }
                catch (Refusal refusal)
                {
                    mistakes.AddRange(refusal.Mistakes);
                }
            }
        });
        return command;
    }

    private static Option<string?> Option(string name, string value, string what) => new(name) { HelpName = value, Description = what };

    internal static ulong? Whole(string flag, string? text, ulong least)
    {
        if (text is null)
            return null;
        if (ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && number >= least && number <= int.MaxValue)
            return number;
        throw new Refusal("command line", $"{flag} is '{text}'", $"Give a whole number of {least} or more");
    }
}

/// <summary>What a run is asked for beside its report.</summary>
/// <param name="Seed">The seed; null for the file's.</param>
/// <param name="Html">Where a page goes.</param>
/// <param name="Requests">Where a row per request goes.</param>
/// <param name="Intervals">Where a row per interval goes.</param>
/// <param name="Replicas">Whether every replica is shown.</param>
/// <param name="Trace">The trace that is sent instead of the file's workload; null for none.</param>
internal sealed record SimulateAsked(ulong? Seed, string? Html, string? Requests, string? Intervals, bool Replicas, string? Trace);

/// <summary>Changes to a file's keys from the command line.</summary>
internal static class SimulateChanges
{
    /// <summary>Paths and values; null takes a key away.</summary>
    public static IReadOnlyList<(string Path, string? Value)> Read(IReadOnlyList<string> sets, string? trace)
    {
        var changes = new List<(string, string?)>();
        if (trace is not null)
        {
            changes.AddRange([("workload.streams", null), ("workload.requests", null), ("workload.duration_s", null)]);
            changes.Add(("workload.trace", Path.GetFullPath(trace)));
        }

        foreach (var set in sets)
        {
            var at = set.IndexOf('=', StringComparison.Ordinal);
            if (at < 1)
                throw new Refusal("command line", $"--set is '{set}'", "Write KEY=VALUE, such as pools.0.replicas=4");
            changes.Add((set[..at], set.Length > at + 1 ? set[(at + 1)..] : null));
        }

        return changes;
    }
}
