using System.Collections.Concurrent;
using TokenFactory.Catalog;
using TokenFactory.Performance;
using TokenFactory.Performance.Calibration;
using TokenFactory.Performance.Kernels;
using TokenFactory.Planning.Search;

namespace TokenFactory.Planning;

/// <summary>What a planner knows beside the ask.</summary>
/// <param name="Calibration">What measurements taught.</param>
/// <param name="Kernels">Constants of kernels by accelerator; null for one that nothing stands in for.</param>
/// <param name="Site">Assumptions about sites.</param>
public sealed record PlanKnowledge(CalibrationSet Calibration, Func<Accelerator, KernelSet?> Kernels, SiteDefaults Site)
{
    private readonly ConcurrentDictionary<(Deployment Deployment, bool Split, double Slowness), ReplicaModel> _models = new();

    /// <summary>
    /// How many times as long as predicted every step takes in the twin: 1, unless one asks what happens if predictions are wrong.
    /// </summary>
    public double Slowness { get; init; } = 1;

    /// <summary>
    /// The factor by which a promised time ("ttft", "tpot") must stay below its limit on a unit, so that it is kept although predictions
    /// may be wrong; null for 1.
    /// </summary>
    public Func<ServiceSearch, PlanUnit, string, double>? Margin { get; init; }

    /// <summary>How long steps of a replica take; made once for each.</summary>
    /// <param name="deployment">The replica.</param>
    /// <param name="split">Prompts and answers have pools of their own.</param>
    public ReplicaModel Model(Deployment deployment, bool split) => _models.GetOrAdd(
        (deployment, split, Slowness),
        key => new ReplicaModel(key.Deployment, Kernels(key.Deployment.Gpu)!, Calibration, key.Split).Slowed(key.Slowness));
}
