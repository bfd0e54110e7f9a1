using TokenFactory.Performance;
using TokenFactory.Performance.SteadyState;

namespace TokenFactory.Planning.Search;

/// <summary>What part of a request a replica computes.</summary>
public enum ReplicaPart
{
    /// <summary>Prompt and answer.</summary>
    Whole,

    /// <summary>The prompt.</summary>
    Prompt,

    /// <summary>The answer.</summary>
    Answer,
}

/// <summary>A replica and what it serves of each bucket within the promises, in closed form.</summary>
/// <param name="Deployment">The replica.</param>
/// <param name="Part">What it computes.</param>
/// <param name="Limits">The most of each bucket alone, in the order of the profile's buckets.</param>
/// <param name="FacilityWatts">Watts of the replica at the site's meter under that load, the mean of the buckets weighted by rate.</param>
public sealed record Candidate(Deployment Deployment, ReplicaPart Part, IReadOnlyList<RateLimit> Limits, double FacilityWatts)
{
    /// <summary>Share of a replica that one request per second of a bucket takes; infinite where its promise cannot be kept.</summary>
    public double Load(int bucket) => Limits[bucket].Possible ? 1 / Limits[bucket].RequestsPerSecond : double.PositiveInfinity;

    /// <summary>Replicas that carry a profile, fractions kept; infinite where one of its promises cannot be kept.</summary>
    public double Replicas(TrafficProfile profile)
    {
        double sum = 0;
        for (var i = 0; i < Limits.Count; i++)
            sum += profile.Buckets[i].RequestsPerSecond * Load(i);
        return sum;
    }

    /// <summary>GPUs of a replica.</summary>
    public int Gpus => Deployment.Gpus;
}
