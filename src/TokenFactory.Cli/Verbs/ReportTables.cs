using System.Globalization;
using TokenFactory.Cli.Output;
using TokenFactory.Store.Reports;

namespace TokenFactory.Cli.Verbs;

/// <summary>Words and tables of a report on the ledger.</summary>
internal static class ReportTables
{
    private const double Middle = 0.5;
    private const double Late = 0.95;

    /// <summary>The report.</summary>
    public static Report Of(UsageReport report, ReportAsked asked, string ledger)
    {
        List<Section> sections = [Usage(report), Times(report)];
        if (report.Meters.Seconds > 0)
            sections.Add(Meters(report));
        return new Report("report", Answer(report, asked), sections, Notes(report, asked, ledger));
    }

    /// <summary>The rows as a table of their own.</summary>
    public static string Csv(UsageReport report)
    {
        var (usage, times) = (Usage(report), Times(report));
        var groups = report.By.Count;
        var lines = new List<string> { Line(usage.Columns.Select(column => column.Key).Concat(times.Columns.Skip(groups + 1).Select(column => column.Key))) };
        for (var i = 0; i < report.Rows.Count; i++)
            lines.Add(Line(usage.Rows[i].Concat(times.Rows[i].Skip(groups + 1)).Select(cell => Convert.ToString(cell.Value, CultureInfo.InvariantCulture) ?? "")));
        return string.Join('\n', lines) + "\n";
    }

    private static string Line(IEnumerable<string> cells) => string.Join(',', cells.Select(cell =>
        cell.AsSpan().ContainsAny(",\"\r\n") ? $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : cell));

    private static IReadOnlyList<string> Answer(UsageReport report, ReportAsked asked)
    {
        var sum = report.Total;
        var when = asked.Read is not null && asked.From == DateTime.UnixEpoch ? "in the table" : $"from {asked.From:yyyy-MM-dd HH:mm} to {asked.To:yyyy-MM-dd HH:mm} UTC";
        if (sum.Requests == 0)
            return [$"No request ended {when}."];
        var answer = $"{sum.Requests:#,0} {(sum.Requests == 1 ? "request" : "requests")} {when}: {sum.Tokens.Prompt + sum.Tokens.Output:#,0} tokens, charged {Dollars(sum.Charged)}, "
            + $"cost {Dollars(sum.AllocationCost)}, margin {Dollars(sum.Margin)}.";
        var energy = sum.JoulesPerOutputToken is { } each
            ? $" {Spell.Number(sum.Joules)} J at the boards, {Spell.Number(each)} J per token of answers (estimated)."
            : "";
        return [answer + energy];
    }

    private static IReadOnlyList<string> Notes(UsageReport report, ReportAsked asked, string ledger)
    {
        List<string> notes =
        [
            asked.Read is { } table ? $"from {table}" : $"from {ledger}; a gateway that runs has moved all but the last moments into it",
            "cost is on the allocation basis: busy time by work, and idle time with it; usage cost is busy time alone. Both and joules come from the "
                + "performance model (estimated)",
        ];
        if (report.Meters.Seconds > 0)
            notes.Add("'not attributed' are requests in flight at either end of the time, and meters not yet cut");
        if (asked is { Focus: { } focus, Prices: null })
            notes.Add($"{focus} has one price for all tokens of a model, an hour and a tenant, as charged; name the factory file with --prices for list prices");
        return notes;
    }

    private static string Dollars(TokenFactory.Units.Usd usd) => Spell.Dollars((double)usd.Value);

    private static Section Usage(UsageReport report) => new(
        "usage",
        "Requests, tokens, dollars, joules",
        [
            .. Groups(report),
            new("requests", "requests"), new("completed", "completed", 3), new("cancelled", "cancelled", 3), new("failed", "failed", 3),
            new("fresh_tokens", "fresh", 2), new("cached_tokens", "cached", 2), new("output_tokens", "output"), new("reasoning_tokens", "reasoning", 4),
            new("charged_usd", "charged"), new("usage_cost_usd", "usage cost", 4), new("allocation_cost_usd", "cost"), new("margin_usd", "margin", 1),
            new("charged_usd_per_million_tokens", "$/M charged", 2), new("cost_usd_per_million_tokens", "$/M cost", 1),
            new("joules", "joules", 2), new("joules_per_output_token", "J/token", 1),
        ],
        [.. report.Rows.Select(row => UsageRow(row.Sum, Names(row.Sum.Group))), .. Total(report, total => UsageRow(report.Total, total))]);

    private static IReadOnlyList<Cell> UsageRow(UsageSum sum, IReadOnlyList<Cell> names) =>
    [
        .. names,
        Count(sum.Requests), Count(sum.Completed), Count(sum.Cancelled), Count(sum.Failed),
        Count(sum.Tokens.Fresh), Count(sum.Tokens.Cached), Count(sum.Tokens.Output), Count(sum.Tokens.Reasoning),
        Money(sum.Charged.Value), Money(sum.UsageCost.Value), Money(sum.AllocationCost.Value), Money(sum.Margin.Value),
        Money(sum.ChargedPerMillionTokens), Money(sum.CostPerMillionTokens),
        Number(sum.Joules), Number(sum.JoulesPerOutputToken),
    ];

    private static Section Times(UsageReport report) => new(
        "times",
        "Times as the gateway measured them",
        [
            .. Groups(report),
            new("first_tokens", "streams"), new("ttft_mean_s", "TTFT s"), new("ttft_p50_s", "p50"), new("ttft_p95_s", "p95"),
            new("tpot_mean_ms", "TPOT ms"), new("tpot_p50_ms", "p50"), new("tpot_p95_ms", "p95"),
        ],
        [.. report.Rows.Select(row => TimesRow(row.Sum, row.Times, Names(row.Sum.Group)))]);

    private static IReadOnlyList<Cell> TimesRow(UsageSum sum, TimeSpread? times, IReadOnlyList<Cell> names) =>
    [
        .. names,
        Count(sum.FirstTokens),
        Number(sum.MeanTtftSeconds), Number(times?.Ttft.Seconds(Middle)), Number(times?.Ttft.Seconds(Late)),
        Number(sum.MeanTpotSeconds * 1e3), Number(times?.Tpot.Seconds(Middle) * 1e3), Number(times?.Tpot.Seconds(Late) * 1e3),
    ];

    private static Section Meters(UsageReport report) => new(
        "meters",
        "What replicas were paid and drew, and who bears it",
        [new("what", "what", Number: false), new("usd", "dollars"), new("joules", "joules")],
        [
            [Cell.Of("paid"), Money(report.Meters.Paid.Value), Number(report.Meters.Joules)],
            [Cell.Of("requests, by use"), Money(report.Total.UsageCost.Value), Number(report.Total.Joules)],
            [Cell.Of("idle"), Money(report.Meters.Idle.Value), Number(report.Meters.IdleJoules)],
            [Cell.Of("not attributed"), Money(report.NotAttributed.Value), Number(Rest(report))],
        ]);

    /// <summary>Joules that nobody bears; sums of doubles leave a last digit, which is none.</summary>
    private static double Rest(UsageReport report) =>
        Math.Abs(report.NotAttributedJoules) > report.Meters.Joules * 1e-9 ? report.NotAttributedJoules : 0;

    private static IEnumerable<Column> Groups(UsageReport report) =>
        report.By.Select(dimension => dimension.ToString().ToLowerInvariant()).Select(name => new Column(name, name, Number: false));

    private static IReadOnlyList<Cell> Names(IReadOnlyList<string> group) => [.. group.Select(Cell.Of)];

    private static IEnumerable<IReadOnlyList<Cell>> Total(UsageReport report, Func<IReadOnlyList<Cell>, IReadOnlyList<Cell>> row) => report.Rows.Count > 1
        ? [row([.. report.By.Select((_, i) => i == 0 ? new Cell(null, "all") : Cell.Of(""))])]
        : [];

    private static Cell Count(long number) => new(number, number.ToString("#,0", CultureInfo.InvariantCulture));

    private static Cell Number(double? number) => number is { } value ? new(value, Spell.Number(value)) : Cell.None;

    private static Cell Money(decimal? usd) => usd is { } value ? new(value, Spell.Dollars((double)value)) : Cell.None;
}
