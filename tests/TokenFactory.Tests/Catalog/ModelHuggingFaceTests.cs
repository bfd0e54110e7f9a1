using TokenFactory.Catalog;

namespace TokenFactory.Tests.Catalog;

/// <summary>Real configurations give exact shapes and counts, and what was not understood is said.</summary>
public sealed class ModelHuggingFaceTests
{
    /// <summary>Counts are of the released checkpoints' text models, prediction layers and quantisation scales left out.</summary>
    [Theory]
    [InlineData("llama-3.3-70b", 70_553_706_496)]
    [InlineData("llama-3.2-3b", 3_212_749_824)]
    [InlineData("qwen2.5-7b", 7_615_616_512)]
    [InlineData("qwen3-30b-a3b", 30_532_122_624)]
    [InlineData("deepseek-v3", 671_026_419_200)]
    [InlineData("gpt-oss-120b", 116_829_156_672)]
    [InlineData("gpt-oss-20b", 20_914_757_184)]
    [InlineData("mixtral-8x7b", 46_702_792_704)]
    [InlineData("gemma-2-9b", 9_241_705_984)]
    [InlineData("nemotron-3-nano-30b-a3b", 31_577_940_288)]
    [InlineData("kimi-linear-48b-a3b", 49_122_681_728)]
    [InlineData("kimi-k3", 2_779_481_465_440)]
    public void Counts_every_weight(string fixture, long parameters) => Assert.Equal(parameters, ModelFiles.Fixture(fixture).TotalParameters);

    [Theory]
    [InlineData("llama-3.3-70b", "llama-3.3-70b")]
    [InlineData("llama-3.2-3b", "llama-3.2-3b")]
    [InlineData("qwen2.5-7b", "qwen2.5-7b")]
    [InlineData("qwen3-30b-a3b", "qwen3-30b-a3b")]
    [InlineData("qwen3-next-80b-a3b", "qwen3-next-80b-a3b")]
    [InlineData("qwen3.5-35b-a3b", "qwen3.5-35b-a3b")]
    [InlineData("deepseek-v3", "deepseek-v3")]
    [InlineData("deepseek-v3", "deepseek-r1")]
    [InlineData("glm-5.2-fp8", "glm-5")]
    [InlineData("glm-5.2-fp8", "glm-5.2")]
    [InlineData("glm-4.7", "glm-4.7")]
    [InlineData("kimi-k2", "kimi-k2")]
    [InlineData("kimi-k3", "kimi-k3")]
    [InlineData("llama-4-maverick", "llama-4-maverick")]
    [InlineData("gpt-oss-120b", "gpt-oss-120b")]
    [InlineData("gpt-oss-20b", "gpt-oss-20b")]
    [InlineData("mixtral-8x7b", "mixtral-8x7b")]
    [InlineData("minimax-m2", "minimax-m2")]
    [InlineData("minimax-m3", "minimax-m3")]
    [InlineData("nemotron-3-nano-30b-a3b", "nemotron-3-nano-30b-a3b")]
    [InlineData("gemma-2-9b", "gemma-2-9b")]
    [InlineData("gemma-3-27b", "gemma-3-27b")]
    [InlineData("gemma-4-26b-a4b", "gemma-4-26b-a4b")]
    [InlineData("gemma-4-31b", "gemma-4-31b")]
    public void Gives_the_catalog_entry_of_the_same_model(string fixture, string key) =>
        ModelFiles.AssertSameShape(ModelFiles.Entry(key), ModelFiles.Fixture(fixture));

    [Fact]
    public void Reads_latent_attention_with_leading_dense_layers()
    {
        var model = ModelFiles.Fixture("deepseek-v3");
        Assert.Equal([new LatentAttention(61, 128, 1536, 512, 128, 64, 128)], model.Attention);
        Assert.Equal(
            [new DenseFeedForward(3, 18432), new MixtureOfExperts(58, 256, 8, 2048, 2048, RouterBias: true)], model.FeedForward);
        Assert.Equal((1, "fp8", 163_840.0), (model.PredictionLayers, model.CheckpointPrecision, model.MaxContextTokens?.Value));
    }

    [Fact]
    public void Reads_linear_attention_among_full()
    {
        var model = ModelFiles.Fixture("qwen3-next-80b-a3b");
        Assert.Equal(
            [new GatedDeltaAttention(36, 16, 128, 32, 128, 4), new GroupedQueryAttention(12, 16, 2, 256, 256, OutputGate: true, QkNorm: true)], model.Attention);
        Assert.Equal([new MixtureOfExperts(48, 512, 10, 512, 512)], model.FeedForward);
    }

    [Fact]
    public void Reads_windows_listed_layer_by_layer_and_windows_implied_by_the_architecture_alike() =>
        Assert.Equal(
            ModelFiles.Fixture("gpt-oss-20b").Attention.Select(group => (group.VisibleTokens, group.Layers / 12)),
            ModelFiles.Fixture("gpt-oss-120b").Attention.Select(group => (group.VisibleTokens, group.Layers / 18)));

    [Fact]
    public void Reads_alternating_dense_layers_and_mixtures_with_a_shared_expert()
    {
        var model = ModelFiles.Fixture("llama-4-maverick");
        Assert.Equal([new DenseFeedForward(24, 16384), new MixtureOfExperts(24, 128, 1, 8192, 8192)], model.FeedForward);
        Assert.Equal([8192, null], model.Attention.Select(group => group.VisibleTokens));
        Assert.Equal([36, 12], model.Attention.Select(group => group.Layers));
    }

    [Fact]
    public void Reads_state_space_blocks()
    {
        var model = ModelFiles.Fixture("nemotron-3-nano-30b-a3b");
        Assert.Equal([new Mamba2(23, 64, 64, 128, 8, 4), new GroupedQueryAttention(6, 32, 2, 128, 128)], model.Attention);
        Assert.Equal([new MixtureOfExperts(23, 128, 6, 1856, 3712, Gated: false, RouterBias: true)], model.FeedForward);
        Assert.Equal(52, model.Layers);
    }

    [Fact]
    public void Reads_kimi_delta_attention()
    {
        var model = ModelFiles.Fixture("kimi-linear-48b-a3b");
        Assert.Equal([new KimiDeltaAttention(20, 32, 128, 4), new LatentAttention(7, 32, null, 512, 128, 64, 128)], model.Attention);
    }

    [Fact]
    public void Reads_gates_and_experts_in_a_latent_space()
    {
        var model = ModelFiles.Fixture("kimi-k3");
        Assert.Equal(
            [
                new KimiDeltaAttention(69, 96, 128, 4, FullRankGate: true),
                new LatentAttention(24, 96, 1536, 512, 128, 64, 128, OutputGate: true),
            ],
            model.Attention);
        Assert.Equal(
            [new DenseFeedForward(1, 33792), new MixtureOfExperts(92, 896, 16, 3072, 6144, RouterBias: true, LatentSize: 3584)],
            model.FeedForward);
        Assert.Equal("mxfp4", model.CheckpointPrecision);
    }

    [Fact]
    public void Reads_block_sparse_attention()
    {
        var model = ModelFiles.Fixture("minimax-m3");
        Assert.Equal([3, 57], model.Attention.Select(group => group.Layers));
        Assert.Equal([null, new SparseIndexer(4, 128, 2048)], model.Attention.Cast<GroupedQueryAttention>().Select(group => group.Indexer));
    }

    [Theory]
    [InlineData("\"decoder_sparse_step\": 2, \"mlp_only_layers\": []", 2, 2)]
    [InlineData("\"decoder_sparse_step\": 1, \"mlp_only_layers\": [0, 3]", 2, 2)]
    [InlineData("\"decoder_sparse_step\": 1, \"mlp_only_layers\": []", 0, 4)]
    [InlineData("\"first_k_dense_replace\": 1, \"moe_layer_freq\": 2", 3, 1)]
    [InlineData("\"moe_layer_freq\": [0, 1, 1, 1]", 1, 3)]
    [InlineData("\"mlp_layer_types\": [\"dense\", \"sparse\", \"sparse\", \"dense\"]", 2, 2)]
    public void Knows_which_layers_are_mixtures(string keys, int dense, int mixtures)
    {
        var reading = ModelFiles.ReadConfig(
            "{\"model_type\": \"qwen3_moe\", \"num_hidden_layers\": 4, \"hidden_size\": 64, \"vocab_size\": 100, \"num_attention_heads\": 4,"
            + "\"intermediate_size\": 128, \"num_experts\": 8, \"num_experts_per_tok\": 2, \"moe_intermediate_size\": 32, " + keys + "}");
        Assert.Empty(reading.Mistakes);
        Assert.Empty(reading.NotUnderstood);
        Assert.Equal(dense, reading.Model!.FeedForward.OfType<DenseFeedForward>().Sum(group => group.Layers));
        Assert.Equal(mixtures, reading.Model.FeedForward.OfType<MixtureOfExperts>().Sum(group => group.Layers));
    }

    [Theory]
    [InlineData("llama", "", null)]
    [InlineData("mistral", "\"sliding_window\": 512", 512)]
    [InlineData("mistral", "\"sliding_window\": null", null)]
    [InlineData("phi3", "\"sliding_window\": 4096", null)]
    [InlineData("qwen2", "\"sliding_window\": 512", null)]
    [InlineData("qwen2", "\"sliding_window\": 512, \"use_sliding_window\": true, \"max_window_layers\": 0", 512)]
    public void Knows_when_a_window_is_in_force(string family, string keys, int? window)
    {
        var reading = ModelFiles.ReadConfig(Small(family, keys));
        Assert.Empty(reading.Mistakes);
        Assert.Equal(window, Assert.Single(reading.Model!.Attention).VisibleTokens);
    }

    [Fact]
    public void Says_that_only_the_text_part_is_read()
    {
        var reading = ModelFiles.ReadConfig(ModelFiles.FixtureText("qwen3.5-35b-a3b"));
        Assert.Equal(
            ["only the text part, 'text_config', is read", "'vision_config' is left out: its weights and work are not counted"], reading.NotUnderstood);
    }

    [Theory]
    [InlineData("llama-3.3-70b")]
    [InlineData("qwen3-30b-a3b")]
    [InlineData("deepseek-v3")]
    [InlineData("glm-5.2-fp8")]
    [InlineData("gpt-oss-20b")]
    [InlineData("nemotron-3-nano-30b-a3b")]
    public void Understands_the_whole_of_a_known_architecture(string fixture) =>
        Assert.Empty(ModelFiles.ReadConfig(ModelFiles.FixtureText(fixture)).NotUnderstood);

    [Fact]
    public void Says_which_keys_it_could_not_interpret()
    {
        var reading = ModelFiles.ReadConfig(Small("llama", "\"num_memory_tokens\": 64, \"hyper_connections\": {\"n\": 4}, \"rope_theta\": 1e6, \"some_flag\": false"));
        Assert.Equal(["'num_memory_tokens' is not interpreted", "'hyper_connections' is not interpreted"], reading.NotUnderstood);
        Assert.NotNull(reading.Model);
    }

    [Fact]
    public void Reads_an_unknown_architecture_by_the_same_keys_and_says_so()
    {
        var reading = ModelFiles.ReadConfig(Small("quokka2", "\"tie_word_embeddings\": false"));
        Assert.Equal(["architecture 'quokka2' is not known: read like a Llama with the keys it has"], reading.NotUnderstood);
        Assert.Equal([new GroupedQueryAttention(2, 4, 4, 16, 16)], reading.Model!.Attention);
    }

    [Theory]
    [InlineData("\"torch_dtype\": \"bfloat16\"", "bf16")]
    [InlineData("\"dtype\": \"float16\"", "fp16")]
    [InlineData("\"quantization_config\": {\"quant_method\": \"fp8\"}", "fp8")]
    [InlineData("\"quantization_config\": {\"quant_method\": \"mxfp4\"}", "mxfp4")]
    [InlineData("\"quantization_config\": {\"quant_method\": \"modelopt\", \"quant_algo\": \"NVFP4\"}", "nvfp4")]
    [InlineData("\"quantization_config\": {\"quant_method\": \"awq\", \"bits\": 4}", "int4")]
    [InlineData("\"quantization_config\": {\"quant_method\": \"compressed-tensors\", \"config_groups\": {\"a\": {\"weights\": {\"num_bits\": 4, \"type\": \"int\"}}}}", "int4")]
    public void Knows_the_precision_of_the_checkpoint(string keys, string precision) =>
        Assert.Equal(precision, ModelFiles.ReadConfig(Small("llama", keys)).Model!.CheckpointPrecision);

    private static string Small(string family, string keys) =>
        "{\"model_type\": \"" + family + "\", \"num_hidden_layers\": 2, \"hidden_size\": 64, \"vocab_size\": 100, \"num_attention_heads\": 4,"
        + "\"intermediate_size\": 128, \"max_position_embeddings\": 2048" + (keys.Length > 0 ? ", " + keys : "") + "}";
}
