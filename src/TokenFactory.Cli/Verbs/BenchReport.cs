using System.Globalization;
using TokenFactory.Cli.Output;
using TokenFactory.Engine;
using TokenFactory.Gateway.Load;
using TokenFactory.Performance.Calibration;

namespace TokenFactory.Cli.Verbs;

/// <summary>How a server took its load, for people and machines.</summary>
internal static class BenchReport
{
    public static Report Of(BenchAsked asked, string model, LoadReport report, BenchFiles files)
    {
        var all = report.All;
        return new Report(
            "bench",
            [.. Answer(asked, model, report)],
            [Rates(report), Times(report), .. Failures(all)],
            [.. Notes(asked, report, files)])
        {
            Picture = [],
        };
    }

    private static IEnumerable<string> Answer(BenchAsked asked, string model, LoadReport report)
    {
        var (all, seconds) = (report.All, Math.Max(report.Seconds, 1e-9));
        var server = asked.Target.ToString().TrimEnd('/');
        yield return $"{server} answered {all.Completed:N0} of {all.Sent:N0} requests to {model} in {report.Seconds:0.0} s: "
            + $"{Spell.Number(all.Completed / seconds)} requests and {Spell.Number(all.OutputTokens / seconds)} output tokens a second.";
        if (all.Sent == 0 && report.WarmUpRequests > 0)
            yield return $"All was over before the {asked.WarmUpSeconds:0.###} s of --warmup were: give it less, or the run more requests.";
        if (report.Stopped)
            yield return "Stopped by the user before its end.";
        if (asked.Clients is null && report.FellBehind)
            yield return "The load generator fell behind: "
                + $"1 in 100 requests was sent {Ms(report.Behind.Percentile(0.99)).Text} ms late or more. "
                + "Figures are those of less load; use more processors, or a lower rate.";
    }

    private static Section Rates(LoadReport report)
    {
        var seconds = Math.Max(report.Seconds, 1e-9);
        return new Section(
            "requests",
            "Requests",
            [
                new Column("class", "class", Number: false),
                new Column("sent", "sent"),
                new Column("completed", "completed"),
                new Column("failed", "failed"),
                new Column("requests_per_second", "completed/s"),
                new Column("kept_share", "kept"),
                new Column("goodput_per_second", "kept/s"),
                new Column("prompt_tokens_per_second", "prompt tok/s", 1),
                new Column("output_tokens_per_second", "output tok/s"),
                new Column("cached_share", "cached", 1),
            ],
            [.. Shown(report).Select(tally => Row(tally, seconds))]);
    }

    private static IReadOnlyList<Cell> Row(LoadTally tally, double seconds) =>
    [
        Cell.Of(tally.Class.Name),
        Count(tally.Sent),
        Count(tally.Completed),
        Count(tally.Failed),
        Number(tally.Completed / seconds),
        Share(tally.Kept, tally.Sent),
        Number(tally.Kept / seconds),
        Number(tally.PromptTokens / seconds),
        Number(tally.OutputTokens / seconds),
        Share(tally.CachedTokens, tally.PromptTokens),
    ];

    private static Section Times(LoadReport report) => new(
        "times",
        "Times, ms",
        [
            new Column("class", "class", Number: false),
            new Column("time", "time", Number: false),
            new Column("mean_ms", "mean"),
            new Column("p50_ms", "p50"),
            new Column("p90_ms", "p90"),
            new Column("p95_ms", "p95", 1),
            new Column("p99_ms", "p99"),
            new Column("max_ms", "most", 2),
            new Column("promised_ms", "promised"),
        ],
        [.. Shown(report).SelectMany(Times)],
        GroupBy: 1);

    private static IEnumerable<IReadOnlyList<Cell>> Times(LoadTally tally)
    {
        (string Name, TimeHistogram Of, double? Promise)[] times =
        [
            ("TTFT", tally.Ttft, tally.Class.TtftSeconds),
            ("TPOT", tally.Tpot, tally.Class.TpotSeconds),
            ("end to end", tally.EndToEnd, tally.Class.EndToEndSeconds),
        ];
        foreach (var (name, of, promise) in times.Where(time => time.Of.Count > 0))
        {
            yield return
            [
                Cell.Of(tally.Class.Name),
                Cell.Of(name),
                Ms(of.Mean),
                Ms(of.Percentile(0.5)),
                Ms(of.Percentile(0.9)),
                Ms(of.Percentile(0.95)),
                Ms(of.Percentile(0.99)),
                Ms(of.Max),
                promise is { } seconds ? Ms(seconds) : Cell.None,
            ];
        }
    }

    private static IEnumerable<Section> Failures(LoadTally all)
    {
        if (all.Failures.Count == 0)
            yield break;
        yield return new Section(
            "failures",
            "What went wrong",
            [
                new Column("kind", "kind", Number: false),
                new Column("requests", "requests"),
                new Column("first_message", "what the server said first", Number: false),
            ],
            [.. all.Failures.Select(pair => (IReadOnlyList<Cell>)[Cell.Of(pair.Key), Count(pair.Value), Said(all, pair.Key)])]);
    }

    private static Cell Said(LoadTally all, string kind) =>
        all.Messages.TryGetValue(kind, out var message) ? Cell.Of(message) : Cell.None;

    private static IEnumerable<string> Notes(BenchAsked asked, LoadReport report, BenchFiles files)
    {
        if (asked.WarmUpSeconds > 0)
        {
            var failed = report.WarmUpFailures > 0 ? $", {report.WarmUpFailures:N0} of which failed" : "";
            yield return $"The first {asked.WarmUpSeconds:0.###} s are not counted, nor the {report.WarmUpRequests:N0} requests that ended then{failed}.";
        }

        if (report.All.WithoutUsage > 0)
            yield return $"{report.All.WithoutUsage:N0} answers came without usage: their tokens are events with content.";
        if (!asked.Streams)
            yield return "Answers did not stream, so that nothing is known of first tokens: 'kept' counts the whole answer as the first.";
        if (!asked.Classes.Any(one => one.Promises))
        {
            yield return "Nothing was promised, so that all completed requests count as kept: "
                + "give --ttft-s, --tpot-ms or classes in --workload.";
        }

        if (asked.Clients is null && report.Behind.Count > 0)
        {
            var (half, most) = (Ms(report.Behind.Percentile(0.5)).Text, Ms(report.Behind.Percentile(0.99)).Text);
            yield return $"Requests were sent {half} ms (p50), {most} ms (p99) after their time.";
        }

        if (files.Summary is { } none && report.All.Completed == 0)
            yield return $"No row was added to {none}: no request that counts was answered.";
        else if (files.Summary is { } path)
            yield return $"A row was added to {path}: 'tokenfactory calibrate --from {path}' reads {Calibrator.FewestRows} or more.";
    }

    /// <summary>All, and each class where there are several.</summary>
    private static IEnumerable<LoadTally> Shown(LoadReport report) =>
        report.Classes.Count > 1 ? [report.All, .. report.Classes] : report.Classes;

    private static Cell Count(long number) => new(number, number.ToString("N0", CultureInfo.InvariantCulture));

    private static Cell Number(double number) => new(number, Spell.Number(number));

    private static Cell Share(long part, long whole) =>
        whole > 0 ? new((double)part / whole, Spell.Percent((double)part / whole)) : Cell.None;

    private static Cell Ms(double seconds) => new(seconds * 1e3, Spell.Number(seconds * 1e3));
}
