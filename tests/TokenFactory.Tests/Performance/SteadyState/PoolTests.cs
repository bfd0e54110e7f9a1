using TokenFactory.Performance;
using TokenFactory.Performance.Calibration;
using TokenFactory.Performance.SteadyState;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Tests.Performance.SteadyState;

/// <summary>Prefill and decode on pools of their own: the slower one sets the pace, whatever the load.</summary>
public sealed class PoolTests
{
    [Theory]
    [InlineData(Arrival.ClosedLoop)]
    [InlineData(Arrival.OpenLoop)]
    [InlineData(Arrival.Offline)]
    public void A_pool_passes_no_more_than_it_can(Arrival arrival) => Cases.Check(100, dice =>
    {
        var (input, output) = (dice.Scale(128, 8000), dice.Scale(32, 2000));
        var d = Serving.DrawFitting(dice, input + output);
        var (prefills, decodes) = (dice.Whole(1, 4), dice.Whole(1, 4));
        var load = LoadOf(dice, arrival, input, output);
        foreach (var calibration in Serving.Both)
        {
            var p = Serving.Predict(Serving.PreparePools(new Pool(d, prefills), new Pool(d, decodes), load), calibration);
            if (!p.Fits)
                return;
            Assert.True(double.IsFinite(p.OutputTokensPerSecond) && p.OutputTokensPerSecond > 0, $"{Serving.Named(d)}: {p.OutputTokensPerSecond} tokens/s");
            // What the decode pool yields with its memory full of sequences; measured rates are a tenth beside the model's.
            var full = Serving.Closed(1e9, input, output) with { CachedShare = 1 };
            var decode = Full(d, full, calibration) * decodes;
            Assert.True(
                p.OutputTokensPerSecond <= decode * 1.1,
                $"{Serving.Named(d)}, {prefills} and {decodes}, {input:F0} in, {output:F0} out: {p.OutputTokensPerSecond} tokens/s of {decode}");
        }
    });

    [Fact]
    public void Littles_law_holds_over_both_pools() => Cases.Check(100, dice =>
    {
        var (input, output) = (dice.Scale(128, 8000), dice.Scale(32, 2000));
        var d = Serving.DrawFitting(dice, input + output);
        var load = Serving.Closed(dice.Scale(1, 2000), input, output);
        var pools = Serving.PreparePools(new Pool(d, dice.Whole(1, 4)), new Pool(d, dice.Whole(1, 4)), load);
        var p = Serving.Predict(pools, CalibrationSet.Prior);
        if (p.Fits)
            Nearly.Equal(load.Concurrency!.Value, p.RequestsPerSecond * p.EndToEnd, 0.01);
    });

    [Fact]
    public void More_decode_replicas_do_not_help_where_prompts_are_the_bottleneck()
    {
        var d = Serving.Deploy("llama-3.1-70b", "h100-sxm", NumberFormat.Fp8, tp: 4);
        var load = Serving.Closed(512, 8000, 50);
        var (two, four) = (Pools(2), Pools(4));
        Assert.InRange(four.OutputTokensPerSecond / two.OutputTokensPerSecond, 1, 1.05);
        Assert.True(Pools(2, 2).OutputTokensPerSecond > 1.5 * two.OutputTokensPerSecond);

        Prediction Pools(double decodes, double prefills = 1) =>
            Serving.Predict(Serving.PreparePools(new Pool(d, prefills), new Pool(d, decodes), load));
    }

    [Fact]
    public void Prompts_elsewhere_leave_tokens_undisturbed()
    {
        var d = Serving.Deploy("llama-3.1-70b", "h100-sxm", NumberFormat.Fp8, tp: 4);
        var load = Serving.Closed(64, 8000, 200);
        var (together, apart) = (Serving.Predict(d, load), Serving.Predict(Serving.PreparePools(new Pool(d, 2), new Pool(d, 1), load)));
        Assert.True(apart.Tpot < together.Tpot);
        Assert.Equal(0, apart.PrefillShare);
        Assert.Equal(12, apart.Gpus);
    }

    [Fact]
    public void A_rate_beyond_either_pool_is_saturated() => Cases.Check(60, dice =>
    {
        var (input, output) = (dice.Scale(128, 8000), dice.Scale(32, 2000));
        var d = Serving.DrawFitting(dice, input + output);
        var load = LoadOf(dice, Arrival.OpenLoop, input, output) with { RequestsPerSecond = 1e-3 };
        var pools = Serving.Predict(Serving.PreparePools(new Pool(d, dice.Whole(1, 8)), new Pool(d, dice.Whole(1, 8)), load));
        if (!pools.Fits)
            return;
        Assert.False(pools.Saturated);
        Nearly.Equal(1e-3, pools.RequestsPerSecond, 1e-2); // the decode pool's batch is found by iteration
        foreach (var rate in new[] { 0.1, 1, 10, 100, 1000 })
        {
            var p = Serving.Predict(Serving.PreparePools(new Pool(d, 8), new Pool(d, 1), load with { RequestsPerSecond = rate }));
            Assert.True(
                p.Saturated || p.RequestsPerSecond >= rate * 0.98,
                $"{Serving.Named(d)}, {input:F0} in, {output:F0} out: {p.RequestsPerSecond}/s of {rate} served and not said to be saturated");
        }
    });

    private static double Full(Deployment d, Load load, CalibrationSet calibration)
    {
        var prepared = Serving.Prepare(d, load);
        var capacity = StepMix.Of(d, load, load.Concurrency!.Value, prepared.Policy, decodeOnly: true).Capacity;
        // The same pool beside a prefill pool without bounds and as many clients as it holds sequences is never waiting for prompts.
        var p = Serving.Predict(
            Serving.PreparePools(new Pool(d, 1e6), new Pool(d, 1), load with { Arrival = Arrival.ClosedLoop, Concurrency = capacity }), calibration);
        return capacity / p.Tpot;
    }

    private static Load LoadOf(Dice dice, Arrival arrival, double input, double output) => new()
    {
        Arrival = arrival,
        InputTokens = input,
        OutputTokens = output,
        Concurrency = arrival == Arrival.ClosedLoop ? dice.Scale(1, 5000) : null,
        RequestsPerSecond = arrival == Arrival.OpenLoop ? dice.Scale(0.01, 1000) : null,
    };
}
