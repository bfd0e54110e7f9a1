using TokenFactory.Catalog;
using TokenFactory.Performance;
using TokenFactory.Performance.Kernels;

namespace TokenFactory.Tests.Performance.Kernels;

/// <summary>The shipped tables resolve for every accelerator whose data sheet says enough, and say whose numbers they took.</summary>
public sealed class KernelTableTests
{
    [Fact]
    public void Every_accelerator_with_bandwidth_and_a_rate_resolves_to_finite_positive_times()
    {
        foreach (var gpu in ShippedTables.Accelerators.Values.Where(gpu => gpu.MemoryBandwidth is not null && gpu.Bf16 is not null))
        {
            var set = ShippedTables.Table.For(gpu);
            Assert.NotNull(set);
            foreach (var format in Enum.GetValues<NumberFormat>())
            {
                AssertTime(set.Gemm(format).Value.Seconds(64, 4096, 4096));
                AssertTime(set.Experts(format).Value.Seconds(512, 100, 4096, 1536, 512));
                AssertTime(set.Attention(format).Value.DecodeSeconds(1e8, 1e9, 4096));
                AssertTime(set.Attention(format).Value.PrefillSeconds(32, 128, 4096, 4096 * 2048.0, 4096));
                AssertTime(set.Latent(format).Value.DecodeSeconds(1e8, 1e10, 4096));
                AssertTime(set.Latent(format).Value.PrefillSeconds(128, 192, 128, 4096, 4096 * 2048.0, 4096));
            }

            foreach (var ranks in new[] { 2, 3, 4, 8, 16, 72, 200 })
            {
                AssertTime(set.Collectives.Value.Seconds(CollectiveOperator.AllReduce, ranks, 1 << 20));
                AssertTime(set.Dispatch.Value.Dispatch(DispatchMode.LowLatency, ranks, 8).Seconds(64, 7168));
                AssertTime(set.Dispatch.Value.Combine(DispatchMode.Normal, ranks, 8).Seconds(4096, 7168));
            }
        }
    }

    [Theory]
    [InlineData("h100-sxm", NumberFormat.Fp8, SourceKind.Measured, "h100_sxm")]
    [InlineData("h100-nvl", NumberFormat.Fp8, SourceKind.Estimated, "as fp8 on h100-sxm")]
    [InlineData("mi300x", NumberFormat.Bf16, SourceKind.Estimated, "median of")]
    [InlineData("l4", NumberFormat.Fp8, SourceKind.Estimated, "as fp8 on l40s")]
    public void Constants_say_whose_they_are(string gpu, NumberFormat format, SourceKind kind, string words)
    {
        var from = ShippedTables.Set(gpu).Gemm(format).From;
        Assert.Equal(kind, from.Kind);
        Assert.Contains(words, from.Sources[0].Text);
    }

    [Fact]
    public void Kin_stand_in_by_architecture_then_vendor_then_the_median_of_all()
    {
        var h100 = ShippedTables.Accelerators["h100-sxm"];
        Assert.StartsWith("as bf16 on h100-sxm", Text(h100 with { Key = "new-hopper" }));
        var h200 = ShippedTables.Accelerators["h200-sxm"];
        Assert.StartsWith("as bf16 on h200-sxm", Text(h100 with { Key = "new", MemoryBandwidth = h200.MemoryBandwidth }));
        Assert.StartsWith("as bf16 on h100-sxm", Text(h100 with { Key = "new", Architecture = "Next" }));
        Assert.StartsWith("as ", Text(h100 with { Key = "new", Architecture = "Next", MemoryType = "GDDR7" }));
        Assert.StartsWith("median of", Text(h100 with { Key = "new", Vendor = "Another" }));

        static string Text(Accelerator gpu) => ShippedTables.Table.For(gpu)!.Gemm(NumberFormat.Bf16).From.Sources[0].Text;
    }

    [Fact]
    public void A_format_without_units_streams_small_weights_and_computes_in_16_bits()
    {
        var a100 = ShippedTables.Set("a100-sxm-80gb");
        var (wide, narrow) = (a100.Gemm(NumberFormat.Bf16).Value, a100.Gemm(NumberFormat.Fp8).Value);
        Assert.True(narrow.Seconds(4, 16384, 16384) < 0.7 * wide.Seconds(4, 16384, 16384));
        Assert.InRange(narrow.Seconds(8192, 8192, 8192) / wide.Seconds(8192, 8192, 8192), 0.9, 1.3);
        var h100 = ShippedTables.Set("h100-sxm");
        var (four, eight) = (h100.Gemm(NumberFormat.Nvfp4).Value, h100.Gemm(NumberFormat.Fp8).Value);
        Assert.True(four.Seconds(8192, 8192, 8192) > 1.5 * eight.Seconds(8192, 8192, 8192));
        Assert.StartsWith("as bf16 on h100-sxm", h100.Gemm(NumberFormat.Nvfp4).From.Sources[0].Text);
        Assert.Equal(SourceKind.Estimated, h100.Gemm(NumberFormat.Nvfp4).From.Kind);
        Assert.Equal(SourceKind.Measured, a100.Gemm(NumberFormat.Fp8).From.Kind);
        Assert.Equal(SourceKind.Measured, h100.Experts(NumberFormat.Mxfp4).From.Kind);
    }

    [Fact]
    public void Shipped_constants_stay_inside_physics()
    {
        Assert.All(ShippedTables.Table.Kernels, row =>
        {
            foreach (var column in KernelRow.Needed(row.Operator))
            {
                var share = column is KernelColumn.ComputeEfficiency or KernelColumn.StreamEfficiency;
                Assert.InRange(row[column], share ? 0.02 : 0, share ? 1 : 1e5);
            }

            Assert.InRange(row[KernelColumn.FloorMicroseconds], 0.4, 100);
            Assert.Contains("aiconfigurator@", row.From.Text);
        });
        Assert.All(ShippedTables.Table.Collectives, row => Assert.InRange(row.LinkEfficiency, 0.01, 1));
        Assert.All(ShippedTables.Table.Collectives, row => Assert.InRange(row.FloorMicroseconds, 1, 100));
    }

    [Fact]
    public void More_ranks_than_measured_are_said_to_be_extrapolated()
    {
        var h100 = ShippedTables.Set("h100-sxm").Collectives.Value;
        Assert.False(h100.IsExtrapolated(CollectiveOperator.AllReduce, 8));
        Assert.True(h100.IsExtrapolated(CollectiveOperator.AllReduce, 16));
        Assert.True(h100.Seconds(CollectiveOperator.AllReduce, 16, 1 << 24) > 1.5 * h100.Seconds(CollectiveOperator.AllReduce, 8, 1 << 24));
        Assert.True(ShippedTables.Set("gb200-nvl72").Collectives.Value.Seconds(CollectiveOperator.AllReduce, 16, 1 << 24) < h100.Seconds(CollectiveOperator.AllReduce, 16, 1 << 24));
    }

    [Fact]
    public void Wrong_rows_are_mistakes_and_left_out()
    {
        const string Head = "operator,gpu,precision,floor_us,compute_efficiency,half_rows,stream_efficiency,half_columns,half_depth,"
            + "activation_bytes,source,date,kind\n";
        const string Good = "gemm,b200,bf16,5,0.8,50,0.8,100,100,1,me,2026-11,measured\n";
        var text = Head + Good + Good
            + "gem,b200,fp8,5,0.8,50,0.8,100,100,1,me,2026-11,measured\n"
            + "gemm,b2000,fp8,5,0.8,50,0.8,100,100,1,me,2026-11,measured\n"
            + "gemm,b200,fp9,5,0.8,50,0.8,100,100,1,me,2026-11,measured\n"
            + "gemm,b200,fp8,5,1.8,50,0.8,100,100,1,me,2026-11,measured\n"
            + "gemm,b200,fp8,-5,0.8,50,0.8,100,100,1,me,2026-11,measured\n"
            + "gemm,b200,fp8,5,0.8,50,0.8,100,100,1,me,soon,guessed\n";
        const string Links = "operator,gpu,ranks,nodes,floor_us,link_efficiency,source,date,kind\n"
            + "all_reduce,b200,1,1,5,0.5,me,2026-11,measured\n";
        var mistakes = new List<Mistake>();
        var table = KernelTable.Read(text, Links, [.. ShippedTables.Accelerators.Values], mistakes);
        Assert.Equal(2, table.Kernels.Count);
        Assert.Empty(table.Collectives);
        Assert.Equal(9, mistakes.Count); // six rows, one of them with two mistakes; one row twice; one of the collectives
        Assert.Null(table.For(ShippedTables.Accelerators["b200"]));
    }

    private static void AssertTime(double seconds) => Assert.InRange(seconds, 1e-7, 10);
}
