using TokenFactory.Catalog;

namespace TokenFactory.Tests.Catalog;

/// <summary>DeepSeek-V4's attention over a compressed context: what it caches, weighs and sees, by figures worked out by hand.</summary>
public sealed class CompressedAttentionTests
{
    private static readonly CompressedAttention Sparse = new(30, 128, 512, 1536, 1024, 16, 128, 4, new SparseIndexer(64, 128, 1024));
    private static readonly CompressedAttention Heavy = new(31, 128, 512, 1536, 1024, 16, 128, 128);
    private static readonly CompressedAttention Local = new(2, 64, 512, 1024, 1024, 8, 128);

    [Theory]
    [InlineData("deepseek-v4-pro", 2, 8_918)] // 30 layers x (512 / 4 x 2 + 132 / 4) and 31 layers x 512 / 128 x 2 bytes
    [InlineData("deepseek-v4-pro", 1, 4_954)]
    [InlineData("deepseek-v4-flash", 2, 6_229)] // 21 layers x 289 and 20 layers x 8 bytes; 2 layers see their window only
    public void Cache_grows_by_compressed_entries_and_their_index_keys(string key, int bytesPerElement, long bytes) =>
        Assert.Equal(bytes, ModelFiles.Entry(key).KvBytesPerToken(bytesPerElement));

    [Fact]
    public void Every_layer_holds_a_window_besides()
    {
        var model = ModelFiles.Entry("deepseek-v4-pro");
        Assert.Equal(61 * 512 * 2 * 100, model.WindowBytes(100, 2));
        Assert.Equal(61 * 512 * 2 * 128, model.WindowBytes(1_000_000, 2));
        Assert.Equal(43 * 512 * 128, ModelFiles.Entry("deepseek-v4-flash").WindowBytes(1_000_000, 1));
        Assert.Equal([null, null, 128], new AttentionGroup[] { Sparse, Heavy, Local }.Select(group => group.VisibleTokens));
    }

    [Fact]
    public void Tokens_wait_to_be_compressed()
    {
        Assert.Equal(2 * 128 * 512, Heavy.BufferElements); // values and scores of 128 tokens
        Assert.Equal(2 * 8 * (1024 + 256), Sparse.BufferElements); // of twice 4 tokens, twice as wide, and so the index keys
        Assert.Equal(0, Local.BufferElements);
        var model = ModelFiles.Entry("deepseek-v4-pro");
        Assert.Equal(4 * ((31 * 131_072) + (30 * 20_480)), model.BufferBytes());
        Assert.Equal((1000 * 8_918) + model.WindowBytes(1000, 2) + model.BufferBytes(), model.SequenceBytes(1000, 2));
    }

    [Fact]
    public void Attends_to_chosen_or_all_entries_and_to_the_window()
    {
        Assert.Equal(25 + 100, Sparse.EntriesAttended(100));
        Assert.Equal(1024 + 128, Sparse.EntriesAttended(100_000));
        Assert.Equal(0 + 100, Heavy.EntriesAttended(100));
        Assert.Equal(781 + 128, Heavy.EntriesAttended(100_000));
        Assert.Equal(128, Local.EntriesAttended(100_000));
    }

    [Fact]
    public void Weighs_what_its_matrices_weigh()
    {
        // Query 7168 x 1536 and 1536 x 65,536, key 7168 x 512, output 65,536 x 1024 and 16,384 x 7168; norms 1536 and 512, 128 sinks.
        const long Plain = 11_010_048 + 100_663_296 + 3_670_016 + 67_108_864 + 117_440_512 + 1536 + 512 + 128;
        Assert.Equal(Plain, ModelParameters.PerLayer(Heavy with { CompressRatio = 1 }, 7168));
        // Compressor: values and scores 2 x 7168 x 512, bias of the scores 128 x 512, norm 512.
        Assert.Equal(Plain + 7_340_032 + 65_536 + 512, ModelParameters.PerLayer(Heavy, 7168));
        // Twice as wide for overlapping spans of 4; indexer: queries 1536 x 8192, head weights 7168 x 64, compressor of width 128.
        Assert.Equal(
            Plain + 14_680_064 + 4096 + 512 + 12_582_912 + 458_752 + 3_670_016 + 1024 + 128,
            ModelParameters.PerLayer(Sparse, 7168));
    }

    [Theory]
    [InlineData("deepseek-v4-pro", 1_572_997_202_915, 49_779_082_211)]
    [InlineData("deepseek-v4-flash", 284_332_241_239, 13_799_633_239)]
    public void Configuration_and_entry_give_the_same_counts(string key, long total, long active)
    {
        var reading = ModelFiles.ReadConfig(ModelFiles.FixtureText(key));
        Assert.Empty(reading.NotUnderstood);
        Assert.Equal((total, active), (reading.Model!.TotalParameters, reading.Model.ActiveParameters));
        var entry = ModelFiles.Entry(key);
        ModelFiles.AssertSameShape(entry, reading.Model);
        Assert.Equal((4, 1, "mxfp4"), (reading.Model.ResidualStreams, reading.Model.PredictionLayers, reading.Model.CheckpointPrecision));
        Assert.Equal((4, 1, "mxfp4"), (entry.ResidualStreams, entry.PredictionLayers, entry.CheckpointPrecision));
    }

    [Fact]
    public void Residual_streams_weigh_their_mixing_matrices()
    {
        var model = ModelFiles.Entry("deepseek-v4-pro");
        // 122 times 24 x 28,672 with 24 biases and 3 scales; the head's 4 x 28,672 with 4 biases and a scale.
        Assert.Equal(
            (122 * ((24 * 28_672L) + 27)) + (4 * 28_672) + 5, model.TotalParameters - (model with { ResidualStreams = 1 }).TotalParameters);
    }

    [Theory]
    [InlineData("\"compress_ratio\": 4", "\"compress_ratio\": 3", "'compress_ratio' is 3, which does not divide a head of 512")]
    [InlineData("\"compress_ratio\": 4", "\"compress_ratio\": 1", "'indexer' is given, but nothing is compressed")]
    [InlineData("\"output_groups\": 16", "\"output_groups\": 24", "'output_groups' is 24, which does not divide 128 heads")]
    public void An_entry_that_cannot_be_is_refused(string written, string instead, string what)
    {
        var text = ModelWriter.Write(ModelFiles.Entry("deepseek-v4-pro"));
        Assert.Contains(written, text, StringComparison.Ordinal);
        Assert.Null(ModelFiles.Read(text.Replace(written, instead, StringComparison.Ordinal), out var mistakes));
        Assert.Contains(what, mistakes.Select(mistake => mistake.What));
    }

    [Theory]
    [InlineData("\"head_dim\": 512", "\"head_dim\": 510", "'compress_ratios' holds 128, which does not divide a head of 510")]
    [InlineData("\"o_groups\": 16", "\"o_groups\": 24", "'o_groups' is 24, which does not divide 128 heads")]
    [InlineData("\"num_hidden_layers\": 61", "\"num_hidden_layers\": 63",
        "'num_hidden_layers' is 63, but there are 62 attention and 63 feed-forward layers")]
    public void A_configuration_that_cannot_be_is_refused(string written, string instead, string what)
    {
        var reading = ModelFiles.ReadConfig(
            ModelFiles.FixtureText("deepseek-v4-pro").Replace(written, instead, StringComparison.Ordinal));
        Assert.Contains(what, reading.Mistakes.Select(mistake => mistake.What));
    }
}
