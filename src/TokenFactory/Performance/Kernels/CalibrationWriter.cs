using System.Globalization;
using System.Text;
using TokenFactory.Catalog;

namespace TokenFactory.Performance.Kernels;

/// <summary>Writes fitted constants as catalog/calibration/kernels.csv and collectives.csv.</summary>
public static class CalibrationWriter
{
    private const string KernelHead =
        """
        # Constants of operator times, fitted from kernels measured by ai-dynamo/aiconfigurator (Apache-2.0).
        # Efficiencies are shares of the data sheet: dense peak of the format (16-bit peak where the GPU has no units for it), bandwidth.
        # gemm C[m,n] = A[m,k] B[k,n]: floor + max4(2 (m + half_rows) n (k + half_depth) / (peak compute),
        #   (weight bytes (n + half_columns) k + 2 m n) / (bandwidth stream)) + activation_bytes m k / bandwidth,
        #   where max4(a, b) is the fourth root of a^4 + b^4.
        # attention_prefill, latent_prefill: floor + flops (pairs + half_rows queries) / (peak compute) + chain (longest context).
        # attention_decode, latent_decode: floor + max4(bytes / (bandwidth stream), flops / (peak compute)) + chain (longest context)
        #   + tile (sequences KV-heads).
        # experts: floor + max2(hit weight bytes / (bandwidth stream), flops (pairs + hit half_rows) / (peak compute))
        #   + (activation_bytes pairs (2 hidden + intermediate) + input_bytes input pairs hidden) / bandwidth; imbalance multiplies all.
        # w8a16 and int4 hold 8-bit and 4-bit weights and compute in 16 bits. Errors are those of the fit on the rows it saw.

        """;

    private const string CollectiveHead =
        """
        # Constants of collective times, fitted from measurements of ai-dynamo/aiconfigurator (Apache-2.0).
        # seconds = floor + x / link_efficiency + sqrt(x root) + tokens token_ns, with x = bytes sent / bandwidth.
        # Bytes sent: all_reduce the message; all_gather, reduce_scatter, all_to_all (ranks - 1) / ranks of it;
        #   dispatch_low_latency tokens top-k hidden, dispatch_normal tokens 8 (1 - (7/8)^top-k) hidden; combine twice as many.
        # Bandwidth: the scale-up link in one direction; where nodes is above 1 the scale-out network, and only bytes that leave the node.

        """;

    /// <summary>The text of kernels.csv.</summary>
    public static string Kernels(IReadOnlyList<FittedKernel> fitted)
    {
        var text = new StringBuilder(KernelHead);
        Line(text, ["operator", "gpu", "precision", .. KernelRow.Columns, .. Tail]);
        foreach (var (row, samples, median, high) in fitted)
        {
            var needed = KernelRow.Needed(row.Operator);
            var constants = KernelRow.Columns.Select((_, i) =>
                needed.Contains((KernelColumn)i) || ((KernelColumn)i == KernelColumn.Imbalance && row.Constants[i] > 1)
                    ? Digits(row.Constants[i])
                    : "");
            Line(
                text,
                [
                    KernelRow.Operators[(int)row.Operator], row.Gpu, row.Precision, .. constants, Digits(samples), Percent(median),
                    Percent(high), row.From.Text, row.From.Date.Text, Kind(row.From), row.Note,
                ]);
        }

        return text.ToString();
    }

    /// <summary>The text of collectives.csv.</summary>
    /// <param name="fitted">Fitted rows.</param>
    /// <param name="published">Rows from elsewhere, which follow.</param>
    public static string Collectives(IReadOnlyList<FittedCollective> fitted, IReadOnlyList<CollectiveRow> published)
    {
        var text = new StringBuilder(CollectiveHead);
        Line(text, ["operator", "gpu", "ranks", "nodes", "floor_us", "link_efficiency", "root_us", "token_ns", .. Tail]);
        foreach (var (row, samples, median, high) in fitted)
            Line(text, [.. Fields(row), Digits(samples), Percent(median), Percent(high), .. From(row)]);
        foreach (var row in published)
            Line(text, [.. Fields(row), "", "", "", .. From(row)]);
        return text.ToString();
    }

    private static readonly string[] Tail = ["rows", "median_error_percent", "p90_error_percent", "source", "date", "kind", "note"];

    private static string[] Fields(CollectiveRow row) =>
    [
        CollectiveRow.Operators[(int)row.Operator], row.Gpu, Digits(row.Ranks), Digits(row.Nodes), Digits(row.FloorMicroseconds),
        Digits(row.LinkEfficiency), row.RootMicroseconds > 0 ? Digits(row.RootMicroseconds) : "",
        row.TokenNanoseconds > 0 ? Digits(row.TokenNanoseconds) : "",
    ];

    private static string[] From(CollectiveRow row) =>
        [row.From.Text, row.From.Date.Text, Kind(row.From), row.Note];

    private static string Kind(Source source) => source.Kind.ToString().ToLowerInvariant();

    private static string Digits(double number) => number.ToString("G6", CultureInfo.InvariantCulture);

    private static string Percent(double share) => (100 * share).ToString("0.0", CultureInfo.InvariantCulture);

    private static void Line(StringBuilder text, IEnumerable<string> fields) =>
        text.AppendJoin(',', fields.Select(field => field.Contains(',') ? $"\"{field}\"" : field)).Append('\n');
}
