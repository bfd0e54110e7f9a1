using System.Globalization;

namespace TokenFactory.Performance.Measured;

/// <summary>Which figures of a row can be those of a deployment.</summary>
internal static class PointFigures
{
    /// <summary>More than any length or rate of a deployment.</summary>
    private const double Most = 1e8;

    /// <summary>Most GPUs of a deployment.</summary>
    private const double MostGpus = 1e5;

    /// <summary>Columns that count GPUs; 0 where not recorded.</summary>
    private static readonly string[] Counted = ["gpu_count", "tp", "pp", "ep", "dp", "prefill_gpus"];

    /// <summary>Columns that measure the load.</summary>
    private static readonly string[] Measured =
        ["input_len_tok", "output_len_tok", "concurrency", "batch_size", "request_rate_rps", "power_cap_w_per_gpu"];

    private static readonly HashSet<string> Asked = new([.. Counted, .. Measured], StringComparer.Ordinal);

    /// <summary>Whether a column is above zero by nature, so that 0 says that nobody recorded it.</summary>
    public static bool IsAboveZero(string column) => Asked.Contains(column);

    /// <summary>Why the figures of a row cannot be those of a deployment; null where they can.</summary>
    public static string? Impossible(ServingPoint point)
    {
        foreach (var column in Counted)
        {
            if (point[column] is { } count && (count is not (>= 0 and <= MostGpus) || !double.IsInteger(count)))
                return $"{column} is {Plain(count)}: give a whole number from 0 to {Plain(MostGpus)}";
        }

        foreach (var column in Measured)
        {
            if (point[column] is { } number && number is not (>= 0 and <= Most))
                return $"{column} is {Plain(number)}: give a number from 0 to {Plain(Most)}";
        }

        return null;

        static string Plain(double number) => number.ToString(CultureInfo.InvariantCulture);
    }
}
