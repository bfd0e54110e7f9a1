using TokenFactory.Catalog;
using TokenFactory.Performance;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Tests.Performance;

/// <summary>What fits into memory, against figures worked out by hand, and what must hold of any deployment.</summary>
public sealed class KvCapacityTests
{
    private const double Gibibyte = 1024.0 * 1024 * 1024;

    [Fact]
    public void Llama_70b_in_16_bits_does_not_fit_one_h100_and_fits_two()
    {
        // 70,552,387,584 parameters beside the norms, of two bytes, are 131.4 GiB; one H100 gives 72 of its 80, and a sequence of 2,048 tokens takes 0.625.
        var one = new KvCapacity(Serving.Deploy("llama-3.1-70b", "h100-sxm"));
        Nearly.Equal(70_552_387_584 * 2.0, one.Memory.Weights, 3e-5);
        Nearly.Equal(72 * Gibibyte, one.Memory.Usable);
        Assert.False(one.Fits(2048));
        Assert.InRange(one.MissingGibibytes(2048), 131.4 + 0.625 - 72, 131.4 + 0.625 - 72 + 5);
        Assert.Equal(0, one.Sequences(2048));
        Assert.Equal(0, one.Blocks);

        var two = new KvCapacity(Serving.Deploy("llama-3.1-70b", "h100-sxm", tp: 2));
        Assert.True(two.Fits(8192));
        Assert.Equal(0, two.MissingGibibytes(8192));
        Assert.True(two.Sequences(2048) > 1);
    }

    [Fact]
    public void Llama_70b_in_4_bits_fits_one_h100()
    {
        // 68.45 billion in layers at 0.5 bytes and a 16-bit scale per 128, 2.1 billion of embeddings at 2 bytes: 36.8 GiB.
        var four = new KvCapacity(Serving.Deploy("llama-3.1-70b", "h100-sxm", NumberFormat.Int4));
        Assert.InRange(four.Memory.Weights / Gibibyte, 36.5, 37.1);
        Assert.True(four.Fits(16384));
        Nearly.Equal(2 * 80 * 8 * 128 * 2 * 1000, four.BytesPerSequence(1000)); // key and value, layers, heads, elements, bytes
    }

    [Fact]
    public void A_latent_cache_is_held_by_every_gpu_and_requests_are_split_instead()
    {
        const double perToken = 61 * (512 + 64) * 2;
        foreach (var tp in new[] { 1, 2, 8, 16 })
            Nearly.Equal(perToken * 4096, new KvCapacity(Latent(tp, 1)).BytesPerSequence(4096));
        var (tensor, data) = (new KvCapacity(Latent(16, 1)), new KvCapacity(Latent(1, 16)));
        Nearly.Equal(tensor.BytesPerSequence(4096), data.BytesPerSequence(4096));
        Nearly.Equal(data.Memory.Free / data.BytesPerSequence(4096) * 16, data.Sequences(4096));
        Assert.True(data.Sequences(4096) > 4 * tensor.Sequences(4096));

        static Deployment Latent(int tp, int dp) =>
            Serving.Deploy("deepseek-v3", "h200-sxm", NumberFormat.Fp8, tp, dp: dp, ep: tp * dp) with
            {
                Precision = PrecisionPlan.For(Serving.Model("deepseek-v3"), NumberFormat.Fp8, NumberFormat.Bf16),
            };
    }

    [Fact]
    public void Heads_of_a_cache_divide_until_there_is_one_per_gpu()
    {
        var whole = Bytes(1);
        Nearly.Equal(whole / 8, Bytes(8));
        Nearly.Equal(whole / 8, Bytes(16)); // eight key-value heads

        static double Bytes(int tp) => new KvCapacity(Serving.Deploy("llama-3.1-70b", "h200-sxm", tp: tp)).BytesPerSequence(1000);
    }

    [Theory]
    [InlineData("gpt-oss-20b")]
    [InlineData("qwen3-next-80b-a3b")]
    [InlineData("gemma-3-27b")]
    [InlineData("nemotron-3-nano-30b-a3b")]
    public void Windows_and_states_stop_growing(string model)
    {
        var shape = Serving.Model(model);
        var bounded = shape.Attention.Where(group => group.VisibleTokens is not null || group.StateElements > 0).ToList();
        Assert.NotEmpty(bounded);
        var capacity = new KvCapacity(Serving.Deploy(model, "h200-sxm"));
        var growing = shape.Attention.Except(bounded).Sum(group => group.Layers * group.CacheElementsPerToken * 2.0);
        Nearly.Equal(growing * 50_000, capacity.BytesPerSequence(100_000) - capacity.BytesPerSequence(50_000), 1e-9);
        var only = new KvCapacity(Serving.Deploy(shape with { Attention = bounded }, Serving.Gpu("h200-sxm"), NumberFormat.Bf16, new Parallelism(1, 1, 1, 1)));
        Nearly.Equal(only.BytesPerSequence(8192), only.BytesPerSequence(131_072));
    }

    [Fact]
    public void A_cache_of_8_bits_halves_what_grows()
    {
        foreach (var model in Serving.Models)
        {
            var (wide, narrow) = (Growth(model, NumberFormat.Bf16), Growth(model, NumberFormat.Fp8));
            var indexed = model.Attention.Sum(group => group.Layers * (double)group.IndexBytesPerToken) * 50_000;
            Nearly.Equal((wide - indexed) / 2, narrow - indexed, 1e-9);
        }

        static double Growth(ModelShape model, NumberFormat cache)
        {
            var plan = PrecisionPlan.For(model, NumberFormat.Bf16, cache);
            var capacity = new KvCapacity(
                Serving.Deploy(model, Serving.Gpu("h200-sxm"), NumberFormat.Bf16, new Parallelism(1, 1, 1, 1)) with { Precision = plan });
            return capacity.BytesPerSequence(150_000) - capacity.BytesPerSequence(100_000);
        }
    }

    [Fact]
    public void A_shared_prefix_counts_once()
    {
        var capacity = new KvCapacity(Serving.Deploy("llama-3.1-8b", "h100-sxm"));
        Nearly.Equal(capacity.BytesPerSequence(1024), capacity.BytesPerSequence(4096, 3072));
        var expected = (capacity.Memory.Free - capacity.BytesPerSequence(3072)) / capacity.BytesPerSequence(1024);
        Nearly.Equal(expected, capacity.Sequences(4096, 3072));
        Assert.True(capacity.Sequences(4096, 3072) > 3.5 * capacity.Sequences(4096));
    }

    [Fact]
    public void Pipeline_stages_split_layers_and_their_cache()
    {
        var (one, two) = (new KvCapacity(Serving.Deploy("llama-3.1-70b", "h200-sxm")), new KvCapacity(Serving.Deploy("llama-3.1-70b", "h200-sxm", pp: 2)));
        Nearly.Equal(one.BytesPerSequence(4096) / 2, two.BytesPerSequence(4096));
        Nearly.Equal(one.Memory.Weights / 2, two.Memory.Weights);
    }

    [Fact]
    public void Blocks_fill_what_is_left()
    {
        foreach (var model in new[] { "llama-3.1-8b", "qwen3-32b", "deepseek-v3" })
        {
            var capacity = new KvCapacity(Serving.Deploy(model, "b200", NumberFormat.Fp8, tp: 8));
            var block = capacity.BytesPerSequence(KvCapacity.BlockTokens);
            Assert.InRange(capacity.Memory.Free, capacity.Blocks * block, (capacity.Blocks + 1) * block);
            Nearly.Equal(capacity.Sequences(4096), (double)capacity.Blocks * KvCapacity.BlockTokens / 4096, 1e-4);
        }
    }

    [Fact]
    public void The_most_sequences_of_the_engine_bound_what_memory_holds()
    {
        var deployment = Serving.Deploy("llama-3.1-8b", "b200");
        Assert.True(new KvCapacity(deployment).Sequences(1024) > 256);
        Assert.Equal(256, new KvCapacity(deployment with { MaxSequences = 256 }).Sequences(1024));
    }

    [Fact]
    public void More_gpus_never_hold_fewer_sequences() => Cases.Check(400, dice =>
    {
        var d = Serving.Draw(dice);
        var (spread, tokens) = (d.Parallelism, dice.Scale(64, 200_000));
        var held = new KvCapacity(d).Sequences(tokens);
        AtLeast(spread with { Tensor = spread.Tensor * 2 });
        AtLeast(spread with { Pipeline = spread.Pipeline * 2 });
        if (d.Model.FeedForward.OfType<MixtureOfExperts>().Any())
            AtLeast(spread with { AttentionData = spread.AttentionData * 2 });

        void AtLeast(Parallelism more)
        {
            var now = new KvCapacity(d with { Parallelism = more }).Sequences(tokens);
            Assert.True(now >= held * (1 - 1e-12), $"{d.Model.Key} on {d.Gpu.Key}: {more} holds {now}, {spread} {held}");
        }
    });

    [Fact]
    public void Longer_contexts_and_less_memory_never_hold_more() => Cases.Check(400, dice =>
    {
        var d = Serving.Draw(dice);
        var capacity = new KvCapacity(d);
        var tokens = dice.Scale(16, 100_000);
        var longer = tokens * dice.Real(1, 3);
        Assert.True(capacity.BytesPerSequence(longer) >= capacity.BytesPerSequence(tokens));
        Assert.True(capacity.Sequences(longer) <= capacity.Sequences(tokens));
        Assert.True(capacity.MissingGibibytes(longer) >= capacity.MissingGibibytes(tokens));
        Assert.Equal(capacity.Fits(tokens), capacity.MissingGibibytes(tokens) == 0);
        var tight = new KvCapacity(d with { MemoryUtilisation = d.MemoryUtilisation * dice.Real(0.3, 1) });
        Assert.True(tight.Sequences(tokens) <= capacity.Sequences(tokens));
        var shared = tokens * dice.Real(0, 1);
        if (capacity.Sequences(tokens) >= 1 && d.AttentionGroups == 1)
            Assert.True(capacity.BytesPerSequence(tokens, shared) <= capacity.BytesPerSequence(tokens));
    });

    [Fact]
    public void Unknown_memory_is_named_with_its_remedy()
    {
        var gpu = Serving.Gpu("h100-sxm") with { MemoryGigabytes = null, UsableMemoryGigabytes = null };
        var thrown = Assert.Throws<ArgumentException>(() => KvCapacity.MemoryBytes(gpu));
        Assert.Contains("memory_gb", thrown.Message);
    }
}
