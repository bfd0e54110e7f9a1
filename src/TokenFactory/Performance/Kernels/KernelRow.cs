using TokenFactory.Catalog;

namespace TokenFactory.Performance.Kernels;

/// <summary>The operators that the tables of kernels hold.</summary>
public enum KernelOperator
{
    /// <summary>Matrix product with weights. Written "gemm".</summary>
    Gemm,

    /// <summary>Prefill of grouped-query attention. Written "attention_prefill".</summary>
    AttentionPrefill,

    /// <summary>Decode of grouped-query attention. Written "attention_decode".</summary>
    AttentionDecode,

    /// <summary>Prefill of multi-head latent attention. Written "latent_prefill".</summary>
    LatentPrefill,

    /// <summary>Decode of multi-head latent attention. Written "latent_decode".</summary>
    LatentDecode,

    /// <summary>Routed experts of one layer. Written "experts".</summary>
    Experts,
}

/// <summary>The constants of an operator, as columns of catalog/calibration/kernels.csv. Its head says how they make a time.</summary>
public enum KernelColumn
{
    /// <summary>Microseconds of the shortest call. Written "floor_us".</summary>
    FloorMicroseconds,

    /// <summary>Share of the dense peak. Written "compute_efficiency".</summary>
    ComputeEfficiency,

    /// <summary>Rows at half rate; in prefill, keys of work per query. Written "half_rows".</summary>
    HalfRows,

    /// <summary>Share of the memory bandwidth. Written "stream_efficiency".</summary>
    StreamEfficiency,

    /// <summary>Columns at half rate. Written "half_columns".</summary>
    HalfColumns,

    /// <summary>Inputs per output on top of k. Written "half_depth".</summary>
    HalfDepth,

    /// <summary>Bytes moved per element of activations. Written "activation_bytes".</summary>
    ActivationBytes,

    /// <summary>Bytes moved per element of all routed inputs. Written "input_bytes".</summary>
    InputBytes,

    /// <summary>Microseconds per 1,024 keys of the longest context. Written "chain_us_per_1024".</summary>
    ChainMicroseconds,

    /// <summary>Nanoseconds per sequence and KV head in decode. Written "tile_ns".</summary>
    TileNanoseconds,

    /// <summary>Factor of uneven routing. Written "imbalance".</summary>
    Imbalance,
}

/// <summary>The constants of one operator on one GPU in one precision.</summary>
/// <param name="Operator">The operator.</param>
/// <param name="Gpu">Key of the accelerator in the catalog.</param>
/// <param name="Precision">"bf16", "fp8", "fp8-block", "nvfp4", "mxfp4", "int8", "int4" or "w8a16"; of the KV cache for attention.</param>
/// <param name="Constants">One number per <see cref="KernelColumn"/>; zero where the operator has none.</param>
/// <param name="From">Where they come from.</param>
/// <param name="Note">Which kernels were fitted.</param>
public sealed record KernelRow(
    KernelOperator Operator, string Gpu, string Precision, IReadOnlyList<double> Constants, Source From, string Note)
{
    /// <summary>Names of the columns of constants, in the order of <see cref="KernelColumn"/>.</summary>
    public static IReadOnlyList<string> Columns { get; } =
    [
        "floor_us", "compute_efficiency", "half_rows", "stream_efficiency", "half_columns", "half_depth", "activation_bytes",
        "input_bytes", "chain_us_per_1024", "tile_ns", "imbalance",
    ];

    /// <summary>Names of the operators, in the order of <see cref="KernelOperator"/>.</summary>
    public static IReadOnlyList<string> Operators { get; } =
        ["gemm", "attention_prefill", "attention_decode", "latent_prefill", "latent_decode", "experts"];

    /// <summary>One constant.</summary>
    public double this[KernelColumn column] => Constants[(int)column];

    /// <summary>The columns that an operator needs.</summary>
    public static IReadOnlyList<KernelColumn> Needed(KernelOperator op) => op switch
    {
        KernelOperator.Gemm =>
        [
            KernelColumn.FloorMicroseconds, KernelColumn.ComputeEfficiency, KernelColumn.HalfRows, KernelColumn.StreamEfficiency,
            KernelColumn.HalfColumns, KernelColumn.HalfDepth, KernelColumn.ActivationBytes,
        ],
        KernelOperator.AttentionPrefill or KernelOperator.LatentPrefill =>
            [KernelColumn.FloorMicroseconds, KernelColumn.ComputeEfficiency, KernelColumn.HalfRows, KernelColumn.ChainMicroseconds],
        KernelOperator.Experts =>
        [
            KernelColumn.FloorMicroseconds, KernelColumn.ComputeEfficiency, KernelColumn.HalfRows, KernelColumn.StreamEfficiency,
            KernelColumn.ActivationBytes, KernelColumn.InputBytes,
        ],
        _ =>
        [
            KernelColumn.FloorMicroseconds, KernelColumn.ComputeEfficiency, KernelColumn.StreamEfficiency, KernelColumn.ChainMicroseconds,
            KernelColumn.TileNanoseconds,
        ],
    };

    /// <summary>Reads kernels.csv; rows of accelerators that the catalog does not hold are mistakes.</summary>
    internal static IReadOnlyList<KernelRow> Read(string text, string where, ISet<string> gpus, ICollection<Mistake> mistakes)
    {
        string[] required = ["operator", "gpu", "precision", "source", "date", "kind"];
        string[] optional = [.. Columns, "rows", "median_error_percent", "p90_error_percent", "note"];
        var read = new List<KernelRow>();
        foreach (var row in CsvTable.Read(text, where, required, optional, mistakes))
        {
            if (CalibrationFields.OneOf(row, "operator", Operators) is { } op
                && CalibrationFields.Gpu(row, gpus) is { } gpu
                && CalibrationFields.From(row) is { } from
                && ReadConstants(row, (KernelOperator)op) is { } constants)
            {
                if (NumberFormats.IsPrecision(row["precision"]))
                    read.Add(new KernelRow((KernelOperator)op, gpu, row["precision"], constants, from, row["note"]));
                else
                    row.Note("precision", $"is '{row["precision"]}'", "Write bf16, fp8, fp8-block, nvfp4, mxfp4, int8, int4 or w8a16");
            }
        }

        return read;
    }

    private static double[]? ReadConstants(CsvRow row, KernelOperator op)
    {
        var constants = new double[Columns.Count];
        constants[(int)KernelColumn.Imbalance] = 1;
        var sound = true;
        foreach (var column in Needed(op))
        {
            var share = column is KernelColumn.ComputeEfficiency or KernelColumn.StreamEfficiency;
            var number = CalibrationFields.Number(row, Columns[(int)column], share);
            constants[(int)column] = number ?? 0;
            sound &= number is not null;
        }

        if (op == KernelOperator.Experts && row["imbalance"].Length > 0)
            constants[(int)KernelColumn.Imbalance] = Math.Max(row.Number("imbalance") ?? 1, 1);
        return sound ? constants : null;
    }
}

/// <summary>Fields that both calibration tables have.</summary>
internal static class CalibrationFields
{
    /// <summary>The position of the field in a list; null with the mistake noted.</summary>
    public static int? OneOf(CsvRow row, string column, IReadOnlyList<string> known)
    {
        for (var i = 0; i < known.Count; i++)
        {
            if (known[i] == row[column])
                return i;
        }

        row.Note(column, $"is '{row[column]}'", $"Write one of {string.Join(", ", known)}");
        return null;
    }

    /// <summary>The accelerator's key; null with the mistake noted where the catalog lacks it.</summary>
    public static string? Gpu(CsvRow row, ISet<string> gpus)
    {
        if (gpus.Contains(row["gpu"]))
            return row["gpu"];
        row.Note("gpu", $"is '{row["gpu"]}', which the catalog does not hold", "Write the key of an accelerator");
        return null;
    }

    /// <summary>A number of zero or more, or a share above zero up to one.</summary>
    public static double? Number(CsvRow row, string column, bool share)
    {
        var number = row.Number(column, share ? double.Epsilon : 0);
        if (!share || number is not > 1)
            return number;
        row.Note(column, $"is {row[column]}", "Give a share above 0 and at most 1");
        return null;
    }

    /// <summary>Source, date and kind; null with the mistake noted.</summary>
    public static Source? From(CsvRow row)
    {
        var (kind, date) = (SourceKinds.Parse(row["kind"]), SourceDate.Parse(row["date"]));
        if (kind is null)
            row.Note("kind", $"is '{row["kind"]}'", "Write measured, datasheet or estimated");
        if (date is null)
            row.Note("date", $"is '{row["date"]}'", "Write YYYY, YYYY-MM or YYYY-MM-DD");
        var text = row.Required("source");
        return kind is { } how && date is not null && text.Length > 0 ? new Source(how, text, date) : null;
    }
}
