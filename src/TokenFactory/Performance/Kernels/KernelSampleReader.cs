using TokenFactory.Catalog;

namespace TokenFactory.Performance.Kernels;

/// <summary>
/// Reads kernel times in the columns of ai-dynamo/aiconfigurator's collections, one file per family: gemm, attention, mla, moe, comm,
/// deepep_alltoall. Rows of unknown GPUs and of eager collectives, whose launches a captured graph spares, are left out.
/// </summary>
/// <param name="gpuKey">From a GPU as the file names it to the catalog's key; null for one that is not wanted.</param>
/// <param name="gpus">Accelerators by key.</param>
/// <param name="mistakes">Where mistakes go.</param>
public sealed class KernelSampleReader(
    Func<string, string?> gpuKey, IReadOnlyDictionary<string, Accelerator> gpus, ICollection<Mistake> mistakes)
{
    private const double Milli = 1e-3;
    private const double Micro = 1e-6;

    /// <summary>Reads matrix products from gemm.csv.</summary>
    public IReadOnlyList<GemmSample> Gemms(string text) =>
    [
        .. from read in Rows(text, "gemm.csv", ["m", "n", "k", "latency_ms", "dtype"])
           where Precision(read.Row["dtype"]) is not null
           select new GemmSample(
               read.Gpu, Precision(read.Row["dtype"])!, read["m"], read["n"], read["k"], By(read.Row), read["latency_ms"] * Milli),
    ];

    /// <summary>Reads grouped-query attention from attention.csv.</summary>
    public IReadOnlyList<AttentionSample> Attentions(string text) =>
    [
        .. from read in Rows(text, "attention.csv", ["num_heads", "num_kv_heads", "head_dim", "kv_dtype", .. OfAttention])
           where read.Row["kv_dtype"] is "bfloat16" or "fp8"
           let decodes = read.Row["phase"] == "generation"
           select new AttentionSample(
               read.Gpu,
               read.Row["kv_dtype"] == "fp8" ? "fp8" : "bf16",
               decodes ? KernelOperator.AttentionDecode : KernelOperator.AttentionPrefill,
               read["num_heads"],
               read["num_kv_heads"],
               read["head_dim"],
               read["batch_size"],
               read["query_len_tok"],
               read["context_before_tok"],
               By(read.Row),
               read["latency_ms"] * Milli),
    ];

    /// <summary>Reads latent attention from mla.csv.</summary>
    public IReadOnlyList<AttentionSample> Latents(string text) =>
    [
        .. from read in Rows(text, "mla.csv", ["num_heads", "kv_dtype", .. OfAttention])
           where read.Row["kv_dtype"] is "bfloat16" or "fp8"
           let decodes = read.Row["phase"] == "generation"
           select new AttentionSample(
               read.Gpu,
               read.Row["kv_dtype"] == "fp8" ? "fp8" : "bf16",
               decodes ? KernelOperator.LatentDecode : KernelOperator.LatentPrefill,
               read["num_heads"],
               1,
               576,
               read["batch_size"],
               read["query_len_tok"],
               read["context_before_tok"],
               By(read.Row),
               read["latency_ms"] * Milli),
    ];

    /// <summary>Reads routed experts from moe.csv.</summary>
    public IReadOnlyList<ExpertsSample> Experts(string text) =>
    [
        .. from read in Rows(text, "moe.csv", OfExperts)
           where Precision(read.Row["dtype"]) is not null
           select new ExpertsSample(
               read.Gpu,
               Precision(read.Row["dtype"])!,
               read["num_tokens"],
               read["hidden"],
               read["expert_intermediate"] / read["moe_tp"],
               read["top_k"],
               read["num_experts"],
               read["moe_ep"],
               read.Row["token_distribution"] == "balanced",
               read.Row["kernel"],
               By(read.Row),
               read["latency_ms"] * Milli),
    ];

    /// <summary>Reads collectives from comm.csv; its messages count two-byte elements.</summary>
    public IReadOnlyList<CollectiveSample> Collectives(string text) =>
    [
        .. from read in Rows(text, "comm.csv", ["op", "num_gpus", "message_elements", "latency_ms", "kernel"])
           let op = CollectiveOf(read.Row["op"])
           where op is not null && !read.Row["kernel"].Contains("eager", StringComparison.Ordinal)
           select new CollectiveSample(
               read.Gpu, op.Value, (int)read["num_gpus"], 2 * read["message_elements"], 0, read.Row["kernel"], read["latency_ms"] * Milli),
    ];

    /// <summary>Reads dispatch and combine from deepep_alltoall.csv, measured on one node of eight ranks.</summary>
    public IReadOnlyList<CollectiveSample> Dispatches(string text)
    {
        var samples = new List<CollectiveSample>();
        foreach (var read in Rows(text, "deepep_alltoall.csv", ["mode", "hidden", "num_tokens", "top_k", "dispatch_us", "combine_us"]))
        {
            var few = read.Row["mode"] == "low_latency";
            var copies = few ? read["top_k"] : 8 * (1 - Math.Pow(7.0 / 8, read["top_k"]));
            var bytes = read["num_tokens"] * copies * read["hidden"];
            var by = "DeepEP in SGLang " + read.Row["framework_version"];
            samples.Add(new CollectiveSample(
                read.Gpu,
                few ? CollectiveOperator.DispatchLowLatency : CollectiveOperator.DispatchNormal,
                8,
                bytes,
                read["num_tokens"],
                by,
                read["dispatch_us"] * Micro));
            samples.Add(new CollectiveSample(
                read.Gpu,
                few ? CollectiveOperator.CombineLowLatency : CollectiveOperator.CombineNormal,
                8,
                2 * bytes,
                read["num_tokens"],
                by,
                read["combine_us"] * Micro));
        }

        return samples;
    }

    private static readonly string[] OfAttention = ["phase", "batch_size", "query_len_tok", "context_before_tok", "latency_ms"];

    private static readonly string[] OfExperts =
    [
        "num_tokens", "hidden", "expert_intermediate", "top_k", "num_experts", "moe_tp", "moe_ep", "token_distribution", "latency_ms",
        "dtype", "kernel",
    ];

    private static readonly string[] Also =
    [
        "framework", "framework_version", "kernel", "attn_dtype", "mla_dtype", "kv_dtype", "tp", "achieved_tflops", "power_w",
        "power_limit_w", "source", "model_shape", "implementation", "version", "dtype", "node_num", "num_experts", "dispatch_gb_s",
        "combine_gb_s", "dispatch_sms", "combine_sms",
    ];

    private static string? Precision(string dtype) => dtype switch
    {
        "bfloat16" => "bf16",
        "fp8" => "fp8",
        "fp8_block" => "fp8-block",
        "nvfp4" => "nvfp4",
        "w4a16_mxfp4" or "w4a8_mxfp4_mxfp8" => "mxfp4",
        "sq" => "int8",
        "int8_wo" => NumberFormats.EightBitWeights,
        "int4_wo" => "int4",
        _ => null,
    };

    private static CollectiveOperator? CollectiveOf(string op) => op switch
    {
        "all_reduce" => CollectiveOperator.AllReduce,
        "all_gather" => CollectiveOperator.AllGather,
        "reduce_scatter" => CollectiveOperator.ReduceScatter,
        "alltoall" => CollectiveOperator.AllToAll,
        _ => null,
    };

    /// <summary>"vllm 0.24.0", without the build's own suffix.</summary>
    private static string By(CsvRow row) =>
        row["framework"].ToLowerInvariant() + " " + row["framework_version"].Split(".dev", StringSplitOptions.None)[0];

    private IEnumerable<Read> Rows(string text, string where, string[] required)
    {
        string[] optional = [.. Also.Except(required, StringComparer.Ordinal)];
        foreach (var row in CsvTable.Read(text, where, ["gpu", .. required], optional, mistakes))
        {
            if (gpuKey(row["gpu"]) is { } key && gpus.ContainsKey(key))
                yield return new Read(row, key);
        }
    }

    private readonly record struct Read(CsvRow Row, string Gpu)
    {
        public double this[string column] => Row.Number(column, 0) ?? 0;
    }
}
