using System.CommandLine;

namespace TokenFactory.Cli.Verbs;

/// <summary>engine: an OpenAI-compatible server that answers at the pace of a chosen GPU, without one.</summary>
internal static class EngineVerb
{
    private const string Purpose =
        "Runs a virtual engine: an OpenAI-compatible server whose answers are made up "
        + "and whose pace, cache and watts are those of a chosen GPU.";

    private static readonly Flag[] Flags =
    [
        new("model", "What is served, in any spelling."),
        new("gpu", "Accelerator, in any spelling."),
        new("engine", "How it schedules: vllm, sglang, tensorrt-llm or atom. Default: vllm."),
        new("precision", "Weights: fp32, bf16, fp8, fp8-block, int8, int4 (awq, gptq), mxfp4, nvfp4. Default: the checkpoint's own."),
        new("kv_precision", "KV cache: bf16, fp8, int8 or fp32. Default: bf16."),
        new("tp", "GPUs that share each attention layer. Default: the fewest that hold the model and a long sequence."),
        new("pp", "Pipeline stages. Default: 1."),
        new("ep", "GPUs that the experts are spread over. Default: all with --attention-dp, else 1."),
        new("attention_dp", "Groups of --tp GPUs that attend to their own requests. Default: 1."),
        new("token_budget", "Most prompt tokens of one step. Default: 8192."),
        new("max_sequences", "Most sequences at once. Default: 1024."),
        new("max_context_tokens", "Longest sequence, prompt and answer. Default: what the model is made for."),
        new("memory_utilisation", "Share of the GPU memory that the engine takes, above 0 to 1. Default: 0.9."),
        new("block_tokens", "Tokens per block of the KV cache. Default: the engine's own."),
        new("prefix_caching", "Whether prompts that begin alike share blocks: true or false. Default: true."),
        new("batching", "continuous or static. Default: continuous."),
        new("host_kv_gb", "Host memory for the prefix cache in GB. Default: none."),
        new("host_gb_per_s", "Its speed in GB/s. Default: 50."),
        new("draft_tokens", "Speculative decoding: tokens proposed per step. Default: none."),
        new("acceptance", "Probability that a proposed token is kept, 0 to 1. Default: 0.65."),
        new("power_cap_w", "Power limit per GPU at its board in W."),
        new("clock_lock", "Clock as a share of the highest, 0.3 to 1."),
        new(EngineFlagReader.Key, "The command line of a real engine, to take the flags above from: \"vllm serve ... -tp 2\"."),
        new("host", "Address to listen on. Default: 127.0.0.1, this machine alone."),
        new("port", "Port to listen on; 0 for any that is free. Default: 8000."),
        new("served_model_name", "What clients call the model. Default: the catalog's name of it."),
        new("mean_output_tokens", "Mean length of answers that end by themselves. Default: 256."),
        new("output_cv", "Variation of that length, 0 for all alike. Default: 0.66."),
        new("seed", "What lengths, words and faults follow from. Default: 1."),
        new("faults", $"What goes wrong: {TokenFactory.Gateway.Virtual.FaultPlan.Grammar}"),
        new("fault_control", "Whether POST /virtual/faults may change that while it runs: true or false. Default: false."),
    ];

    public static Command Command(Terminal terminal)
    {
        var command = new Command("engine", Purpose);
        var flags = new SettingFlags(command, Flags);
        var common = new CommonFlags();
        common.AddTo(command);
        command.SetAction(parsed =>
        {
            var catalog = common.Catalog(parsed, terminal, "prices", "points", "api-prices", "tiers");
            var calibration = common.Calibration(parsed, terminal, catalog);
            var asked = new EngineInput(catalog, calibration, common.Today(parsed, terminal)).Read(flags.Read(parsed));
            return new EngineRunner(terminal, common, parsed).RunAsync(asked).GetAwaiter().GetResult();
        });
        return command;
    }
}
