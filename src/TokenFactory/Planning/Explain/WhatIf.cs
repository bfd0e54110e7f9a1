using TokenFactory.Performance;

namespace TokenFactory.Planning.Explain;

/// <summary>What a what-if changes.</summary>
public enum WhatIfKind
{
    /// <summary>A promised time.</summary>
    Promise,

    /// <summary>Dollars per month.</summary>
    Budget,

    /// <summary>Watts at the meter.</summary>
    Power,

    /// <summary>GPUs of a supply.</summary>
    Stock,

    /// <summary>GPUs in all.</summary>
    Gpus,

    /// <summary>Formats of the weights.</summary>
    Precision,

    /// <summary>One kind of GPU alone.</summary>
    Gpu,

    /// <summary>Prompts and answers on pools of their own, or not.</summary>
    Split,

    /// <summary>How GPU-hours are paid for.</summary>
    Billing,

    /// <summary>A draft model.</summary>
    Speculation,

    /// <summary>A lower clock.</summary>
    Clock,

    /// <summary>A replica in reserve.</summary>
    Spare,

    /// <summary>Replicas over several machines, or within one.</summary>
    Machines,
}

/// <summary>A question to the planner: the same ask with one thing changed.</summary>
/// <param name="Kind">What is changed.</param>
/// <param name="Subject">Of whom: "chat ttft", "h100-sxm", "reserved-1y", "fp8".</param>
/// <param name="From">The value as asked, in seconds, dollars per month, watts or GPUs; null where it is no number.</param>
/// <param name="To">The value in the question.</param>
/// <param name="Ask">The changed ask.</param>
/// <param name="Sweeps">Whether replicas must be looked at anew.</param>
public sealed record WhatIf(WhatIfKind Kind, string Subject, double? From, double? To, PlanAsk Ask, bool Sweeps);

/// <summary>What a question came to.</summary>
/// <param name="WhatIf">The question.</param>
/// <param name="Fleet">The best fleet then; null where there is none.</param>
/// <param name="Weight">What it is judged by: dollars per hour on top of what is bought, watts, or minus the profit per hour.</param>
/// <param name="Change">Its weight over that of the plan, less 1, so that of a profit more is better; null where there is no fleet.</param>
public sealed record WhatIfAnswer(WhatIf WhatIf, Finalist? Fleet, double? Weight, double? Change);

/// <summary>A way in which the plan's assumptions may be wrong.</summary>
public enum ScenarioKind
{
    /// <summary>As assumed.</summary>
    AsPlanned,

    /// <summary>Every step takes longer than predicted.</summary>
    Slower,

    /// <summary>Every step takes less time than predicted.</summary>
    Faster,

    /// <summary>A GPU costs more.</summary>
    Dearer,

    /// <summary>A GPU costs less.</summary>
    Cheaper,
}

/// <summary>A scenario of the regret table.</summary>
/// <param name="Kind">What is different.</param>
/// <param name="Gpu">The GPU whose price it is; empty for none.</param>
/// <param name="Factor">By how much: steps or price times this.</param>
public readonly record struct Scenario(ScenarioKind Kind, string Gpu, double Factor);

/// <summary>A kind of fleet under all scenarios, each time as large as the promises then need.</summary>
/// <param name="Fleet">The fleet as planned.</param>
/// <param name="Look">Its GPUs, sizes and precision.</param>
/// <param name="Weights">What it weighs in each scenario; infinite where it cannot keep the promises at any size.</param>
/// <param name="Regrets">That over the best of all kinds in the scenario, less 1.</param>
public sealed record RegretRow(Finalist Fleet, string Look, IReadOnlyList<double> Weights, IReadOnlyList<double> Regrets)
{
    /// <summary>The most that it costs beyond the best, over all scenarios.</summary>
    public double Worst => Regrets.Max();
}

/// <summary>Why a plan is what it is.</summary>
/// <param name="Answers">What-ifs, in the order in which they were asked.</param>
/// <param name="Scenarios">Columns of the regret table.</param>
/// <param name="Regrets">Its rows, the plan first.</param>
public sealed record Explanation(IReadOnlyList<WhatIfAnswer> Answers, IReadOnlyList<Scenario> Scenarios, IReadOnlyList<RegretRow> Regrets)
{
    /// <summary>The kind of fleet whose worst regret is least; null without a table.</summary>
    public RegretRow? Robust => Regrets.Count == 0 ? null : Regrets.OrderBy(row => row.Worst).First();
}

/// <summary>What an explanation may ask beyond the ask itself.</summary>
public sealed record ExplainOptions
{
    /// <summary>Supplies by other ways to pay than those asked for, by the name of the way.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<Supply>> OtherBillings { get; init; } =
        new Dictionary<string, IReadOnlyList<Supply>>();

    /// <summary>Steps may take so many times as long as predicted, or as much less: four of five measurements lay within.</summary>
    public double Spread { get; init; } = 1.3;

    /// <summary>Prices may move by this share.</summary>
    public double PriceMove { get; init; } = 0.2;

    /// <summary>A draft model that might be had.</summary>
    public SpeculativeDecoding Draft { get; init; } = new(3, 0.7);
}
