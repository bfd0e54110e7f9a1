using TokenFactory.Performance;
using TokenFactory.Performance.SteadyState;
using TokenFactory.Tests.Laws;
using TokenFactory.Units;

namespace TokenFactory.Tests.Performance.SteadyState;

/// <summary>Watts stay between idling and the data sheet; a cap takes time from prompts rather than from tokens.</summary>
public sealed class PowerTests
{
    [Fact]
    public void Watts_lie_between_a_tenth_of_the_design_power_and_all_of_it() => Cases.Check(200, dice =>
    {
        var (d, load) = Drawn(dice);
        foreach (var calibration in Serving.Both)
        {
            var p = Serving.Predict(d, load, calibration);
            if (p.Fits)
                AssertWatts(d, p, d.Gpu.Tdp?.Value.Value ?? 0);
        }
    });

    [Fact]
    public void Pools_too() => Cases.Check(60, dice =>
    {
        var (d, load) = Drawn(dice);
        var p = Serving.Predict(Serving.PreparePools(new Pool(d, dice.Whole(1, 3)), new Pool(d, dice.Whole(1, 3)), load));
        if (p.Fits)
            AssertWatts(d, p, d.Gpu.Tdp?.Value.Value ?? 0);
    });

    [Fact]
    public void A_cap_is_kept_and_a_lower_one_never_yields_more() => Cases.Check(150, dice =>
    {
        var (d, load) = Drawn(dice);
        if (d.Gpu.Tdp is not { } tdp)
            return;
        var last = Serving.Predict(d, load).OutputTokensPerSecond;
        foreach (var share in new[] { 1, 0.9, 0.7, 0.5, 0.3, 0.15 })
        {
            var capped = d with { PowerCap = new Watts(tdp.Value.Value * share) };
            var p = Serving.Predict(capped, load);
            if (!p.Fits)
                return;
            AssertWatts(capped, p, tdp.Value.Value * share);
            Assert.True(
                p.OutputTokensPerSecond <= last * (1 + 1e-9),
                $"{Serving.Named(d)} {load.Arrival}: {p.OutputTokensPerSecond} tokens/s at {share:P0} of the design power, {last} above");
            last = p.OutputTokensPerSecond;
        }
    });

    [Theory]
    [InlineData("llama-3.1-70b", "h100-sxm", 4)]
    [InlineData("llama-3.1-8b", "a100-sxm-80gb", 1)]
    [InlineData("gpt-oss-120b", "mi300x", 1)]
    [InlineData("deepseek-v3", "b200", 8)]
    public void A_cap_costs_prompts_more_than_tokens(string model, string gpu, int tp)
    {
        foreach (var calibration in Serving.Both)
        {
            var (prompts, tokens) = (Kept(8000, 16), Kept(128, 2000));
            Assert.True(prompts < tokens, $"prompts keep {prompts:P1}, tokens {tokens:P1}");
            Assert.InRange(tokens, 0.75, 1);

            double Kept(double input, double output)
            {
                var (d, load) = (Serving.Deploy(model, gpu, NumberFormat.Fp8, tp), Serving.Closed(32, input, output));
                var capped = d with { PowerCap = new Watts(d.Gpu.Tdp!.Value.Value.Value * 0.6) };
                return Serving.Predict(capped, load, calibration).OutputTokensPerSecond / Serving.Predict(d, load, calibration).OutputTokensPerSecond;
            }
        }
    }

    [Fact]
    public void A_cap_below_what_the_lowest_clock_draws_is_kept_by_pauses_and_saves_no_energy()
    {
        var d = Serving.Deploy("llama-3.1-8b", "h100-sxm");
        var slowest = Serving.Predict(d with { ClockLock = 0.3 }, Serving.Closed(32));
        var capped = Serving.Predict(d with { PowerCap = new Watts(slowest.WattsPerGpu * 0.8) }, Serving.Closed(32));
        Assert.InRange(capped.Clock, 0, Prediction.LowestClock);
        Nearly.Equal(slowest.WattsPerGpu * 0.8, capped.WattsPerGpu, 0.01);
        Assert.True(capped.OutputTokensPerSecond < slowest.OutputTokensPerSecond);
        Assert.True(capped.JoulesPerOutputToken > slowest.JoulesPerOutputToken);
    }

    [Fact]
    public void A_lone_user_with_a_long_prompt_draws_what_prompts_draw()
    {
        var d = Serving.Deploy("llama-3.1-8b", "h100-sxm");
        var (prompt, tokens) = (Serving.Predict(d, Serving.Closed(1, 50_000, 1)), Serving.Predict(d, Serving.Closed(1, 50_000, 4000)));
        Assert.True(prompt.WattsPerGpu > 1.1 * tokens.WattsPerGpu, $"{prompt.WattsPerGpu} W, then {tokens.WattsPerGpu} W");
    }

    [Fact]
    public void A_cap_holds_during_steps_also_where_a_gpu_idles_between_them_or_another_pool_draws_less()
    {
        var d = Serving.Deploy("llama-3.1-70b", "h100-sxm", tp: 4);
        var capped = d with { PowerCap = new Watts(250) };
        var rare = Serving.Closed(1, 2000, 500) with { Arrival = Arrival.OpenLoop, Concurrency = null, RequestsPerSecond = 0.01 };
        var pools = Serving.Closed(128, 200, 2000);
        foreach (var (free, kept) in new[]
        {
            (Serving.Predict(d, rare), Serving.Predict(capped, rare)),
            (Serving.Predict(Serving.PreparePools(new Pool(d, 1), new Pool(d, 1), pools)),
                Serving.Predict(Serving.PreparePools(new Pool(capped, 1), new Pool(capped, 1), pools))),
        })
        {
            Assert.True(free.StepWatts > 250 && free.WattsPerGpu < free.StepWatts);
            Assert.True(kept.StepWatts <= 250 && kept.Clock < 1 && kept.Tpot > free.Tpot, $"{kept.StepWatts} W, {kept.Tpot} s, {free.Tpot} s");
        }
    }

    [Fact]
    public void A_locked_clock_saves_watts_and_costs_speed()
    {
        var d = Serving.Deploy("llama-3.1-70b", "h100-sxm", NumberFormat.Fp8, tp: 4);
        var (free, locked) = (Serving.Predict(d, Serving.Closed(64)), Serving.Predict(d with { ClockLock = 0.6 }, Serving.Closed(64)));
        Assert.True(locked.WattsPerGpu < free.WattsPerGpu);
        Assert.True(locked.OutputTokensPerSecond < free.OutputTokensPerSecond);
        Assert.True(locked.Tpot > free.Tpot);
    }

    [Theory]
    [InlineData("llama-3.1-8b", "h100-sxm", 1)]
    [InlineData("llama-3.1-70b", "mi300x", 1)]
    [InlineData("qwen3-30b-a3b", "b200", 1)]
    [InlineData("deepseek-v3", "h200-sxm", 8)]
    public void Energy_per_token_falls_with_the_batch(string model, string gpu, int tp)
    {
        var d = Serving.Deploy(model, gpu, NumberFormat.Fp8, tp);
        foreach (var calibration in Serving.Both)
        {
            double[] joules =
                [.. new double[] { 1, 2, 4, 8, 16, 32, 64 }.Select(clients => Serving.Predict(d, Serving.Closed(clients), calibration).JoulesPerOutputToken)];
            for (var i = 1; i < joules.Length; i++)
                Assert.True(joules[i] < joules[i - 1], string.Join(' ', joules));
        }
    }

    private static (Deployment Deployment, Load Load) Drawn(Dice dice)
    {
        var load = Serving.Closed(dice.Scale(1, 2000), dice.Scale(32, 16_000), dice.Scale(1, 3000)) with
        {
            Arrival = Serving.Of(dice, new[] { Arrival.ClosedLoop, Arrival.Offline, Arrival.OpenLoop, Arrival.StaticBatch }),
            RequestsPerSecond = dice.Scale(0.01, 1000),
        };
        return (Serving.DrawFitting(dice, load.InputTokens + load.OutputTokens), load);
    }

    private static void AssertWatts(Deployment d, Prediction p, double most)
    {
        var least = Math.Min(most, (d.Gpu.Tdp?.Value.Value ?? 0) * 0.1);
        Assert.True(
            p.WattsPerGpu >= least * (1 - 1e-9) && p.WattsPerGpu <= most * (1 + 1e-9),
            $"{Serving.Named(d)}: {p.WattsPerGpu} W is not from {least} to {most}");
    }
}
