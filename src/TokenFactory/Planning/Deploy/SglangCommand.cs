using System.Globalization;
using TokenFactory.Fleet;
using TokenFactory.Performance;

namespace TokenFactory.Planning.Deploy;

/// <summary>How SGLang is started.</summary>
internal static class SglangCommand
{
    private const int InitPort = 20000;
    private const int BootstrapPort = 8998;

    public static EngineLaunch Of(PoolSite pool)
    {
        var notes = new List<string>();
        var line = new CommandLine(pool.Release);
        line.Value("--model-path", pool.Checkpoint.Name)
            .Value("--served-model-name", pool.Deployment.Model.Key)
            .Value("--host", "0.0.0.0")
            .Value("--port", EngineLaunch.Port)
            .Switch("--enable-metrics")
            .Switch("--enable-cache-report"); // else nobody learns which prompt tokens the cache held, and they cost as fresh ones
        if (pool.Checkpoint.QuantiseTo is { } format)
            line.Value("--quantization", format);
        Spread(line, pool);
        Batch(line, pool, notes);
        Cache(line, pool, notes);
        Speculate(line, pool, notes);
        Split(line, pool);
        if (pool.Nodes > 1)
        {
            var address = $"\"$LEADER_ADDRESS:{InitPort.ToString(CultureInfo.InvariantCulture)}\"";
            line.Value("--nnodes", pool.Nodes).Computed("--node-rank", EngineLaunch.NodeRank).Computed("--dist-init-addr", address);
        }

        return new EngineLaunch
        {
            Program = ["python3", "-m", "sglang.launch_server"],
            Words = line.Words,
            ServedName = pool.Deployment.Model.Key,
            Ports = pool.Order.Role == ReplicaRole.Prefill ? [("bootstrap", BootstrapPort)] : [],
            Notes = notes,
            Unknown = line.Unknown,
        };
    }

    /// <summary>SGLang counts the GPUs of a stage as its tensor size, and splits them into groups of attention.</summary>
    private static void Spread(CommandLine line, PoolSite pool)
    {
        var spread = pool.Deployment.Parallelism;
        line.Value("--tp-size", spread.StageGpus);
        if (spread.Pipeline > 1)
            line.Value("--pp-size", spread.Pipeline);
        if (spread.AttentionData > 1)
            line.Value("--dp-size", spread.AttentionData).Switch("--enable-dp-attention");
        if (spread.Expert > 1)
            line.Value("--ep-size", spread.Expert);
    }

    /// <summary>Limits are of the whole replica: SGLang divides them among its attention groups.</summary>
    private static void Batch(CommandLine line, PoolSite pool, List<string> notes)
    {
        var settings = pool.Settings;
        line.Value("--max-running-requests", pool.MaxSequences)
            .Value("--chunked-prefill-size", (long)settings.TokenBudget * pool.Groups);
        if (settings.StaticBatches)
            notes.Add("SGLang batches continuously; static batching cannot be asked for.");
        line.Switch("--enable-priority-scheduling", pool.Priorities).Switch("--schedule-low-priority-values-first", pool.Priorities);
        line.Switch("--enable-mixed-chunk", !settings.SeparatesPrompts && pool.Deployment.Speculation is null);
    }

    private static void Cache(CommandLine line, PoolSite pool, List<string> notes)
    {
        var (d, settings) = (pool.Deployment, pool.Settings);
        var memory = new KvCapacity(d).Memory;
        if (pool.LongestTokens is { } longest)
            line.Value("--context-length", longest);
        line.Share("--mem-fraction-static", (memory.Weights + Math.Max(0, memory.Free)) / memory.Memory);
        line.Value("--kv-cache-dtype", Kv(d, notes)).Switch("--disable-radix-cache", !settings.PrefixCaching);
        if (settings.BlockTokens != Engine.EngineSettings.Of(d).BlockTokens)
            line.Value("--page-size", settings.BlockTokens);
        if (settings.Blocks is { } blocks)
            line.Value("--max-total-tokens", blocks * settings.BlockTokens);
        if (settings.HostBytes > 0)
            line.Switch("--enable-hierarchical-cache").Value("--hicache-size", (long)Math.Max(1, Math.Floor(settings.HostBytes / 1e9)));
    }

    private static string Kv(Deployment d, List<string> notes)
    {
        if (d.Precision.KvCache is NumberFormat.Fp8 or NumberFormat.Fp8Block)
            return "fp8_e4m3";
        if (d.Precision.KvCache is not (NumberFormat.Bf16 or NumberFormat.Fp32))
            notes.Add($"SGLang keeps the KV cache in the model's format where {d.Precision.KvCache.Word()} is planned: more memory.");
        return "auto";
    }

    private static void Speculate(CommandLine line, PoolSite pool, List<string> notes)
    {
        if (pool.Deployment.Speculation is not { } speculation)
            return;
        var drafter = Drafter.Of(pool, notes);
        line.Value("--speculative-algorithm", drafter.Draft is null ? "NEXTN" : "EAGLE3");
        if (drafter.Draft is { } model)
            line.Value("--speculative-draft-model-path", model);
        line.Value("--speculative-num-steps", speculation.DraftTokens)
            .Value("--speculative-eagle-topk", 1)
            .Value("--speculative-num-draft-tokens", speculation.DraftTokens + 1);
    }

    private static void Split(CommandLine line, PoolSite pool)
    {
        if (!pool.IsSplit)
            return;
        line.Value("--disaggregation-mode", pool.Order.Role == ReplicaRole.Prefill ? "prefill" : "decode")
            .Value("--disaggregation-transfer-backend", "nixl");
        if (pool.Order.Role == ReplicaRole.Prefill)
            line.Value("--disaggregation-bootstrap-port", BootstrapPort);
    }
}
