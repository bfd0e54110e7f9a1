
namespace TokenFactory.Cli.Tests.Articles;

/// <summary>
/// The tables and recomputable claims of Spheron's "Token Factory on GPU Cloud: Maximize Tokens per Watt for AI Inference Revenue
/// (2026 Guide)", 13 Apr 2026.
/// </summary>
internal static class SpheronArticle
{
    private const string Hopper = "h100-sxm";

    private static readonly (string Gpu, string Name, string Architecture, string Hbm, string Tdp, string Rate, string PerWatt, string OnDemand, string Spot)[] Architectures =
    [
        ("a100-sxm-80gb", "A100 SXM4 80GB", "Ampere", "80 GB HBM2e", "400", "~500", "1.25", "$1.64", "$0.45"),
        ("h100-sxm", "H100 SXM5 80GB", "Hopper", "80 GB HBM3", "700", "~2,000", "2.86", "$2.90", "$0.80"),
        ("h200-sxm", "H200 SXM5 141GB", "Hopper", "141 GB HBM3e", "700", "~2,900", "4.14", "$4.50", "$1.19"),
        ("b200", "B200 SXM6 192GB", "Blackwell", "192 GB HBM3e", "1,000", "~5,000", "5.00", "$7.43", "$1.71"),
    ];

    private static readonly (string Gpu, string Name, string Price, string Rate, string Cost)[] Table1 =
    [
        ("a100-sxm-80gb", "A100", "$1.64", "~500", "~$0.91"),
        ("h100-sxm", "H100", "$2.90", "~2,000", "~$0.40"),
        ("h200-sxm", "H200", "$4.50", "~2,900", "~$0.43"),
        ("b200", "B200", "$7.43", "~5,000", "~$0.41"),
    ];

    private static readonly (string Gpu, string Name, string Price, string Rate, string Cost, string Saved)[] Table2 =
    [
        ("a100-sxm-80gb", "A100", "$0.45", "~500", "~$0.25", "73%"),
        ("h100-sxm", "H100", "$0.80", "~2,000", "~$0.11", "73%"),
        ("h200-sxm", "H200", "$1.19", "~2,900", "~$0.11", "74%"),
        ("b200", "B200", "$1.71", "~5,000", "~$0.10", "76%"),
    ];

    private static readonly (string Provider, string Price, string Cost, string Change)[] Table3 =
    [
        ("Spheron", "$2.90", "~$0.40", "baseline"),
        ("AWS", "~$4.00", "~$0.56", "+38%"),
        ("GCP", "~$3.80", "~$0.53", "+31%"),
        ("Azure", "~$3.70", "~$0.51", "+28%"),
    ];

    private static readonly (string Workload, string Recommended)[] Billing =
    [
        ("development", "on-demand"),
        ("stable", "reserved"),
        ("bursty", "on-demand"),
        ("batch", "spot"),
    ];

    public static IEnumerable<PrintedCell> Cells() =>
        [.. Architectures.SelectMany(ArchitectureRow), .. Table1.SelectMany(OnDemandRow), .. Table2.SelectMany(SpotRow), .. Table3.SelectMany(ProviderRow), .. Billing.Select(BillingRow), .. Formulas(), .. Claims()];

    private static IEnumerable<PrintedCell> ArchitectureRow((string Gpu, string Name, string Architecture, string Hbm, string Tdp, string Rate, string PerWatt, string OnDemand, string Spot) row)
    {
        var (table, gpu) = ($"Architectures / {row.Name.Split(' ')[0]}", row.Gpu);
        var (onDemand, spot) = (Examples.Point("tokens-per-watt", gpu), Examples.Point("tokens-per-watt", gpu, "spot"));
        yield return new PrintedCell($"{table} / GPU", row.Name, Examples.Word(gpu, "name").Replace("NVIDIA ", "", StringComparison.Ordinal));
        yield return new PrintedCell($"{table} / architecture", row.Architecture, Examples.Word(gpu, "architecture"));
        yield return new PrintedCell($"{table} / HBM", row.Hbm, $"{Examples.Catalog(gpu, "memory_gb")} GB {Examples.Word(gpu, "memory_type")}");
        yield return PrintedCell.Number($"{table} / TDP", row.Tdp, Examples.Catalog(gpu, "tdp_w"));
        yield return PrintedCell.Given($"{table} / tok/s", row.Rate, onDemand.Number("tokens_per_second_per_gpu"));
        yield return PrintedCell.Number($"{table} / tok/s/W", row.PerWatt, onDemand.Number("tokens_per_joule_board"));
        yield return PrintedCell.Given($"{table} / on-demand $/h", row.OnDemand, onDemand.Number("usd_per_gpu_hour"));
        yield return PrintedCell.Given($"{table} / spot $/h", row.Spot, spot.Number("usd_per_gpu_hour"));
    }

    private static IEnumerable<PrintedCell> OnDemandRow((string Gpu, string Name, string Price, string Rate, string Cost) row)
    {
        var point = Examples.Point("cost-on-demand", row.Gpu);
        yield return PrintedCell.Given($"Table 1 / {row.Name} / $/h", row.Price, point.Number("usd_per_gpu_hour"));
        yield return PrintedCell.Given($"Table 1 / {row.Name} / tok/s", row.Rate, point.Number("tokens_per_second_per_gpu"));
        yield return PrintedCell.Number($"Table 1 / {row.Name} / $/M", row.Cost, point.Cost());
    }

    private static IEnumerable<PrintedCell> SpotRow((string Gpu, string Name, string Price, string Rate, string Cost, string Saved) row)
    {
        var point = Examples.Point("cost-spot", row.Gpu, "spot");
        yield return PrintedCell.Given($"Table 2 / {row.Name} / $/h", row.Price, point.Number("usd_per_gpu_hour"));
        yield return PrintedCell.Given($"Table 2 / {row.Name} / tok/s", row.Rate, point.Number("tokens_per_second_per_gpu"));
        yield return PrintedCell.Number($"Table 2 / {row.Name} / $/M", row.Cost, point.Cost());
        yield return PrintedCell.Number($"Table 2 / {row.Name} / savings", row.Saved, Saved(row.Gpu));
    }

    private static IEnumerable<PrintedCell> ProviderRow((string Provider, string Price, string Cost, string Change) row)
    {
        var point = Provider(row.Provider);
        var change = point.Number("change_against_baseline");
        yield return PrintedCell.Given($"Table 3 / {row.Provider} / $/h", row.Price, point.Number("usd_per_gpu_hour"));
        yield return PrintedCell.Number($"Table 3 / {row.Provider} / $/M", row.Cost, point.Cost());
        yield return row.Change == "baseline"
            ? new PrintedCell($"Table 3 / {row.Provider} / vs Spheron", row.Change, change == 0 ? "baseline" : "not the baseline")
            : PrintedCell.Number($"Table 3 / {row.Provider} / vs Spheron", row.Change, change);
    }

    /// <summary>Every billing that the best split uses, where the article names one.</summary>
    private static PrintedCell BillingRow((string Workload, string Recommended) row)
    {
        var plan = Examples.Ask($"billing --on-demand-usd 2.90 --reserved-1y-usd 2.03 --reserved-3y-usd none --spot-usd 0.80 --workload {row.Workload}").GetProperty("plan");
        var used = plan.EnumerateArray().Select(part => part.GetProperty("billing").GetString()!.Replace("-1y", "", StringComparison.Ordinal));
        return new PrintedCell($"Recommended billing / {row.Workload}", row.Recommended, string.Join(" and ", used));
    }

    private static IEnumerable<PrintedCell> Formulas()
    {
        var point = Examples.Point("formula", Hopper);
        yield return PrintedCell.Number("Formula / tokens per watt", "2.86", point.Number("tokens_per_joule_board"));
        yield return PrintedCell.Number("Formula / tokens per hour", "7,200,000", point.Number("tokens_per_second_per_gpu") * 3600);
        yield return PrintedCell.Number("Formula / $/M", "~$0.40", point.Cost());
    }

    private static IEnumerable<PrintedCell> Claims()
    {
        var spot = Examples.Point("cost-spot", Hopper, "spot").Cost();
        var saved = Table2.Select(row => Saved(row.Gpu)).ToList();
        string[] hyperscalers = ["AWS", "GCP", "Azure"];
        var dear = hyperscalers.Select(name => Provider(name).Cost()).ToList();
        var premium = hyperscalers.Select(name => Provider(name).Number("change_against_baseline")).ToList();
        var gpus = Architectures.Select(row => (row.Name, OnDemand: Examples.Point("cost-on-demand", row.Gpu).Cost(), PerWatt: Examples.Point("tokens-per-watt", row.Gpu).Number("tokens_per_joule_board"))).ToList();
        return
        [
            new("Claim / best tok/s/W", "H200 SXM5 141GB", gpus.MaxBy(gpu => gpu.PerWatt).Name),
            new("Claim / best on-demand $/M", "H100 SXM5 80GB", gpus.MinBy(gpu => gpu.OnDemand).Name),
            PrintedCell.Number("Claim / hyperscaler premium, lowest", "28%", premium.Min()),
            PrintedCell.Number("Claim / hyperscaler premium, highest", "38%", premium.Max()),
            PrintedCell.Number("Claim / hyperscaler $/M, lowest", "$0.51", dear.Min()),
            PrintedCell.Number("Claim / hyperscaler $/M, highest", "$0.56", dear.Max()),
            PrintedCell.Number("Claim / H100 spot $/M", "$0.11", spot),
            PrintedCell.Number("Claim / H200 spot $/M", "$0.11", Examples.Point("cost-spot", "h200-sxm", "spot").Cost()),
            PrintedCell.Number("Claim / H100 spot under hyperscalers, lowest", "78%", 1 - (spot / dear.Min())),
            PrintedCell.Number("Claim / H100 spot under hyperscalers, highest", "80%", 1 - (spot / dear.Max())),
            PrintedCell.Number("Claim / spot discount, lowest", "60%", saved.Min()),
            PrintedCell.Number("Claim / spot discount, highest", "75%", saved.Max()),
            PrintedCell.Number("Claim / use from which 30 % off pays", "70%", BreakEven()),
            .. Throughputs(),
            PrintedCell.Number("Claim / H100 TB/s", "3.35", Examples.Catalog(Hopper, "memory_bandwidth_tb_per_s")),
            PrintedCell.Number("Claim / H200 TB/s", "4.8", Examples.Catalog("h200-sxm", "memory_bandwidth_tb_per_s")),
            PrintedCell.Number("Claim / B200 FP4 over FP8 compute", "2x", Examples.Catalog("b200", "fp4_dense_tflops") / Examples.Catalog("b200", "fp8_dense_tflops")),
            PrintedCell.Number("Claim / Llama 70B in FP16, GB", "140", 2 * Examples.Catalog("llama-3.1-70b", "published.total_parameters_billion")),
            PrintedCell.Number("Claim / Llama 70B in 4 bits, GB", "35", 0.5 * Examples.Catalog("llama-3.1-70b", "published.total_parameters_billion")),
        ];
    }

    /// <summary>Batch 32 (1,800 to 2,000 tok/s) over batch 1 (50 to 80 tok/s) at equal watts, twice in the text; and a GPU's day.</summary>
    private static IEnumerable<PrintedCell> Throughputs()
    {
        yield return PrintedCell.Number("Claim / batching gain, lowest, first telling", "20x", PerWatt(1800) / PerWatt(80));
        yield return PrintedCell.Number("Claim / batching gain, highest, first telling", "40x", PerWatt(2000) / PerWatt(50));
        yield return PrintedCell.Number("Claim / batching gain, lowest, second telling", "25x", PerWatt(1800) / PerWatt(80));
        yield return PrintedCell.Number("Claim / batching gain, highest, second telling", "40x", PerWatt(2000) / PerWatt(50));
        yield return PrintedCell.Number("Claim / H100s for a billion tokens a day", "1", Needed(Hopper));
        yield return PrintedCell.Number("Claim / H200s for a billion tokens a day", "1", Needed("h200-sxm"));

        static double PerWatt(int tokensPerSecond) =>
            Examples.Ask($"price --gpu h100 --usd-per-gpu-hour 2.90 --watts-per-gpu 700 --tokens-per-second-per-gpu {tokensPerSecond}").GetProperty("points")[0].Number("tokens_per_joule_board");

        static double Needed(string gpu) => 1e9 / 86_400 / Examples.Point("cost-on-demand", gpu).Number("tokens_per_second_per_gpu");
    }

    private static double Saved(string gpu) => -Examples.Point("cost-spot", gpu, "spot").Number("change_against_baseline");

    private static System.Text.Json.JsonElement Provider(string name) => Examples.Point("cost-by-provider", Hopper, provider: name);

    private static double BreakEven() =>
        Examples.Ask("billing examples/billing-stable.yaml").GetProperty("break_even")[0].Number("break_even_utilisation");
}
