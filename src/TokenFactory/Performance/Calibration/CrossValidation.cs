using TokenFactory.Performance.SteadyState;

namespace TokenFactory.Performance.Calibration;

/// <summary>A sample, and what was predicted of it by a calibration that had not seen its cell.</summary>
/// <param name="Sample">The sample.</param>
/// <param name="Prediction">What was predicted.</param>
public sealed record Outcome(Sample Sample, Prediction Prediction);

/// <summary>Leaves out one cell (model and GPU) after the other, fits on the rest, and predicts what was left out.</summary>
public static class CrossValidation
{
    /// <summary>One fold: the samples of a cell, predicted blind.</summary>
    /// <param name="samples">All samples.</param>
    /// <param name="calibrator">A calibrator over them.</param>
    /// <param name="cell">The cell to leave out.</param>
    public static IReadOnlyList<Outcome> Fold(IReadOnlyList<Sample> samples, Calibrator calibrator, string cell)
    {
        var predictor = new Predictor(calibrator.Fit(sample => sample.Cell != cell));
        return [.. samples.Where(sample => sample.Cell == cell).Select(sample => new Outcome(sample, predictor.Predict(sample.Prepared)))];
    }

    /// <summary>The cells that can be left out: those with a model and a GPU.</summary>
    public static IReadOnlyList<string> Cells(IReadOnlyList<Sample> samples) =>
        [.. samples.Select(sample => sample.Cell).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
}
