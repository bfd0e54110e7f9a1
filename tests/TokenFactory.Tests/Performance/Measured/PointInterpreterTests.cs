using TokenFactory.Performance;
using TokenFactory.Performance.Measured;
using TokenFactory.Performance.SteadyState;

namespace TokenFactory.Tests.Performance.Measured;

/// <summary>What rows of measurements describe: how a model is spread, what the load is, or why that cannot be told.</summary>
public sealed class PointInterpreterTests
{
    private const string Experts = "model_key=deepseek-v3";

    [Fact]
    public void A_dense_model_under_tensor_parallelism()
    {
        var s = Tables.Scenario("model_key=llama-3.1-70b", "tp=4", "gpu_count=8");
        Assert.Equal(new Parallelism(4, 1, 1, 1), s.Decode.Deployment.Parallelism);
        Assert.Equal((2, 8, null), (s.Decode.Replicas, s.Gpus, s.Prefill));
        Assert.Equal("vllm", s.Decode.Deployment.Engine);
        Assert.Equal(NumberFormat.Fp8, s.Decode.Deployment.Weights);
        Assert.Equal((Arrival.ClosedLoop, 16.0, 1000.0, 500.0), (s.Load.Arrival, s.Load.Concurrency, s.Load.InputTokens, s.Load.OutputTokens));
        Assert.Null(s.Decode.Deployment.Speculation);
    }

    [Theory]
    [InlineData("tp=8 ep=8 gpu_count=8", 8, 1, 1, 8, 1)] // experts whole, attention sliced
    [InlineData("tp=8 gpu_count=8", 8, 1, 1, 1, 1)]
    [InlineData("tp=8 ep=8 dp=8 gpu_count=8", 1, 1, 8, 8, 1)] // attention data parallelism
    [InlineData("tp=2 dp=4 ep=8 gpu_count=8", 2, 1, 4, 8, 1)]
    [InlineData("tp=8 pp=2 gpu_count=16", 8, 2, 1, 1, 1)]
    [InlineData("tp=8 dp=2 gpu_count=16", 8, 1, 1, 1, 2)] // replicas, as no experts are shared
    public void Ways_to_spread_a_mixture_of_experts(string split, int tp, int pp, int dp, int ep, double replicas)
    {
        var s = Tables.Scenario([Experts, "gpu_key=h200-sxm", .. split.Split(' ')]);
        Assert.Equal(new Parallelism(tp, pp, dp, ep), s.Decode.Deployment.Parallelism);
        Assert.Equal(replicas, s.Decode.Replicas);
    }

    [Fact]
    public void Data_parallel_replicas_of_a_dense_model()
    {
        var s = Tables.Scenario("dp=4", "tp=2", "gpu_count=8");
        Assert.Equal((new Parallelism(2, 1, 1, 1), 4), (s.Decode.Deployment.Parallelism, s.Decode.Replicas));
        s = Tables.Scenario("dp=8", "gpu_count=8");
        Assert.Equal((new Parallelism(1, 1, 1, 1), 8), (s.Decode.Deployment.Parallelism, s.Decode.Replicas));
    }

    [Fact]
    public void Without_a_split_the_fewest_gpus_that_hold_a_useful_batch()
    {
        var s = Tables.Scenario("model_key=llama-3.1-70b", "gpu_count=8");
        Assert.Equal(2, s.Decode.Deployment.Parallelism.Tensor);
        Assert.Equal(4, s.Decode.Replicas);
        Assert.Equal(8, Tables.Scenario(Experts, "gpu_key=h100-sxm", "gpu_count=8").Decode.Deployment.Parallelism.Tensor);
    }

    [Theory]
    [InlineData("prefill: 2 workers x (tp4 ep1 dpattn0); decode: 1 workers x (tp8 ep8 dpattn1)", 2, 4, 1, 1, 1, 1, 8, 8)]
    [InlineData("prefill: 1 workers x (tp8 attn_dp8 ep8) on 8 GPUs; decode: 2 workers x (tp4 ep4) on 8 GPUs", 1, 1, 8, 8, 2, 4, 1, 4)]
    [InlineData("prefill: 1 workers x (tp4 ep4); decode: 1 workers x (tp16 attn_dp16 ep16)", 1, 4, 1, 4, 1, 1, 16, 16)]
    public void Pools_in_words(string words, double pw, int ptp, int pdp, int pep, double dw, int dtp, int ddp, int dep)
    {
        var s = Tables.Scenario(Experts, "gpu_key=b200", "mode=disaggregated", "gpu_count=", $"disagg={words}");
        Assert.Equal((new Parallelism(ptp, 1, pdp, pep), pw), (s.Prefill!.Value.Deployment.Parallelism, s.Prefill.Value.Replicas));
        Assert.Equal((new Parallelism(dtp, 1, ddp, dep), dw), (s.Decode.Deployment.Parallelism, s.Decode.Replicas));
        Assert.Equal(s.Prefill.Value.Gpus + s.Decode.Gpus, s.Gpus);
    }

    [Fact]
    public void Pools_in_words_and_their_gpus_in_columns()
    {
        var s = Tables.Scenario(
            Experts,
            "gpu_key=b200",
            "mode=disaggregated",
            "gpu_count=24",
            "prefill_gpus=8",
            "disagg=prefill: 2 workers x (tp4 ep4); decode: 1 workers x (tp1 attn_dp16 ep16)");
        Assert.Equal((2, 4), (s.Prefill!.Value.Replicas, s.Prefill.Value.Deployment.Gpus));
        Assert.Equal((16, 16, 24), (s.Decode.Gpus, s.Decode.Deployment.AttentionGroups, s.Gpus));
    }

    [Theory]
    [InlineData("")]
    [InlineData("yes")]
    [InlineData("legacy: 2P4D")]
    public void Pools_without_a_split_are_refused_with_what_was_written(string words) =>
        Assert.Contains($"('{words}')", Tables.Reason(Experts, "gpu_key=b200", "mode=disaggregated", $"disagg={words}"));

    [Fact]
    public void Lengths_of_a_benchmark_that_publishes_none()
    {
        var s = Tables.Scenario("model_key=llama-2-70b", "workload=MLPerf Inference v5.0 datacenter", "load_kind=offline_all_at_once",
            "input_len_tok=", "output_len_tok=", "concurrency=", "gpu_count=8");
        Assert.Equal((Arrival.Offline, null), (s.Load.Arrival, s.Load.Concurrency));
        Assert.InRange(s.Load.InputTokens, 200, 400);
        Assert.InRange(s.Load.OutputTokens, 200, 400);
        Assert.Contains("length", Tables.Reason("input_len_tok=", "output_len_tok=", "workload=chat"));
        Assert.Contains("length", Tables.Reason("output_len_tok=0"));
    }

    [Fact]
    public void Nominal_lengths_of_a_benchmark_that_draws_them_are_means()
    {
        var load = Tables.Scenario("workload=InferenceX 1k/1k").Load;
        Assert.Equal((900, 450), (load.InputTokens, load.OutputTokens));
        Assert.Equal(1000, Tables.Scenario("workload=InferenceX 1k/1k", "len_kind=fixed").Load.InputTokens);
    }

    [Theory]
    [InlineData("load_kind=static_batch", Arrival.StaticBatch)]
    [InlineData("load_kind=static_batch_prefill_only", Arrival.PrefillOnly)]
    [InlineData("load_kind=steady-state prefill", Arrival.PrefillOnly)]
    [InlineData("load_kind=offline_all_at_once", Arrival.Offline)]
    [InlineData("load_kind=poisson_open_loop", Arrival.OpenLoop)]
    [InlineData("load_kind=trace_replay_open_loop", Arrival.OpenLoop)]
    [InlineData("load_kind=", Arrival.ClosedLoop)]
    public void Loads_by_their_kind(string kind, Arrival arrival) =>
        Assert.Equal(arrival, Tables.Scenario(kind, "request_rate_rps=2.5").Load.Arrival);

    [Fact]
    public void A_rate_alone_is_an_open_loop_a_batch_size_is_a_concurrency_and_neither_is_refused()
    {
        var open = Tables.Scenario("concurrency=", "request_rate_rps=2.5").Load;
        Assert.Equal((Arrival.OpenLoop, 2.5), (open.Arrival, open.RequestsPerSecond));
        Assert.Equal(64, Tables.Scenario("concurrency=", "load_kind=static_batch", "batch_size=64").Load.Concurrency);
        Assert.Contains("neither concurrency nor request rate", Tables.Reason("concurrency="));
    }

    [Fact]
    public void What_the_catalog_does_not_know_is_named()
    {
        Assert.Contains("gpu_key is empty", Tables.Reason("gpu_key="));
        Assert.Contains("no model 'llama-9'", Tables.Reason("model_key=llama-9"));
        Assert.Contains("no accelerator 'h900'", Tables.Reason("gpu_key=h900"));
        Assert.Contains("names no model", Tables.Reason("model_key="));
        Assert.Equal("llama-3.1-8b", Tables.Scenario("model_key=", "model=meta-llama/Llama-3.1-8B-Instruct").Decode.Deployment.Model.Key);
    }

    [Fact]
    public void Precisions_speculation_and_caps()
    {
        var d = Tables.Scenario("precision_key=fp4", "gpu_key=b200", "precision_kv=fp8 e4m3", "spec_decode=mtp 3", "power_cap_w_per_gpu=700").Decode.Deployment;
        Assert.Equal((NumberFormat.Nvfp4, NumberFormat.Fp8, 700.0), (d.Weights, d.Precision.KvCache, d.PowerCap?.Value));
        Assert.NotNull(d.Speculation);
        Assert.Null(Tables.Scenario("spec_decode=none (mtp off)").Decode.Deployment.Speculation);
        Assert.Equal(NumberFormat.Mxfp4, Tables.Scenario("precision_key=fp4", "gpu_key=mi355x").Decode.Deployment.Weights);
        Assert.Equal(NumberFormat.Int4, Tables.Scenario("precision_key=", "precision_weights=awq/bf16").Decode.Deployment.Weights);
        Assert.Equal(NumberFormat.Bf16, Tables.Scenario("precision_key=").Decode.Deployment.Weights); // the checkpoint's own
    }

    [Theory]
    [InlineData("Dynamo+TensorRT-LLM", "tensorrt-llm")]
    [InlineData("TRT-LLM 1.2", "tensorrt-llm")]
    [InlineData("Dynamo+SGLang", "sglang")]
    [InlineData("ATOM", "atom")]
    [InlineData("vLLM 0.11", "vllm")]
    [InlineData("", "")]
    [InlineData("LMDeploy", "lmdeploy")]
    public void Engines_as_people_write_them(string words, string key) => Assert.Equal(key, PointInterpreter.EngineKey(words));
}
