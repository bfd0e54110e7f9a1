using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Cli.Output;
using TokenFactory.Performance;
using TokenFactory.Planning;

namespace TokenFactory.Cli.Verbs;

/// <summary>What a plan says: the fleet, what it keeps, what it costs, and what came next.</summary>
internal static class PlanReport
{
    private const int MostShown = 12;

    /// <summary>The report of an answer.</summary>
    /// <param name="request">What was asked.</param>
    /// <param name="answer">The answer.</param>
    /// <param name="calibration">How wrong predictions are.</param>
    public static Report Of(PlanRequest request, PlanAnswer answer, CalibrationInput calibration)
    {
        var best = answer.Best;
        return new Report(
            "plan",
            best is null ? [.. PlanWords.Infeasible(answer)] : [.. PlanWords.Answer(answer, best)],
            best is null
                ? answer.Finalists.Count > 0 ? [Finalists(answer)] : []
                : [
                    Fleet(answer, best),
                    PlanCosts.Of(answer, best),
                    Promises(answer, best, calibration),
                    Finalists(answer),
                    Alternatives(answer),
                    Traffic(answer),
                    Prices(answer),
                ],
            [.. Notes(request, answer)]);
    }

    private static Section Fleet(PlanAnswer answer, Finalist best) => new(
        "fleet",
        "The fleet",
        [
            .. Several(answer) ? [new Column("service", "service", Number: false)] : Array.Empty<Column>(),
            new Column("pool", "pool", Number: false),
            new Column("replicas", "replicas"),
            new Column("gpus_per_replica", "GPUs each"),
            new Column("gpu", "GPU", Number: false),
            new Column("layout", "layout", Number: false),
            new Column("precision", "weights", Number: false),
            new Column("kv_precision", "KV", Number: false),
            new Column("engine", "engine", 1, Number: false),
            new Column("role", "role", 2, Number: false),
            new Column("max_sequences", "at once", 1),
            new Column("token_budget", "tokens/step", 1),
            .. Offloads(best) ? [new Column("host_kv_gb", "host KV GB", 1)] : Array.Empty<Column>(),
            new Column("billing", "billing", Number: false),
            new Column("provider", "provider", Number: false),
            new Column("usd_per_gpu_hour", "$/GPU-h"),
        ],
        [.. best.Design.Pools.Zip(Supplies(best)).Select(pair => Row(answer, pair.First, pair.Second))]);

    private static IReadOnlyList<Cell> Row(PlanAnswer answer, PlannedPool pool, Supply supply)
    {
        var d = pool.Order.Deployment;
        return
        [
            .. Several(answer) ? [Cell.Of(pool.Service)] : Array.Empty<Cell>(),
            Cell.Of(pool.Order.Name),
            Whole(pool.Order.Replicas),
            Whole(d.Gpus),
            Cell.Of(d.Gpu.Key),
            Cell.Of(d.Parallelism.ToString()),
            Cell.Of(PlanWords.Weights(d)),
            Cell.Of(d.Precision.KvCache.Word()),
            Cell.Of(d.Engine),
            Cell.Of(pool.Order.Role.ToString().ToLowerInvariant()),
            d.MaxSequences is { } most ? Whole(most) : Cell.None,
            Whole(d.TokenBudget),
            .. Offloads(answer.Best!)
                ? [new Cell(pool.HostCacheBytes / 1e9, Spell.Number(pool.HostCacheBytes / 1e9))]
                : Array.Empty<Cell>(),
            Cell.Of(supply.Billing.Text()),
            Cell.Of(supply.Provider),
            Cell.Of(supply.PerGpu, price => (price.Value, Spell.Dollars(price.Value) + (supply.Stale ? "*" : ""))),
        ];
    }

    private static bool Offloads(Finalist fleet) => fleet.Design.Pools.Any(pool => pool.HostCacheBytes > 0);

    /// <summary>The supplies of a fleet's pools, in their order.</summary>
    internal static IEnumerable<Supply> Supplies(Finalist fleet) =>
        fleet.Units.SelectMany(chosen => chosen.Unit.Pools.Select(pool => pool.Supply));

    private static Section Promises(PlanAnswer answer, Finalist best, CalibrationInput calibration) => new(
        "promises",
        "Promises, and what the twin says on the traffic asked",
        [
            .. Several(answer) ? [new Column("service", "service", Number: false)] : Array.Empty<Column>(),
            new Column("class", "class", Number: false),
            new Column("time", "time", Number: false),
            new Column("percentile", "percentile"),
            new Column("promised_ms", "promised ms"),
            new Column("ms", "twin ms"),
            new Column("kept", "kept", Number: false),
            new Column("confidence", "sure", 1),
        ],
        [
            .. from run in best.Runs
               from promise in run.Promises
               select (IReadOnlyList<Cell>)
               [
                   .. Several(answer) ? [Cell.Of(answer.Ask.Services[run.Service].Name)] : Array.Empty<Cell>(),
                   Cell.Of(promise.Class),
                   new Cell(promise.Time, PlanWords.Time(promise.Time)),
                   new Cell(promise.Share * 100, promise.Share >= 1 ? "all" : $"p{promise.Share * 100:0}"),
                   new Cell(promise.Promised * 1e3, Spell.Number(promise.Promised * 1e3)),
                   new Cell(promise.Seconds * 1e3, Spell.Number(promise.Seconds * 1e3)),
                   new Cell(promise.Kept, promise.Kept ? "yes" : "no"),
                   PlanExplained.Confidence(answer, run.Service, promise, calibration) is { } sure
                       ? new Cell(sure, Spell.Percent(sure))
                       : Cell.None,
               ],
        ]);

    private static Section Finalists(PlanAnswer answer) => new(
        "finalists",
        "Fleets that the twin sized, the best first",
        [
            new Column("fleet", "fleet", Number: false),
            new Column("gpus", "GPUs"),
            new Column("usd_per_hour", "$/h"),
            new Column("usd_per_million_output_tokens", "$/M output"),
            new Column("facility_kw", "kW facility", 1),
            new Column("factor", "closed form x", 2),
            new Column("kept", "promises", Number: false),
        ],
        [
            .. answer.Finalists.Select(fleet => (IReadOnlyList<Cell>)
            [
                Cell.Of(PlanWords.Fleet(fleet)),
                Whole(fleet.Gpus),
                new Cell(fleet.PaidUsdPerHour, Spell.Dollars(fleet.PaidUsdPerHour)),
                new Cell(fleet.UsdPerMillionOutput, Spell.Dollars(fleet.UsdPerMillionOutput)),
                new Cell(fleet.MeanWatts / 1e3, Spell.Number(fleet.MeanWatts / 1e3)),
                new Cell(fleet.Factor, Spell.Number(fleet.Factor)),
                new Cell(
                    fleet.Runs.Count == 0 ? null : fleet.Kept,
                    fleet.Runs.Count == 0 ? "not simulated" : fleet.Kept ? "kept" : "broken"),
            ]),
        ]);

    /// <summary>The best of each GPU and precision as the closed form sees them.</summary>
    private static Section Alternatives(PlanAnswer answer) => new(
        "alternatives",
        "The best of each GPU and precision, in closed form",
        [
            new Column("fleet", "fleet", Number: false),
            new Column("gpus", "GPUs"),
            new Column("usd_per_hour", "$/h"),
            new Column("versus", "vs plan"),
            new Column("facility_kw", "kW at full load", 1),
            new Column("bound", "held back by", 1, Number: false),
        ],
        [
            .. answer.Alternatives.GroupBy(fleet => PlanWords.Kind(fleet.Units[0].Unit), StringComparer.Ordinal)
                .Select(group => group.First()).Take(MostShown)
                .Select(fleet => (IReadOnlyList<Cell>)
                [
                    Cell.Of(PlanWords.Fleet(fleet)),
                    Whole(fleet.Gpus),
                    new Cell(fleet.PaidUsdPerHour, Spell.Dollars(fleet.PaidUsdPerHour)),
                    Versus(answer, fleet),
                    new Cell(fleet.FullWatts / 1e3, Spell.Number(fleet.FullWatts / 1e3)),
                    Cell.Of(PlanWords.Bound(answer, fleet.Units[0].Unit)),
                ]),
        ]);

    private static Cell Versus(PlanAnswer answer, Finalist fleet)
    {
        var of = answer.Best is { PaidUsdPerHour: > 0 } best ? (fleet.PaidUsdPerHour / best.PaidUsdPerHour) - 1 : 0;
        return new Cell(of, Spell.Change(of));
    }

    private static Section Traffic(PlanAnswer answer) => new(
        "traffic",
        "Traffic, by class and length",
        [
            .. Several(answer) ? [new Column("service", "service", Number: false)] : Array.Empty<Column>(),
            new Column("class", "class", Number: false),
            new Column("requests_per_second", "requests/s"),
            new Column("input_tokens", "input tokens"),
            new Column("output_tokens", "output tokens"),
            new Column("cached_share", "cached"),
        ],
        [
            .. from search in answer.Searches
               from bucket in search.Profile.Buckets
               select (IReadOnlyList<Cell>)
               [
                   .. Several(answer) ? [Cell.Of(search.Service.Name)] : Array.Empty<Cell>(),
                   Cell.Of(bucket.Class),
                   new Cell(bucket.RequestsPerSecond, Spell.Number(bucket.RequestsPerSecond)),
                   new Cell(bucket.InputTokens, Spell.Number(bucket.InputTokens)),
                   new Cell(bucket.OutputTokens, Spell.Number(bucket.OutputTokens)),
                   new Cell(bucket.CachedShare, Spell.Percent(bucket.CachedShare)),
               ],
        ])
    {
        For = Audience.Machines,
    };

    private static Section Prices(PlanAnswer answer) => new(
        "prices",
        "Prices",
        [
            new Column("gpu", "GPU", Number: false),
            new Column("billing", "billing", Number: false),
            new Column("provider", "provider", Number: false),
            new Column("region", "region", Number: false),
            new Column("usd_per_gpu_hour", "$/GPU-h"),
            new Column("stock_gpus", "stock"),
            new Column("as_of", "as of", Number: false),
        ],
        [
            .. answer.Ask.Supplies.Select(supply => (IReadOnlyList<Cell>)
            [
                Cell.Of(supply.Gpu.Key),
                Cell.Of(supply.Billing.Text() + (supply.Sunk ? ", bought" : "")),
                Cell.Of(supply.Provider),
                Cell.Of(supply.Region),
                Cell.Of(supply.PerGpu, price => (price.Value, Spell.Dollars(price.Value) + (supply.Stale ? "*" : ""))),
                supply.Stock is { } stock ? Whole(stock) : Cell.None,
                Cell.Of(supply.PerGpu.From.Sources[0].Date.Text),
            ]),
        ])
    {
        For = Audience.Machines,
    };

    private static IEnumerable<string> Notes(PlanRequest request, PlanAnswer answer)
    {
        var count = answer.Searches.Aggregate(default(Planning.Search.SweepCount), (sum, search) => sum.And(search.Count));
        yield return $"Looked at {count.Replicas:N0} replicas: {count.Misfits:N0} do not fit, "
            + $"{count.Pruned:N0} cannot be better than others, "
            + $"{count.Evaluated:N0} were searched for their limits; {answer.TwinRuns} runs of the twin.";
        if (answer.Finalists.FirstOrDefault(fleet => fleet.Gap is not null) is { Gap: { } gap })
            yield return gap > 1e-3
                ? $"The best mix of replicas was looked for as an integer programme and found to within {Spell.Percent(gap)} of its bound."
                : "The best mix of replicas is the proven optimum of an integer programme over what the sweep left.";
        if (request.Assumed.Count > 0)
            yield return $"Assumed, as you did not say: {string.Join("; ", request.Assumed.Distinct(StringComparer.Ordinal))}.";
        foreach (var run in answer.Best?.Runs.Where(run => !run.Settles) ?? [])
        {
            yield return $"The requests that the twin replayed{(Several(answer) ? $" of {answer.Ask.Services[run.Service].Name}" : "")} "
                + $"come within {Spell.Number(run.SentSeconds)} s, "
                + $"and an answer takes {Spell.Number(run.Report.Requests.EndToEnd.Mean)} s: "
                + "too short to judge a fleet that runs for ever, so that none smaller than the closed form's was tried. "
                + "Give more verify_requests, or a longer trace.";
        }

        if (answer.Best is { } best && Supplies(best).Any(supply => supply.Stale))
            yield return $"* Price may be older than {Offer.FreshDays} days: give prices under offers, "
                + "or bring fresh ones with 'catalog import-prices'.";
        if (answer.Best is { Runs.Count: > 0 })
            yield return "'sure' is the share of deployments as strange as these whose measured times would "
                + "keep the promise where ours are predicted so: leave room where it must be kept.";
        yield return "Times and watts of engine steps are estimated from measurements; docs/accuracy.md says how wrong they are.";
    }

    private static bool Several(PlanAnswer answer) => answer.Ask.Services.Count > 1;

    private static Cell Whole(int number) => new(number, number.ToString("N0"));
}
