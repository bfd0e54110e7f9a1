using System.Globalization;
using System.Text.Json.Nodes;
using TokenFactory.Performance;

namespace TokenFactory.Planning.Deploy;

/// <summary>How vLLM is started.</summary>
internal static class VllmCommand
{
    private const int MasterPort = 29500;
    private const int DataPort = 13345;
    private const int SideChannelPort = 5600;
    private const double Gibibyte = 1024.0 * 1024 * 1024;

    public static EngineLaunch Of(PoolSite pool)
    {
        var notes = new List<string>();
        var line = new CommandLine(pool.Release).Plain(pool.Checkpoint.Name);
        line.Value("--served-model-name", pool.Deployment.Model.Key).Value("--host", "0.0.0.0").Value("--port", EngineLaunch.Port);
        if (pool.Checkpoint.QuantiseTo is { } format)
            line.Value("--quantization", format);
        Spread(line, pool, notes);
        Batch(line, pool, notes);
        Cache(line, pool, notes);
        Speculate(line, pool, notes);
        var workers = Nodes(line, pool);
        line.Switch("--enable-prompt-tokens-details"); // else nobody learns which prompt tokens the cache held, and they cost as fresh ones
        line.Value("--shutdown-timeout", pool.DrainSeconds);
        return new EngineLaunch
        {
            Program = ["vllm", "serve"],
            Words = line.Words,
            WorkerWords = workers.Words,
            ServedName = pool.Deployment.Model.Key,
            AddressVariable = pool.IsSplit ? "VLLM_NIXL_SIDE_CHANNEL_HOST" : null,
            Environment = pool.IsSplit
                ? [("VLLM_NIXL_SIDE_CHANNEL_PORT", SideChannelPort.ToString(CultureInfo.InvariantCulture))]
                : [],
            Ports = pool.IsSplit ? [("kv", SideChannelPort)] : [],
            Notes = notes,
            Unknown = [.. line.Unknown, .. workers.Unknown],
        };
    }

    private static void Spread(CommandLine line, PoolSite pool, List<string> notes)
    {
        var spread = pool.Deployment.Parallelism;
        line.Value("--tensor-parallel-size", spread.Tensor);
        if (spread.Pipeline > 1)
            line.Value("--pipeline-parallel-size", spread.Pipeline);
        if (spread.AttentionData > 1)
            line.Value("--data-parallel-size", spread.AttentionData);
        line.Switch("--enable-expert-parallel", spread.Expert > 1);
        if (spread.Expert > 1 && spread.Expert != spread.StageGpus)
        {
            var whole = spread.StageGpus;
            notes.Add($"vLLM spreads experts over all {whole} GPUs of a stage or over none: EP{spread.Expert} runs as EP{whole}.");
        }
    }

    private static void Batch(CommandLine line, PoolSite pool, List<string> notes)
    {
        var settings = pool.Settings;
        var sequences = Math.Min(settings.MaxSequences, settings.TokenBudget);
        if (sequences < settings.MaxSequences)
        {
            var planned = settings.MaxSequences;
            notes.Add($"vLLM takes no more sequences than tokens per step: {sequences} run at once where {planned} are planned.");
        }

        line.Value("--max-num-seqs", sequences).Value("--max-num-batched-tokens", settings.TokenBudget).Switch("--enable-chunked-prefill");
        if (settings.StaticBatches)
            notes.Add("vLLM batches continuously; static batching cannot be asked for.");
        if (pool.Priorities)
            line.Value("--scheduling-policy", "priority");
    }

    private static void Cache(CommandLine line, PoolSite pool, List<string> notes)
    {
        var (d, settings) = (pool.Deployment, pool.Settings);
        if (pool.LongestTokens is { } longest)
            line.Value("--max-model-len", longest);
        line.Share("--gpu-memory-utilization", d.MemoryUtilisation).Value("--kv-cache-dtype", Kv(d, notes));
        line.Switch(settings.PrefixCaching ? "--enable-prefix-caching" : "--no-enable-prefix-caching");
        if (settings.BlockTokens != Engine.EngineSettings.Of(d).BlockTokens)
            line.Value("--block-size", settings.BlockTokens);
        if (settings.Blocks is { } blocks)
            line.Value("--num-gpu-blocks-override", blocks);
        var host = settings.HostBytes * d.Parallelism.Tensor;
        if (pool.IsSplit)
            line.Value("--kv-transfer-config", Transfer(host).ToJsonString());
        else if (host > 0)
            line.Share("--kv-offloading-size", host / Gibibyte).Value("--kv-offloading-backend", "native");
    }

    /// <summary>KV caches go from prefill to decode over NIXL; with host memory, a copy stays there.</summary>
    private static JsonObject Transfer(double hostBytes)
    {
        var nixl = new JsonObject { ["kv_connector"] = "NixlConnector", ["kv_role"] = "kv_both" };
        if (hostBytes <= 0)
            return nixl;
        var offload = new JsonObject
        {
            ["kv_connector"] = "OffloadingConnector",
            ["kv_role"] = "kv_both",
            ["kv_connector_extra_config"] = new JsonObject { ["cpu_bytes_to_use"] = (long)hostBytes },
        };
        return new JsonObject
        {
            ["kv_connector"] = "MultiConnector",
            ["kv_role"] = "kv_both",
            ["kv_connector_extra_config"] = new JsonObject { ["connectors"] = new JsonArray(nixl, offload) },
        };
    }

    private static string Kv(Deployment d, List<string> notes)
    {
        if (d.Precision.KvCache is NumberFormat.Fp8 or NumberFormat.Fp8Block)
            return "fp8";
        if (d.Precision.KvCache is not (NumberFormat.Bf16 or NumberFormat.Fp32))
            notes.Add($"vLLM keeps the KV cache in the model's format where {d.Precision.KvCache.Word()} is planned: more memory.");
        return "auto";
    }

    private static void Speculate(CommandLine line, PoolSite pool, List<string> notes)
    {
        if (pool.Deployment.Speculation is not { } speculation)
            return;
        var drafter = Drafter.Of(pool, notes);
        var config = new JsonObject
        {
            ["method"] = drafter.Draft is null ? "mtp" : "eagle3",
            ["num_speculative_tokens"] = speculation.DraftTokens,
        };
        if (drafter.Draft is { } model)
            config["model"] = model;
        line.Value("--speculative-config", config.ToJsonString());
    }

    /// <summary>What several machines need: their number, the first one's address, and what the others add.</summary>
    private static CommandLine Nodes(CommandLine line, PoolSite pool)
    {
        var workers = new CommandLine(pool.Release);
        if (pool.Nodes == 1)
            return workers;
        workers.Switch("--headless");
        if (pool.Groups > 1)
        {
            var local = pool.Groups / pool.Nodes;
            line.Value("--data-parallel-size-local", local)
                .Computed("--data-parallel-address", EngineLaunch.LeaderAddress)
                .Value("--data-parallel-rpc-port", DataPort);
            workers.Computed("--data-parallel-start-rank", $"\"$((NODE_RANK * {local.ToString(CultureInfo.InvariantCulture)}))\"");
            return workers;
        }

        line.Value("--distributed-executor-backend", "mp")
            .Value("--nnodes", pool.Nodes)
            .Computed("--node-rank", EngineLaunch.NodeRank)
            .Computed("--master-addr", EngineLaunch.LeaderAddress)
            .Value("--master-port", MasterPort);
        return workers;
    }
}

/// <summary>What proposes the tokens of speculative decoding.</summary>
/// <param name="Draft">Repository or folder of a draft model; null where the model's own prediction layers do.</param>
internal readonly record struct Drafter(string? Draft)
{
    public static Drafter Of(PoolSite pool, List<string> notes)
    {
        if (pool.Draft is { } named)
            return new Drafter(named);
        if (pool.Deployment.Model.PredictionLayers > 0)
            return new Drafter(null);
        var folder = $"{Checkpoint.Folder}/{pool.Deployment.Model.Key}-draft";
        notes.Add($"{pool.Deployment.Model.Key} has no prediction layers of its own: provide an EAGLE-3 draft model in {folder}.");
        return new Drafter(folder);
    }
}
