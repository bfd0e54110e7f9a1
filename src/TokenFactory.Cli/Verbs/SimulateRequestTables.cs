using TokenFactory.Cli.Output;
using TokenFactory.Simulation;

namespace TokenFactory.Cli.Verbs;

/// <summary>What became of requests, in tables for people.</summary>
internal static class SimulateRequestTables
{
    private const int MostHappenings = 20;

    /// <summary>Who sent how many, and how they fared.</summary>
    public static Section Kept(string title, string of, IReadOnlyList<RequestReport> requests, double seconds) => Table(
        title,
        requests,
        [
            Name(of),
            Number("requests", 0, one => one.Requests.Arrived),
            Number("completed", 0, one => one.Requests.Completed),
            new(new Column("kept", "kept"), one => Text(SimulateSpell.Kept(one.KeptShare))),
            new(new Column("goodput", "kept/s"), one => Rate(one.Kept, seconds)),
            new(new Column("tokens", "output tok/s"), one => Rate(one.OutputTokens, seconds)),
            new(new Column("hits", "prefix hits", 1), one => Text(Spell.Percent(one.HitShare))),
            .. Rare(requests, "shed", 1, one => one.Requests.Shed),
            .. Rare(requests, "rejected", 2, one => one.Requests.Rejected),
            .. Rare(requests, "expired", 2, one => one.Requests.Expired),
            .. Rare(requests, "failed", 1, one => one.Requests.Failed),
            .. Rare(requests, "unfinished", 3, one => one.Requests.Waiting + one.Requests.Running),
            .. Rare(requests, "preemptions", 3, one => one.Preemptions),
            .. Rare(requests, "retries", 4, one => one.Retries),
        ]);

    /// <summary>Times by class: how long for most, and what was promised.</summary>
    public static Section Times(string title, IReadOnlyList<RequestReport> requests) => Table<(RequestReport Of, Timed Time)>(
        title,
        [.. requests.SelectMany(one => Timings(one).Where(time => time.Spread.Count > 0).Select(time => (one, time)))],
        [
            new(new Column("class", "class", Number: false), row => Cell.Of(row.Of.Name)),
            new(new Column("time", "time", Number: false), row => Cell.Of(row.Time.Name)),
            Ms("mean", 0, row => row.Time.Spread.Mean),
            Ms("p50", 0, row => row.Time.Spread.P50),
            Ms("p90", 0, row => row.Time.Spread.P90),
            Ms("p95", 1, row => row.Time.Spread.P95),
            Ms("p99", 0, row => row.Time.Spread.P99),
            Ms("most", 2, row => row.Time.Spread.Max),
            new(new Column("promised", "promised"), row => row.Time.Limit is { } limit ? Text(SimulateSpell.Ms(limit)) : Cell.None),
        ]) with
    {
        GroupBy = 1,
    };

    /// <summary>Tenants side by side.</summary>
    public static Section Tenants(RunReport run) => Table(
        "Tenants",
        run.Tenants,
        [
            Name("tenant"),
            Number("requests", 0, one => one.Requests.Arrived),
            new(new Column("kept", "kept"), one => Text(SimulateSpell.Kept(one.KeptShare))),
            new(new Column("tokens", "output tok/s"), one => Rate(one.OutputTokens, run.Seconds)),
            new(new Column("ttft", "TTFT p50, ms", 1), one => Time(one.Ttft, one.Ttft.P50)),
            new(new Column("ttft99", "TTFT p99, ms"), one => Time(one.Ttft, one.Ttft.P99)),
            new(new Column("tpot99", "TPOT p99, ms"), one => Time(one.Tpot, one.Tpot.P99)),
            new(new Column("wait99", "gateway wait p99, ms", 1), one => Time(one.GatewayWait, one.GatewayWait.P99)),
            .. Rare(run.Tenants, "not answered", 1, one => SimulateRates.Unanswered(one.Requests)),
            new(new Column("usage", "$ usage"), one => Text(Spell.Dollars(one.UsageUsd))),
            new(new Column("joules", "kJ of steps, board", 2), one => Text(Spell.Number(one.StepJoules / 1e3))),
        ]);

    /// <summary>Why requests were not answered.</summary>
    public static Section Reasons(RunReport run) => Table<(string Why, long Count)>(
        "Why requests were not answered",
        run.Reasons,
        [
            new(new Column("why", "why", Number: false), one => Cell.Of(SimulateSpell.Why(one.Why))),
            new(new Column("requests", "requests"), one => Text($"{one.Count:N0}")),
        ]);

    /// <summary>The first things that happened beside requests.</summary>
    public static Section Happenings(RunReport run, int most = MostHappenings) => Table<(double At, string What)>(
        run.Happenings.Count > most ? $"What happened (the first {most} of {run.Happenings.Count:N0})" : "What happened",
        [.. run.Happenings.Take(most)],
        [
            new(new Column("at", "at"), one => Text(SimulateSpell.Period(one.At))),
            new(new Column("what", "what", Number: false), one => Cell.Of(one.What)),
        ]);

    /// <summary>The times of requests, with what is promised of each.</summary>
    private static IEnumerable<Timed> Timings(RequestReport one)
    {
        yield return new Timed("first token (TTFT)", one.Ttft, one.Class?.TtftSeconds);
        yield return new Timed("per token after it (TPOT)", one.Tpot, one.Class?.TpotSeconds);
        yield return new Timed("whole answer (E2E)", one.EndToEnd, Least(one.Class?.EndToEndSeconds, one.Class?.DeadlineSeconds));
        yield return new Timed("wait at the gateway", one.GatewayWait, one.Class?.MaxWaitSeconds);
    }

    private static double? Least(double? one, double? other) =>
        one is { } a && other is { } b ? Math.Min(a, b) : one ?? other;

    private static Cell Rate(double amount, double seconds) => Text(seconds > 0 ? Spell.Number(amount / seconds) : "-");

    private static Cell Time(Spread spread, double seconds) => spread.Count > 0 ? Text(SimulateSpell.Ms(seconds)) : Cell.None;

    private static Figure<RequestReport> Name(string of) => new(new Column(of, of, Number: false), one => Cell.Of(one.Name));

    private static Figure<RequestReport> Number(string name, int rank, Func<RequestReport, long> value) =>
        new(new Column(name, name, rank), one => Text($"{value(one):N0}"));

    /// <summary>A column that is only there where it says something.</summary>
    private static IEnumerable<Figure<RequestReport>> Rare(
        IReadOnlyList<RequestReport> rows, string name, int rank, Func<RequestReport, long> value) =>
        rows.Any(row => value(row) > 0) ? [Number(name, rank, value)] : [];

    private static Figure<(RequestReport Of, Timed Time)> Ms(
        string name, int rank, Func<(RequestReport Of, Timed Time), double> seconds) =>
        new(new Column(name, name, rank), row => Text(SimulateSpell.Ms(seconds(row))));

    private static Cell Text(string text) => Cell.Of(text);

    private static Section Table<T>(string title, IReadOnlyList<T> rows, IReadOnlyList<Figure<T>> figures) =>
        Figure<T>.Table("", title, rows, figures, Audience.People);

    private readonly record struct Timed(string Name, Spread Spread, double? Limit);
}
