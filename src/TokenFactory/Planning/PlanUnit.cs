using TokenFactory.Planning.Search;

namespace TokenFactory.Planning;

/// <summary>Equal replicas of a unit, bought one way.</summary>
/// <param name="Candidate">A replica.</param>
/// <param name="Supply">Where its GPUs come from.</param>
/// <param name="Replicas">How many a unit has, at least 1.</param>
public sealed record UnitPool(Candidate Candidate, Supply Supply, int Replicas)
{
    /// <summary>GPUs of all of them.</summary>
    public int Gpus => Replicas * Candidate.Gpus;
}

/// <summary>
/// What a fleet is put together from: a replica that does prompts and answers, or pools of prompts and answers in a fixed proportion.
/// </summary>
/// <param name="Service">Index of the service that it serves.</param>
/// <param name="Pools">One pool, or one of prompts and one of answers.</param>
/// <param name="Loads">Share of a unit that one request per second of each bucket of the service takes.</param>
public sealed record PlanUnit(int Service, IReadOnlyList<UnitPool> Pools, IReadOnlyList<double> Loads)
{
    /// <summary>Whether prompts and answers have pools of their own.</summary>
    public bool Disaggregated => Pools.Count > 1;

    /// <summary>GPUs of a unit.</summary>
    public int Gpus => Pools.Sum(pool => pool.Gpus);

    /// <summary>Dollars per hour that a unit adds.</summary>
    public double MarginalUsdPerHour => Pools.Sum(pool => pool.Gpus * pool.Supply.Marginal.Value);

    /// <summary>Dollars per hour that are paid for a unit, whether bought for it or before.</summary>
    public double PaidUsdPerHour => Pools.Sum(pool => pool.Gpus * pool.Supply.PerGpu.Value.Value * pool.Supply.WallTimePerWork);

    /// <summary>Watts of a unit at the site's meter, at full load.</summary>
    public double FacilityWatts => Pools.Sum(pool => pool.Replicas * pool.Candidate.FacilityWatts);

    /// <summary>Units that carry a profile, fractions kept; infinite where a promise cannot be kept.</summary>
    public double Needed(TrafficProfile profile) => profile.Buckets.Select((bucket, i) => bucket.RequestsPerSecond * Loads[i]).Sum();

    /// <summary>Its GPUs, how many make a replica, and the precision: what people call a kind of fleet.</summary>
    public string Look => string.Join(
        '+', Pools.Select(pool => $"{pool.Candidate.Deployment.Gpu.Key} {pool.Candidate.Gpus} {pool.Candidate.Deployment.Weights}"));

    /// <summary>What it adds to the objective.</summary>
    public double Weighs(PlanObjective objective) => objective == PlanObjective.TokensPerWatt ? FacilityWatts : MarginalUsdPerHour;

    /// <summary>A unit of one replica.</summary>
    public static PlanUnit Of(int service, Candidate candidate, Supply supply, int buckets) =>
        new(service, [new UnitPool(candidate, supply, 1)], [.. Enumerable.Range(0, buckets).Select(candidate.Load)]);

    /// <summary>A unit of pools for prompts and answers, of which the busier one sets the pace.</summary>
    public static PlanUnit Of(int service, UnitPool prompts, UnitPool answers, int buckets) =>
        new(service, [prompts, answers], [.. Enumerable.Range(0, buckets).Select(i =>
            Math.Max(prompts.Candidate.Load(i) / prompts.Replicas, answers.Candidate.Load(i) / answers.Replicas))]);
}
