using TokenFactory.Cli.Output;
using TokenFactory.Planning;
using TokenFactory.Planning.Explain;

namespace TokenFactory.Cli.Verbs;

/// <summary>
/// plan --why: what binds, what each promise and limit costs, why others lost, and what happens if the assumptions are wrong.
/// </summary>
internal static class PlanWhy
{
    private const double Binding = 0.85;
    private const double Noticeable = 0.005;

    /// <summary>The report of a plan with its reasons.</summary>
    public static Report With(Report report, PlanAnswer answer, Explanation why) => answer.Best is not { } best
        ? report
        : report with
        {
            Answer = [.. report.Answer, .. Words(answer, why)],
            Sections = [.. report.Sections, Binds(answer, best), Asked(answer, why), Regrets(answer, why)],
        };

    private static IEnumerable<string> Words(PlanAnswer answer, Explanation why)
    {
        foreach (var one in why.Answers.Where(one =>
            one.WhatIf.Kind is WhatIfKind.Promise or WhatIfKind.Budget or WhatIfKind.Power or WhatIfKind.Stock or WhatIfKind.Gpus)
            .Where(one => one.WhatIf.To > one.WhatIf.From && Gain(answer, one) > Noticeable).OrderByDescending(one => Gain(answer, one)).Take(3))
        {
            var gain = Spell.Percent(Gain(answer, one));
            yield return $"{Upper(Question(answer, one.WhatIf))} "
                + $"{(answer.Ask.Objective == PlanObjective.Profit ? $"earns {gain} more" : $"saves {gain}")}.";
        }

        if (why.Robust is { } kind && !ReferenceEquals(why.Regrets[0].Fleet, answer.Best))
        {
            if (double.IsFinite(kind.Worst))
            {
                yield return $"Of fleets of one kind, one of {PlanWords.Kinds(kind.Fleet)} is the safest: under every scenario it costs "
                    + $"at most {Share(kind.Worst)} more than the best of them. The plan, a mix, was not compared.";
            }
        }
        else if (why.Robust is { } robust && why.Regrets.Count > 0 && robust.Look != why.Regrets[0].Look)
            yield return $"If the assumptions may be wrong, a fleet of {PlanWords.Kinds(robust.Fleet)} "
                + $"is the safer choice: at worst {Share(robust.Worst)} beyond the best, "
                + $"against {Share(why.Regrets[0].Worst)} for the plan.";
        else if (why.Robust is { } same && double.IsFinite(same.Worst))
            yield return "The plan is also the safest of those compared: under every scenario it costs "
                + $"at most {Share(same.Worst)} more than the best.";
    }

    private static double Gain(PlanAnswer answer, WhatIfAnswer one) =>
        (one.Change ?? 0) * (answer.Ask.Objective == PlanObjective.Profit ? 1 : -1);

    /// <summary>What changes of a plan are counted in.</summary>
    public static string Unit(PlanAnswer answer) => answer.Ask.Objective switch
    {
        PlanObjective.TokensPerWatt => "watts",
        PlanObjective.Profit => "profit",
        _ => "dollars",
    };

    /// <summary>Promises and limits with how much of each is used.</summary>
    private static Section Binds(PlanAnswer answer, Finalist best)
    {
        var limits = answer.Ask.Limits;
        var rows = best.Runs.SelectMany(run => run.Promises)
            .Select(promise => (What: $"{PlanWords.Time(promise.Time)} of {promise.Class}", Used: promise.Seconds / promise.Promised))
            .Concat(Limit("budget", best.MarginalUsdPerHour, limits.UsdPerHour))
            .Concat(Limit("power of the site, all replicas at full load", best.FullWatts, limits.MostWatts))
            .Concat(Limit("GPUs in all", best.Gpus, limits.Gpus))
            .Concat(best.Bought.Where(one => one.Supply.Stock is not null)
                .GroupBy(one => one.Supply.StockKey)
                .SelectMany(same => Limit($"stock of {same.Key}", same.Sum(one => one.Paid), same.First().Supply.Stock)))
            .Concat(best.Runs.Select(run => ("memory for the KV cache, mean over the run", run.Report.Machines.KvHeld)))
            .OrderByDescending(row => row.Item2);
        return new Section(
            "binds",
            "What binds: how much of each promise and limit is used",
            [
                new Column("what", "promise or limit", Number: false),
                new Column("used", "used"),
                new Column("binds", "binds", Number: false),
            ],
            [.. rows.Select(row => (IReadOnlyList<Cell>)
            [
                Cell.Of(row.Item1),
                new Cell(row.Item2, Spell.Percent(row.Item2)),
                new Cell(row.Item2 >= Binding, row.Item2 >= Binding ? "yes" : "no"),
            ])]);

        static IEnumerable<(string, double)> Limit(string what, double used, double? most) =>
            most is > 0 and var limit ? [(what, used / limit)] : [];
    }

    private static Section Asked(PlanAnswer answer, Explanation why) => new(
        "what_if",
        "What if",
        [
            new Column("question", "question", Number: false),
            new Column("change", Unit(answer)),
            new Column("usd_per_hour", "$/h", 1),
            new Column("fleet", "fleet then", 1, Number: false),
        ],
        [
            .. why.Answers.Select(one => (IReadOnlyList<Cell>)
            [
                Cell.Of(Question(answer, one.WhatIf)),
                one.Fleet is null ? new Cell(null, "no fleet")
                    : one.Change is { } change ? new Cell(change, Spell.Change(change))
                    : Cell.None,
                one.Fleet is null ? Cell.None : new Cell(one.Fleet.PaidUsdPerHour, Spell.Dollars(one.Fleet.PaidUsdPerHour)),
                one.Fleet is null ? Cell.None : Cell.Of(PlanWords.Fleet(one.Fleet)),
            ]),
        ]);

    private static Section Regrets(PlanAnswer answer, Explanation why) => new(
        "regret",
        "If the assumptions are wrong: beyond the best choice in each case",
        [
            new Column("fleet", "kind of fleet", Number: false),
            .. why.Scenarios.Select((scenario, i) => new Column($"scenario_{i}", Scenario(scenario))),
            new Column("worst", "worst"),
        ],
        [
            .. why.Regrets.Select(row => (IReadOnlyList<Cell>)
            [
                Cell.Of(PlanWords.Kinds(row.Fleet)),
                .. row.Regrets.Select(regret => new Cell(double.IsFinite(regret) ? regret : null, Share(regret))),
                new Cell(double.IsFinite(row.Worst) ? row.Worst : null, Share(row.Worst)),
            ]),
        ]);

    private static string Scenario(Scenario scenario) => scenario.Kind switch
    {
        ScenarioKind.AsPlanned => "as planned",
        ScenarioKind.Slower => $"steps x {Spell.Number(scenario.Factor)}",
        ScenarioKind.Faster => $"steps x {Spell.Number(scenario.Factor)}",
        _ => $"{scenario.Gpu} {Spell.Change(scenario.Factor - 1)}",
    };

    private static string Share(double regret) => double.IsFinite(regret) ? Spell.Percent(regret) : "cannot";

    /// <summary>A question in words.</summary>
    public static string Question(PlanAnswer answer, WhatIf question) => question.Kind switch
    {
        WhatIfKind.Promise =>
            $"{(question.To > question.From ? "relaxing" : "tightening")} {Promise(question.Subject)} "
            + $"from {Seconds(question.From)} to {Seconds(question.To)}",
        WhatIfKind.Budget => $"a budget of {Spell.Dollars(question.To!.Value)} instead of {Spell.Dollars(question.From!.Value)} a month",
        WhatIfKind.Power => $"{Spell.Number(question.To!.Value / 1e3)} kW instead of {Spell.Number(question.From!.Value / 1e3)} kW",
        WhatIfKind.Stock => $"{question.To:0} instead of {question.From:0} GPUs of {question.Subject}",
        WhatIfKind.Gpus => $"{question.To:0} instead of {question.From:0} GPUs in all",
        WhatIfKind.Precision => $"weights in {question.Subject}",
        WhatIfKind.Gpu => $"{question.Subject} alone",
        WhatIfKind.Split => question.Subject == "apart"
            ? "prompts and answers on pools of their own"
            : "prompts and answers on the same replicas",
        WhatIfKind.Billing => $"all on {question.Subject}",
        WhatIfKind.Speculation => Draft(question),
        WhatIfKind.Clock => $"GPUs at {question.To * 100:0} % of their clock",
        WhatIfKind.Spare => $"{question.To:0} replica{(question.To > 1 ? "s" : "")} of every pool in reserve (N+{question.To:0})",
        _ => question.Subject == "one" ? "every replica within one machine of eight" : "replicas over two machines of eight",
    };

    private static string Draft(WhatIf question)
    {
        var draft = question.Ask.Services[0].Space.Speculation[0]!.Value;
        return $"a draft model of {draft.DraftTokens} tokens, {Spell.Percent(draft.Acceptance)} of them accepted";
    }

    private static string Promise(string subject)
    {
        var at = subject.LastIndexOf(' ');
        return $"the {PlanWords.Time(subject[(at + 1)..])} of {subject[..at]}";
    }

    private static string Seconds(double? seconds) =>
        seconds < 1 ? $"{Spell.Number(seconds.Value * 1e3)} ms" : $"{Spell.Number(seconds!.Value)} s";

    private static string Upper(string words) => char.ToUpperInvariant(words[0]) + words[1..];
}
