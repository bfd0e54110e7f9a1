using TokenFactory.Cli.Output;

namespace TokenFactory.Cli.Verbs;

/// <summary>A curve: what was predicted at each value of a setting.</summary>
/// <param name="Series">The setting and its values.</param>
/// <param name="Answers">The predictions, in the order of the values.</param>
/// <param name="Chosen">GPUs per attention group that were chosen for all points; null where the user or the curve names them.</param>
internal sealed record PredictCurve(PredictSeries Series, IReadOnlyList<PredictAnswer> Answers, int? Chosen)
{
    /// <summary>The values and predictions that fit.</summary>
    public IEnumerable<(double Value, PredictAnswer Answer)> Fitting =>
        Series.Values.Zip(Answers).Where(pair => pair.Second.Prediction.Fits);
}

/// <summary>predict --sweep: the trade of speed per user against tokens per GPU.</summary>
internal static class PredictSweep
{
    /// <summary>The curve; where the user names no tp, all points run on the most GPUs that any of them needs.</summary>
    public static PredictCurve Of(PredictRequest request, PredictSeries series, PredictRunner runner)
    {
        var answers = series.Values.Select(value => runner.Of(series.With(request, value))).ToList();
        if (request.Pool.Tensor is not null || series.Key == "tp")
            return new PredictCurve(series, answers, null);
        var most = answers.Max(answer => answer.Decode.Parallelism.Tensor);
        var fixedTo = request with { Pool = request.Pool with { Tensor = most } };
        return new PredictCurve(series, [.. series.Values.Select(value => runner.Of(series.With(fixedTo, value)))], most);
    }

    /// <summary>The curve as a table.</summary>
    public static Report Report(PredictCurve curve, string? svg) => new(
        "predict",
        [.. Words(curve)],
        [
            new Section(
                "curve", "",
                [
                    new Column(curve.Series.Key, curve.Series.Key == "power_cap_w" ? "cap W" : curve.Series.Name, 0),
                    new Column("gpus", "GPUs", 1),
                    new Column("tokens_per_second_per_user", "tok/s/user"),
                    new Column("tokens_per_second_per_gpu", "tok/s/GPU"),
                    new Column("output_tokens_per_second", "output tok/s", 3),
                    new Column("ttft_ms", "TTFT ms"),
                    new Column("tpot_ms", "TPOT ms"),
                    new Column("watts_per_gpu", "W/GPU"),
                    new Column("joules_per_output_token", "J/output tok"),
                    .. Priced(curve) ? [new Column("usd_per_million_output_tokens", "$/M output")] : Array.Empty<Column>(),
                    new Column("requests_running", "running", 4),
                    new Column("fits", "fits", 2, Number: false),
                    new Column("note", "", 2, Number: false),
                ],
                [.. curve.Series.Values.Zip(curve.Answers, Row)]),
        ],
        [.. Notes(curve, svg)]);

    private static bool Priced(PredictCurve curve) => curve.Answers[0].Request.PerGpuHour is not null;

    private static IReadOnlyList<Cell> Row(double value, PredictAnswer answer)
    {
        var p = answer.Prediction;
        var known = answer.Decode.Gpu.Tdp is not null;
        var note = !p.Fits ? $"{Spell.Number(p.MissingGibibytes)} GiB/GPU missing" : p.Saturated ? "more than it serves" : null;
        return
        [
            new Cell(value, Value(value)),
            new Cell(p.Gpus, p.Gpus.ToString("N0")),
            Number(answer.PerUser, p.Fits && PredictWords.HasMore(answer)),
            Number(answer.PerGpu, p.Fits),
            Number(p.OutputTokensPerSecond, p.Fits),
            Number(p.Ttft * 1e3, p.Fits && !p.Saturated),
            Number(p.Tpot * 1e3, p.Fits && PredictWords.HasMore(answer)),
            Number(p.WattsPerGpu, p.Fits && known),
            Number(p.JoulesPerOutputToken, p.Fits && known),
            .. answer.PerMillion(p.OutputTokensPerSecond) is { } cost
                ? [p.Fits ? Cell.Of(cost, Spell.Of) : Cell.None]
                : Array.Empty<Cell>(),
            Number(p.Running * answer.Prepared.Scenario.Decode.Replicas, p.Fits),
            new Cell(p.Fits, p.Fits ? "yes" : "no"),
            note is null ? new Cell(null, "") : Cell.Of(note),
        ];
    }

    private static IEnumerable<string> Words(PredictCurve curve)
    {
        var fitting = curve.Fitting.ToList();
        if (fitting.Count == 0)
        {
            yield return $"No: {PredictWords.Deployment(curve.Answers[0])} fits at no {curve.Series.Name} asked for.";
            yield break;
        }

        var fastest = fitting.MaxBy(pair => pair.Answer.PerUser);
        var fullest = fitting.MaxBy(pair => pair.Answer.PerGpu);
        var deployment = curve.Series.Key == "tp"
            ? $"{fastest.Answer.Decode.Model.Key} on {fastest.Answer.Decode.Gpu.Key}"
            : PredictWords.Deployment(fastest.Answer);
        if (curve.Series.Key == "power_cap_w" && fitting.Count > 1)
        {
            yield return $"{deployment}: {Kept(fitting[0], fitting[^1])}.";
            yield break;
        }

        var from = PredictWords.HasMore(fastest.Answer)
            ? $"from {PredictWords.Figure(fastest.Answer.PerUser)} tokens/s per user at {curve.Series.At(fastest.Value)} "
            : "up ";
        yield return $"{deployment}: {from}to {PredictWords.Figure(fullest.Answer.PerGpu)} tokens/s per GPU (input + output) "
            + $"at {curve.Series.At(fullest.Value)}.";
    }

    private static string Kept((double Value, PredictAnswer Answer) tight, (double Value, PredictAnswer Answer) loose)
    {
        var speed = tight.Answer.PerGpu / loose.Answer.PerGpu;
        var power = tight.Answer.Prediction.WattsPerGpu / loose.Answer.Prediction.WattsPerGpu;
        return $"a cap of {Value(tight.Value)} W keeps {Spell.Percent(speed)} of the tokens per second "
            + $"and draws {Spell.Percent(power)} of the watts under {Value(loose.Value)} W";
    }

    private static IEnumerable<string> Notes(PredictCurve curve, string? svg)
    {
        var assumed = curve.Answers[0].Request.Assumed
            .Where(text => !PredictSeries.Contradicted(curve.Series.Key).Any(key => text.StartsWith(key + " ", StringComparison.Ordinal)))
            .ToList();
        if (assumed.Count > 0)
            yield return $"Assumed, as you did not say: {string.Join(", ", assumed)}.";
        if (curve.Chosen is { } tensor)
            yield return $"tp {tensor} for all points, chosen for the heaviest of them; --tp sets it.";
        yield return "tok/s/GPU counts input and output over all GPUs; watts are at the boards. Ask for one point to see its error band.";
        if (svg is not null)
            yield return $"Drawn in {svg}.";
    }

    /// <summary>A value of the setting as tables and sentences write it.</summary>
    public static string Value(double value) => value == Math.Floor(value) ? value.ToString("N0") : Spell.Number(value);

    private static Cell Number(double value, bool known) =>
        known && double.IsFinite(value) ? new Cell(value, Spell.Number(value)) : Cell.None;
}
