using TokenFactory.Units;

namespace TokenFactory.Planning.Explain;

/// <summary>
/// Answers what a plan raises by asking the planner again: nothing is derived from a linear picture that the twin would contradict.
/// </summary>
/// <param name="knowledge">What is known beside the ask.</param>
/// <param name="progress">Told what is being done; returns whether to go on.</param>
public sealed class Explainer(PlanKnowledge knowledge, Func<string, bool>? progress = null)
{
    /// <summary>Fleets that the twin sizes for each question.</summary>
    private const int Finalists = 2;

    /// <summary>The explanation of a plan.</summary>
    public Explanation Of(PlanAnswer answer, ExplainOptions options)
    {
        if (answer.Best is not { } best)
            return new Explanation([], [], []);
        var answers = WhatIfs.Of(answer, options).Select(question => Ask(question, answer, best)).ToList();
        var scenarios = Scenarios(answer, options).ToList();
        return new Explanation(answers, scenarios, Regrets(answer, scenarios));
    }

    private WhatIfAnswer Ask(WhatIf question, PlanAnswer answer, Finalist best)
    {
        var planner = new Planner(knowledge, progress);
        var ask = question.Ask with { Finalists = Finalists };
        var then = question.Sweeps ? planner.Solve(ask) : planner.Solve(ask, answer.Searches);
        if (then.Best is not { } fleet)
            return new WhatIfAnswer(question, null, null, null);
        var (weight, plan) = (fleet.Weighs(ask.Objective), best.Weighs(ask.Objective));
        return new WhatIfAnswer(question, fleet, weight, plan != 0 ? (weight / plan) - 1 : null);
    }

    private static IEnumerable<Scenario> Scenarios(PlanAnswer answer, ExplainOptions options)
    {
        yield return new Scenario(ScenarioKind.AsPlanned, "", 1);
        yield return new Scenario(ScenarioKind.Slower, "", options.Spread);
        yield return new Scenario(ScenarioKind.Faster, "", 1 / options.Spread);
        if (answer.Ask.Objective == PlanObjective.TokensPerWatt)
            yield break;
        var gpus = answer.Finalists.Where(fleet => fleet.Kept).SelectMany(fleet => fleet.Design.Pools)
            .Select(pool => pool.Order.Deployment.Gpu.Key).Distinct(StringComparer.Ordinal).ToList();
        var plan = answer.Best!.Design.Pools.Select(pool => pool.Order.Deployment.Gpu.Key).ToList();
        foreach (var gpu in gpus)
        {
            yield return plan.Contains(gpu)
                ? new Scenario(ScenarioKind.Dearer, gpu, 1 + options.PriceMove)
                : new Scenario(ScenarioKind.Cheaper, gpu, 1 - options.PriceMove);
        }
    }

    private List<RegretRow> Regrets(PlanAnswer answer, List<Scenario> scenarios)
    {
        var kept = answer.Finalists.Where(fleet => fleet.Kept && fleet.Units.Count == 1).DistinctBy(Look).ToList();
        if (kept.Count < 2)
            return [];
        var weights = kept.Select(fleet => scenarios.Select(scenario => Weight(answer, fleet, scenario)).ToList()).ToList();
        return
        [
            .. kept.Select((fleet, row) => new RegretRow(
                fleet,
                Look(fleet),
                weights[row],
                [.. scenarios.Select((_, column) => (weights[row][column] / weights.Min(other => other[column])) - 1)])),
        ];
    }

    /// <summary>What the smallest fleet of a kind weighs; where steps take as long as planned, the fleet as it stands is one.</summary>
    private double Weight(PlanAnswer answer, Finalist planned, Scenario scenario)
    {
        var sized = Sized(answer, Look(planned), scenario);
        if (scenario.Kind is ScenarioKind.Slower or ScenarioKind.Faster)
            return sized;
        return answer.Ask.Objective != PlanObjective.Cost
            ? Math.Min(sized, planned.Weighs(answer.Ask.Objective))
            : Math.Min(sized, planned.Bought.Sum(
            one => one.Paid * one.Supply.Marginal.Value * (one.Supply.Gpu.Key == scenario.Gpu ? scenario.Factor : 1)));
    }

    private double Sized(PlanAnswer answer, string look, Scenario scenario)
    {
        var steps = scenario.Kind is ScenarioKind.Slower or ScenarioKind.Faster ? scenario.Factor : 1;
        var planner = new Planner(knowledge with { Slowness = steps }, progress);
        var ask = scenario.Gpu.Length == 0 ? answer.Ask : Priced(answer.Ask, scenario);
        return planner.Sized(ask, answer.Searches, look) is { Kept: true } fleet ? fleet.Weighs(ask.Objective) : double.PositiveInfinity;
    }

    private static PlanAsk Priced(PlanAsk ask, Scenario scenario) => ask with
    {
        Supplies = [.. ask.Supplies.Select(supply => supply.Gpu.Key != scenario.Gpu ? supply : supply with
        {
            PerGpu = supply.PerGpu.Select(price => new UsdPerHour(price.Value * scenario.Factor)),
        })],
    };

    private static string Look(Finalist fleet) => fleet.Units[0].Unit.Look;
}
