using System.Text.Json;
using TokenFactory.Cli.Input;
using TokenFactory.Tests;

namespace TokenFactory.Cli.Tests;

/// <summary>The command line of a running engine says what the keys of a pool say.</summary>
public sealed class EngineFlagTests
{
    private const string Pools = """
        pools:
          - name: one
            gpu: h200
            replicas: 1
            usd_per_gpu_hour: 2
        """;

    private const string Rest = """

        workload:
          requests: 40
          streams:
            - {requests_per_second: 5, system_prompt_tokens: 200, input_tokens: 300, output_tokens: 20}
        """;

    [Theory]
    [InlineData("vllm serve meta-llama/Llama-3.1-70B-Instruct -tp 4 --max-num-seqs=64", "model: llama-3.1-70b, engine: vllm, tp: 4, max_sequences: 64")]
    [InlineData(
        "vllm serve meta-llama/Llama-3.1-8B-Instruct --quantization fp8 --kv-cache-dtype fp8_e4m3 --max-num-batched-tokens 2048 --max-model-len 16k --gpu-memory-utilization 0.8 --no-enable-prefix-caching --block-size 32",
        "model: llama-3.1-8b, precision: fp8, kv_precision: fp8, token_budget: 2048, max_context_tokens: 16000, memory_utilisation: 0.8, prefix_caching: false, block_tokens: 32")]
    [InlineData(
        "--model meta-llama/Llama-3.1-8B-Instruct --dtype bfloat16 --kv-offloading-size 100 --speculative-config '{\"method\": \"eagle3\", \"num_speculative_tokens\": 3}'",
        "model: llama-3.1-8b, host_kv_gb: 107.3741824, draft_tokens: 3")]
    [InlineData(
        "vllm serve deepseek-ai/DeepSeek-R1 --tensor-parallel-size 1 --data-parallel-size 8 --enable-expert-parallel --max-num-seqs 32",
        "model: deepseek-r1, tp: 1, attention_dp: 8, ep: 8, max_sequences: 256")]
    [InlineData(
        "python3 -m sglang.launch_server --model-path deepseek-ai/DeepSeek-R1 --tp 8 --dp-size 8 --enable-dp-attention --ep-size 8 --max-running-requests 128 --chunked-prefill-size 4096",
        "engine: sglang, model: deepseek-r1, tp: 1, attention_dp: 8, ep: 8, max_sequences: 128, token_budget: 4096")]
    [InlineData(
        "python -m sglang.launch_server --model-path meta-llama/Llama-3.1-8B-Instruct --tp-size 2 --disable-radix-cache --mem-fraction-static 0.85 --context-length 8192",
        "engine: sglang, model: llama-3.1-8b, tp: 2, prefix_caching: false, memory_utilisation: 0.85, max_context_tokens: 8192")]
    [InlineData(
        "trtllm-serve meta-llama/Llama-3.1-8B-Instruct --tp_size 2 --max_batch_size 32 --max_num_tokens 4096 --max_seq_len 8192",
        "engine: tensorrt-llm, model: llama-3.1-8b, tp: 2, max_sequences: 32, token_budget: 4096, max_context_tokens: 8192")]
    public void Say_what_keys_say(string flags, string keys)
    {
        using var folder = new TemporaryFolder();
        var written = string.Concat(keys.Split(", ").Select(key => $"\n    {key}"));
        var (byFlags, byKeys) = (Run(folder, "flags", $"\n    engine_flags: |\n      {flags}"), Run(folder, "keys", written));
        Assert.True(byFlags.Code == 0 && byKeys.Code == 0, byFlags.Err + byKeys.Err);
        Assert.All(new[] { "run", "pools", "classes" }, section => Assert.Equal(Told(byKeys.Json, section), Told(byFlags.Json, section)));
    }

    [Theory]
    [InlineData("'engine_flags' says --tensor-parallel-size 4, and 'tp' is 2. Say it once, or the same", "--tensor-parallel-size 4", "model: llama-3.1-8b", "tp: 2")]
    [InlineData("'engine_flags' says vllm, and 'engine' is sglang", "vllm serve llama-3.1-8b", "engine: sglang")]
    [InlineData("'engine_flags' says meta-llama/Llama-3.1-8B-Instruct, and 'model' is llama-3.1-70b", "vllm serve meta-llama/Llama-3.1-8B-Instruct", "model: llama-3.1-70b")]
    [InlineData("'engine_flags' has --tensor-paralel-size. Did you mean --tensor-parallel-size?", "--tensor-paralel-size 2", "model: llama-3.1-8b")]
    [InlineData("'engine_flags' has --max-num-seqs without a value", "--max-num-seqs --port 80", "model: llama-3.1-8b")]
    [InlineData("'engine_flags' has --max-num-seqs many, which is no number", "--max-num-seqs many", "model: llama-3.1-8b")]
    [InlineData("which is 2 replicas", "python3 -m sglang.launch_server --dp-size 2", "model: llama-3.1-8b")]
    [InlineData("'engine_flags' has a --speculative-config that is not JSON", "--speculative-config {num:3}", "model: llama-3.1-8b")]
    [InlineData("'tp' is 3, which does not divide the 32 heads of llama-3.1-8b", "--tensor-parallel-size 3", "model: llama-3.1-8b")]
    [InlineData("flags.yaml:6: 'memory_utilisation' is 7", "--gpu-memory-utilization 7")]
    public void Contradictions_and_slips_are_mistakes_at_their_line(string message, string flags, params string[] keys)
    {
        using var folder = new TemporaryFolder();
        var run = Run(folder, "flags", $"\n    engine_flags: \"{flags}\"{string.Concat(keys.Select(key => $"\n    {key}"))}");
        Assert.Equal(2, run.Code);
        Assert.Contains(message, run.Err, StringComparison.Ordinal);
    }

    [Fact]
    public void Flags_that_do_not_matter_and_those_that_nobody_knows_are_told()
    {
        using var folder = new TemporaryFolder();
        var run = Run(folder, "flags", "\n    engine_flags: vllm serve meta-llama/Llama-3.1-8B-Instruct --port 8000 --enforce-eager --api-key x");
        var notes = string.Join('\n', run.Json.GetProperty("notes").EnumerateArray().Select(note => note.GetString()));
        Assert.Contains("Engine flags of one that change nothing here: --port, --api-key.", notes, StringComparison.Ordinal);
        Assert.Contains("Engine flags of one that the twin does not know, although they may matter: --enforce-eager.", notes, StringComparison.Ordinal);
    }

    /// <summary>The servers take abbreviations that are unique: SGLang's --tp and --dp are of --tp-size and --dp-size.</summary>
    [Theory]
    [InlineData("vllm")]
    [InlineData("sglang", "--tp", "--dp")]
    [InlineData("tensorrt-llm")]
    public void Flags_that_are_read_are_those_of_the_release_in_the_catalog(string engine, params string[] abbreviations)
    {
        var release = JsonDocument.Parse(Repository.Text("catalog", "engines", engine + ".json")).RootElement.GetProperty("release");
        HashSet<string> Of(string key) => [.. release.GetProperty(key).EnumerateArray().Select(flag => flag.GetString()!.Replace('_', '-'))];
        var (flags, switches) = (Of("flags"), Of("switches"));
        var read = EngineFlags.Keys[engine].Keys.Except(abbreviations).ToList();
        Assert.All(read, flag => Assert.True(flags.Contains(flag) || switches.Contains(flag), $"{engine} {flag}"));
        Assert.All(read, flag => Assert.Equal(switches.Contains(flag), EngineFlags.Switches.Contains(flag)));
        Assert.DoesNotContain(EngineFlags.Switches, flags.Contains);
    }

    [Fact]
    public void A_command_is_split_as_a_shell_would()
    {
        var command = EngineCommand.Read("/opt/bin/vllm serve 'my model' \\\n --max_num_seqs=8 --x \"a b\" -tp 2 --enforce-eager --seed -1");
        Assert.Equal(("vllm", "my model"), (command.Engine, command.Model));
        Assert.Equal(
            [("--max-num-seqs", "8"), ("--x", "a b"), ("-tp", "2"), ("--enforce-eager", null), ("--seed", "-1")],
            command.Flags.Select(flag => (flag.Flag, flag.Value)));
    }

    [Fact]
    public void An_empty_set_takes_a_key_away()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("flags.yaml", Pools + "\n    engine_flags: --tensor-parallel-size 3\n    model: llama-3.1-8b" + Rest);
        Assert.Equal(2, Program.Run("simulate", path).Code);
        Assert.Equal(0, Program.Run("simulate", path, "--set", "pools.one.engine_flags=").Code);
    }

    private static Outcome Run(TemporaryFolder folder, string name, string pool) =>
        Program.Run("simulate", folder.Write(name + ".yaml", Pools + pool + Rest), "--json", "--set", "name=x");

    private static string Told(JsonElement json, string section) => json.GetProperty(section).ToString();
}
