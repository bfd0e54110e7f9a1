namespace TokenFactory.Performance.Measured;

/// <summary>
/// Mean lengths of benchmarks that publish none: MLPerf Inference (data centre, v4.1 to v6.0). Output lengths come with the results;
/// input lengths are estimates from the benchmarks' public data sets.
/// </summary>
internal static class BenchmarkLengths
{
    private static readonly Dictionary<string, (double Input, double Output)> MlPerf = new(StringComparer.Ordinal)
    {
        ["gpt-j-6b"] = (870, 69), // CNN/DailyMail summaries, a news article as prompt
        ["llama-2-70b"] = (290, 294), // OpenOrca, at most 1,024 tokens
        ["llama-2-7b"] = (290, 294),
        ["llama-3.1-8b"] = (870, 128), // CNN/DailyMail
        ["llama-3.1-70b"] = (290, 294),
        ["llama-3.1-405b"] = (9400, 684), // LongBench, LongDataCollections, RULER
        ["mixtral-8x7b"] = (430, 145), // OpenOrca, GSM8K, MBXP
        ["deepseek-v3"] = (800, 3880), // reasoning sets
        ["gpt-oss-120b"] = (1000, 1340),
    };

    /// <summary>Mean input length in tokens, or null where the workload is not known.</summary>
    public static double? Input(string model, string workload) => Known(model, workload)?.Input;

    /// <summary>Mean output length in tokens, or null where the workload is not known.</summary>
    public static double? Output(string model, string workload) => Known(model, workload)?.Output;

    private static (double Input, double Output)? Known(string model, string workload) =>
        workload.StartsWith("MLPerf", StringComparison.OrdinalIgnoreCase) && MlPerf.TryGetValue(model, out var lengths) ? lengths : null;
}
