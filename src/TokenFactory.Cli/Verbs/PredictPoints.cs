using System.Globalization;
using System.Text;
using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Cli.Output;
using TokenFactory.Performance;
using TokenFactory.Performance.Kernels;
using TokenFactory.Performance.Measured;
using TokenFactory.Performance.SteadyState;

namespace TokenFactory.Cli.Verbs;

/// <summary>What predict --from answers for one row: a prediction, or why there is none.</summary>
/// <param name="Point">The row.</param>
/// <param name="Prediction">The prediction; null where there is none.</param>
/// <param name="WattsPerGpu">Watts where the row measures them; null where there are none.</param>
/// <param name="Note">The reason, or what to know about the figures; may be empty.</param>
internal sealed record PredictedPoint(ServingPoint Point, Prediction? Prediction, double? WattsPerGpu, string Note);

/// <summary>predict --from: every row of a table of points is answered, with figures or a reason. Measured columns are not read.</summary>
internal sealed class PredictPoints(CatalogContents catalog, CalibrationInput calibration)
{
    /// <summary>The columns of the answer.</summary>
    public const string Header = "row_id,ttft_mean_ms,tpot_mean_ms,output_tok_s_total,total_tok_s_per_gpu,watts_per_gpu,fits,note";

    private const int RowsPerProgress = 5000;

    private readonly PointInterpreter _interpreter = new(catalog);
    private readonly Predictor _predictor = new(calibration.Set);
    private readonly Dictionary<string, KernelSet?> _kernels = new(StringComparer.Ordinal);

    /// <summary>Reads a table and answers every row of it.</summary>
    /// <exception cref="Refusal">The file is no table of points; all mistakes at once.</exception>
    public IReadOnlyList<PredictedPoint> Of(string path, TextWriter progress)
    {
        var text = Files.Text(path);
        var mistakes = new List<Mistake>();
        var points = ServingPoints.Read(text, path, mistakes);
        Refusal.IfAny(mistakes);
        var atWall = PointScopes.AtWall(text, path);
        var answers = new List<PredictedPoint>(points.Count);
        foreach (var point in points)
        {
            answers.Add(Of(point, atWall.Contains(point.RowId)));
            if (answers.Count % RowsPerProgress == 0)
                progress.WriteLine($"predict: {answers.Count:N0} of {points.Count:N0} rows");
        }

        return answers;
    }

    /// <summary>The answers as CSV, a row per point in the order of the file.</summary>
    public static string Csv(IReadOnlyList<PredictedPoint> answers)
    {
        var text = new StringBuilder(answers.Count * 80);
        text.Append(Header).Append('\n');
        foreach (var answer in answers)
        {
            var p = answer.Prediction is { Fits: true } fitting ? fitting : null;
            text.Append(Quoted(answer.Point.RowId)).Append(',');
            Field(p?.Ttft * 1e3);
            Field(p?.Tpot * 1e3);
            Field(p?.OutputTokensPerSecond);
            Field(p?.TotalTokensPerSecond / p?.Gpus);
            Field(answer.WattsPerGpu);
            text.Append(answer.Prediction?.Fits switch { true => "true", false => "false", _ => "" }).Append(',');
            text.Append(Quoted(answer.Note)).Append('\n');
        }

        return text.ToString();

        void Field(double? value)
        {
            if (value is > 0 && double.IsFinite(value.Value))
                text.Append(value.Value.ToString(value < 1e6 ? "G6" : "0", CultureInfo.InvariantCulture));
            text.Append(',');
        }
    }

    /// <summary>How many rows were answered, and why others were not.</summary>
    public static Report Summary(IReadOnlyList<PredictedPoint> answers, string to)
    {
        var unanswered = answers.Where(answer => answer.Prediction is null).ToList();
        var misfits = answers.Count(answer => answer.Prediction is { Fits: false });
        var predicted = answers.Count - misfits - unanswered.Count;
        return new Report(
            "predict",
            [
                $"{predicted:N0} of {answers.Count:N0} rows predicted, {misfits:N0} do not fit, "
                    + $"{unanswered.Count:N0} have a reason instead: {to}.",
            ],
            [
                new Section(
                    "summary", "",
                    [new Column("outcome", "outcome", Number: false), new Column("rows", "rows")],
                    [Row("predicted", predicted), Row("do not fit", misfits), Row("reason instead", unanswered.Count)]),
                new Section(
                    "reasons", "Rows with a reason instead",
                    [new Column("reason", "reason", Number: false), new Column("rows", "rows")],
                    [.. unanswered.GroupBy(answer => answer.Note)
                        .OrderByDescending(group => group.Count())
                        .ThenBy(group => group.Key, StringComparer.Ordinal)
                        .Select(group => Row(group.Key, group.Count()))]),
            ],
            []);

        static IReadOnlyList<Cell> Row(string what, int rows) => [Cell.Of(what), new Cell(rows, rows.ToString("N0"))];
    }

    /// <summary>A field as CSV holds it, quoted where it must be.</summary>
    public static string Quoted(string text) =>
        text.AsSpan().IndexOfAny("\",\r\n") >= 0 || text.StartsWith('#') || text != text.Trim()
            ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
            : text;

    private PredictedPoint Of(ServingPoint point, bool atWall)
    {
        var (loaded, said) = PointLoads.Of(point);
        var (scenario, reason) = _interpreter.Interpret(loaded);
        if (scenario is null)
            return new PredictedPoint(point, null, null, reason ?? "the row cannot be read as a deployment");
        var gpu = scenario.Decode.Deployment.Gpu;
        if (!_kernels.TryGetValue(gpu.Key, out var kernels))
            _kernels.Add(gpu.Key, kernels = calibration.Kernels.For(gpu));
        if (kernels is null)
            return new PredictedPoint(point, null, null, $"no kernel constants for {gpu.Name}");
        var prediction = _predictor.Predict(Prepared.Of(scenario, kernels));
        if (!double.IsFinite(prediction.Ttft + prediction.Tpot + prediction.TotalTokensPerSecond + prediction.WattsPerGpu))
            return new PredictedPoint(point, null, null, "the figures of the row lead to no finite answer");
        return prediction.Fits ? Fitting(point, scenario, prediction, atWall, said) : Misfit(point, scenario, prediction);
    }

    private PredictedPoint Fitting(ServingPoint point, Scenario scenario, Prediction prediction, bool atWall, string? said)
    {
        var d = scenario.Decode.Deployment;
        List<string> notes = said is null ? [] : [said];
        var watts = d.Gpu.Tdp is null ? (double?)null : prediction.WattsPerGpu;
        if (watts is null)
            notes.Add($"no watts: the catalog lacks the thermal design power of {d.Gpu.Key}");
        if (watts is { } board && atWall)
        {
            var wall = WallPower.Of(d.Gpu, board, catalog.Site);
            watts = wall.WattsPerGpu;
            notes.Add($"watts at the wall of the system per GPU ({wall.How}); {PredictWords.Figure(board)} W at the board");
        }

        if (prediction.Saturated)
            notes.Add("the load is more than the deployment serves: answered at its most");
        if (scenario.Load.InputTokens + scenario.Load.OutputTokens > d.Model.MaxContextTokens?.Value)
            notes.Add($"longer than the model's context of {d.Model.MaxContextTokens.Value.Value:0} tokens");
        if (point.Speculates)
            notes.Add("draft length and acceptance are not in the row: usual ones assumed");
        if (prediction.Tpot <= 0)
            notes.Add("prompts only: no time per output token");
        return new PredictedPoint(point, prediction, watts, string.Join("; ", notes));
    }

    private static PredictedPoint Misfit(ServingPoint point, Scenario scenario, Prediction prediction)
    {
        var d = scenario.Decode.Deployment;
        var note = $"does not fit: {PredictWords.Figure(prediction.MissingGibibytes)} GiB missing on each GPU "
            + $"({d.Model.Key} in {d.Weights.Word()} on {d.Parallelism})";
        return new PredictedPoint(point, prediction, null, note);
    }
}
