namespace TokenFactory.Cli.Tests;

/// <summary>Asks that are planned in no time.</summary>
internal static class PlanAsks
{
    /// <summary>A small model on two kinds of GPU, with the prices given.</summary>
    public const string Small = """
        name: small
        model: llama-3.1-8b
        workload:
          requests: 2000
          streams:
            - {class: chat, requests_per_second: 10, input_tokens: {lognormal: {mean: 800, cv: 0.5}}, output_tokens: {lognormal: {mean: 150, cv: 0.5}}}
        promises:
          - {class: chat, ttft_s: 1, tpot_ms: 30}
        offers:
          gpus: [h100, l40s]
          prices:
            - {gpu: h100, usd_per_gpu_hour: 2.5}
            - {gpu: l40s, usd_per_gpu_hour: 0.9}
        search: {disaggregated: no, kv_precision: fp8, token_budget: 2048}
        verify_requests: 500
        finalists: 1
        """;

    /// <summary>Runs the small ask with keys set, and more arguments.</summary>
    public static Outcome Plan(TemporaryFolder folder, IEnumerable<string> sets, params string[] more) =>
        Program.Run(["plan", folder.Write("small.yaml", Small), .. sets.SelectMany(set => new[] { "--set", set }), .. more]);
}
