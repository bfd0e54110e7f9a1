using TokenFactory.Catalog;
using TokenFactory.Economics;
using TokenFactory.Performance;
using TokenFactory.Performance.SteadyState;
using TokenFactory.Units;

namespace TokenFactory.Planning.Search;

/// <summary>What a replica does at a speed per user, in closed form.</summary>
/// <param name="Deployment">The replica.</param>
/// <param name="Supply">The cheapest supply that hosts it.</param>
/// <param name="TokensPerSecondPerUser">Output tokens per second that a user sees after the first.</param>
/// <param name="OutputTokensPerSecondPerMegawatt">Output tokens per second and megawatt at the site's meter.</param>
/// <param name="UsdPerMillionOutput">Dollars per million output tokens at full load.</param>
/// <param name="TtftSeconds">Mean time to the first token.</param>
/// <param name="Running">Requests that run at once on the replica.</param>
public sealed record FrontierPoint(
    Deployment Deployment,
    Supply Supply,
    double TokensPerSecondPerUser,
    double OutputTokensPerSecondPerMegawatt,
    double UsdPerMillionOutput,
    double TtftSeconds,
    double Running)
{
    /// <summary>Whether no other replica is at least as fast per user and makes more tokens per megawatt.</summary>
    public bool BestPerMegawatt { get; init; }

    /// <summary>Whether no other replica is at least as fast per user and cheaper.</summary>
    public bool BestPerDollar { get; init; }
}

/// <summary>The trade of speed per user against tokens per megawatt and dollars per token, over a whole space.</summary>
/// <param name="knowledge">What is known beside the ask.</param>
public sealed class Frontier(PlanKnowledge knowledge)
{
    /// <summary>What is better by less than this is the same.</summary>
    private const double Better = 1.01;

    private static readonly double[] Speeds = [5, 8, 12, 16, 20, 25, 30, 40, 50, 65, 80, 100, 130, 160, 200, 260];

    /// <summary>The points of a service at its mean lengths, by speed; those that nothing else beats are marked.</summary>
    public IReadOnlyList<FrontierPoint> Of(PlanAsk ask, ServiceSearch search)
    {
        var load = Mean(search.Profile);
        var gpus = ask.Supplies.Select(supply => supply.Gpu).DistinctBy(gpu => gpu.Key).ToList();
        var found = new List<FrontierPoint>[gpus.Count];
        Parallel.For(0, gpus.Count, i => found[i] = [.. Points(ask, search.Service, gpus[i], load)]);
        var points = found.SelectMany(some => some).OrderByDescending(point => point.TokensPerSecondPerUser)
            .ThenBy(point => point.UsdPerMillionOutput).ToList();
        return [.. Marked(points).OrderBy(point => point.TokensPerSecondPerUser)];
    }

    private static Load Mean(TrafficProfile profile)
    {
        var requests = profile.RequestsPerSecond;
        return new Load
        {
            Arrival = Arrival.OpenLoop,
            InputTokens = profile.InputTokensPerSecond / requests,
            OutputTokens = Math.Max(1, profile.OutputTokensPerSecond / requests),
            CachedShare = profile.Buckets.Max(bucket => bucket.CachedShare),
        };
    }

    private IEnumerable<FrontierPoint> Points(PlanAsk ask, PlanService service, Accelerator gpu, Load load)
    {
        if (knowledge.Kernels(gpu) is not { } kernels)
            yield break;
        foreach (var deployment in service.Space.Replicas(service.Model, gpu))
        {
            var supply = ask.Supplies.Where(one => !one.Sunk && one.Hosts(deployment)).MinBy(one => one.Marginal.Value)
                ?? ask.Supplies.FirstOrDefault(one => one.Hosts(deployment));
            if (supply is null || !new KvCapacity(deployment).Fits(load.InputTokens + load.OutputTokens))
                continue;
            var plan = new StepPlan(deployment, kernels);
            var prepared = new Prepared(new Scenario(new Pool(deployment, 1), null, load, deployment.Gpus), plan, plan);
            double last = 0;
            foreach (var speed in Speeds)
            {
                var limit = RateLimit.Of(prepared, knowledge.Calibration, new LatencyTargets { Tpot = 1 / speed, TpotShare = 0.5 });
                if (!limit.Possible)
                    break;
                if (limit.RequestsPerSecond == last)
                    continue;
                last = limit.RequestsPerSecond;
                yield return Point(ask, deployment, supply, limit);
            }
        }
    }

    private FrontierPoint Point(PlanAsk ask, Deployment deployment, Supply supply, RateLimit limit)
    {
        var at = limit.At;
        var pue = ask.Pue ?? knowledge.Site.PueOf(deployment.Gpu);
        var board = new Sourced<Power>(new Power(new Watts(at.WattsPerGpu), PowerBoundary.Board), deployment.Gpu.Tdp?.From ?? pue.From);
        var watts = PowerLadder.Climb(deployment.Gpu, board, knowledge.Site, pue).Facility.Value.Watts.Value * deployment.Gpus;
        var usd = supply.PerGpu.Value.Value * supply.WallTimePerWork * deployment.Gpus;
        return new FrontierPoint(
            deployment,
            supply,
            1 / at.Tpot,
            at.OutputTokensPerSecond / watts * 1e6,
            usd / 3600 / at.OutputTokensPerSecond * 1e6,
            at.Ttft,
            at.Running);
    }

    /// <summary>Points from the fastest down: each is best that beats all that are as fast.</summary>
    private static IEnumerable<FrontierPoint> Marked(List<FrontierPoint> points)
    {
        var (most, least) = (0.0, double.PositiveInfinity);
        foreach (var point in points)
        {
            var (perMegawatt, perDollar) = (
                point.OutputTokensPerSecondPerMegawatt > most * Better,
                point.UsdPerMillionOutput * Better < least);
            most = perMegawatt ? point.OutputTokensPerSecondPerMegawatt : most;
            least = perDollar ? point.UsdPerMillionOutput : least;
            yield return point with { BestPerMegawatt = perMegawatt, BestPerDollar = perDollar };
        }
    }
}
