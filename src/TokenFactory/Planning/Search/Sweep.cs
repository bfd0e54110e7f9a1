using TokenFactory.Catalog;
using TokenFactory.Economics;
using TokenFactory.Performance;
using TokenFactory.Performance.Calibration;
using TokenFactory.Performance.Kernels;
using TokenFactory.Performance.SteadyState;
using TokenFactory.Units;

namespace TokenFactory.Planning.Search;

/// <summary>How much of a space a sweep looked at.</summary>
/// <param name="Replicas">Replicas that the space holds.</param>
/// <param name="Misfits">Those that the memory does not hold.</param>
/// <param name="Pruned">Those that a bound showed to be no better than another.</param>
public readonly record struct SweepCount(int Replicas, int Misfits, int Pruned)
{
    /// <summary>Those whose limits were searched for.</summary>
    public int Evaluated => Replicas - Misfits - Pruned;

    /// <summary>Both together.</summary>
    public SweepCount And(SweepCount other) =>
        new(Replicas + other.Replicas, Misfits + other.Misfits, Pruned + other.Pruned);
}

/// <summary>What a sweep found on one accelerator.</summary>
/// <param name="Kept">Replicas that are worth a place in a fleet.</param>
/// <param name="Hopeless">Replicas that keep the promises of no bucket, not even for a lone request.</param>
/// <param name="Count">How much was looked at.</param>
public readonly record struct SweepResult(IReadOnlyList<Candidate> Kept, IReadOnlyList<Candidate> Hopeless, SweepCount Count);

/// <summary>Evaluates the replicas of a space for one model and its traffic, in closed form.</summary>
/// <param name="calibration">What measurements taught.</param>
/// <param name="kernels">Constants of kernels by accelerator.</param>
/// <param name="site">Assumptions about sites, for watts beyond the board.</param>
public sealed class Sweep(CalibrationSet calibration, Func<Accelerator, KernelSet?> kernels, SiteDefaults site)
{
    /// <summary>Whether replicas are left out that a bound shows to be no better than others. Off for tests of that claim.</summary>
    public bool Prunes { get; init; } = true;

    /// <summary>Whether watts count, so that a replica is only left out for one that draws no more.</summary>
    public bool CountsWatts { get; init; }

    /// <summary>Facility over IT power; null for what is usual with the accelerator.</summary>
    public Sourced<Pue>? Pue { get; init; }

    /// <summary>The replicas on one accelerator.</summary>
    /// <param name="model">What is served.</param>
    /// <param name="gpu">On what.</param>
    /// <param name="space">What may be chosen.</param>
    /// <param name="profile">What is asked.</param>
    /// <param name="targets">What is promised for each bucket of the profile.</param>
    /// <param name="part">What the replicas compute.</param>
    public SweepResult Of(
        ModelShape model,
        Accelerator gpu,
        SearchSpace space,
        TrafficProfile profile,
        IReadOnlyList<LatencyTargets> targets,
        ReplicaPart part)
    {
        if (kernels(gpu) is not { } constants)
            return new SweepResult([], [], default);
        var (kept, hopeless, count) = (new List<Candidate>(), new List<Candidate>(), default(SweepCount));
        foreach (var deployment in space.Replicas(model, gpu))
        {
            count = count with { Replicas = count.Replicas + 1 };
            var capacity = new KvCapacity(deployment);
            if (!profile.Buckets.All(bucket => capacity.Fits(bucket.Longest)))
            {
                count = count with { Misfits = count.Misfits + 1 };
                continue;
            }

            var plan = new StepPlan(deployment, constants);
            var prepared = profile.Buckets.Select(bucket => Prepare(plan, bucket, profile, part)).ToList();
            if (Prunes && !CountsWatts && IsDominated(deployment, prepared, kept, part))
            {
                count = count with { Pruned = count.Pruned + 1 };
                continue;
            }

            var limits = prepared.Select((one, i) => Limit(one, targets[i], part)).ToList();
            var candidate = new Candidate(deployment, part, limits, Facility(gpu, limits, profile) * deployment.Gpus);
            if (limits.TrueForAll(limit => !limit.Possible))
                hopeless.Add(candidate);
            else
                Add(kept, candidate);
        }

        return new SweepResult(kept, hopeless, count);
    }

    private RateLimit Limit(Prepared prepared, LatencyTargets targets, ReplicaPart part) => part switch
    {
        ReplicaPart.Prompt => RateLimit.OfPrompts(prepared, calibration, targets),
        ReplicaPart.Answer => RateLimit.OfAnswers(prepared, calibration, targets),
        _ => RateLimit.Of(prepared, calibration, targets),
    };

    private static Prepared Prepare(StepPlan plan, LengthBucket bucket, TrafficProfile profile, ReplicaPart part)
    {
        var load = new Load
        {
            Arrival = Arrival.OpenLoop,
            InputTokens = bucket.InputTokens,
            OutputTokens = Math.Max(1, bucket.OutputTokens),
            CachedShare = bucket.CachedShare,
            ArrivalVariability = Math.Max(1, profile.ArrivalVariability),
        };
        var pool = new Pool(plan.Deployment, 1);
        return new Prepared(new Scenario(pool, part == ReplicaPart.Whole ? null : pool, load, plan.Deployment.Gpus), plan, plan);
    }

    /// <summary>
    /// Whether whole replicas of a kept one do the same on the same GPUs: it serves per GPU at least what this one does at its ceiling,
    /// and its GPUs divide this one's.
    /// </summary>
    private bool IsDominated(Deployment deployment, List<Prepared> prepared, List<Candidate> kept, ReplicaPart part)
    {
        var rivals = kept.Where(other => deployment.Gpus % other.Gpus == 0 && Replaces(other, deployment, part)).ToList();
        for (var i = 0; i < prepared.Count && rivals.Count > 0; i++)
        {
            var bucket = i;
            var ceiling = Ceiling(prepared[i], part) / deployment.Gpus;
            rivals.RemoveAll(other => other.Limits[bucket].RequestsPerSecond / other.Gpus < ceiling);
        }

        return rivals.Count > 0;
    }

    /// <summary>
    /// Whether a candidate can stand where another would: one of a pair of pools only with the engine and formats of the other, as its
    /// partner must read the same caches.
    /// </summary>
    private static bool Replaces(Candidate candidate, Deployment other, ReplicaPart part) => part == ReplicaPart.Whole
        || (candidate.Deployment.Engine == other.Engine && candidate.Deployment.Weights == other.Weights
            && candidate.Deployment.Precision.KvCache == other.Precision.KvCache);

    private double Ceiling(Prepared prepared, ReplicaPart part) => part == ReplicaPart.Whole
        ? RateLimit.Ceiling(prepared, calibration)
        : Limit(prepared, LatencyTargets.None, part).RequestsPerSecond;

    /// <summary>Keeps a candidate unless a kept one is as good in everything, and drops those that it is as good as.</summary>
    private void Add(List<Candidate> kept, Candidate candidate)
    {
        if (!Prunes)
        {
            kept.Add(candidate);
            return;
        }

        if (kept.Exists(other => Covers(other, candidate)))
            return;
        kept.RemoveAll(other => Covers(candidate, other));
        kept.Add(candidate);
    }

    private bool Covers(Candidate better, Candidate worse)
    {
        if (worse.Gpus % better.Gpus != 0
            || !Replaces(better, worse.Deployment, better.Part)
            || (CountsWatts && better.FacilityWatts / better.Gpus > worse.FacilityWatts / worse.Gpus))
            return false;
        for (var i = 0; i < better.Limits.Count; i++)
        {
            if (better.Limits[i].RequestsPerSecond / better.Gpus < worse.Limits[i].RequestsPerSecond / worse.Gpus)
                return false;
        }

        return true;
    }

    /// <summary>Watts per GPU at the site's meter, the mean of the buckets weighted by the time that each takes.</summary>
    private double Facility(Accelerator gpu, List<RateLimit> limits, TrafficProfile profile)
    {
        var (watts, time) = (0.0, 0.0);
        for (var i = 0; i < limits.Count; i++)
        {
            if (!limits[i].Possible)
                continue;
            var share = profile.Buckets[i].RequestsPerSecond / limits[i].RequestsPerSecond;
            (watts, time) = (watts + (share * limits[i].At.WattsPerGpu), time + share);
        }

        if (!(time > 0))
            return 0;
        var pue = Pue ?? site.PueOf(gpu);
        var board = new Sourced<Power>(new Power(new Watts(watts / time), PowerBoundary.Board), gpu.Tdp?.From ?? pue.From);
        return PowerLadder.Climb(gpu, board, site, pue).Facility.Value.Watts.Value;
    }
}
