using System.Globalization;
using TokenFactory.Catalog;
using TokenFactory.Engine;
using TokenFactory.Fleet;
using TokenFactory.Performance;
using TokenFactory.Performance.SteadyState;
using TokenFactory.Planning.Search;
using TokenFactory.Simulation;

namespace TokenFactory.Planning;

/// <summary>Makes fleets of chosen units: names, engine limits, prices.</summary>
/// <param name="ask">What is asked.</param>
/// <param name="knowledge">What is known beside it.</param>
/// <param name="searches">What sweeps found.</param>
/// <param name="offloads">Whether host memory holds copies of prefix caches.</param>
internal sealed class FleetBuilder(PlanAsk ask, PlanKnowledge knowledge, IReadOnlyList<ServiceSearch> searches, bool offloads)
{
    /// <summary>
    /// Sequences beyond those of the closed form that an engine may run at once: bursts, and answers longer than the mean.
    /// </summary>
    private const double BatchRoom = 1.5;

    private const int BatchStep = 8;

    /// <summary>The fleet of so many units of each kind.</summary>
    public FleetDesign Of(IReadOnlyList<Chosen> units)
    {
        var pools = new List<PlannedPool>();
        foreach (var (unit, count) in units)
        {
            for (var i = 0; i < unit.Pools.Count; i++)
                pools.Add(Pool(unit, i, count, pools));
        }

        return new FleetDesign
        {
            Name = ask.Name,
            Pools = pools,
            Classes =
            [
                .. ask.Services.SelectMany(service => service.Promises)
                    .Select(promise => promise.ServiceClass)
                    .DistinctBy(one => one.Name),
            ],
            Router = ask.Router,
            Routing = ask.Routing,
        };
    }

    private PlannedPool Pool(PlanUnit unit, int index, int count, List<PlannedPool> before)
    {
        var (pool, service) = (unit.Pools[index], ask.Services[unit.Service]);
        var deployment = pool.Candidate.Deployment with { MaxSequences = MostSequences(pool.Candidate, searches[unit.Service]) };
        return new PlannedPool(new PoolOrder
        {
            Name = Unique(Name(unit, index), before),
            Model = knowledge.Model(deployment, unit.Disaggregated),
            Site = knowledge.Site,
            Role = pool.Candidate.Part switch
            {
                ReplicaPart.Prompt => ReplicaRole.Prefill,
                ReplicaPart.Answer => ReplicaRole.Decode,
                _ => ReplicaRole.Aggregated,
            },
            Replicas = count * pool.Replicas,
            UsdPerGpuHour = pool.Supply.PerGpu.Value.Value,
            Billing = pool.Supply.Billing.Text(),
            Engine = EngineSettings.Of(deployment) with { HostBytes = offloads ? service.Space.HostCacheBytesPerGpu : 0 },
            Pue = ask.Pue,
        })
        {
            Service = service.Name,
            Provider = pool.Supply.Provider,
            Region = pool.Supply.Region,
            InstanceType = pool.Supply.InstanceType,
            GpusPerMachine = pool.Supply.GpusPerMachine == int.MaxValue ? null : pool.Supply.GpusPerMachine,
        };
    }

    /// <summary>
    /// Sequences that an engine should run at once: where a time per token is promised, not many more than keep it, so that a burst waits
    /// instead of slowing everybody. Null where nothing binds but memory.
    /// </summary>
    private static int? MostSequences(Candidate candidate, ServiceSearch search)
    {
        if (candidate.Part == ReplicaPart.Prompt || !search.Targets.Any(targets => (targets.Tpot ?? targets.EndToEnd) is not null))
            return null;
        var running = candidate.Limits.Where(limit => limit.Bound is RateBound.Tpot or RateBound.EndToEnd or RateBound.Ttft)
            .Select(limit => limit.At.Running).DefaultIfEmpty().Max();
        if (running <= 0)
            return null;
        var step = BatchStep * candidate.Deployment.AttentionGroups;
        return (int)Math.Ceiling(running * BatchRoom / step) * step;
    }

    private string Name(PlanUnit unit, int index)
    {
        var pool = unit.Pools[index];
        var d = pool.Candidate.Deployment;
        var parts = new List<string>();
        if (ask.Services.Count > 1)
            parts.Add(ask.Services[unit.Service].Name);
        parts.Add(d.Gpu.Key);
        parts.Add(d.Weights.Word());
        parts.Add(string.Create(CultureInfo.InvariantCulture, $"{d.Gpus}x"));
        if (pool.Supply.Billing != Billing.OnDemand)
            parts.Add(pool.Supply.Billing.Text());
        if (pool.Candidate.Part != ReplicaPart.Whole)
            parts.Add(pool.Candidate.Part == ReplicaPart.Prompt ? "prefill" : "decode");
        return string.Join('-', parts).ToLowerInvariant();
    }

    private static string Unique(string name, List<PlannedPool> before)
    {
        var free = name;
        for (var number = 2; before.Exists(pool => pool.Order.Name == free); number++)
            free = string.Create(CultureInfo.InvariantCulture, $"{name}-{number}");
        return free;
    }
}
