namespace TokenFactory.Cli.Tests.Articles;

/// <summary>
/// NVIDIA's table for DeepSeek-R1, HGX H200 against GB300 NVL72 (2026, a vendor's claim, read in a republished copy). A second copy
/// repeats the figures and leaves the first two ratios empty.
/// </summary>
internal static class NvidiaTable
{
    /// <summary>NVIDIA prints sparse FP8 for Hopper: twice the dense rate of the catalog.</summary>
    private const double Sparse = 2;

    private static readonly (string Metric, string Hopper, string Blackwell, string Ratio)[] Printed =
    [
        ("$/GPU-h", "$1.41", "$2.65", "2x"),
        ("PFLOPS per dollar", "2.8", "5.6", "2x"),
        ("tok/s per GPU", "90", "6,000", "65x"),
        ("tok/s per MW", "54K", "2.8M", "50x"),
        ("$/M", "$4.20", "$0.12", "35x"),
    ];

    public static IEnumerable<PrintedCell> Cells() => Printed.SelectMany(row =>
    {
        var (hopper, blackwell) = Computed(row.Metric);
        var ratio = row.Metric == "$/M" ? hopper / blackwell : blackwell / hopper;
        var name = $"DeepSeek-R1 / {row.Metric}";
        // Tokens per MW are given too: as the watts that they imply.
        Func<string, string, double, PrintedCell> cell = row.Metric is "$/M" or "PFLOPS per dollar" ? PrintedCell.Number : PrintedCell.Given;
        return new[]
        {
            cell($"{name} / H200", row.Hopper, hopper),
            cell($"{name} / GB300", row.Blackwell, blackwell),
            PrintedCell.Number($"{name} / ratio", row.Ratio, ratio),
        };
    });

    private static (double Hopper, double Blackwell) Computed(string metric)
    {
        var (h200, gb300) = (Examples.Point("hopper-blackwell", "h200-sxm"), Examples.Point("hopper-blackwell", "gb300-nvl72"));
        return metric switch
        {
            "$/GPU-h" => Both("usd_per_gpu_hour"),
            "PFLOPS per dollar" => (Sparse * Examples.Catalog("h200-sxm", "fp8_dense_tflops") / 1000 / h200.Number("usd_per_gpu_hour"), Examples.Catalog("gb300-nvl72", "fp4_dense_tflops") / 1000 / gb300.Number("usd_per_gpu_hour")),
            "tok/s per GPU" => Both("tokens_per_second_per_gpu"),
            "tok/s per MW" => Both("tokens_per_second_per_facility_mw"),
            _ => Both("usd_per_million_tokens"),
        };

        (double, double) Both(string key) => (h200.Number(key), gb300.Number(key));
    }
}
