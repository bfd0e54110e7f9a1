namespace TokenFactory.Cli.Input;

/// <summary>
/// Flags of engines by what they mean to a scenario, underscores as dashes. A test holds them against the releases in the catalog.
/// </summary>
internal static class EngineFlags
{
    /// <summary>Flags that say what a key of a pool says, by engine.</summary>
    public static IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> Keys { get; } =
        new Dictionary<string, IReadOnlyDictionary<string, string>>(StringComparer.Ordinal)
        {
            ["vllm"] = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["--model"] = "model",
                ["--tensor-parallel-size"] = "tp",
                ["-tp"] = "tp",
                ["--pipeline-parallel-size"] = "pp",
                ["-pp"] = "pp",
                ["--data-parallel-size"] = "attention_dp",
                ["-dp"] = "attention_dp",
                ["--enable-expert-parallel"] = "ep",
                ["--max-num-seqs"] = "max_sequences",
                ["--max-num-batched-tokens"] = "token_budget",
                ["--max-model-len"] = "max_context_tokens",
                ["--gpu-memory-utilization"] = "memory_utilisation",
                ["--block-size"] = "block_tokens",
                ["--kv-cache-dtype"] = "kv_precision",
                ["--quantization"] = "precision",
                ["-q"] = "precision",
                ["--dtype"] = "precision",
                ["--enable-prefix-caching"] = "prefix_caching",
                ["--no-enable-prefix-caching"] = "prefix_caching",
                ["--kv-offloading-size"] = "host_kv_gb",
                ["--speculative-config"] = "draft_tokens",
            },
            ["sglang"] = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["--model-path"] = "model",
                ["--model"] = "model",
                ["--tensor-parallel-size"] = "tp",
                ["--tp-size"] = "tp",
                ["--tp"] = "tp",
                ["--pipeline-parallel-size"] = "pp",
                ["--pp-size"] = "pp",
                ["--data-parallel-size"] = "attention_dp",
                ["--dp-size"] = "attention_dp",
                ["--dp"] = "attention_dp",
                ["--enable-dp-attention"] = "attention_dp",
                ["--expert-parallel-size"] = "ep",
                ["--ep-size"] = "ep",
                ["--ep"] = "ep",
                ["--max-running-requests"] = "max_sequences",
                ["--chunked-prefill-size"] = "token_budget",
                ["--context-length"] = "max_context_tokens",
                ["--mem-fraction-static"] = "memory_utilisation",
                ["--page-size"] = "block_tokens",
                ["--kv-cache-dtype"] = "kv_precision",
                ["--quantization"] = "precision",
                ["--dtype"] = "precision",
                ["--disable-radix-cache"] = "prefix_caching",
                ["--hicache-size"] = "host_kv_gb",
                ["--speculative-num-steps"] = "draft_tokens",
                ["--disaggregation-mode"] = "role",
            },
            ["tensorrt-llm"] = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["--tp-size"] = "tp",
                ["--pp-size"] = "pp",
                ["--ep-size"] = "ep",
                ["--max-batch-size"] = "max_sequences",
                ["--max-num-tokens"] = "token_budget",
                ["--max-seq-len"] = "max_context_tokens",
            },
        };

    /// <summary>Switches: no word after them is theirs.</summary>
    public static IReadOnlySet<string> Switches { get; } = new HashSet<string>(StringComparer.Ordinal)
    {
        "--enable-expert-parallel", "--enable-prefix-caching", "--no-enable-prefix-caching", "--enable-dp-attention",
        "--disable-radix-cache", "--enable-chunked-prefill", "--no-enable-chunked-prefill", "--enforce-eager", "--trust-remote-code",
        "--disable-log-requests", "--disable-log-stats", "--enable-hierarchical-cache", "--enable-auto-tool-choice",
        "--async-scheduling", "--disable-cuda-graph", "--enable-metrics", "--enable-torch-compile", "--skip-tokenizer-init",
        "--enable-lora", "--enable-eplb", "--disable-overlap-schedule", "--enable-mixed-chunk", "--enable-sleep-mode",
    };

    /// <summary>Flags that change how fast the engine is, and that the twin does not know.</summary>
    public static IReadOnlySet<string> NotModelled { get; } = new HashSet<string>(StringComparer.Ordinal)
    {
        "--enforce-eager", "--cpu-offload-gb", "--no-enable-chunked-prefill", "--compilation-config", "-O", "--enable-lora",
        "--disable-cuda-graph", "--attention-backend", "--enable-eplb", "--disable-overlap-schedule", "--enable-mixed-chunk",
        "--schedule-policy", "--scheduling-policy", "--kv-transfer-config", "--num-gpu-blocks-override",
        "--kv-cache-free-gpu-memory-fraction", "--free-gpu-memory-fraction", "--extra-llm-api-options", "--config", "--hicache-ratio",
        "--speculative-algorithm", "--speculative-num-draft-tokens", "--speculative-eagle-topk", "--schedule-conservativeness",
        "--max-prefill-tokens", "--backend", "--enable-torch-compile", "--long-prefill-token-threshold", "--max-num-partial-prefills",
        "--distributed-executor-backend", "--all2all-backend", "--moe-a2a-backend",
    };
}
