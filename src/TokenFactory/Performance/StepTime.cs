using TokenFactory.Performance.Calibration;

namespace TokenFactory.Performance;

/// <summary>
/// How long one engine step takes: kernel times and counts of host work, each times what calibration found for the engine on that vendor's
/// GPUs, times the correction that likewise deployments share; slowed by a lower clock. Allocates nothing per step.
/// </summary>
public sealed class StepTime
{
    private readonly StepTerms _factors;

    /// <summary>The time of a deployment's steps.</summary>
    /// <param name="plan">The deployment as kernels.</param>
    /// <param name="calibration">What measurements taught.</param>
    /// <param name="traits">Traits of the deployment, or of the whole that its pool is part of.</param>
    /// <param name="clock">The clock as a share of the highest; null for the deployment's lock, or the highest.</param>
    public StepTime(StepPlan plan, CalibrationSet calibration, Traits traits, double? clock = null)
    {
        Plan = plan;
        Correction = calibration.Times.Factor(traits) * calibration.Variants.Factor(traits);
        _factors = Throttle.Slow(calibration.StepsOf(traits), clock ?? plan.Deployment.Clock);
    }

    /// <summary>The deployment as kernels.</summary>
    public StepPlan Plan { get; }

    /// <summary>What likewise deployments share beyond the step model, as a factor.</summary>
    public double Correction { get; }

    /// <summary>Seconds of a step.</summary>
    /// <param name="shape">What it computes, on the busiest attention group.</param>
    public double Seconds(in StepShape shape) => Seconds(Plan.Terms(shape));

    /// <summary>Seconds of terms: of a step, or of a mix of steps per token.</summary>
    public double Seconds(StepTerms terms) => terms.Dot(_factors) * Correction;

    /// <summary>The same by cause; the parts sum to the whole.</summary>
    public StepTerms Parts(StepTerms terms) => terms.Scaled(_factors, Correction);
}
