using TokenFactory.Catalog;
using TokenFactory.Performance;
using TokenFactory.Performance.SteadyState;

namespace TokenFactory.Planning.Search;

/// <summary>What a sweep over all accelerators on offer found for one service.</summary>
public sealed record ServiceSearch
{
    /// <summary>The service.</summary>
    public required PlanService Service { get; init; }

    /// <summary>Its index in the ask.</summary>
    public required int Index { get; init; }

    /// <summary>What its traffic asks for.</summary>
    public required TrafficProfile Profile { get; init; }

    /// <summary>What each bucket is promised.</summary>
    public required IReadOnlyList<LatencyTargets> Targets { get; init; }

    /// <summary>Replicas that do prompts and answers.</summary>
    public required IReadOnlyList<Candidate> Whole { get; init; }

    /// <summary>Replicas that compute prompts.</summary>
    public required IReadOnlyList<Candidate> Prompts { get; init; }

    /// <summary>Replicas that generate answers.</summary>
    public required IReadOnlyList<Candidate> Answers { get; init; }

    /// <summary>Replicas that keep the promises of no bucket, not even for a lone request.</summary>
    public IReadOnlyList<Candidate> Hopeless { get; init; } = [];

    /// <summary>How much was looked at.</summary>
    public required SweepCount Count { get; init; }

    private const int MostPairs = 12;

    /// <summary>The promise of a bucket's class, or none.</summary>
    public Promise PromiseOf(LengthBucket bucket) =>
        Service.Promises.FirstOrDefault(promise => promise.Class == bucket.Class) ?? new Promise(bucket.Class);

    /// <summary>What it means to serve so many requests per second of a bucket.</summary>
    public ServedTokens Serving(LengthBucket bucket, double requestsPerSecond)
    {
        var promise = PromiseOf(bucket);
        var (input, output) = (requestsPerSecond * bucket.InputTokens, requestsPerSecond * bucket.OutputTokens);
        return new ServedTokens(
            input,
            output,
            ((output * (promise.UsdPerMillionOutput ?? 0)) + (input * (promise.UsdPerMillionInput ?? 0))) * 3600 / 1e6);
    }

    /// <summary>What it means to serve all of the traffic.</summary>
    public ServedTokens ServingAll =>
        Profile.Buckets.Aggregate(default(ServedTokens), (sum, bucket) => sum.And(Serving(bucket, bucket.RequestsPerSecond)));

    /// <summary>Sweeps the space of a service over the accelerators on offer, kinds side by side on the cores there are.</summary>
    public static ServiceSearch Of(PlanService service, int index, PlanAsk ask, Sweep sweep, IReadOnlyList<Accelerator> gpus)
    {
        var profile = TrafficProfile.Of(
            service.Traffic(ask.Seed), service.Promises, service.Model.MaxContextTokens?.Value ?? double.PositiveInfinity);
        var targets = profile.Buckets.Select(bucket => TargetsOf(service, bucket)).ToList();
        var parts = new List<ReplicaPart>();
        if (service.Space.Aggregated)
            parts.Add(ReplicaPart.Whole);
        if (service.Space.Disaggregated)
            parts.AddRange([ReplicaPart.Prompt, ReplicaPart.Answer]);
        var jobs = (from part in parts from gpu in gpus select (Part: part, Gpu: gpu)).ToList();
        var found = new SweepResult[jobs.Count];
        Parallel.For(0, jobs.Count, i =>
            found[i] = sweep.Of(service.Model, jobs[i].Gpu, service.Space, profile, targets, jobs[i].Part));
        return new ServiceSearch
        {
            Service = service,
            Index = index,
            Profile = profile,
            Targets = targets,
            Whole = Of(ReplicaPart.Whole),
            Prompts = Of(ReplicaPart.Prompt),
            Answers = Of(ReplicaPart.Answer),
            Hopeless = [.. found.SelectMany(one => one.Hopeless).Where(one => one.Part == ReplicaPart.Whole)],
            Count = found.Aggregate(default(SweepCount), (sum, one) => sum.And(one.Count)),
        };

        List<Candidate> Of(ReplicaPart part) =>
            [.. jobs.Select((job, i) => (job, i)).Where(pair => pair.job.Part == part).SelectMany(pair => found[pair.i].Kept)];
    }

    /// <summary>Supplies that the whole service may stand on: what is taken back more often than its promises tolerate is not.</summary>
    public IReadOnlyList<Supply> Firm(IEnumerable<Supply> supplies)
    {
        var tolerated = Profile.Buckets.Min(bucket => PromiseOf(bucket).LostTolerated);
        return [.. supplies.Where(supply => supply.Unavailable <= tolerated)];
    }

    /// <summary>Units of one replica, from every supply of its accelerator.</summary>
    public IEnumerable<PlanUnit> WholeUnits(IReadOnlyList<Supply> supplies) =>
        from candidate in Whole
        from supply in supplies
        where supply.Hosts(candidate.Deployment)
        select PlanUnit.Of(Index, candidate, supply, Profile.Buckets.Count);

    /// <summary>
    /// Pools of prompts and answers that carry all of the traffic, the cheapest of each pair of supplies whose engines and caches fit
    /// together: what the two pools need of each other is only their sizes, so that each is chosen by itself.
    /// </summary>
    /// <param name="supplies">What may be bought.</param>
    /// <param name="factor">How much more than the traffic they must carry.</param>
    /// <param name="objective">What they are judged by.</param>
    public IEnumerable<PlanUnit> SplitUnits(IReadOnlyList<Supply> supplies, double factor, PlanObjective objective)
    {
        var (prompts, answers) = (Best(Prompts), Best(Answers));
        return (from prompt in prompts
                from answer in answers
                where prompt.Kind == answer.Kind && prompt.Pool.Supply.IsBeside(answer.Pool.Supply)
                    && prompt.Pool.Supply.Gpu.Vendor == answer.Pool.Supply.Gpu.Vendor // no engine passes caches between makers
                let unit = PlanUnit.Of(Index, prompt.Pool, answer.Pool, Profile.Buckets.Count)
                orderby unit.Weighs(objective), unit.Gpus
                select unit).DistinctBy(unit => unit.Look).Take(MostPairs);

        List<((string Engine, NumberFormat Cache, NumberFormat Weights) Kind, UnitPool Pool)> Best(IReadOnlyList<Candidate> candidates) =>
        [
            .. from candidate in candidates
               let needed = candidate.Replicas(Profile) * factor
               where double.IsFinite(needed)
               from supply in supplies
               where supply.Hosts(candidate.Deployment)
               let pool = new UnitPool(candidate, supply, Math.Max(1, (int)Math.Ceiling(needed - 1e-9)))
               group pool by (
                   Kind: (candidate.Deployment.Engine, candidate.Deployment.Precision.KvCache, candidate.Deployment.Weights),
                   supply.Key) into same
               select (same.Key.Kind, same.OrderBy(pool => Weight(pool, objective)).ThenBy(pool => pool.Gpus).First()),
        ];
    }

    private static double Weight(UnitPool pool, PlanObjective objective) => objective == PlanObjective.TokensPerWatt
        ? pool.Replicas * pool.Candidate.FacilityWatts
        : pool.Gpus * pool.Supply.Marginal.Value;

    private static LatencyTargets TargetsOf(PlanService service, LengthBucket bucket)
    {
        var targets = service.Promises.FirstOrDefault(promise => promise.Class == bucket.Class)?.Targets ?? LatencyTargets.None;
        return bucket.Exempt
            ? targets with { Ttft = null, EndToEnd = null }
            : targets with { EndToEnd = targets.EndToEnd / bucket.LongAnswer };
    }
}
