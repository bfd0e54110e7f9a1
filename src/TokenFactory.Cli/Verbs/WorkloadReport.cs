using TokenFactory.Cli.Output;
using TokenFactory.Workload;
using TokenFactory.Workload.Traces;

namespace TokenFactory.Cli.Verbs;

/// <summary>What a trace holds, for people and machines.</summary>
internal static class WorkloadReport
{
    /// <summary>Sizes of cache whose finds are told.</summary>
    private static readonly double[] CacheTokens = [1e5, 1e6, 1e7];

    /// <summary>Minutes of a trace from which on its busiest one says something.</summary>
    private const int LeastMinutes = 3;

    /// <summary>Least turns per session that are called sessions.</summary>
    private const double TwoTurns = 1.005;

    public static Report Of(WorkloadTrace trace, TraceProfile profile, string? svg, string? fit)
    {
        var notes = Notes(trace, profile).ToList();
        if (svg is not null)
            notes.Add($"The picture is in {svg}.");
        if (fit is not null)
            notes.Add($"A made workload that resembles it is in {fit}: put it into a scenario.");
        return new Report("workload describe", [.. Answer(trace.Path, profile)], [.. Sections(profile)], notes);
    }

    /// <summary>What a trace holds, in words.</summary>
    public static IEnumerable<string> Answer(string name, TraceProfile profile)
    {
        var (input, output) = (profile.Input, profile.Output);
        var rate = profile.MeanRate > 0
            ? $" over {Time(profile.DurationSeconds)}, {Spell.Number(profile.MeanRate)} a second"
            : ", all at once";
        yield return $"{name} holds {profile.Requests:N0} requests{rate}: "
            + $"{Tokens(input.Sum)} input and {Tokens(output.Sum)} output tokens.";
        yield return $"A prompt has {Spell.Number(input.Mean)} tokens on average (half of them {Spell.Number(input.At(0.5))} or less), "
            + $"an answer {Spell.Number(output.Mean)} ({Spell.Number(output.At(0.5))}).";
        if (profile.Gaps.Cv > 0)
        {
            var busiest = $", and the busiest minute brings {Spell.Number(profile.Rate.BusiestMinute / 60.0)} requests a second";
            yield return $"{Burstiness(profile.Gaps.Cv)}: the time between arrivals varies by {Spell.Number(profile.Gaps.Cv)} of its mean"
                + $"{(profile.DurationSeconds >= LeastMinutes * 60 ? busiest : "")}.";
        }

        var least = profile.Reuse.IsLowerBound ? "at least " : "";
        yield return profile.FoundShare is { } found
            ? $"A prefix cache that forgets nothing would find {least}{Spell.Percent(found)} of the input tokens."
            : "What prompts share is not recorded.";
    }

    /// <summary>The tables.</summary>
    public static IEnumerable<Section> Sections(TraceProfile profile)
    {
        yield return Lengths(profile);
        yield return Arrivals(profile);
        if (profile.FoundShare is not null)
            yield return Reuse(profile);
        if (profile.Sessions.Sessions > 0 && profile.Sessions.Turns > TwoTurns * profile.Sessions.Sessions)
            yield return Sessions(profile.Sessions);
        yield return WorkloadBars.Lengths("input_histogram", "Prompts by length", profile.Input);
        yield return WorkloadBars.Lengths("output_histogram", "Answers by length", profile.Output);
        if (profile.DurationSeconds > 0)
            yield return WorkloadBars.Rates(profile);
    }

    private static Section Lengths(TraceProfile profile) => new(
        "lengths",
        "Lengths in tokens",
        [
            new Column("what", "", Number: false),
            new Column("mean_tokens", "mean"),
            new Column("p50_tokens", "p50"),
            new Column("p90_tokens", "p90"),
            new Column("p99_tokens", "p99"),
            new Column("least_tokens", "least"),
            new Column("most_tokens", "most"),
            new Column("tokens", "in all"),
        ],
        [Row("prompt", profile.Input), Row("answer", profile.Output)]);

    private static Cell[] Row(string what, LogHistogram lengths) =>
    [
        Cell.Of(what),
        Number(lengths.Mean),
        Number(Math.Round(lengths.At(0.5))),
        Number(Math.Round(lengths.At(0.9))),
        Number(Math.Round(lengths.At(0.99))),
        Number(lengths.Min),
        Number(lengths.Max),
        new(lengths.Sum, Tokens(lengths.Sum)),
    ];

    private static Section Arrivals(TraceProfile profile) => new(
        "arrivals",
        "Arrivals",
        [
            new Column("requests", "requests"),
            new Column("seconds", "seconds"),
            new Column("requests_per_second", "requests/s"),
            new Column("busiest_minute_per_second", "busiest minute/s"),
            new Column("arrival_cv", "variation (1: Poisson)"),
            new Column("length_correlation", "prompt-answer correlation"),
        ],
        [[
            new(profile.Requests, profile.Requests.ToString("N0", null)),
            Number(profile.DurationSeconds),
            Number(profile.MeanRate),
            Number(profile.Rate.BusiestMinute / 60.0),
            Number(profile.Gaps.Cv),
            Number(profile.Correlation),
        ]]);

    private static Section Reuse(TraceProfile profile)
    {
        var rows = CacheTokens
            .Select(tokens => (Cell[])[new(tokens, Tokens(tokens)), Found(profile.FoundWithin(tokens)!.Value)])
            .Append([new(null, "no end"), Found(profile.FoundShare!.Value)]);
        return new Section(
            "prefix_reuse",
            "Input tokens found again by a cache of so many tokens (at least)",
            [new Column("cache_tokens", "cache tokens"), new Column("found_share", "found")],
            [.. rows]);

        static Cell Found(double share) => new(share, Spell.Percent(share));
    }

    private static Section Sessions(SessionTally sessions) => new(
        "sessions",
        "Sessions",
        [
            new Column("sessions", "sessions"),
            new Column("turns_mean", "turns each"),
            new Column("turns_most", "most"),
            new Column("pause_p50_s", "s between turns, p50"),
            new Column("pause_mean_s", "mean"),
            new Column("first_tokens_mean", "tokens of a first prompt"),
            new Column("added_tokens_mean", "tokens added by a later one"),
        ],
        [[
            new(sessions.Sessions, sessions.Sessions.ToString("N0", null)),
            Number((double)sessions.Turns / sessions.Sessions),
            Number(sessions.MostTurns),
            Number(sessions.Pauses.At(0.5)),
            Number(sessions.Pauses.Mean),
            Number(sessions.FirstTokens.Mean),
            Number(sessions.AddedTokens.Mean),
        ]]);

    private static IEnumerable<string> Notes(WorkloadTrace trace, TraceProfile profile)
    {
        if (trace.Contents.Failed > 0)
            yield return $"Left out: {trace.Contents.Failed:N0} rows without a prompt or an answer, requests that failed.";
        if (trace.Contents.Reordered > 0)
            yield return $"Put back in order: {trace.Contents.Reordered:N0} rows that arrive before a row above them.";
        if (profile.Reuse.IsLowerBound)
            yield return $"More pieces of prompts than are remembered ({PrefixReuse.MostPieces:N0}): prefix reuse is a lower bound.";
        yield return "Percentiles are within half a per cent; means, extremes and sums are exact.";
    }

    private static string Burstiness(double cv) => cv switch
    {
        < 0.7 => "Arrivals are steadier than independent ones",
        <= 1.3 => "Arrivals come about as independently as Poisson's",
        _ => "Arrivals come in clusters",
    };

    public static string Tokens(double tokens) => tokens switch
    {
        >= 1e9 => $"{Spell.Number(tokens / 1e9)} B",
        >= 1e6 => $"{Spell.Number(tokens / 1e6)} M",
        _ => tokens.ToString("N0", null),
    };

    private static string Time(double seconds) => seconds switch
    {
        >= 2 * 86_400 => $"{Spell.Number(seconds / 86_400)} days",
        >= 2 * 3_600 => $"{Spell.Number(seconds / 3_600)} hours",
        >= 2 * 60 => $"{Spell.Number(seconds / 60)} minutes",
        _ => $"{Spell.Number(seconds)} seconds",
    };

    public static Cell Number(double value) => new(value, Spell.Number(value));
}
