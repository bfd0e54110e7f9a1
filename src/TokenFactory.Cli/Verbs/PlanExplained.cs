using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Performance.Calibration;
using TokenFactory.Performance.SteadyState;
using TokenFactory.Planning;
using TokenFactory.Planning.Explain;

namespace TokenFactory.Cli.Verbs;

/// <summary>What an explanation needs beyond the ask: other ways to pay, and how wrong predictions are.</summary>
internal static class PlanExplained
{
    private static readonly Billing[] Others = [Billing.Spot, Billing.Reserved1Year, Billing.Reserved3Year];

    /// <summary>What was asked for, and every other way to pay for the same GPUs.</summary>
    public static IReadOnlyList<Supply> AllSupplies(PlanRequest request, CatalogContents catalog, CalibrationInput calibration)
    {
        var given = request.Ask.Supplies.Concat(request.Beyond).ToList();
        var asked = given.Select(supply => (supply.Gpu.Key, supply.Billing)).ToHashSet();
        return
        [
            .. given,
            .. Others.SelectMany(billing => PlanSupplies.Otherwise(request, request.Terms, catalog, calibration, billing))
                .Where(supply => !asked.Contains((supply.Gpu.Key, supply.Billing))),
        ];
    }

    /// <summary>The options for an answer.</summary>
    public static ExplainOptions Options(PlanRequest request, PlanAnswer answer, CatalogContents catalog, CalibrationInput calibration)
    {
        var asked = request.Ask.Supplies.Where(supply => !supply.Sunk).Select(supply => supply.Billing).ToHashSet();
        var others = Others.Where(billing => !asked.Contains(billing))
            .Select(billing => (billing, Supplies: Own(billing) is { Count: > 0 } own
                ? own
                : PlanSupplies.Otherwise(request, request.Terms, catalog, calibration, billing)))
            .Where(pair => pair.Supplies.Count > 0)
            .ToDictionary(pair => pair.billing.Text(), pair => pair.Supplies);
        var usual = new ExplainOptions();
        return usual with { OtherBillings = others, Spread = Spread(answer, calibration) ?? usual.Spread };

        IReadOnlyList<Supply> Own(Billing billing) => [.. request.Beyond.Where(supply => supply.Billing == billing)];
    }

    /// <summary>
    /// The factor within which four of five measured times per token lay of what was predicted blind, for the plan's first pool: of closed
    /// loops, as steps are the same in open ones, of which far fewer were measured.
    /// </summary>
    private static double? Spread(PlanAnswer answer, CalibrationInput calibration)
    {
        if (answer.Best?.Units[0] is not { } chosen || calibration.Kernels.For(chosen.Unit.Pools[0].Candidate.Deployment.Gpu) is not { } kernels)
            return null;
        var deployment = chosen.Unit.Pools[0].Candidate.Deployment;
        var bucket = answer.Searches[chosen.Unit.Service].Profile.Buckets[0];
        var load = new Load { Arrival = Arrival.ClosedLoop, InputTokens = bucket.InputTokens, OutputTokens = bucket.OutputTokens, Concurrency = 1 };
        var pool = new Pool(deployment, 1);
        var prepared = Prepared.Of(new Performance.SteadyState.Scenario(pool, null, load, deployment.Gpus), kernels);
        return ErrorBands.Find(calibration.Bands, Metric.Tpot, prepared)?.Spread;
    }
}
