using TokenFactory.Catalog;
using TokenFactory.Performance;
using TokenFactory.Performance.Kernels;
using TokenFactory.Units;

namespace TokenFactory.Tests.Performance.Kernels;

/// <summary>More work never takes less time, a better data sheet never takes more, and nothing takes nothing.</summary>
public sealed class KernelLaws
{
    private static readonly string[] Gpus =
        [.. ShippedTables.Accelerators.Values.Where(g => ShippedTables.Table.For(g) is not null).Select(g => g.Key)];

    private static readonly double[] Growing = [1, 2, 7, 16, 64, 100, 512, 1024, 4096, 16384, 131072];

    public static TheoryData<string> Resolved => [.. Gpus];

    [Theory]
    [MemberData(nameof(Resolved))]
    public void Products_grow_with_every_side(string gpu)
    {
        foreach (var format in Enum.GetValues<NumberFormat>())
        {
            var gemm = ShippedTables.Set(gpu).Gemm(format).Value;
            Rises(m => gemm.Seconds(m, 4096, 4096));
            Rises(n => gemm.Seconds(64, n, 4096));
            Rises(k => gemm.Seconds(64, 4096, k));
            Assert.Equal(0, gemm.Seconds(0, 4096, 4096));
        }
    }

    [Theory]
    [MemberData(nameof(Resolved))]
    public void Attention_grows_with_queries_and_context(string gpu)
    {
        foreach (var format in new[] { NumberFormat.Bf16, NumberFormat.Fp8 })
        {
            var set = ShippedTables.Set(gpu);
            foreach (var kernel in new[] { set.Attention(format).Value, set.Latent(format).Value.Kernel })
            {
                Rises(t => kernel.PrefillSeconds(32, 128, t, t * t / 2, t));
                Rises(heads => kernel.PrefillSeconds(heads, 128, 512, 512 * 256, 512));
                Rises(context => kernel.DecodeSeconds(16 * context * 4096, 16 * context * 16384, context, 16));
                Rises(sequences => kernel.DecodeSeconds(sequences * 1e6, sequences * 1e7, 1024, sequences));
                Assert.Equal(0, kernel.PrefillSeconds(32, 128, 0, 0, 0));
                Assert.Equal(0, kernel.DecodeSeconds(0, 0, 0));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Resolved))]
    public void Experts_grow_with_pairs_hits_and_widths(string gpu)
    {
        foreach (var format in Enum.GetValues<NumberFormat>())
        {
            var experts = ShippedTables.Set(gpu).Experts(format).Value;
            Rises(pairs => experts.Seconds(pairs, 8, 4096, 1536, pairs));
            Rises(hit => experts.Seconds(200_000, hit, 4096, 1536, 200_000));
            Rises(hidden => experts.Seconds(512, 128, hidden, 1536, 512));
            Rises(width => experts.Seconds(512, 128, 4096, width, 512));
            Assert.Equal(0, experts.Seconds(0, 0, 4096, 1536, 0));
            Assert.InRange(experts.Imbalance, 1, 3);
        }
    }

    [Theory]
    [MemberData(nameof(Resolved))]
    public void Collectives_grow_with_bytes_and_ranks(string gpu)
    {
        var set = ShippedTables.Set(gpu);
        for (var op = CollectiveOperator.AllReduce; op <= CollectiveOperator.AllToAll; op++)
        {
            var kind = op;
            Rises(bytes => set.Collectives.Value.Seconds(kind, 4, bytes * 1024));
            foreach (var bytes in new[] { 1024.0, 65536, 1e7, 1e9 })
            {
                var inside = Enumerable.Range(1, set.Collectives.Value.DomainRanks).Where(n => n <= 64);
                NeverFalls(inside.Select(n => set.Collectives.Value.Seconds(kind, n, bytes)));
            }

            Assert.Equal(0, set.Collectives.Value.Seconds(kind, 1, 1e6));
            Assert.Equal(0, set.Collectives.Value.Seconds(kind, 8, 0));
        }

        foreach (var mode in new[] { DispatchMode.LowLatency, DispatchMode.Normal })
        {
            Rises(tokens => set.Dispatch.Value.Dispatch(mode, 8, 8).Seconds(tokens, 7168));
            Rises(tokens => set.Dispatch.Value.Combine(mode, 32, 8).Seconds(tokens, 7168));
            NeverFalls(Enumerable.Range(1, set.Collectives.Value.DomainRanks).Where(n => n <= 72)
                .Select(n => set.Dispatch.Value.Dispatch(mode, n, 8).Seconds(128, 7168)));
            Assert.Equal(0, set.Dispatch.Value.Dispatch(mode, 1, 8).Seconds(64, 7168));
        }
    }

    [Theory]
    [InlineData("h100-sxm")]
    [InlineData("b200")]
    [InlineData("mi300x")]
    public void A_better_data_sheet_is_never_slower(string gpu)
    {
        var own = ShippedTables.Accelerators[gpu];
        NotSlower(own, own with { MemoryBandwidth = own.MemoryBandwidth.As(v => new BytesPerSecond(v.Value * 1.05)) });
        NotSlower(own, own with { Bf16 = Faster(own.Bf16), Fp8 = Faster(own.Fp8), Fp4 = Faster(own.Fp4), Int8 = Faster(own.Int8) });
        NotSlower(own, own with { ScaleUp = own.ScaleUp.As(v => new BytesPerSecond(v.Value * 1.3)) });
    }

    [Fact]
    public void Evaluation_allocates_nothing()
    {
        var set = ShippedTables.Set("h100-sxm");
        var (gemm, experts) = (set.Gemm(NumberFormat.Fp8).Value, set.Experts(NumberFormat.Fp8).Value);
        var attention = set.Attention(NumberFormat.Bf16).Value;
        var (reduce, send) = (set.Collectives.Value, set.Dispatch.Value.Dispatch(DispatchMode.LowLatency, 8, 8));
        var sum = Step(1);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
            sum += Step(i);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.True(double.IsFinite(sum));

        double Step(int i) => gemm.Seconds(i, 4096, 4096)
            + attention.DecodeSeconds(i * 1e6, i * 1e7, 4096, i)
            + experts.Seconds(i, 8, 4096, 1536, i)
            + reduce.Seconds(CollectiveOperator.AllReduce, 8, i * 8192)
            + send.Seconds(i, 7168);
    }

    private static Sourced<FlopsPerSecond>? Faster(Sourced<FlopsPerSecond>? rate) => rate.As(v => new FlopsPerSecond(v.Value * 1.3));

    private static List<double> Times(Accelerator gpu)
    {
        var set = ShippedTables.Table.For(gpu)!;
        var times = new List<double>();
        foreach (var format in Enum.GetValues<NumberFormat>())
        {
            times.Add(set.Gemm(format).Value.Seconds(8, 4096, 4096));
            times.Add(set.Gemm(format).Value.Seconds(8192, 8192, 8192));
            times.Add(set.Experts(format).Value.Seconds(64, 64, 4096, 1536, 64));
            times.Add(set.Experts(format).Value.Seconds(65536, 128, 4096, 1536, 65536));
            times.Add(set.Attention(format).Value.PrefillSeconds(32, 128, 8192, 8192 * 4096.0, 8192));
            times.Add(set.Latent(format).Value.DecodeSeconds(1e9, 1e12, 8192));
        }

        times.Add(set.Collectives.Value.Seconds(CollectiveOperator.AllReduce, 8, 1 << 24));
        times.Add(set.Dispatch.Value.Dispatch(DispatchMode.Normal, 8, 8).Seconds(8192, 7168));
        return times;
    }

    private static void Rises(Func<double, double> time)
    {
        NeverFalls(Growing.Select(time));
        Assert.True(time(1) > 0);
    }

    private static void NeverFalls(IEnumerable<double> numbers)
    {
        var last = 0.0;
        foreach (var number in numbers)
        {
            Assert.True(number >= last * (1 - 1e-12), $"{number} after {last}");
            last = number;
        }
    }

    private static void NotSlower(Accelerator own, Accelerator better) =>
        Assert.All(Times(own).Zip(Times(better)), pair => Assert.True(pair.Second <= pair.First * (1 + 1e-12), $"{pair}"));
}
