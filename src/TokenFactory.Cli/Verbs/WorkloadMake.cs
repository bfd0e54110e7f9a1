using TokenFactory.Cli.Input;
using TokenFactory.Cli.Output;
using TokenFactory.Units;
using TokenFactory.Workload;
using TokenFactory.Workload.Traces;

namespace TokenFactory.Cli.Verbs;

/// <summary>Writes a trace that is made: like another one, of a scenario's workload, or from flags.</summary>
internal sealed class WorkloadMake(Settings flags, string? file, string? like, string? to)
{
    private const double UsualPace = 0.02;

    /// <summary>Writes it, and says what it holds.</summary>
    /// <exception cref="Refusal">Something is wrong; nothing was written.</exception>
    public Report Run()
    {
        var seed = WorkloadVerb.SeedOf(flags);
        var pace = flags.Number("seconds_per_output_token", 0, 1e4) ?? UsualPace;
        var columns = TraceColumns.All;
        var made = Traffic(seed, ref columns, out var original);
        Refusal.IfAny(flags.Mistakes);
        var profile = new TraceProfile();
        var lines = Lines(made!, pace, columns, profile);
        if (to is not null)
            Files.Write(to, lines, "--out");
        else
            _ = lines.Count();
        if (profile.Requests == 0)
            throw new Refusal("command line", "the workload holds no request", "Let it last longer, or raise its rate");
        var sections = original is null
            ? WorkloadReport.Sections(profile)
            : [Compared(original, profile)];
        return new Report("workload make", [.. WorkloadReport.Answer(to ?? "The made trace", profile)], [.. sections], [.. Notes(pace)]);
    }

    private ITraffic? Traffic(ulong seed, ref TraceColumns columns, out TraceProfile? original)
    {
        original = null;
        CheckOut();
        if (file is not null && like is not null)
            flags.Mistakes.Add(new("command line", $"'{file}' contradicts --like", "Give one of the two"));
        if (like is not null)
            return Like(seed, out original);
        if (file is not null)
            return OfFile(seed, file);
        if (!flags.Has("requests") && !flags.Has("duration_s"))
            flags.Require("requests", "Say how many, or how long with --duration-s");
        var input = WorkloadInput.Read(flags, isStream: true);
        flags.RefuseUnknownKeys();
        columns = input?.Streams[0] is OpenPlan or ClosedPlan ? Plain(input.Streams[0]) : TraceColumns.All;
        return input?.Traffic(seed);
    }

    private static TraceColumns Plain(StreamPlan plan) =>
        TraceColumns.Names
        | (plan.MaxTokens > 0 ? TraceColumns.Limits : TraceColumns.None)
        | (plan.SystemPromptTokens > 0 ? TraceColumns.Contents : TraceColumns.None);

    private void CheckOut()
    {
        if (to is not null && !IsJson(to) && !to.EndsWith(".csv", StringComparison.Ordinal))
            flags.Mistakes.Add(new("command line", $"--out is '{to}'", "Name a file that ends in .csv or .jsonl"));
        flags.Mistakes.AddRange(FilePlaces.Clashes([file, like], [("--out", to)]));
    }

    private MergedTraffic? Like(ulong seed, out TraceProfile? original)
    {
        original = null;
        var requests = flags.Whole("requests", 1);
        var duration = flags.Number("duration_s");
        var others = flags.Keys().Except(["requests", "duration_s", "seed", "seconds_per_output_token"]).ToList();
        foreach (var key in others)
            flags.Note(key, "contradicts --like, which fits it to the trace", "Leave it out, or change what 'describe --fit' writes");
        var trace = others.Count == 0 ? WorkloadTrace.Read(Settings.OfFlags([]), like!, flags.Mistakes) : null;
        if (trace is null || flags.Mistakes.Count > 0)
            return null;
        original = TraceProfile.Of(trace.Rows(seed));
        var plan = TraceFit.Of(original, "made");
        plan = plan with { Name = WorkloadStreams.Name(plan.Class, plan.Tenant) };
        var (most, until) = WorkloadYaml.End(plan, original);
        if (flags.Has("requests") || flags.Has("duration_s"))
            (most, until) = (requests, duration);
        return new MergedTraffic([plan.Traffic(seed)], most, until is { } seconds ? Instant.AtSeconds(seconds) : null);
    }

    private ITraffic? OfFile(ulong seed, string path)
    {
        var others = flags.Keys().Except(["seed", "seconds_per_output_token"]).ToList();
        foreach (var key in others)
            flags.Note(key, $"contradicts '{path}', which says it", "Leave it out");
        var scenario = Settings.OfFile(path);
        scenario.Require("workload", "Write what is asked under it; see docs/guide/workload.md");
        var workload = scenario.Item("workload");
        var input = workload is null ? null : WorkloadInput.Read(workload);
        workload?.RefuseUnknownKeys();
        flags.Mistakes.AddRange(scenario.Mistakes);
        return input?.Traffic(seed);
    }

    private IEnumerable<string> Lines(ITraffic traffic, double pace, TraceColumns columns, TraceProfile profile)
    {
        var rows = IdealFleet.Asked(traffic, pace).Select(request => Seen(TraceWriter.RowOf(request, traffic)));
        return to is not null && IsJson(to) ? TraceWriter.JsonLines(rows, columns) : TraceWriter.Csv(rows, columns);

        TraceRow Seen(TraceRow row)
        {
            profile.Add(row);
            return row;
        }
    }

    private static bool IsJson(string path) => path.EndsWith(".jsonl", StringComparison.Ordinal);

    private static Section Compared(TraceProfile original, TraceProfile made)
    {
        (string Key, string Name, Func<TraceProfile, double?> Of)[] figures =
        [
            ("requests_per_second", "requests/s", profile => profile.MeanRate),
            ("arrival_cv", "variation of the time between", profile => profile.Gaps.Cv),
            ("input_tokens_mean", "prompt tokens, mean", profile => profile.Input.Mean),
            ("input_tokens_p50", "prompt tokens, p50", profile => profile.Input.At(0.5)),
            ("input_tokens_p99", "prompt tokens, p99", profile => profile.Input.At(0.99)),
            ("output_tokens_mean", "answer tokens, mean", profile => profile.Output.Mean),
            ("output_tokens_p50", "answer tokens, p50", profile => profile.Output.At(0.5)),
            ("output_tokens_p99", "answer tokens, p99", profile => profile.Output.At(0.99)),
            ("length_correlation", "prompt-answer correlation", profile => profile.Correlation),
            ("found_share", "input tokens found again", profile => profile.FoundShare),
        ];
        return new Section(
            "compared",
            "How like it is",
            [new Column("figure", "", Number: false), new Column("trace", "trace"), new Column("made", "made")],
            [.. figures.Select(figure => (Cell[])[new(figure.Key, figure.Name), Shown(figure.Of(original)), Shown(figure.Of(made))])]);

        static Cell Shown(double? value) => value is { } number ? WorkloadReport.Number(number) : Cell.None;
    }

    private IEnumerable<string> Notes(double pace)
    {
        yield return $"Turns and clients wait {Spell.Number(pace)} s for each token of an answer, and for nothing else.";
        if (to is null)
            yield return "Nothing was written: give --out FILE.csv or FILE.jsonl.";
        if (like is not null)
        {
            yield return "Lengths are lognormal and arrivals gamma: what a trace holds beside that is not in it. "
                + "Simulate the trace itself to keep it.";
        }
    }
}
