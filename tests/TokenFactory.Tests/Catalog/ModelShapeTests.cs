using TokenFactory.Catalog;

namespace TokenFactory.Tests.Catalog;

/// <summary>What the performance model takes from a shape: bytes per token of context, bounded states, and counts by convention.</summary>
public sealed class ModelShapeTests
{
    [Theory]
    [InlineData("llama-3.1-70b", 2, 327_680)] // 80 layers x 8 heads x (128 + 128) x 2 bytes
    [InlineData("llama-3.1-70b", 1, 163_840)]
    [InlineData("deepseek-v3", 2, 70_272)] // 61 layers x (512 + 64) x 2 bytes
    [InlineData("deepseek-v3.2", 2, 78_324)] // and 61 x 132 bytes of index keys
    [InlineData("gpt-oss-120b", 2, 36_864)] // the 18 layers without a window
    [InlineData("qwen3-next-80b-a3b", 2, 24_576)] // the 12 layers with softmax attention
    [InlineData("nemotron-3-nano-30b-a3b", 2, 6_144)]
    [InlineData("nemotron-3-ultra-550b-a55b", 2, 12_288)]
    [InlineData("kimi-k3", 2, 27_648)] // 24 layers x 576 x 2 bytes
    [InlineData("mimo-v2-flash", 2, 23_040)] // 9 layers x 4 heads x (192 + 128) x 2 bytes
    public void Cache_grows_by_the_layers_that_see_everything(string key, int bytesPerElement, long bytes) =>
        Assert.Equal(bytes, ModelFiles.Entry(key).KvBytesPerToken(bytesPerElement));

    [Fact]
    public void Windowed_layers_stop_growing()
    {
        var model = ModelFiles.Entry("gpt-oss-120b");
        Assert.Equal(18 * 1024 * 2 * 100, model.WindowBytes(100, 2));
        Assert.Equal(18 * 1024 * 2 * 128, model.WindowBytes(128, 2));
        Assert.Equal(18 * 1024 * 2 * 128, model.WindowBytes(100_000, 2));
        Assert.Equal((100_000 * 36_864L) + (18 * 1024 * 2 * 128), model.SequenceBytes(100_000, 2));
    }

    [Fact]
    public void Linear_layers_hold_a_state_of_fixed_size()
    {
        var model = ModelFiles.Entry("qwen3-next-80b-a3b");
        Assert.Equal(36 * ((32 * 128 * 128 * 4) + (8192 * 3 * 2)), model.StateBytes());
        Assert.Equal(0, ModelFiles.Entry("llama-3.1-8b").StateBytes());
    }

    [Fact]
    public void Conventions_differ_by_the_embedding_matrices()
    {
        var matrix = 201_088L * 2880;
        var model = ModelFiles.Entry("gpt-oss-20b");
        Assert.Equal(model.ActiveParameters, model.ActiveParametersCounting(CountedEmbeddings.All));
        Assert.Equal(model.ActiveParameters - matrix, model.ActiveParametersCounting(CountedEmbeddings.WithoutInput));
        Assert.Equal(model.ActiveParameters - (2 * matrix), model.ActiveParametersCounting(CountedEmbeddings.None));
    }

    [Fact]
    public void A_tied_embedding_counts_once_as_the_output_head()
    {
        var model = ModelFiles.Entry("qwen3-0.6b");
        Assert.Equal(model.ActiveParameters, model.ActiveParametersCounting(CountedEmbeddings.WithoutInput));
        Assert.Equal(model.ActiveParameters - (151_936L * 1024), model.ActiveParametersCounting(CountedEmbeddings.None));
    }
}
