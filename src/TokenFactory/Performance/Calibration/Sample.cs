using TokenFactory.Performance.Measured;
using TokenFactory.Performance.SteadyState;

namespace TokenFactory.Performance.Calibration;

/// <summary>A measured point, laid out so that any calibration can be tried on it.</summary>
/// <param name="Point">What was measured.</param>
/// <param name="Prepared">The deployment and load, as kernels.</param>
public sealed record Sample(ServingPoint Point, Prepared Prepared)
{
    /// <summary>The mix of steps in flight of a closed loop without pools of its own; computed once, as it depends on no factor.</summary>
    public StepTerms TokenTerms { get; } = Terms(Prepared);

    /// <summary>One deployment does both prompts and generation.</summary>
    public bool Aggregated => Prepared.Scenario.Prefill is null;

    /// <summary>Model and GPU by their catalog keys, however the table spells them: what is left out together.</summary>
    public string Cell => $"{Traits.Model}|{Traits.Gpu}";

    /// <summary>Traits of the deployment.</summary>
    public Traits Traits => Prepared.Traits;

    /// <summary>The load on it.</summary>
    public Load Load => Prepared.Scenario.Load;

    /// <summary>A closed loop on replicas that do both.</summary>
    public bool Plain => Aggregated && Load.Arrival == Arrival.ClosedLoop;

    /// <summary>Measured input and output tokens per second and GPU, whichever of them the row counts; null where it counts none.</summary>
    public double? MeasuredTokensPerGpu =>
        Point.MeasuredTotalPerGpu
        ?? (Point.MeasuredOutput * ((Load.InputTokens + Load.OutputTokens) / Load.OutputTokens) / Prepared.Scenario.Gpus);

    /// <summary>
    /// Whether fits and grades look at it: not where the model may be another than it is called (MLPerf's open division), nor studies
    /// whose times are mostly start-up.
    /// </summary>
    public bool Counts { get; } = !Point.Notes.Contains("open division", StringComparison.OrdinalIgnoreCase)
        && !Point.Workload.Contains("open division", StringComparison.OrdinalIgnoreCase)
        && !Point.Workload.Contains("decode-position study", StringComparison.OrdinalIgnoreCase)
        && !Point.SpecDecode.Contains("mixes", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// The samples without those whose time per token is another's to the last digit, under the same deployment and load: the same run
    /// as another collection reports it. Their watts stay.
    /// </summary>
    public static IReadOnlyList<Sample> Distinct(IEnumerable<Sample> samples)
    {
        var seen = new HashSet<(string, Parallelism, double, double, double?, double)>();
        return
        [
            .. samples.Where(sample => sample.Point.MeasuredTpot is not { } tpot || sample.Point.MeasuredWatts is not null || seen.Add((
                $"{sample.Cell} {sample.Traits.Engine}",
                sample.Prepared.Decode.Deployment.Parallelism,
                sample.Load.InputTokens,
                sample.Load.OutputTokens,
                sample.Load.Concurrency,
                tpot))),
        ];
    }

    private static StepTerms Terms(Prepared p)
    {
        if (p.Scenario.Prefill is not null || p.Scenario.Load.Arrival != Arrival.ClosedLoop)
            return default;
        return StepMix.Of(p.Decode.Deployment, p.Scenario.Load, p.InFlight, p.Policy).TokenTerms(p.Decode, p.Policy);
    }
}
