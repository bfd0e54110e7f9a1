using System.CommandLine;
using TokenFactory.Cli.Input;
using TokenFactory.Workload.Traces;

namespace TokenFactory.Cli.Verbs;

/// <summary>workload: what a trace of requests holds, and traces that are made.</summary>
internal static class WorkloadVerb
{
    /// <summary>Where random numbers begin unless told.</summary>
    public const int DefaultSeed = 1;

    /// <summary>What is made of a trace.</summary>
    internal static readonly Flag[] Shaping =
    [
        new("slice_s", "Only requests of these seconds of the trace, such as 600..1200 or 600.."),
        new("slice_rows", "Only these requests, counted from 1 in the order of time, such as 1..1000."),
        new("scale", "Times as many requests; copies share nothing with the originals. Default: 1."),
        new("speedup", "Divides all times. Default: 1."),
    ];

    private static readonly Flag Seed = new("seed", $"Where random numbers begin, a whole number from 0. Default: {DefaultSeed}.");

    /// <summary>What makes a workload from flags.</summary>
    internal static readonly Flag[] Making =
    [
        new("requests", "How many requests there are."),
        new("duration_s", "Ends at this time in seconds."),
        new("class", "Service class of all. Default: default."),
        new("tenant", "Tenant of all. Default: default."),
        new("arrivals", "poisson, gamma, weibull, constant or at-once. Default: poisson; gamma with --arrival-cv."),
        new("requests_per_second", "Rate at which requests arrive."),
        new("arrival_cv", "Variation of the time between arrivals, 1 for Poisson."),
        new("input_tokens", "Mean prompt in tokens."),
        new("input_cv", "Its coefficient of variation. Default: 0."),
        new("output_tokens", "Mean answer in tokens."),
        new("output_cv", "Its coefficient of variation. Default: 0."),
        new("max_tokens", "Most tokens that the client allows an answer. Default: not declared."),
        new("system_prompt_tokens", "Tokens that open every prompt, beside the rest. Default: 0."),
        new("sessions_per_second", "Makes conversations: rate at which they begin."),
        new("turns_mean", "Their turns on average, geometric."),
        new("user_tokens", "What a turn adds to the prompt, in tokens."),
        new("user_cv", "Its coefficient of variation. Default: 0."),
        new("first_tokens", "What the first turn adds instead."),
        new("think_s", "Seconds between an answer and the next turn, or the next request of a client. Default: 0."),
        new("think_cv", "Its coefficient of variation. Default: 0."),
        new("max_context_tokens", "A conversation ends before it would be longer."),
        new("clients", "Makes a closed loop: so many clients, each asking again when it is answered."),
    ];

    private static readonly Flag Pace = new("seconds_per_output_token", "What turns and clients wait for answers. Default: 0.02.");

    public static Command Command(Terminal terminal)
    {
        var command = new Command("workload", "What a trace of requests holds, and traces that are made.");
        command.Subcommands.Add(Describe(terminal));
        command.Subcommands.Add(Make(terminal));
        return command;
    }

    private static Command Describe(Terminal terminal)
    {
        var command = new Command("describe", "What a recorded trace holds: rate, burstiness, lengths, prefix reuse, sessions.");
        var trace = new Argument<string>("TRACE")
        {
            Description = "A trace of Azure, BurstGPT or Mooncake, or of our own columns; see docs/guide/workload.md.",
        };
        var svg = new Option<string?>("--svg") { HelpName = "FILE.svg", Description = "Draws arrivals over time and lengths." };
        var fit = new Option<string?>("--fit")
        {
            HelpName = "FILE.yaml",
            Description = "Writes a made workload that resembles it, for a scenario.",
        };
        command.Arguments.Add(trace);
        command.Options.Add(svg);
        command.Options.Add(fit);
        var flags = new SettingFlags(command, [.. Shaping, Seed]);
        var common = new CommonFlags();
        common.AddTo(command);
        command.SetAction(parsed =>
        {
            FilePlaces.Apart([parsed.GetValue(trace)], ("--fit", parsed.GetValue(fit)), ("--svg", parsed.GetValue(svg)));
            var settings = flags.Read(parsed);
            var seed = SeedOf(settings);
            var read = WorkloadTrace.Read(settings, parsed.GetValue(trace)!);
            Refusal.IfAny(settings.Mistakes);
            var profile = TraceProfile.Of(read!.Rows(seed));
            if (profile.Requests == 0)
                throw new Refusal("command line", "--scale leaves no request", "Give a larger one");
            if (parsed.GetValue(fit) is { } to)
                Files.Write(to, Fitted(read.Path, profile), "--fit");
            if (parsed.GetValue(svg) is { } picture)
                Files.Write(picture, WorkloadChart.Of(read.Path, profile), "--svg");
            App.Print(WorkloadReport.Of(read, profile, parsed.GetValue(svg), parsed.GetValue(fit)), terminal, common, parsed);
            return App.Done;
        });
        return command;
    }

    private static Command Make(Terminal terminal)
    {
        var command = new Command("make", "Writes a trace: like another, of a scenario's workload, or from flags.");
        var file = new Argument<string?>("FILE.yaml")
        {
            Arity = ArgumentArity.ZeroOrOne,
            Description = "A scenario whose workload is written out.",
        };
        var like = new Option<string?>("--like") { HelpName = "TRACE", Description = "A trace that the made one shall resemble." };
        var to = new Option<string?>("--out")
        {
            HelpName = "FILE.csv",
            Description = "Where it goes, also FILE.jsonl. Default: nowhere, it is only described.",
        };
        command.Arguments.Add(file);
        command.Options.Add(like);
        command.Options.Add(to);
        var flags = new SettingFlags(command, [.. Making, Seed, Pace]);
        var common = new CommonFlags();
        common.AddTo(command);
        command.SetAction(parsed =>
        {
            var asked = new WorkloadMake(flags.Read(parsed), parsed.GetValue(file), parsed.GetValue(like), parsed.GetValue(to));
            App.Print(asked.Run(), terminal, common, parsed);
            return App.Done;
        });
        return command;
    }

    /// <summary>The seed of the settings.</summary>
    public static ulong SeedOf(Settings settings) => (ulong)(settings.Whole("seed", 0) ?? DefaultSeed);

    private static string Fitted(string path, TraceProfile profile) =>
        WorkloadYaml.Of(TraceFit.Of(profile, "made"), profile, Path.GetFileName(path));
}
