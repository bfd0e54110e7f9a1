using TokenFactory.Gateway.Setup;

namespace TokenFactory.Gateway.Live.Probes;

/// <summary>What an engine kind answers about itself, and where.</summary>
/// <param name="Health">Path that answers 2xx while it serves.</param>
/// <param name="Metrics">Path of its load in Prometheus text; null where it has none.</param>
/// <param name="Running">Names of the gauge of requests that it computes; the first that is there counts.</param>
/// <param name="Waiting">Names of the gauge of requests that wait in it.</param>
/// <param name="KvHeld">Names of the gauge of its KV cache's use, 0 to 1; none where it does not tell.</param>
/// <param name="Remedy">What makes it tell its load.</param>
internal sealed record EngineMetrics(
    string Health, string? Metrics, string[] Running, string[] Waiting, string[] KvHeld, string Remedy)
{
    private static readonly EngineMetrics Vllm = new(
        "/health",
        "/metrics",
        ["vllm:num_requests_running"],
        ["vllm:num_requests_waiting"],
        ["vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"],
        "Do not start it with --disable-log-stats");

    private static readonly EngineMetrics Sglang = new(
        "/health",
        "/metrics",
        ["sglang:num_running_reqs"],
        ["sglang:num_queue_reqs"],
        ["sglang:token_usage"],
        "Start it with --enable-metrics");

    private static readonly EngineMetrics TensorRtLlm = new(
        "/health",
        "/prometheus/metrics",
        ["trtllm_num_requests_running"],
        ["trtllm_num_requests_waiting"],
        ["trtllm_kv_cache_utilization"],
        "Set return_perf_metrics: true in its options");

    private static readonly EngineMetrics LlamaCpp = new(
        "/health",
        "/metrics",
        ["llamacpp:requests_processing"],
        ["llamacpp:requests_deferred"],
        [],
        "Start it with --metrics");

    private static readonly EngineMetrics Ollama = new("/", null, [], [], [], "");

    public static EngineMetrics Of(EngineKind kind) => kind switch
    {
        EngineKind.Virtual or EngineKind.Vllm => Vllm,
        EngineKind.Sglang => Sglang,
        EngineKind.TensorRtLlm => TensorRtLlm,
        EngineKind.LlamaCpp => LlamaCpp,
        EngineKind.Ollama => Ollama,
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "No engine kind is numbered so"),
    };
}
