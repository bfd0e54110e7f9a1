using TokenFactory.Performance.SteadyState;

namespace TokenFactory.Performance.Calibration;

/// <summary>What a prediction is graded on.</summary>
public enum Metric
{
    /// <summary>Time per output token. Written "tpot".</summary>
    Tpot,

    /// <summary>Mean time to the first token. Written "ttft".</summary>
    Ttft,

    /// <summary>Tokens per second. Written "tokens".</summary>
    Tokens,

    /// <summary>Watts per GPU. Written "watts".</summary>
    Watts,
}

/// <summary>How wrong predictions of a kind of deployment were on cells that the calibration had not seen.</summary>
/// <param name="Metric">What was predicted.</param>
/// <param name="Scope">Which deployments, "experts aggregated none vllm NVIDIA"; "*" for all.</param>
/// <param name="Rows">Measured rows.</param>
/// <param name="Cells">Cells (model and GPU) that they come from.</param>
/// <param name="Median">Median absolute error, a share of the measured value.</param>
/// <param name="Mean">Mean absolute error, a share of the measured value.</param>
/// <param name="Spread">Four of five measured values lie between the prediction divided and multiplied by this.</param>
public sealed record ErrorBand(Metric Metric, string Scope, int Rows, int Cells, double Median, double Mean, double Spread)
{
    /// <summary>Measured over predicted that one in ten lies below.</summary>
    public double Low { get; init; } = 1 / Spread;

    /// <summary>Measured over predicted that half lie below: not 1 where predictions lean to one side.</summary>
    public double Middle { get; init; } = 1;

    /// <summary>Measured over predicted that nine in ten lie below.</summary>
    public double High { get; init; } = Spread;
}

/// <summary>The error bands of a calibration, from the most particular kind of deployment to all.</summary>
public static class ErrorBands
{
    private const int FewestCells = 3;

    /// <summary>Rows that a GPU, or GPUs of vendors that nobody measures, must have for a band of their own.</summary>
    public const int FewestGpuRows = 5;

    /// <summary>Cells below which all errors together say nothing of other stacks.</summary>
    private const int FewestCellsOfAll = 10;

    /// <summary>The scope of all deployments.</summary>
    public const string Everything = "*";

    /// <summary>The scopes that a deployment belongs to, most particular first.</summary>
    public static IEnumerable<string> Scopes(Prepared prepared)
    {
        var traits = prepared.Traits;
        var kind = Traits.Kind(prepared.Decode.Deployment.Model);
        var speculation = traits.Speculation == "none" ? "without speculation" : "with speculation";
        var how = $"{traits.Mode} {speculation} {Word(prepared.Scenario.Load.Arrival)}";
        yield return $"{kind} {how} {traits.Engine} {traits.Vendor}";
        yield return $"{kind} {how} {traits.Vendor}";
        yield return $"{kind} {how}";
        yield return how;
        yield return Everything;
    }

    /// <summary>The scope of a GPU, whatever runs on it.</summary>
    public static string GpuScope(Prepared prepared) => $"{prepared.Traits.Gpu} {Word(prepared.Scenario.Load.Arrival)}";

    /// <summary>The scope of a GPU on which nothing was measured.</summary>
    public static string OtherGpuScope(Prepared prepared) => $"gpu not measured {Word(prepared.Scenario.Load.Arrival)}";

    /// <summary>The scope of a model of which nothing was measured.</summary>
    public static string OtherModelScope(Prepared prepared) => $"model not measured {Word(prepared.Scenario.Load.Arrival)}";

    /// <summary>The scope of GPUs of a vendor on which next to nothing was measured.</summary>
    public static string OtherVendorScope(Prepared prepared) => "vendor not measured";

    /// <summary>The bands of a GPU, or of a model, of which nothing was measured: from predictions that had seen nothing of it.</summary>
    /// <param name="outcomes">Samples, and what was predicted of them without anything of their GPU, or their model.</param>
    /// <param name="scope">Their scope.</param>
    /// <param name="fewestRows">Rows that a band must have.</param>
    public static IEnumerable<ErrorBand> Of(
        IEnumerable<Outcome> outcomes, Func<Prepared, string> scope, int fewestRows = Calibrator.FewestRows) =>
        from outcome in outcomes
        where outcome.Sample.Counts && outcome.Prediction.Fits
        from error in Errors(outcome)
        group (error.Ratio, outcome.Sample.Cell) by (error.Metric, Scope: scope(outcome.Sample.Prepared)) into errors
        where errors.Count() >= fewestRows
        orderby errors.Key.Metric, errors.Key.Scope
        select Band(errors.Key.Metric, errors.Key.Scope, [.. errors]);

    /// <summary>The bands of blind predictions.</summary>
    /// <param name="outcomes">Samples and what was predicted of them blind.</param>
    /// <param name="fewestCells">Cells that a kind of deployment must have; a GPU's own scope needs one.</param>
    public static IReadOnlyList<ErrorBand> Of(IEnumerable<Outcome> outcomes, int fewestCells = FewestCells) =>
        Without(outcomes, fewestCells)("");

    /// <summary>The bands of blind predictions on all cells but one: what would be known of that one had nobody measured it.</summary>
    /// <param name="outcomes">Samples and what was predicted of them blind.</param>
    /// <param name="fewestCells">Cells that a kind of deployment must have; a GPU's own scope needs one.</param>
    /// <returns>Bands by the cell that is left out; safe to be asked by several callers at once.</returns>
    public static Func<string, IReadOnlyList<ErrorBand>> Without(IEnumerable<Outcome> outcomes, int fewestCells = FewestCells)
    {
        var all = outcomes.ToList();
        var gpus = all.Select(outcome => GpuScope(outcome.Sample.Prepared)).ToHashSet(StringComparer.Ordinal);
        var errors = all.Where(outcome => outcome.Sample.Counts && outcome.Prediction.Fits)
            .SelectMany(outcome => Errors(outcome).SelectMany(error => Scopes(outcome.Sample.Prepared)
                .Append(GpuScope(outcome.Sample.Prepared))
                .Select(scope => (error.Metric, Scope: scope, Error: (error.Ratio, outcome.Sample.Cell)))))
            .ToLookup(error => (error.Metric, error.Scope), error => error.Error);
        return cell =>
        [
            .. errors.Select(group => (group.Key, Errors: group.Where(error => error.Cell != cell).ToList()))
                .Where(group => group.Errors.Count > 0)
                .Select(group => Band(group.Key.Metric, group.Key.Scope, group.Errors))
                .Where(band => gpus.Contains(band.Scope)
                    ? band.Rows >= FewestGpuRows
                    : band.Rows >= Calibrator.FewestRows && (band.Cells >= fewestCells || band.Scope == Everything))
                .OrderBy(band => band.Metric)
                .ThenBy(band => band.Scope, StringComparer.Ordinal),
        ];
    }

    /// <summary>
    /// The band of a deployment: the widest of that of its kind, the most particular that there is, and that of its GPU; its low and high
    /// multiples are the lowest and the highest of them, as the widest may lean to one side. What no measurement knows is judged by tests
    /// of that sort: a GPU and a model by those that had seen nothing of theirs, a vendor by the few rows of such, a stack by all errors
    /// together. Null where there is none: the tokens per second of an open loop are asked for, not predicted, and measurements of a few
    /// cells say nothing of another stack.
    /// </summary>
    /// <param name="bands">The bands.</param>
    /// <param name="metric">Of what.</param>
    /// <param name="prepared">The deployment and its load.</param>
    /// <param name="knownStack">Whether the factors of its stack were fitted.</param>
    /// <param name="knownModel">Whether anything of its model was measured.</param>
    /// <param name="knownVendor">Whether the factors of any engine on its vendor's GPUs were fitted.</param>
    public static ErrorBand? Find(
        IReadOnlyList<ErrorBand> bands,
        Metric metric,
        Prepared prepared,
        bool knownStack = true,
        bool knownModel = true,
        bool knownVendor = true)
    {
        if (metric == Metric.Tokens && prepared.Scenario.Load.Arrival == Arrival.OpenLoop)
            return null;
        if (!knownStack && Of(Everything) is not { Cells: >= FewestCellsOfAll })
            return null;
        ErrorBand?[] candidates =
        [
            Scopes(prepared).Select(Of).FirstOrDefault(band => band is not null),
            Of(GpuScope(prepared)) ?? Of(OtherGpuScope(prepared)),
            knownModel ? null : Of(OtherModelScope(prepared)),
            knownStack ? null : Of(Everything),
            knownVendor ? null : Of(OtherVendorScope(prepared)),
        ];
        var known = candidates.OfType<ErrorBand>().ToList();
        return known.MaxBy(band => band.Spread) is { } widest
            ? widest with { Low = known.Min(band => band.Low), High = known.Max(band => band.High) }
            : null;

        ErrorBand? Of(string scope) => bands.FirstOrDefault(band => band.Metric == metric && band.Scope == scope);
    }

    /// <summary>Predicted over measured of everything that was measured.</summary>
    public static IEnumerable<(Metric Metric, double Ratio)> Errors(Outcome outcome)
    {
        var (point, prediction) = (outcome.Sample.Point, outcome.Prediction);
        if (point.MeasuredTpot > 0 && prediction.Tpot > 0)
            yield return (Metric.Tpot, prediction.Tpot * 1e3 / point.MeasuredTpot.Value);
        if (point.MeasuredTtft > 0 && prediction.Ttft > 0)
            yield return (Metric.Ttft, prediction.Ttft * 1e3 / point.MeasuredTtft.Value);
        var given = outcome.Sample.Load.Arrival == Arrival.OpenLoop;
        if (!given && point.MeasuredTotalPerGpu > 0)
            yield return (Metric.Tokens, prediction.TotalTokensPerSecond / prediction.Gpus / point.MeasuredTotalPerGpu.Value);
        else if (!given && point.MeasuredOutput > 0)
            yield return (Metric.Tokens, prediction.OutputTokensPerSecond / point.MeasuredOutput.Value);
        if (point.MeasuredWatts > 0 && prediction.WattsPerGpu > 0)
            yield return (Metric.Watts, prediction.WattsPerGpu / point.MeasuredWatts.Value);
    }

    private static ErrorBand Band(Metric metric, string scope, IReadOnlyList<(double Ratio, string Cell)> blind)
    {
        const double inside = 0.8;
        double[] errors = [.. blind.Select(error => Math.Abs(error.Ratio - 1))];
        double[] logs = [.. blind.Select(error => Math.Abs(Math.Log(error.Ratio))).Order()];
        double[] measured = [.. blind.Select(error => 1 / error.Ratio).Order()];
        return new ErrorBand(
            metric,
            scope,
            blind.Count,
            blind.Select(error => error.Cell).Distinct(StringComparer.Ordinal).Count(),
            Corrections.Median([.. errors]),
            errors.Average(),
            Math.Exp(logs[(int)(inside * (logs.Length - 1))]))
        {
            Low = measured[(int)(0.1 * (measured.Length - 1))],
            Middle = Corrections.Median([.. measured]),
            High = measured[(int)(0.9 * (measured.Length - 1))],
        };
    }

    private static string Word(Arrival arrival) => arrival switch
    {
        Arrival.ClosedLoop => "closed-loop",
        Arrival.OpenLoop => "open-loop",
        Arrival.Offline => "offline",
        _ => "batch",
    };
}
