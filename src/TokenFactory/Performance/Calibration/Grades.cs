
namespace TokenFactory.Performance.Calibration;

/// <summary>A measured figure beside what was predicted of it blind.</summary>
/// <param name="Metric">What it is.</param>
/// <param name="Outcome">The sample and its prediction.</param>
/// <param name="Measured">The measured value, in the unit of the table.</param>
/// <param name="Predicted">The predicted value in the same unit; zero where the model said that the deployment does not fit.</param>
public sealed record Figure(Metric Metric, Outcome Outcome, double Measured, double Predicted)
{
    /// <summary>Whether the deployment fits its memory by the model; where it does not, the figure is missed by its whole size.</summary>
    public bool Fits => Outcome.Prediction.Fits;

    /// <summary>Predicted over measured.</summary>
    public double Ratio => Predicted / Measured;

    /// <summary>The absolute error as a share of the measured value.</summary>
    public double Error => Math.Abs(Ratio - 1);

    /// <summary>A run of MLPerf Inference: input lengths are not published, and throughput is tuned to a rate of arrivals.</summary>
    public bool MlPerf => Outcome.Sample.Point.Dataset.StartsWith("mlperf", StringComparison.OrdinalIgnoreCase)
        || Outcome.Sample.Point.Workload.StartsWith("MLPerf", StringComparison.OrdinalIgnoreCase);
}

/// <summary>How wrong the figures of a group were.</summary>
/// <param name="Rows">Figures.</param>
/// <param name="Cells">Cells (model and GPU) that they come from.</param>
/// <param name="Misfits">Figures of deployments that do not fit by the memory model; they count as wrong by their whole size.</param>
/// <param name="Median">Median absolute error, a share of the measured value.</param>
/// <param name="Mean">Mean absolute error.</param>
/// <param name="Ratio">Median of predicted over measured, of those that fit: above 1 the model promises more.</param>
public sealed record Grade(int Rows, int Cells, int Misfits, double Median, double Mean, double Ratio);

/// <summary>Grades blind predictions.</summary>
public static class Grades
{
    /// <summary>
    /// Every measured figure with its prediction. A figure that two collections report of the same run counts once; rows without model
    /// or GPU, and those that no fit looks at, not at all.
    /// </summary>
    /// <param name="outcomes">Blind predictions.</param>
    public static IReadOnlyList<Figure> Figures(IEnumerable<Outcome> outcomes)
    {
        var seen = new HashSet<(Metric, string, Parallelism, Parallelism?, (double, double), (double?, double?), double)>();
        return [.. outcomes.Where(outcome => Named(outcome.Sample)).SelectMany(Measured).Where(figure => seen.Add(Key(figure)))];
    }

    /// <summary>The grade of a group; null where it is empty.</summary>
    public static Grade? Of(IEnumerable<Figure> figures)
    {
        var all = figures.ToList();
        if (all.Count == 0)
            return null;
        double[] ratios = [.. all.Where(figure => figure.Fits).Select(figure => figure.Ratio)];
        return new Grade(
            all.Count,
            all.Select(figure => figure.Outcome.Sample.Cell).Distinct(StringComparer.Ordinal).Count(),
            all.Count(figure => !figure.Fits),
            Corrections.Median([.. all.Select(figure => figure.Error)]),
            all.Average(figure => figure.Error),
            ratios.Length > 0 ? Corrections.Median(ratios) : 0);
    }

    /// <summary>Whether a sample names its model and its GPU and may be looked at.</summary>
    public static bool Named(Sample sample) => sample.Counts && sample.Point.ModelKey.Length > 0 && sample.Point.GpuKey.Length > 0;

    private static IEnumerable<Figure> Measured(Outcome outcome)
    {
        var (point, prediction) = (outcome.Sample.Point, outcome.Prediction);
        if (Figure(Metric.Tpot, point.MeasuredTpot, prediction.Tpot * 1e3) is { } tpot)
            yield return tpot;
        if (Figure(Metric.Ttft, point.MeasuredTtft, prediction.Ttft * 1e3) is { } ttft)
            yield return ttft;
        if (Figure(Metric.Tokens, point.MeasuredTotalPerGpu, prediction.TotalTokensPerSecond / prediction.Gpus) is { } total)
            yield return total;
        else if (Figure(Metric.Tokens, point.MeasuredOutput, prediction.OutputTokensPerSecond) is { } output)
            yield return output;
        if (outcome.Sample.Prepared.Decode.Deployment.Gpu.Tdp is not null
            && Figure(Metric.Watts, point.MeasuredWatts, prediction.WattsPerGpu) is { } watts)
            yield return watts;

        // What fits but is predicted as nothing, such as the time per token of a prefill-only run, is no prediction.
        Figure? Figure(Metric metric, double? measured, double predicted)
        {
            var graded = measured > 0 && (predicted > 0 || !prediction.Fits);
            return graded ? new Figure(metric, outcome, measured!.Value, prediction.Fits ? predicted : 0) : null;
        }
    }

    private static (Metric, string, Parallelism, Parallelism?, (double, double), (double?, double?), double) Key(Figure figure)
    {
        var (sample, load) = (figure.Outcome.Sample, figure.Outcome.Sample.Load);
        return (
            figure.Metric,
            $"{sample.Cell} {sample.Traits.Engine} {sample.Traits.Bits} {load.Arrival}",
            sample.Prepared.Decode.Deployment.Parallelism,
            sample.Prepared.Scenario.Prefill?.Deployment.Parallelism,
            (load.InputTokens, load.OutputTokens),
            (load.Concurrency, load.RequestsPerSecond),
            figure.Measured);
    }
}
