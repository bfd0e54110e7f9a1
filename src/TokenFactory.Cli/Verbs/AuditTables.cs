using TokenFactory.Cli.Output;
using TokenFactory.Planning.Audit;
using static TokenFactory.Planning.Audit.AuditResult;

namespace TokenFactory.Cli.Verbs;

/// <summary>The tables of an audit.</summary>
internal static class AuditTables
{
    /// <summary>The levers that are off, by what each saves alone.</summary>
    public static Section Off(AuditResult audit) => new(
        "",
        "Off today: what each would save alone, at the promises that hold today (tok/s/W at the facility's meter)",
        [
            Words("lever", 0),
            Words("pulled", 0),
            new Column("gpus", "GPUs"),
            new Column("usd", "$/M"),
            new Column("saves", "saves"),
            new Column("tokens_per_watt", "tok/s/W"),
            new Column("gain", "gain"),
            new Column("kept", "kept", 1),
        ],
        [
            .. audit.Levers.Where(one => one.State == LeverState.Off).Select(one => (IReadOnlyList<Cell>)
            [
                Cell.Of(one.Lever.Name + (one.Barred is null ? "" : "*")),
                Cell.Of(one.Verdict == LeverVerdict.BreaksPromise ? $"breaks {one.Best!.Broken}" : one.Best?.What ?? "-"),
                .. Figures(audit, one),
            ]),
        ])
    {
        For = Audience.People,
    };

    /// <summary>The levers that help together, step by step.</summary>
    public static Section Together(AuditResult audit) => new(
        "together",
        "Together: each on what those above it left",
        [
            Words("lever", 0),
            Words("pulled", 0),
            new Column("gpus", "GPUs"),
            new Column("usd_per_million_output_tokens", "$/M"),
            new Column("tokens_per_second_per_watt_facility", "tok/s/W"),
        ],
        [
            .. audit.Steps.Select(step => (IReadOnlyList<Cell>)
            [
                Cell.Of(step.Lever.Key) with { Text = step.Lever.Name },
                Cell.Of(step.What),
                Gpus(step.Fleet, step.Figures),
                Usd(Mean(step.Figures, figures => figures.UsdPerMillion) * Scale(audit, step.Lever)),
                Number(Mean(step.Figures, figures => figures.TokensPerJoule) * WattScale(audit, step.Lever)),
            ]),
        ]);

    /// <summary>GPUs of a fleet: as ordered, or on average where it scales.</summary>
    public static double GpusOf(AuditedFleet fleet, IReadOnlyList<AuditFigures> figures) =>
        fleet.Pools.Any(pool => pool.Scaler is not null) ? Mean(figures, one => one.Gpus) : fleet.Gpus;

    /// <summary>The levers that are pulled already, and those that mean nothing here.</summary>
    public static Section Others(AuditResult audit) => new(
        "",
        "On already, or not applicable",
        [Words("lever", 0), Words("state", 0), Words("why", 0)],
        [
            .. audit.Levers.Where(one => one.State != LeverState.Off).OrderBy(one => one.State).Select(one => (IReadOnlyList<Cell>)
                [Cell.Of(one.Lever.Name), Cell.Of(State(one)), Cell.Of(one.Reason)]),
        ])
    {
        For = Audience.People,
    };

    /// <summary>Today's fleet, the same without spare replicas, and with all that helps: seed by seed.</summary>
    public static Section Fleet(AuditResult audit) => new(
        "fleets",
        "",
        [
            Words("fleet", 0),
            new Column("seed", "seed"),
            new Column("usd_per_million_output_tokens", "$/M"),
            new Column("usd_per_million_output_tokens_usage", "$/M usage"),
            new Column("tokens_per_second_per_watt_facility", "tok/s/W"),
            new Column("kept_share", "kept"),
            new Column("gpus", "GPUs, mean"),
            new Column("utilisation_share", "busy"),
            new Column("prefix_hit_share", "prefix hits"),
        ],
        [
            .. audit.Today.Select(one => Fleet("today", one)),
            .. audit.CutFigures.Select(one => Fleet("fewest_replicas", one)),
            .. audit.BestFigures.Select(one => Fleet("together", one)),
        ])
    {
        For = Audience.Machines,
    };

    /// <summary>Every lever with all figures.</summary>
    public static Section Levers(AuditResult audit) => new(
        "levers",
        "",
        [
            .. ((string[])
            [
                "lever", "state", "reason", "verdict", "pulled", "breaks", "gpus", "usd_per_million_output_tokens",
                "saves_usd_per_million_output_tokens", "saves_share", "saves_share_half_width_95", "usd_per_million_output_tokens_usage",
                "tokens_per_second_per_watt_facility", "gains_tokens_per_watt_share", "kept_share", "effort", "risk", "barred",
            ]).Select(key => new Column(key, key)),
        ],
        [.. audit.Levers.Select(one => Line(audit, one))])
    {
        For = Audience.Machines,
    };

    /// <summary>Every way that was tried.</summary>
    public static Section Tried(AuditResult audit) => new(
        "tried",
        "",
        [
            .. ((string[])
            [
                "lever", "pulled", "breaks", "gpus", "usd_per_million_output_tokens", "tokens_per_second_per_watt_facility", "kept_share",
                "seeds",
            ]).Select(key => new Column(key, key)),
        ],
        [
            .. audit.Levers.SelectMany(one => one.Tried.Select(trial => Values(
                one.Lever.Key,
                trial.What,
                trial.Broken,
                GpusOf(trial.Fleet, trial.Figures),
                trial.Broken is null ? Mean(trial.Figures, figures => figures.UsdPerMillion) * ScalesAlone(audit, one.Lever).Usd : null,
                trial.Broken is null ? Mean(trial.Figures, figures => figures.TokensPerJoule) * ScalesAlone(audit, one.Lever).Watts : null,
                trial.Broken is null ? Mean(trial.Figures, figures => figures.KeptShare) : null,
                trial.Figures.Count))),
        ])
    {
        For = Audience.Machines,
    };

    /// <summary>The state in words.</summary>
    public static string State(LeverResult one) => one.State switch
    {
        LeverState.On => "on",
        LeverState.Off => "off",
        _ => "not applicable",
    };

    /// <summary>From dollars on the stretch to dollars on the check: the fleet without spare replicas runs on both.</summary>
    private static double Scale(AuditResult audit, Lever lever) => Ratio(audit, lever, figures => figures.UsdPerMillion);

    private static double WattScale(AuditResult audit, Lever lever) => Ratio(audit, lever, figures => figures.TokensPerJoule);

    private static double Ratio(AuditResult audit, Lever lever, Func<AuditFigures, double> of) =>
        !lever.NeedsHours && Mean(audit.CutSample, of) is > 0 and var sample ? Mean(audit.CutFigures, of) / sample : 1;

    /// <summary>Fewer replicas alone is measured on the check itself, as today's fleet is; the others on the stretch.</summary>
    private static (double Usd, double Watts) ScalesAlone(AuditResult audit, Lever lever) =>
        lever.Key == Planning.Audit.Levers.Replicas ? (1, 1) : (Scale(audit, lever), WattScale(audit, lever));

    private static IReadOnlyList<Cell> Figures(AuditResult audit, LeverResult one)
    {
        if (one.Best is not { Broken: null } best)
            return [Cell.None, Cell.None, Cell.Of("nothing"), Cell.None, Cell.None, Cell.None];
        var (usd, watts) = ScalesAlone(audit, one.Lever);
        var saved = audit.UsdSaved(one);
        return
        [
            Gpus(best.Fleet, best.Figures),
            Usd(Mean(best.Figures, figures => figures.UsdPerMillion) * usd),
            Cell.Of(one.Verdict switch
            {
                LeverVerdict.Saves => $"{Spell.Dollars(saved)} ({Spell.Percent(one.Saving)})",
                LeverVerdict.SavesWatts => "watts only",
                _ => "nothing",
            }),
            Number(Mean(best.Figures, figures => figures.TokensPerJoule) * watts),
            Cell.Of(Spell.Change(one.Gains.DefaultIfEmpty().Average())),
            Cell.Of(SimulateSpell.Kept(Mean(best.Figures, figures => figures.KeptShare))),
        ];
    }

    private static IReadOnlyList<Cell> Line(AuditResult audit, LeverResult one)
    {
        var kept = one.Best is { Broken: null } best ? best : null;
        var (usd, watts) = ScalesAlone(audit, one.Lever);
        return Values(
            one.Lever.Key,
            State(one),
            one.Reason,
            one.Verdict.ToString(),
            one.Best?.What,
            one.Best?.Broken,
            kept is null ? null : GpusOf(kept.Fleet, kept.Figures),
            kept is null ? null : Mean(kept.Figures, figures => figures.UsdPerMillion) * usd,
            kept is null ? null : audit.UsdSaved(one),
            kept is null ? null : one.Savings.DefaultIfEmpty().Average(),
            kept is null ? null : SimulateInterval.Of(one.Savings)?.HalfWidth,
            kept is null ? null : Mean(kept.Figures, figures => figures.UsageUsdPerMillion) * usd,
            kept is null ? null : Mean(kept.Figures, figures => figures.TokensPerJoule) * watts,
            kept is null ? null : one.Gains.DefaultIfEmpty().Average(),
            kept is null ? null : Mean(kept.Figures, figures => figures.KeptShare),
            one.Lever.Effort.ToString().ToLowerInvariant(),
            one.Lever.Risk,
            one.Barred);
    }

    private static IReadOnlyList<Cell> Fleet(string name, AuditFigures one) => Values(
        name,
        one.Seed,
        one.UsdPerMillion,
        one.UsageUsdPerMillion,
        one.TokensPerJoule,
        one.KeptShare,
        one.Gpus,
        one.Utilisation,
        one.HitShare);

    private static IReadOnlyList<Cell> Values(params object?[] values) => [.. values.Select(value => new Cell(value, ""))];

    private static Column Words(string name, int rank) => new(name, name, rank, Number: false);

    private static Cell Gpus(AuditedFleet fleet, IReadOnlyList<AuditFigures> figures)
    {
        var gpus = GpusOf(fleet, figures);
        return new Cell(gpus, gpus.ToString("#,0.#", System.Globalization.CultureInfo.InvariantCulture));
    }

    private static Cell Usd(double usd) => new(usd, Spell.Dollars(usd));

    private static Cell Number(double number) => new(number, Spell.Number(number));
}
