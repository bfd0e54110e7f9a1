using TokenFactory.Catalog;
using TokenFactory.Performance.Calibration;
using TokenFactory.Performance.SteadyState;

namespace TokenFactory.Simulation;

/// <summary>A measured point beside what the closed form and the twin predict of it, neither having seen its cell.</summary>
/// <param name="Closed">By the closed form.</param>
/// <param name="Twin">By the twin.</param>
public sealed record TwinPair(Outcome Closed, Outcome Twin);

/// <summary>The twin tried on measured closed loops, a few from every cell.</summary>
/// <param name="site">Assumptions about sites.</param>
public sealed class TwinTrial(SiteDefaults site)
{
    private const int RowsPerCell = 8;

    /// <summary>The rows that are tried: of each cell some with a time to the first token and some without, evenly over its table.</summary>
    public static IReadOnlyList<Sample> Rows(IEnumerable<Sample> samples) =>
    [
        .. samples.Where(sample => sample.Plain && Grades.Named(sample) && !sample.Point.Speculates && sample.Point.MeasuredTpot > 0)
            .GroupBy(sample => (sample.Cell, sample.Point.MeasuredTtft > 0))
            .OrderBy(group => group.Key.Cell, StringComparer.Ordinal).ThenBy(group => group.Key.Item2)
            .SelectMany(group => Spaced([.. group.OrderBy(sample => sample.Point.RowId, StringComparer.Ordinal)])),
    ];

    /// <summary>What a row says about the way to the engine; null where it has no time to the first token or does not fit.</summary>
    public TwinSample? Look(Sample sample, CalibrationSet calibration)
    {
        if (sample.Point.MeasuredTtft is not { } milliseconds || milliseconds <= 0)
            return null;
        var bare = calibration with { Fronts = new Dictionary<string, FrontTerms> { [CalibrationSet.AnyStack] = default } };
        var run = Predict(sample, bare);
        return run.Fits
            ? new TwinSample(sample.Traits.Stack, sample.Cell, milliseconds / 1e3, run.Ttft, sample.Load.InputTokens, run.Tpot)
            : null;
    }

    /// <summary>What the twin predicts of a row.</summary>
    public Prediction Predict(Sample sample, CalibrationSet calibration) =>
        ClosedLoopTwin.Predict(sample.Prepared, calibration, site);

    private static IEnumerable<Sample> Spaced(List<Sample> rows)
    {
        var count = Math.Min(RowsPerCell, rows.Count);
        return Enumerable.Range(0, count).Select(i => rows[(int)((i + 0.5) * rows.Count / count)]);
    }
}
