using System.Globalization;
using TokenFactory.Fleet;
using TokenFactory.Performance;

namespace TokenFactory.Planning.Deploy;

/// <summary>How TensorRT-LLM is started: a command line, and a configuration file for what has no flag.</summary>
internal static class TensorRtCommand
{
    /// <summary>Where containers find the configuration files.</summary>
    public const string Folder = "/etc/tensorrt-llm";

    /// <summary>Port on which the machines of a replica start each other's processes.</summary>
    public const int SshPort = 2222;

    public static EngineLaunch Of(PoolSite pool)
    {
        var notes = new List<string>();
        var (d, settings) = (pool.Deployment, pool.Settings);
        var line = new CommandLine(pool.Release).Plain(pool.Checkpoint.Name);
        line.Value("--host", "0.0.0.0").Value("--port", EngineLaunch.Port).Value("--backend", "pytorch");
        line.Value("--tp_size", d.Parallelism.StageGpus);
        if (d.Parallelism.Pipeline > 1)
            line.Value("--pp_size", d.Parallelism.Pipeline);
        if (d.Parallelism.Expert > 1)
            line.Value("--ep_size", d.Parallelism.Expert);
        line.Value("--gpus_per_node", pool.NodeGpus);
        line.Value("--max_batch_size", settings.MaxSequences).Value("--max_num_tokens", settings.TokenBudget);
        if (pool.LongestTokens is { } longest)
            line.Value("--max_seq_len", longest);
        line.Switch("--enable_chunked_prefill").Value("--config", $"{Folder}/{pool.Name}.yaml");
        var configuration = Configuration(pool, notes);
        line.Keys(configuration);
        if (d.Parallelism is { AttentionData: > 1, Tensor: > 1 })
        {
            var group = d.Parallelism.Tensor;
            notes.Add($"TensorRT-LLM attends on single GPUs when attention is data-parallel: groups of {group} run as groups of 1.");
        }

        if (settings.StaticBatches)
            notes.Add("TensorRT-LLM batches continuously; static batching cannot be asked for.");
        if (pool.Priorities)
            notes.Add("TensorRT-LLM serves requests in their order: priorities hold at the gateway only.");
        if (pool.Nodes > 1)
        {
            const string needs = "the image must hold an SSH server, and the Secret mpi-ssh a key pair";
            notes.Add($"Machines start each other's processes by MPI over SSH: {needs}.");
        }

        return new EngineLaunch
        {
            Program = pool.Nodes > 1 ? Mpi(d.Gpus) : ["trtllm-serve"],
            Words = line.Words,
            WorkerScript = pool.Nodes > 1 ? $"exec /usr/sbin/sshd -D -e -p {SshPort.ToString(CultureInfo.InvariantCulture)}" : null,
            Configuration = configuration,
            ServedName = pool.Checkpoint.Name,
            MetricsPath = "/prometheus/metrics",
            Notes = notes,
            Unknown = line.Unknown,
        };
    }

    /// <summary>Starts a process per GPU on all machines of the replica, which a file lists.</summary>
    private static string[] Mpi(int gpus) =>
    [
        "mpirun", "--allow-run-as-root", "-n", gpus.ToString(CultureInfo.InvariantCulture), "--hostfile", LaunchScript.HostFile,
        "--mca", "plm_rsh_args", $"-p {SshPort.ToString(CultureInfo.InvariantCulture)} -o StrictHostKeyChecking=no",
        "-x", "HF_TOKEN", "-x", "HF_HOME",
        "trtllm-llmapi-launch", "trtllm-serve",
    ];

    private static DocMap Configuration(PoolSite pool, List<string> notes)
    {
        var (d, settings) = (pool.Deployment, pool.Settings);
        var prefill = pool.Order.Role == ReplicaRole.Prefill;
        return new DocMap
        {
            { "enable_attention_dp", d.Parallelism.AttentionData > 1 },
            { "kv_cache_config", Cache(pool, notes) },
            { "cuda_graph_config", new DocMap { { "enable_padding", true }, { "max_batch_size", settings.MaxSequences } } },
            { "disable_overlap_scheduler", prefill ? (Doc)true : null },
            { "cache_transceiver_config", Transceiver(pool) },
            { "speculative_config", d.Speculation is { } speculation ? Speculation(pool, speculation, notes) : null },
            { "enable_iter_perf_stats", true },
            { "return_perf_metrics", true },
        };
    }

    private static DocMap Cache(PoolSite pool, List<string> notes)
    {
        var (d, settings) = (pool.Deployment, pool.Settings);
        var memory = new KvCapacity(d).Memory;
        var left = memory.Memory - memory.Weights - memory.Activations - memory.Reserve;
        var share = new DocWord(CommandLine.Rounded(left > 0 ? Math.Max(0, memory.Free) / left : 0));
        var changed = settings.BlockTokens != Engine.EngineSettings.Of(d).BlockTokens;
        return new DocMap
        {
            { "dtype", Kv(d, notes) },
            { "enable_block_reuse", settings.PrefixCaching },
            { "free_gpu_memory_fraction", share, "Of what weights and buffers leave free." },
            { "max_tokens", settings.Blocks is { } blocks ? blocks * settings.BlockTokens : (Doc?)null },
            { "tokens_per_block", changed ? settings.BlockTokens : (Doc?)null },
            { "host_cache_size", settings.HostBytes > 0 ? (long)settings.HostBytes : (Doc?)null },
        };
    }

    private static string Kv(Deployment d, List<string> notes)
    {
        if (d.Precision.KvCache is NumberFormat.Fp8 or NumberFormat.Fp8Block)
            return "fp8";
        if (d.Precision.KvCache is not (NumberFormat.Bf16 or NumberFormat.Fp32))
            notes.Add($"TensorRT-LLM keeps the KV cache in the checkpoint's format where {d.Precision.KvCache.Word()} is planned.");
        return "auto";
    }

    private static DocMap? Transceiver(PoolSite pool) => !pool.IsSplit ? null : new DocMap
    {
        { "backend", "NIXL" },
        { "max_tokens_in_buffer", pool.LongestTokens ?? pool.Settings.TokenBudget },
    };

    private static DocMap Speculation(PoolSite pool, SpeculativeDecoding speculation, List<string> notes)
    {
        var drafter = Drafter.Of(pool, notes);
        return drafter.Draft is { } model
            ? new DocMap { { "decoding_type", "Eagle3" }, { "max_draft_len", speculation.DraftTokens }, { "speculative_model", model } }
            : new DocMap { { "decoding_type", "MTP" }, { "num_nextn_predict_layers", speculation.DraftTokens } };
    }
}
