using TokenFactory.Catalog;
using TokenFactory.Cli.Output;
using TokenFactory.Planning.Audit;

namespace TokenFactory.Cli.Verbs;

/// <summary>An audit as a report: words, the levers that are off, the way through them, the others, and what to know.</summary>
internal static class AuditReport
{
    /// <summary>The day on which effort and risk were judged.</summary>
    private static readonly DateOnly Judged = new(2026, 11, 21);
    private static readonly Billing[] Others = [Billing.Reserved1Year, Billing.Reserved3Year, Billing.Spot];

    /// <summary>The report.</summary>
    public static Report Of(AuditResult audit, SimulateScenario scenario) => new(
        "audit",
        [.. AuditWords.Answer(audit)],
        [
            AuditTables.Off(audit),
            AuditTables.Together(audit),
            Takes(audit),
            AuditTables.Others(audit),
            AuditTables.Fleet(audit),
            AuditTables.Levers(audit),
            AuditTables.Tried(audit),
            Commands(audit, scenario),
            Bills(audit),
            SimulateRunner.Prices([scenario]),
        ],
        [.. AuditWords.Notes(audit), .. Prices(audit), .. SimulateRunner.Notes([scenario])]);

    /// <summary>What it takes to pull those that are off.</summary>
    private static Section Takes(AuditResult audit) => new(
        "effort_and_risk",
        "What it takes, and what may go wrong (our judgement)",
        [
            new Column("lever", "lever", Number: false),
            new Column("effort", "effort", Number: false),
            new Column("risk", "risk", Number: false),
            new Column("basis", "rests on", Rank: 1, Number: false),
        ],
        [
            .. audit.Levers.Where(one => one.State == LeverState.Off).Select(one => (IReadOnlyList<Cell>)
            [
                Cell.Of(one.Lever.Name),
                Said(one.Lever.Effort.ToString().ToLowerInvariant(), one.Lever),
                Said(one.Lever.Risk, one.Lever),
                Cell.Of(one.Lever.Basis),
            ]),
        ]);

    private static Cell Said(string text, Lever lever) => new(
        text, text, Provenance.Of(new Source(SourceKind.Estimated, $"our judgement; rests on: {lever.Basis}", SourceDate.On(Judged))));

    /// <summary>How to try it in simulate.</summary>
    private static Section Commands(AuditResult audit, SimulateScenario scenario) => new(
        "settings",
        "The same fleet in simulate: --set for each",
        [new Column("setting", "setting", Number: false)],
        audit.Best is not { } best ? []
            : [.. AuditSets.Of(audit.Fleet, best, scenario.File).Select(set => (IReadOnlyList<Cell>)[Cell.Of(set)])]);

    /// <summary>What other ways of billing would cost.</summary>
    private static Section Bills(AuditResult audit) => new(
        "other_prices",
        "What other ways of billing would cost",
        [
            new Column("pool", "pool", Number: false),
            new Column("billing", "billing", Number: false),
            new Column("usd_per_gpu_hour", "$/GPU-hour"),
        ],
        [
            .. from pool in audit.Fleet.Pools
               from billing in Others
               where pool.Billing != billing.Text()
               let price = audit.Asked.Prices(pool, billing)
               where price is not null
               select (IReadOnlyList<Cell>)
               [
                   Cell.Of(pool.Name),
                   Cell.Of(billing.Text()),
                   Cell.Of(price.Value, usd => (usd, Spell.Dollars(usd))),
               ],
        ]);

    private static IEnumerable<string> Prices(AuditResult audit)
    {
        var told = audit.Fleet.Pools
            .SelectMany(pool => Others.Select(billing => audit.Asked.Prices(pool, billing)?.Note))
            .OfType<string>().Distinct(StringComparer.Ordinal).ToList();
        if (told.Count > 0)
            yield return $"Discounts are taken off today's price where its provider asks no other: {string.Join("; ", told)}.";
    }
}
