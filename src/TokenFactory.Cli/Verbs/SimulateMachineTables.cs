using TokenFactory.Cli.Output;
using TokenFactory.Simulation;

namespace TokenFactory.Cli.Verbs;

/// <summary>What machines did and cost, in tables for people.</summary>
internal static class SimulateMachineTables
{
    /// <summary>What the pools are.</summary>
    public static Section Pools(RunReport run) => Table(
        "Pools",
        run.Pools,
        [
            new(new Column("pool", "pool", Number: false), one => Cell.Of(one.Name)),
            new(new Column("what", "a replica is", Number: false), one => one.What.Length > 0 ? Cell.Of(one.What) : Cell.None),
            new(new Column("billing", "billing", 1, Number: false), one => one.Billing.Length > 0 ? Cell.Of(one.Billing) : Cell.None),
            Text("replicas, mean", 0, one => one.MeanReplicas.ToString("0.##")),
            .. Rare(run.Pools, "started", one => one.Started),
            .. Rare(run.Pools, "lost", one => one.Lost),
        ]);

    /// <summary>What they did.</summary>
    /// <param name="title">Heading.</param>
    /// <param name="of">"pool" or "replica".</param>
    /// <param name="machines">The rows.</param>
    /// <param name="answered">The requests that each answered, by its name.</param>
    /// <param name="run">The run.</param>
    public static Section Work(
        string title, string of, IReadOnlyList<MachineReport> machines, IReadOnlyList<RequestReport> answered, RunReport run)
    {
        return Table(
            title,
            machines,
            [
                new(new Column(of, of, Number: false), one => Cell.Of(one.Name)),
                Text("GPU-h paid", 0, one => Spell.Number(one.PaidGpuHours)),
                Text("busy", 0, one => Spell.Percent(one.Utilisation)),
                .. of == "pool" ? [Text("KV held", 0, one => Spell.Percent(one.KvHeld))] : Array.Empty<Figure<MachineReport>>(),
                Of("prefix hits", 1, one => one.PromptTokens > 0 ? Spell.Percent(one.HitShare) : null),
                Text("prompt tok/s", 0, one => Rate(one.PromptTokens)),
                Text("output tok/s", 0, one => Rate(one.OutputTokens)),
                Text("batch", 1, one => Spell.Number(one.MeanBatch)),
                Text("gap p50, ms", 2, one => Gap(one, one.TokenGap.P50)),
                Text("gap p99, ms", 2, one => Gap(one, one.TokenGap.P99)),
                .. answered.Any(one => one.Preemptions > 0)
                    ? [Of("preemptions", 3, one => $"{one.Preemptions:N0}")]
                    : Array.Empty<Figure<MachineReport>>(),
            ]);

        Figure<MachineReport> Of(string name, int rank, Func<RequestReport, string?> text) => new(
            new Column(name, name, rank),
            one => SimulateRates.Answered(answered, one.Name) is { } its && text(its) is { } told ? Cell.Of(told) : Cell.None);

        string Rate(double amount) => run.Seconds > 0 ? Spell.Number(amount / run.Seconds) : "-";

        static string Gap(MachineReport one, double seconds) => one.TokenGap.Count > 0 ? SimulateSpell.Ms(seconds) : "-";
    }

    /// <summary>What they cost in dollars and energy.</summary>
    /// <param name="title">Heading.</param>
    /// <param name="of">"pool" or "replica".</param>
    /// <param name="machines">The rows.</param>
    /// <param name="answered">The requests that each answered, by its name.</param>
    /// <param name="run">The run.</param>
    public static Section Bill(
        string title, string of, IReadOnlyList<MachineReport> machines, IReadOnlyList<RequestReport> answered, RunReport run)
    {
        return Table(
            title,
            machines,
            [
                new(new Column(of, of, Number: false), one => Cell.Of(one.Name)),
                Text("$ paid", 0, one => Spell.Dollars(one.PaidUsd)),
                PerOutput("$/M allocation", 0, one => one.PaidUsd * 1e6, Spell.Dollars),
                PerOutput("$/M usage", 0, one => one.UsageUsd * 1e6, Spell.Dollars),
                Text("W/GPU board", 1, one => SimulateRates.BoardWattsPerGpu(one) is { } watts ? Spell.Number(watts) : "-"),
                Text("kW facility", 1, one => Rate(one.FacilityJoules / 1e3)),
                PerOutput("J/token board", 0, one => one.BoardJoules, Spell.Number),
                PerOutput("J/token it", 2, one => one.ItJoules, Spell.Number),
                PerOutput("J/token facility", 0, one => one.FacilityJoules, Spell.Number),
                Text("kWh facility", 2, one => Spell.Number(one.FacilityJoules / 3.6e6)),
            ]);

        Figure<MachineReport> PerOutput(string name, int rank, Func<MachineReport, double> amount, Func<double, string> spell) => new(
            new Column(name, name, rank),
            one => SimulateRates.Answered(answered, one.Name) is { OutputTokens: > 0 } its
                ? Cell.Of(spell(amount(one) / its.OutputTokens))
                : Cell.None);

        string Rate(double amount) => run.Seconds > 0 ? Spell.Number(amount / run.Seconds) : "-";
    }

    /// <summary>A column that is only there where it says something.</summary>
    private static IEnumerable<Figure<MachineReport>> Rare(
        IReadOnlyList<MachineReport> rows, string name, Func<MachineReport, long> count) =>
        rows.Any(row => count(row) > 0) ? [Text(name, 0, one => $"{count(one):N0}")] : [];

    private static Figure<MachineReport> Text(string name, int rank, Func<MachineReport, string> text) =>
        new(new Column(name, name, rank), one => Cell.Of(text(one)));

    private static Section Table(string title, IReadOnlyList<MachineReport> rows, IReadOnlyList<Figure<MachineReport>> figures) =>
        Figure<MachineReport>.Table("", title, rows, figures, Audience.People);
}
