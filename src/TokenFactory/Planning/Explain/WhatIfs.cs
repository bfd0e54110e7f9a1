using TokenFactory.Performance;
using TokenFactory.Performance.SteadyState;

namespace TokenFactory.Planning.Explain;

/// <summary>The questions that a plan raises: each promise and limit a little looser, and each famous alternative by itself.</summary>
internal static class WhatIfs
{
    private const double Looser = 1.5;
    private const double Tighter = 0.75;
    private const double More = 1.2;
    private const double OneMegawatt = 1e6;
    private const double LowClock = 0.7;
    private const int MostGpus = 6;

    /// <summary>All questions about a plan.</summary>
    public static IEnumerable<WhatIf> Of(PlanAnswer answer, ExplainOptions options) =>
        Promises(answer.Ask).Concat(Limits(answer)).Concat(Alternatives(answer, options));

    private static IEnumerable<WhatIf> Promises(PlanAsk ask)
    {
        foreach (var (service, promise, t) in
            from service in ask.Services
            from promise in service.Promises
            select (service, promise, promise.Targets))
        {
            foreach (var factor in (double[])[Looser, Tighter])
            {
                if (t.Ttft is { } ttft)
                    yield return With("ttft", ttft, ttft * factor, t with { Ttft = ttft * factor });
                if (t.Tpot is { } tpot)
                    yield return With("tpot", tpot, tpot * factor, t with { Tpot = tpot * factor });
                if (t.EndToEnd is { } end)
                    yield return With("end_to_end", end, end * factor, t with { EndToEnd = end * factor });
            }

            WhatIf With(string time, double from, double to, LatencyTargets targets) => new(
                WhatIfKind.Promise, $"{promise.Class} {time}", from, to, Services(ask, one => one != service ? one : one with
                {
                    Promises = [.. one.Promises.Select(other => other == promise ? other with { Targets = targets } : other)],
                }), Sweeps: true);
        }
    }

    private static IEnumerable<WhatIf> Limits(PlanAnswer answer)
    {
        var (ask, limits) = (answer.Ask, answer.Ask.Limits);
        if (limits.UsdPerMonth is { } usd)
            yield return new WhatIf(
                WhatIfKind.Budget, "", usd, usd * More, ask with { Limits = limits with { UsdPerMonth = usd * More } }, false);
        if (limits.FacilityWatts is { } watts)
        {
            var more = Math.Max(watts * More, ask.Objective == PlanObjective.Profit ? watts + OneMegawatt : 0);
            yield return new WhatIf(WhatIfKind.Power, "", watts, more, ask with { Limits = limits with { FacilityWatts = more } }, false);
        }

        if (limits.Gpus is { } gpus)
            yield return new WhatIf(WhatIfKind.Gpus, "", gpus, gpus + 8, ask with { Limits = limits with { Gpus = gpus + 8 } }, false);
        foreach (var short_ in ask.Supplies.Where(supply => supply.Stock is not null).DistinctBy(supply => supply.StockKey))
        {
            var more = short_.Stock!.Value + Math.Max(8, short_.GpusPerInstance);
            var supplies = ask.Supplies.Select(supply => supply.StockKey == short_.StockKey ? supply with { Stock = more } : supply).ToList();
            yield return new WhatIf(WhatIfKind.Stock, short_.StockKey, short_.Stock, more, ask with { Supplies = supplies }, false);
        }
    }

    private static IEnumerable<WhatIf> Alternatives(PlanAnswer answer, ExplainOptions options)
    {
        var ask = answer.Ask;
        var used = answer.Best!.Design.Pools.Select(pool => pool.Order.Deployment).ToList();
        foreach (var format in (NumberFormat[])[NumberFormat.Bf16, NumberFormat.Fp8])
            yield return Space(WhatIfKind.Precision, format.Word(), space => space with { Weights = [format] });
        if (!used.TrueForAll(deployment => deployment.Weights.IsFourBit()))
            yield return Space(
                WhatIfKind.Precision,
                "int4, nvfp4",
                space => space with { Weights = [NumberFormat.Int4, NumberFormat.Nvfp4] });
        foreach (var gpu in ask.Supplies.Select(supply => supply.Gpu).DistinctBy(gpu => gpu.Key).Take(MostGpus + 1))
        {
            var only = ask with { Supplies = [.. ask.Supplies.Where(supply => supply.Gpu.Key == gpu.Key)] };
            if (only.Supplies.Count < ask.Supplies.Count && used.Exists(deployment => deployment.Gpu.Key != gpu.Key))
                yield return new WhatIf(WhatIfKind.Gpu, gpu.Key, null, null, only, Sweeps: true);
        }

        var split = answer.Best!.Units.Any(chosen => chosen.Unit.Disaggregated);
        yield return Space(
            WhatIfKind.Split,
            split ? "together" : "apart",
            space => space with { Aggregated = split, Disaggregated = !split });
        foreach (var (name, supplies) in options.OtherBillings)
            yield return new WhatIf(WhatIfKind.Billing, name, null, null, ask with { Supplies = supplies }, Sweeps: false);
        if (used.TrueForAll(deployment => deployment.Speculation is null))
            yield return Space(WhatIfKind.Speculation, "", space => space with { Speculation = [options.Draft] });
        yield return Space(WhatIfKind.Clock, "", space => space with { Clocks = [LowClock] }, 1, LowClock);
        yield return new WhatIf(WhatIfKind.Spare, "", ask.Spare, ask.Spare + 1, ask with { Spare = ask.Spare + 1 }, Sweeps: false);
        var large = used.Exists(deployment => deployment.Gpus > 8);
        yield return large
            ? Space(WhatIfKind.Machines, "one", space => space with { MostGpus = 8 })
            : Space(WhatIfKind.Machines, "several", space => space with { Tensor = [8], Pipeline = [2], AttentionData = [2] });

        WhatIf Space(
            WhatIfKind kind,
            string subject,
            Func<Search.SearchSpace, Search.SearchSpace> change,
            double? from = null,
            double? to = null) =>
            new(kind, subject, from, to, Services(ask, service => service with { Space = change(service.Space) }), Sweeps: true);
    }

    private static PlanAsk Services(PlanAsk ask, Func<PlanService, PlanService> change) =>
        ask with { Services = [.. ask.Services.Select(change)] };
}
