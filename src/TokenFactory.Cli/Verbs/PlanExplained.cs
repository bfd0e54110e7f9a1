using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Performance.Calibration;
using TokenFactory.Performance.SteadyState;
using TokenFactory.Planning;
using TokenFactory.Planning.Explain;
using TokenFactory.Planning.Search;

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
    /// The factor within which four of five measured times per token lay of what was predicted blind, for the pool of the plan's first
    /// unit that writes answers: of closed loops, as steps are the same in open ones, of which far fewer were measured.
    /// </summary>
    private static double? Spread(PlanAnswer answer, CalibrationInput calibration) =>
        answer.Best is { } best
            ? Band(answer.Searches[best.Units[0].Unit.Service], best.Units[0].Unit, Metric.Tpot, calibration)?.Spread
            : null;

    /// <summary>
    /// How sure it is that a promise is kept although predictions may be wrong: the share of deployments as strange as this one whose
    /// measured time would keep it; null for whole answers and deadlines, of which nobody measured an error.
    /// </summary>
    /// <param name="answer">The plan.</param>
    /// <param name="service">Index of the service.</param>
    /// <param name="promise">The promise and what the twin says of it.</param>
    /// <param name="calibration">How wrong predictions are.</param>
    public static double? Confidence(PlanAnswer answer, int service, PromiseKept promise, CalibrationInput calibration)
    {
        var metric = promise.Time switch { "ttft" => Metric.Ttft, "tpot" => Metric.Tpot, _ => (Metric?)null };
        if (metric is null || !(promise.Seconds > 0) || answer.Best is not { } best)
            return null;
        return best.Units.Where(chosen => chosen.Unit.Service == service)
            .Select(chosen => Band(answer.Searches[service], chosen.Unit, metric.Value, calibration) is { } band
                ? PlanMargin.Confidence(band, promise.Seconds, promise.Promised)
                : (double?)null)
            .Min();
    }

    /// <summary>The room that promises need to be kept with a confidence.</summary>
    public static Func<ServiceSearch, PlanUnit, string, double> Margin(double confidence, CalibrationInput calibration) =>
        (search, unit, time) => time is not ("ttft" or "tpot") ? 1
            : Band(search, unit, time == "ttft" ? Metric.Ttft : Metric.Tpot, calibration) is { } band ? PlanMargin.Factor(band, confidence)
            : 1;

    private static ErrorBand? Band(ServiceSearch search, PlanUnit unit, Metric metric, CalibrationInput calibration)
    {
        var deployment = unit.Pools[^1].Candidate.Deployment;
        if (calibration.Kernels.For(deployment.Gpu) is not { } kernels)
            return null;
        var bucket = search.Profile.Buckets[0];
        var load = new Load
        {
            Arrival = Arrival.ClosedLoop,
            InputTokens = bucket.InputTokens,
            OutputTokens = bucket.OutputTokens,
            Concurrency = 1,
        };
        var prompts = unit.Disaggregated ? new Pool(unit.Pools[0].Candidate.Deployment, 1) : (Pool?)null;
        var scenario = new Performance.SteadyState.Scenario(new Pool(deployment, 1), prompts, load, unit.Gpus);
        return ErrorBands.Find(calibration.Bands, metric, Prepared.Of(scenario, kernels));
    }
}
