using TokenFactory.Performance;
using TokenFactory.Planning.Deploy;
using TokenFactory.Tests.Catalog;
using TokenFactory.Tests.Performance;

namespace TokenFactory.Tests.Planning.Deploy;

public sealed class CheckpointTests
{
    [Theory]
    [InlineData("llama-3.1-8b", NumberFormat.Bf16, "vllm", "meta-llama/Llama-3.1-8B-Instruct", null)]
    [InlineData("llama-3.1-8b", NumberFormat.Fp8, "vllm", "meta-llama/Llama-3.1-8B-Instruct", "fp8")]
    [InlineData("llama-3.1-8b", NumberFormat.Fp8, "tensorrt-llm", "/models/llama-3.1-8b-fp8", null)]
    [InlineData("llama-3.1-70b", NumberFormat.Fp8, "sglang", "nvidia/Llama-3.1-70B-Instruct-FP8", null)]
    [InlineData("qwen3-235b-a22b", NumberFormat.Nvfp4, "vllm", "nvidia/Qwen3-235B-A22B-NVFP4", null)]
    [InlineData("deepseek-r1", NumberFormat.Fp8, "vllm", "deepseek-ai/DeepSeek-R1", null)]
    [InlineData("deepseek-r1", NumberFormat.Nvfp4, "vllm", "nvidia/DeepSeek-R1-FP4", null)]
    [InlineData("deepseek-r1", NumberFormat.Bf16, "vllm", "/models/deepseek-r1-bf16", null)]
    [InlineData("deepseek-v4-pro", NumberFormat.Fp8, "sglang", "deepseek-ai/DeepSeek-V4-Pro", null)]
    [InlineData("gpt-oss-120b", NumberFormat.Mxfp4, "vllm", "openai/gpt-oss-120b", null)]
    [InlineData("qwen3-32b", NumberFormat.Int4, "vllm", "/models/qwen3-32b-int4", null)]
    [InlineData("nemotron-3-nano-30b-a3b", NumberFormat.Bf16, "vllm", "nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16", null)]
    public void The_checkpoint_has_the_planned_format_or_must_be_provided(
        string model, NumberFormat weights, string engine, string name, string? quantise)
    {
        var checkpoint = Checkpoint.Of(Serving.Deploy(model, "h100-sxm", weights, engine: engine), null);
        Assert.Equal((name, quantise), (checkpoint.Name, checkpoint.QuantiseTo));
        Assert.Equal(name.StartsWith('/'), checkpoint.Provided);
        Assert.Equal(checkpoint.Provided || quantise is not null, checkpoint.Note is not null);
    }

    [Fact]
    public void A_checkpoint_that_the_user_names_is_taken_as_it_is()
    {
        var checkpoint = Checkpoint.Of(Serving.Deploy("llama-3.1-8b", "h100-sxm", NumberFormat.Fp8), "acme/ours-FP8");
        Assert.Equal(("acme/ours-FP8", null, null), (checkpoint.Name, checkpoint.QuantiseTo, checkpoint.Note));
        Assert.InRange(checkpoint.Bytes / 1e9, 8, 10);
    }

    [Fact]
    public void Releases_know_many_more_flags_than_the_manifests_write()
    {
        var releases = CatalogFiles.Shipped.Engines.Where(engine => engine.Release is not null).ToDictionary(
            engine => engine.Key, engine => engine.Release!);
        Assert.Equal(["sglang", "tensorrt-llm", "vllm"], releases.Keys.Order());
        Assert.All(releases.Values, release => Assert.NotEmpty(release.From.Sources));
        Assert.True(releases["vllm"].Flags.Count > 150 && releases["sglang"].Flags.Count > 250);
        Assert.True(releases["tensorrt-llm"].Configuration.Count > 100);
        Assert.All(releases.Values.SelectMany(release => release.Flags.Concat(release.Switches)), flag => Assert.StartsWith("-", flag));
        Assert.True(releases["vllm"].Takes("--no-enable-prefix-caching", valued: false));
        Assert.False(releases["vllm"].Takes("--max-num-seqs", valued: false));
        Assert.Null(releases["sglang"].ImageFor("AMD"));
        Assert.StartsWith("vllm/", releases["vllm"].ImageFor("NVIDIA"));
    }

    [Fact]
    public void A_release_without_sources_or_with_a_flag_in_two_places_is_a_mistake_of_the_catalog()
    {
        var vllm = CatalogFiles.One("engines/vllm.json");
        var nowhere = vllm.Text.Replace("\"from\": \"flags\"", "\"from\": \"nowhere\"");
        Assert.Contains(CatalogFiles.MistakesWith(vllm with { Text = nowhere }), text => text.Contains("nowhere"));
        var twice = vllm.Text.Replace("\"switches\": [", "\"switches\": [ \"--max-num-seqs\",");
        Assert.Contains(CatalogFiles.MistakesWith(vllm with { Text = twice }), text => text.Contains("--max-num-seqs"));
    }
}
