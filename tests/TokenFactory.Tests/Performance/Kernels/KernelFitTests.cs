using TokenFactory.Catalog;
using TokenFactory.Performance;
using TokenFactory.Performance.Kernels;

namespace TokenFactory.Tests.Performance.Kernels;

/// <summary>Fits find the constants that made the samples, outliers or not, and write tables that read back.</summary>
public sealed class KernelFitTests
{
    private static readonly double[] Rows = [1, 4, 16, 64, 128, 256, 1024, 4096, 16384];
    private static readonly double[] Sides = [1024, 4096, 7168, 16384];

    [Theory]
    [InlineData("h100-sxm", NumberFormat.Bf16)]
    [InlineData("b200", NumberFormat.Nvfp4)]
    [InlineData("l40s", NumberFormat.Fp8)]
    public void Products_are_found_again(string gpu, NumberFormat format)
    {
        var truth = ShippedTables.Set(gpu).Gemm(format).Value;
        var precision = NumberFormats.Write(format);
        List<GemmSample> samples =
        [
            .. from m in Rows from n in Sides from k in Sides
               let spoilt = (int)(m + n + k) % 11 == 0 ? 3 : 1 // a tenth of the measurements is wrong by a factor
               select new GemmSample(gpu, precision, m, n, k, "test", spoilt * truth.Seconds(m, n, k)),
        ];
        var fitted = Assert.Single(Fit(samples, [], []));
        var found = Resolve(gpu, [fitted.Row]).Gemm(format).Value;
        Assert.All(samples, s => Near(truth.Seconds(s.M, s.N, s.K), found.Seconds(s.M, s.N, s.K), 0.04));
        Assert.True(fitted.MedianError < 0.01, $"{fitted.MedianError}");
    }

    [Fact]
    public void Attention_and_experts_are_found_again()
    {
        var set = ShippedTables.Set("h200-sxm");
        List<AttentionSample> attentions =
        [
            .. from length in new double[] { 64, 256, 1024, 4096, 16384, 65536 }
               from sequences in new double[] { 1, 4, 16, 64 }
               from heads in new double[] { 8, 16, 32 }
               select Decode(set, heads, sequences, length),
            .. from length in new double[] { 16, 128, 512, 2048, 8192 }
               from sequences in new double[] { 1, 4, 16 }
               from heads in new double[] { 8, 32 }
               select new AttentionSample(
                   "h200-sxm", "bf16", KernelOperator.AttentionPrefill, heads, 8, 128, sequences, length, 0, "test",
                   set.Attention(NumberFormat.Bf16).Value.PrefillSeconds(
                       heads, 128, sequences * length, sequences * length * length / 2, length)),
        ];
        List<ExpertsSample> experts =
        [
            .. from tokens in new double[] { 1, 8, 32, 128, 512, 2048, 8192 }
               from shape in new (double Hidden, double Width, double Experts)[] { (2048, 768, 128), (4096, 1536, 128), (7168, 2048, 256) }
               from ranks in new double[] { 1, 4 }
               let pairs = Math.Max(tokens * 8 / ranks, 1)
               let time = set.Experts(NumberFormat.Fp8).Value.Seconds(
                   pairs, Math.Min(shape.Experts / ranks, pairs), shape.Hidden, shape.Width, tokens * 8)
               from even in new[] { true, false }
               select new ExpertsSample(
                   "h200-sxm", "fp8", tokens, shape.Hidden, shape.Width, 8, shape.Experts, ranks, even, "k", "test",
                   even ? time : 1.25 * time),
        ];
        var fitted = Fit([], attentions, experts);
        Assert.Equal(3, fitted.Count);
        Assert.All(fitted, f => Assert.True(f.MedianError < 0.01, $"{f.Row.Operator} {f.MedianError}"));
        Assert.Equal(1.25, fitted.Single(f => f.Row.Operator == KernelOperator.Experts).Row[KernelColumn.Imbalance], 3);
    }

    [Fact]
    public void Collectives_are_found_again()
    {
        var set = ShippedTables.Set("h100-sxm");
        var samples = (from op in new[] { CollectiveOperator.AllReduce, CollectiveOperator.AllGather }
                       from ranks in new[] { 2, 8 }
                       from power in Enumerable.Range(8, 20)
                       let bytes = Math.Pow(2, power)
                       select new CollectiveSample(
                           "h100-sxm", op, ranks, bytes, 0, "test", set.Collectives.Value.Seconds(op, ranks, bytes))).ToList();
        var fitted = CollectiveFit.Fit(samples, ShippedTables.Accelerators, Source);
        Assert.Equal(4, fitted.Count);
        Assert.All(fitted, f => Assert.True(f.HighError < 0.01, $"{f.Row.Operator} {f.Row.Ranks} {f.HighError}"));
    }

    [Fact]
    public void Launch_time_in_the_measurement_is_taken_out()
    {
        var truth = ShippedTables.Set("b200").Gemm(NumberFormat.Fp8).Value;
        List<GemmSample> samples =
        [
            .. from m in Rows from n in Sides from k in Sides
               from precision in new[] { "fp8", "fp8-block" }
               let time = truth.Seconds(m, n, k)
               select new GemmSample("b200", precision, m, n, k, "test", precision == "fp8" ? time : Math.Max(time, 150e-6)),
        ];
        var block = Fit(samples, [], []).Single(f => f.Row.Precision == "fp8-block");
        Assert.Contains("launch", block.Row.Note);
        Assert.True(block.Row[KernelColumn.FloorMicroseconds] < 10);
    }

    [Fact]
    public void Written_tables_read_back()
    {
        var samples = (from m in Rows
                       from n in Sides
                       from k in Sides
                       let time = ShippedTables.Set("b200").Gemm(NumberFormat.Bf16).Value.Seconds(m, n, k)
                       select new GemmSample("b200", "bf16", m, n, k, "test", time)).ToList();
        var fitted = Fit(samples, [], []);
        var mistakes = new List<Mistake>();
        var table = KernelTable.Read(
            CalibrationWriter.Kernels(fitted),
            Repository.Text("catalog", "calibration", "collectives.csv"),
            [.. ShippedTables.Accelerators.Values],
            mistakes);
        Assert.Empty(mistakes);
        var needed = KernelRow.Needed(KernelOperator.Gemm);
        Assert.Equal(needed.Select(c => fitted[0].Row[c]), needed.Select(c => Assert.Single(table.Kernels)[c]));
        Assert.Equal("fastest of test", table.Kernels[0].Note);
    }

    [Fact]
    public void Measurements_of_aiconfigurator_are_read_and_unknown_gpus_left_out()
    {
        var mistakes = new List<Mistake>();
        var reader = new KernelSampleReader(name => name == "H100" ? "h100-sxm" : null, ShippedTables.Accelerators, mistakes);
        var gemm = Assert.Single(reader.Gemms(
            "gpu,framework,framework_version,dtype,m,n,k,latency_ms\n"
            + "H100,VLLM,0.20.1.dev3+g2,fp8,8,1024,2048,0.5\nB60,VLLM,1,fp8,8,8,8,1\n"));
        Assert.Equal(new GemmSample("h100-sxm", "fp8", 8, 1024, 2048, "vllm 0.20.1", 0.5e-3), gemm);
        var sent = reader.Dispatches(
            "gpu,mode,framework_version,hidden,num_tokens,top_k,dispatch_us,combine_us\nH100,low_latency,0.5,7168,64,8,20,30\n");
        Assert.Equal([64 * 8 * 7168, 2.0 * 64 * 8 * 7168], sent.Select(s => s.Bytes));
        Assert.Empty(mistakes);
        Assert.Empty(reader.Gemms("gpu,m\nH100,1\n"));
        Assert.NotEmpty(mistakes);
    }

    private static AttentionSample Decode(KernelSet set, double heads, double sequences, double length) => new(
        "h200-sxm", "bf16", KernelOperator.AttentionDecode, heads, 8, 128, sequences, 1, length, "test",
        set.Attention(NumberFormat.Bf16).Value.DecodeSeconds(
            sequences * 8 * (length + 1) * 512, 4 * sequences * heads * 128 * (length + 1), length + 1, sequences * 8));

    private static IReadOnlyList<FittedKernel> Fit(List<GemmSample> gemms, List<AttentionSample> attentions, List<ExpertsSample> experts) =>
        KernelFit.Fit(gemms, attentions, experts, ShippedTables.Accelerators, Source);

    private static Source Source(string gpu) => new(SourceKind.Measured, "test on " + gpu, SourceDate.Parse("2026-11")!);

    /// <summary>The shipped tables, in which these rows replace their like.</summary>
    private static KernelSet Resolve(string gpu, IReadOnlyList<KernelRow> rows)
    {
        var others = ShippedTables.Table.Kernels
            .Where(row => !rows.Any(r => (r.Operator, r.Gpu, r.Precision) == (row.Operator, row.Gpu, row.Precision)));
        var table = KernelTable.Of([.. rows, .. others], ShippedTables.Table.Collectives, [.. ShippedTables.Accelerators.Values]);
        return table.For(ShippedTables.Accelerators[gpu])!;
    }

    private static void Near(double expected, double actual, double share) =>
        Assert.InRange(actual / expected, 1 - share, 1 + share);
}
