using System.Globalization;
using TokenFactory.Catalog;

namespace TokenFactory.Performance.Measured;

/// <summary>One measured or asked-for point of a deployment, field by field as a table of measurements writes it.</summary>
public sealed record ServingPoint
{
    /// <summary>The row's name.</summary>
    public required string RowId { get; init; }

    /// <summary>Catalog keys of model and GPU, empty where the source is a mixed or unnamed system; and the source's names.</summary>
    public required string ModelKey { get; init; }

    /// <summary>Catalog key of the GPU; empty where unknown.</summary>
    public required string GpuKey { get; init; }

    /// <summary>The model as its source wrote it.</summary>
    public string Model { get; init; } = "";

    /// <summary>The GPU as its source wrote it.</summary>
    public string Gpu { get; init; } = "";

    /// <summary>The collection that the row comes from.</summary>
    public string Dataset { get; init; } = "";

    /// <summary>The engine as its source wrote it.</summary>
    public string Engine { get; init; } = "";

    /// <summary>What was run.</summary>
    public string Workload { get; init; } = "";

    /// <summary>Remarks.</summary>
    public string Notes { get; init; } = "";

    /// <summary>"aggregated" or "disaggregated".</summary>
    public string Mode { get; init; } = "";

    /// <summary>Both pools of a disaggregated deployment in words.</summary>
    public string Pools { get; init; } = "";

    /// <summary>Precision of the weights: the source's word, and the key that sums it up.</summary>
    public string PrecisionWeights { get; init; } = "";

    /// <summary>"fp8", "nvfp4", "bf16/fp16" ...</summary>
    public string PrecisionKey { get; init; } = "";

    /// <summary>Precision of the KV cache; empty where not recorded.</summary>
    public string PrecisionKv { get; init; } = "";

    /// <summary>How the load was offered.</summary>
    public string LoadKind { get; init; } = "";

    /// <summary>"none", "mtp ...", or empty where not recorded.</summary>
    public string SpecDecode { get; init; } = "";

    /// <summary>What the lengths are: nominal, means, fixed.</summary>
    public string LenKind { get; init; } = "";

    /// <summary>Numbers of the row by column; absent where the field is empty.</summary>
    public required IReadOnlyDictionary<string, double> Numbers { get; init; }

    /// <summary>A field of the load or the layout that is filled in and no number, "tp is 'banana'"; null where there is none.</summary>
    public string? Unreadable { get; init; }

    /// <summary>The rate of requests, or their number at once, is written as endless: all are there from the start.</summary>
    public bool AllAtOnce { get; init; }

    /// <summary>A number of the row, or null.</summary>
    public double? this[string column] => Numbers.TryGetValue(column, out var number) ? number : null;

    /// <summary>Model and GPU: points of one cell are strongly correlated, so that errors are judged by leaving out whole cells.</summary>
    public string Cell => $"{ModelKey}|{GpuKey}";

    /// <summary>Measured mean time per output token in ms, the median where no mean was published; null without either.</summary>
    public double? MeasuredTpot => this["tpot_mean_ms"] ?? this["tpot_p50_ms"];

    /// <summary>Measured mean time to the first token in ms.</summary>
    public double? MeasuredTtft => this["ttft_mean_ms"];

    /// <summary>Measured tokens/s per GPU, input and output where both are known.</summary>
    public double? MeasuredTotalPerGpu => this["total_tok_s_per_gpu"];

    /// <summary>Measured output tokens/s of the whole deployment.</summary>
    public double? MeasuredOutput => this["output_tok_s_total"];

    /// <summary>Measured watts per GPU.</summary>
    public double? MeasuredWatts => this["avg_power_w_per_gpu"];

    /// <summary>Speculative decoding is on.</summary>
    public bool Speculates => SpecDecode.Contains("mtp", StringComparison.OrdinalIgnoreCase)
        && !SpecDecode.Contains("mixes", StringComparison.OrdinalIgnoreCase)
        && !SpecDecode.StartsWith("none", StringComparison.OrdinalIgnoreCase);

    /// <summary>Prefill and decode run on pools of their own.</summary>
    public bool Disaggregated => Mode == "disaggregated";
}

/// <summary>Reads tables of points: the columns of published measurements, of which only row_id must be there.</summary>
public static class ServingPoints
{
    private static readonly string[] Texts =
    [
        "row_id", "model_key", "gpu_key", "model", "gpu", "dataset", "engine", "workload", "notes", "mode", "disagg", "precision_weights",
        "precision_key", "precision_kv", "load_kind", "spec_decode", "len_kind",
    ];

    /// <summary>Numbers that a prediction needs.</summary>
    private static readonly HashSet<string> Needed = new(StringComparer.Ordinal)
    {
        "gpu_count", "tp", "pp", "ep", "dp", "input_len_tok", "output_len_tok", "concurrency", "batch_size", "request_rate_rps",
    };

    /// <summary>Reads the rows. Columns that nothing here reads are passed over: measurements carry more than a prediction needs.</summary>
    /// <param name="text">The file's text.</param>
    /// <param name="where">Its name, for messages.</param>
    /// <param name="mistakes">Where mistakes go.</param>
    public static IReadOnlyList<ServingPoint> Read(string text, string where, ICollection<Mistake> mistakes)
    {
        var line = text.TrimStart('\uFEFF').Split('\n').FirstOrDefault(line => line.Trim() is [not '#', ..]) ?? "";
        var header = line.TrimEnd('\r').Split(',').Select(name => name.Trim().Trim('"')).Where(name => name.Length > 0).Distinct().ToList();
        var numbers = header.Where(name => !Texts.Contains(name)).ToList();
        var rows = CsvTable.Read(text, where, ["row_id"], header, mistakes);
        if (!header.Contains("row_id"))
            return [];
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var points = new List<ServingPoint>(rows.Count);
        foreach (var row in rows)
        {
            var id = row.Required("row_id");
            if (id.Length > 0 && !seen.Add(id))
                row.Note("row_id", $"is '{id}' a second time", "Give every row its own");
            points.Add(Point(row, id, numbers));
        }

        return points;
    }

    private static ServingPoint Point(CsvRow row, string id, List<string> columns)
    {
        var numbers = new Dictionary<string, double>(columns.Count, StringComparer.Ordinal);
        string? unreadable = null;
        foreach (var column in columns)
        {
            var field = row[column];
            if (field.Length == 0)
                continue;
            if (double.TryParse(field, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number))
            {
                if (number != 0 || !PointFigures.IsAboveZero(column))
                    numbers.Add(column, number);
            }
            else if (Needed.Contains(column) && !Endless(column, field))
                unreadable ??= $"{column} is '{field}', which is no number";
        }

        return new ServingPoint
        {
            RowId = id,
            ModelKey = row["model_key"],
            GpuKey = row["gpu_key"],
            Model = row["model"],
            Gpu = row["gpu"],
            Dataset = row["dataset"],
            Engine = row["engine"],
            Workload = row["workload"],
            Notes = row["notes"],
            Mode = row["mode"],
            Pools = row["disagg"],
            PrecisionWeights = row["precision_weights"],
            PrecisionKey = row["precision_key"],
            PrecisionKv = row["precision_kv"],
            LoadKind = row["load_kind"],
            SpecDecode = row["spec_decode"],
            LenKind = row["len_kind"],
            Numbers = numbers,
            Unreadable = unreadable,
            AllAtOnce = Endless("request_rate_rps", row["request_rate_rps"]) || Endless("concurrency", row["concurrency"]),
        };
    }

    /// <summary>Whether a limit is written as none: clients without a rate, or a rate of everything at once.</summary>
    private static bool Endless(string column, string field) =>
        column is "request_rate_rps" or "concurrency" && field.TrimStart('+').ToUpperInvariant() is "INF" or "INFINITY";
}
