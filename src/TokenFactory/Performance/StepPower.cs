using TokenFactory.Performance.Calibration;

namespace TokenFactory.Performance;

/// <summary>
/// Watts of one GPU at its board during a step: a share of the thermal design power that follows what keeps the chip busy (matrix units in
/// whole tiles, reading weights, reading the cache, prompts, how long kernels compute, sequences at once), never above a power cap.
/// Chassis, IT and facility power follow from it by the power ladder.
/// </summary>
public sealed class StepPower
{
    private readonly Deployment _deployment;
    private readonly PowerTerms _factors;
    private readonly PowerScale _scale;
    private readonly double _correction;
    private readonly double _running;

    /// <summary>The power of a deployment's steps.</summary>
    /// <param name="deployment">The deployment.</param>
    /// <param name="calibration">What measurements taught.</param>
    /// <param name="traits">Traits of the deployment, or of the whole that its pool is part of.</param>
    /// <param name="clock">The clock as a share of the highest; null for the deployment's lock, or the highest.</param>
    public StepPower(Deployment deployment, CalibrationSet calibration, Traits traits, double? clock = null)
    {
        (_deployment, _scale) = (deployment, PowerScale.Of(deployment.Gpu));
        _factors = Throttle.Save(calibration.PowerOf(traits), clock ?? deployment.Clock);
        _running = Throttle.Running(clock ?? deployment.Clock);
        _correction = calibration.Watts.Factor(traits);
    }

    /// <summary>
    /// Watts while nothing is computed. Published: 63 W of 400 on A100, 75 W of 700 on H100, 80 W of 700 on H200, about 140 W of 1,000 on
    /// MI325X.
    /// </summary>
    public double Idle => Throttle.Watts(Throttle.IdleShare, _deployment);

    /// <summary>Watts during a step.</summary>
    /// <param name="plan">The deployment as kernels.</param>
    /// <param name="shape">What the step computes, on the busiest attention group.</param>
    /// <param name="seconds">How long it takes.</param>
    public double Watts(StepPlan plan, in StepShape shape, double seconds) =>
        Watts(plan.Busy(shape), plan.Terms(shape), seconds, PowerTerms.Occupied(shape.Tokens));

    /// <summary>Watts of a step, or of a mix of steps per token.</summary>
    /// <param name="busy">How long parts of the GPU would be busy at full speed.</param>
    /// <param name="terms">Kernel times in seconds.</param>
    /// <param name="seconds">How long it takes.</param>
    /// <param name="occupancy">How many tokens a step has, as <see cref="PowerTerms.Occupied"/> says it.</param>
    public double Watts(GpuBusy busy, StepTerms terms, double seconds, double occupancy)
    {
        var share = PowerTerms.Of(busy, terms, seconds * _running, occupancy, _scale).Dot(_factors) * _correction;
        return Throttle.Watts((_running * share) + ((1 - _running) * Math.Min(share, Throttle.IdleShare)), _deployment);
    }
}
