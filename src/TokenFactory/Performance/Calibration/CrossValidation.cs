using TokenFactory.Performance.SteadyState;

namespace TokenFactory.Performance.Calibration;

/// <summary>A sample, and what was predicted of it by a calibration that had not seen its like.</summary>
/// <param name="Sample">The sample.</param>
/// <param name="Prediction">What was predicted.</param>
public sealed record Outcome(Sample Sample, Prediction Prediction);

/// <summary>What is left out together.</summary>
public enum LeftOut
{
    /// <summary>A model on a GPU: both are known from elsewhere.</summary>
    Cell,

    /// <summary>Everything measured on a GPU.</summary>
    Gpu,

    /// <summary>Everything measured of a model.</summary>
    Model,
}

/// <summary>Leaves out one group of samples after the other, fits on the rest, and predicts what was left out.</summary>
public static class CrossValidation
{
    /// <summary>One fold: the samples of a group, predicted blind.</summary>
    /// <param name="samples">All samples.</param>
    /// <param name="calibrator">A calibrator over them.</param>
    /// <param name="what">What a group is.</param>
    /// <param name="group">The group to leave out.</param>
    /// <returns>What was predicted, and the calibration that had not seen the group.</returns>
    public static (IReadOnlyList<Outcome> Outcomes, CalibrationSet Set) Fold(
        IReadOnlyList<Sample> samples, Calibrator calibrator, LeftOut what, string group)
    {
        var set = calibrator.Fit(sample => Group(what, sample) != group);
        var predictor = new Predictor(set);
        return (
            [
                .. samples.Where(sample => Group(what, sample) == group)
                    .Select(sample => new Outcome(sample, predictor.Predict(sample.Prepared))),
            ],
            set);
    }

    /// <summary>The groups that can be left out.</summary>
    public static IReadOnlyList<string> Groups(IReadOnlyList<Sample> samples, LeftOut what) =>
        [.. samples.Select(sample => Group(what, sample)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    private static string Group(LeftOut what, Sample sample) => what switch
    {
        LeftOut.Cell => sample.Cell,
        LeftOut.Gpu => sample.Traits.Gpu,
        _ => sample.Traits.Model,
    };
}
