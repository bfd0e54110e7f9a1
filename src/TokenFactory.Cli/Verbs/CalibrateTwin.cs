using System.Collections.Concurrent;
using TokenFactory.Catalog;
using TokenFactory.Performance.Calibration;
using TokenFactory.Simulation;

namespace TokenFactory.Cli.Verbs;

/// <summary>
/// The twin tried blind on measured closed loops: each cell's rows run under the calibration that had not seen the cell, and behind a front
/// that was fitted on the other cells.
/// </summary>
internal sealed class CalibrateTwin(SiteDefaults site, IReadOnlyList<Sample> samples)
{
    private readonly TwinTrial _trial = new(site);
    private readonly ILookup<string, Sample> _rows = TwinTrial.Rows(samples).ToLookup(row => row.Cell, StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Seen> _seen = new(StringComparer.Ordinal);

    /// <summary>Runs a cell's rows with nothing before the engine; safe to be called for several cells at once.</summary>
    public void Look(string cell, IReadOnlyList<Outcome> closed, CalibrationSet fold)
    {
        List<TwinSample> looks = [.. _rows[cell].Select(row => _trial.Look(row, fold)).OfType<TwinSample>()];
        var found = new Dictionary<Sample, Outcome>(ReferenceEqualityComparer.Instance);
        foreach (var outcome in closed)
            found[outcome.Sample] = outcome;
        _seen[cell] = new Seen(found, fold, looks);
    }

    /// <summary>What stands before engines, by all cells.</summary>
    public IReadOnlyDictionary<string, FrontTerms> Fronts() => TwinFit.Of(Others(""));

    /// <summary>Every row beside the closed form, in the order of cells.</summary>
    public IReadOnlyList<TwinPair> Pairs()
    {
        string[] cells = [.. _seen.Keys.Order(StringComparer.Ordinal)];
        var pairs = new IReadOnlyList<TwinPair>[cells.Length];
        Parallel.For(0, cells.Length, CalibrateInput.Bounded, i =>
        {
            var seen = _seen[cells[i]];
            var blind = seen.Fold with { Fronts = TwinFit.Of(Others(cells[i])) };
            pairs[i] =
            [
                .. _rows[cells[i]].Where(row => seen.Closed[row].Prediction.Fits)
                    .Select(row => new TwinPair(seen.Closed[row], new Outcome(row, _trial.Predict(row, blind)))),
            ];
        });
        return [.. pairs.SelectMany(cell => cell)];
    }

    private List<TwinSample> Others(string cell) =>
        [.. _seen.OrderBy(pair => pair.Key, StringComparer.Ordinal).Where(pair => pair.Key != cell).SelectMany(pair => pair.Value.Looks)];

    private sealed record Seen(Dictionary<Sample, Outcome> Closed, CalibrationSet Fold, List<TwinSample> Looks);
}
