using TokenFactory.Cli.Input;
using TokenFactory.Performance.Calibration;
using TokenFactory.Performance.SteadyState;

namespace TokenFactory.Cli.Verbs;

/// <summary>A calibration, and how it did on cells that it had not seen.</summary>
/// <param name="Input">What it was made from.</param>
/// <param name="Keeps">Whether it keeps the factors of the catalog's calibration and only corrects them.</param>
/// <param name="Set">The calibration.</param>
/// <param name="Cells">Cells that were left out in turn; empty where there is only one.</param>
/// <param name="Blind">Every sample, predicted by a fit that had not seen its cell.</param>
/// <param name="Gpus">The same by one that had seen nothing of its GPU; empty where the catalog's factors are kept, which have.</param>
/// <param name="Models">The same by one that had seen nothing of its model.</param>
/// <param name="Before">Every sample, predicted by the catalog's calibration; null where that is not kept.</param>
/// <param name="Identification">What the rows identify; null where the catalog's factors are kept.</param>
/// <param name="Twin">The twin, ready to be tried blind on some rows of every cell; null where the catalog's factors are kept.</param>
internal sealed record CalibrateRun(
    CalibrateInput Input,
    bool Keeps,
    CalibrationSet Set,
    IReadOnlyList<string> Cells,
    IReadOnlyList<Outcome> Blind,
    IReadOnlyList<Outcome> Gpus,
    IReadOnlyList<Outcome> Models,
    IReadOnlyList<Outcome>? Before,
    Identification? Identification,
    CalibrateTwin? Twin)
{
    /// <summary>From so many rows on, a table can identify factors of its own.</summary>
    public const int EnoughRows = 500;

    /// <summary>From so many cells on, a table can identify factors of its own.</summary>
    public const int EnoughCells = 10;

    private const int QuietFolds = 8;

    /// <summary>Fits, and leaves out one cell after the other.</summary>
    /// <param name="input">The measurements.</param>
    /// <param name="base">The catalog's calibration to keep; null to fit every factor anew.</param>
    /// <param name="terminal">Where progress is told.</param>
    public static CalibrateRun Of(CalibrateInput input, CalibrationSet? @base, Terminal terminal)
    {
        var samples = input.Samples;
        var calibrator = new Calibrator(samples, @base);
        var named = samples.Where(Grades.Named).ToList();
        var cells = CrossValidation.Groups(named, LeftOut.Cell);
        if (cells.Count < 2)
            cells = [];
        (LeftOut What, string Group)[] groups =
        [
            .. cells.Select(cell => (LeftOut.Cell, cell)),
            .. @base is null ? Others(LeftOut.Gpu).Concat(Others(LeftOut.Model)) : [],
        ];
        var loud = cells.Count > QuietFolds;
        if (loud)
            terminal.Err.WriteLine($"{input.Rows:N0} rows read, {samples.Count:N0} can be used; fitting");
        var set = calibrator.Fit();
        var folds = new IReadOnlyList<Outcome>[groups.Length];
        var twin = @base is null && cells.Count > 0 ? new CalibrateTwin(input.Site, named) : null;
        var done = 0;
        Parallel.For(0, groups.Length, CalibrateInput.Bounded, i =>
        {
            (folds[i], var fold) = CrossValidation.Fold(named, calibrator, groups[i].What, groups[i].Group);
            if (groups[i].What == LeftOut.Cell)
                twin?.Look(groups[i].Group, folds[i], fold);
            var so = Interlocked.Increment(ref done);
            if (loud && so % 10 == 0)
            {
                lock (folds)
                    terminal.Err.WriteLine($"{so} of {groups.Length} cells, GPUs and models left out and predicted");
            }
        });
        if (twin is not null && loud)
            terminal.Err.WriteLine("measured closed loops simulated");
        return new CalibrateRun(
            input,
            @base is not null,
            twin is null ? set : set with { Fronts = twin.Fronts() },
            cells,
            Outcomes(LeftOut.Cell),
            Outcomes(LeftOut.Gpu),
            Outcomes(LeftOut.Model),
            @base is null ? null : Predict(named, @base),
            @base is null ? Identification.Of(samples, set) : null,
            twin);

        IEnumerable<(LeftOut, string)> Others(LeftOut what) =>
            CrossValidation.Groups(named, what) is { Count: > 1 } all ? all.Select(group => (what, group)) : [];

        IReadOnlyList<Outcome> Outcomes(LeftOut what) => [.. folds.Where((_, i) => groups[i].What == what).SelectMany(fold => fold)];
    }

    /// <summary>Whether the measurements can identify factors of their own.</summary>
    public static bool Suffices(CalibrateInput input) =>
        input.Samples.Count >= EnoughRows
        && CrossValidation.Groups([.. input.Samples.Where(Grades.Named)], LeftOut.Cell).Count >= EnoughCells;

    /// <summary>The error bands of the new calibration; those of a kept one stay where the measurements say nothing better.</summary>
    public IReadOnlyList<ErrorBand> Bands(CalibrationInput catalog)
    {
        if (!Keeps)
        {
            return
            [
                .. ErrorBands.Of(Blind),
                .. ErrorBands.Of(Gpus, ErrorBands.OtherGpuScope),
                .. ErrorBands.Of(Models, ErrorBands.OtherModelScope),
                .. ErrorBands.Of(Blind.Where(IsStrange), ErrorBands.OtherVendorScope, ErrorBands.FewestGpuRows),
            ];
        }

        var better = ErrorBands.Of(Blind, fewestCells: 1).Where(band => band.Scope != ErrorBands.Everything).ToList();
        return
        [
            .. catalog.Bands.Where(band => !better.Exists(mine => mine.Metric == band.Metric && mine.Scope == band.Scope)).Concat(better)
                .OrderBy(band => band.Metric)
                .ThenBy(band => band.Scope, StringComparer.Ordinal),
        ];
    }

    /// <summary>Whether so little was measured on the vendor's GPUs that no engine has factors of its own there.</summary>
    private bool IsStrange(Outcome outcome) => !Set.KnowsVendor(outcome.Sample.Traits.Vendor);

    private static IReadOnlyList<Outcome> Predict(IReadOnlyList<Sample> samples, CalibrationSet set)
    {
        var predictor = new Predictor(set);
        return [.. samples.Select(sample => new Outcome(sample, predictor.Predict(sample.Prepared)))];
    }
}
