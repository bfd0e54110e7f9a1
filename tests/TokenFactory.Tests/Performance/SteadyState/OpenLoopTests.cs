using TokenFactory.Performance;
using TokenFactory.Performance.SteadyState;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Tests.Performance.SteadyState;

/// <summary>Loads that do not wait for answers: rates, everything at once, one batch.</summary>
public sealed class OpenLoopTests
{
    [Fact]
    public void Below_saturation_the_rate_is_served_and_above_it_stays_saturated() => Cases.Check(100, dice =>
    {
        var load = Open(0, dice.Scale(32, 8000), dice.Scale(8, 2000));
        var d = Serving.DrawFitting(dice, load.InputTokens + load.OutputTokens);
        foreach (var calibration in Serving.Both)
        {
            var (saturated, most) = (false, 0.0);
            foreach (var rate in new[] { 1e-3, 0.01, 0.1, 0.5, 1, 2, 5, 10, 50, 200, 1000, 1e5, 1e7 })
            {
                var p = Serving.Predict(d, load with { RequestsPerSecond = rate }, calibration);
                if (!p.Fits)
                    return;
                Assert.True(p.Saturated || !saturated, $"{Serving.Named(d)}: saturated below {rate}/s and no more at it");
                if (p.Saturated)
                    Assert.True(p.RequestsPerSecond <= rate * (1 + 1e-9), $"{Serving.Named(d)}: {p.RequestsPerSecond}/s of {rate} wanted");
                else
                    Nearly.Equal(rate * load.OutputTokens, p.OutputTokensPerSecond, 1e-9);
                Assert.True(p.RequestsPerSecond >= most * (1 - 1e-9), $"{Serving.Named(d)}: {p.RequestsPerSecond}/s at {rate}, {most} at less");
                (saturated, most) = (p.Saturated, p.RequestsPerSecond);
            }

            Assert.True(saturated, $"{Serving.Named(d)}: ten million requests a second do not saturate it");
        }
    });

    [Fact]
    public void A_higher_rate_never_makes_tokens_faster() => Cases.Check(100, dice =>
    {
        var load = Open(dice.Scale(0.01, 20), dice.Scale(32, 8000), dice.Scale(8, 2000));
        var d = Serving.DrawFitting(dice, load.InputTokens + load.OutputTokens);
        var (slow, fast) = (Serving.Predict(d, load), Serving.Predict(d, load with { RequestsPerSecond = load.RequestsPerSecond * dice.Real(1, 4) }));
        Assert.True(fast.Tpot >= slow.Tpot * (1 - 1e-6), $"{Serving.Named(d)}: {slow.Tpot} s, at a higher rate {fast.Tpot} s");
    });

    [Fact]
    public void Burstier_arrivals_wait_longer()
    {
        var d = Serving.Deploy("llama-3.1-70b", "h100-sxm", NumberFormat.Fp8, tp: 4);
        double[] waits = [.. new[] { 0.0, 1, 2, 4 }.Select(v => Serving.Predict(d, Open(2, 2000, 200) with { ArrivalVariability = v }).Ttft)];
        for (var i = 1; i < waits.Length; i++)
            Assert.True(waits[i] > waits[i - 1], string.Join(' ', waits));
    }

    [Fact]
    public void Long_prompts_wait_for_one_another_though_hardly_any_run_at_once()
    {
        // A prompt of 100,000 tokens takes about 11 s: at 0.08 a second the GPU is busy with them nine tenths of the time.
        var d = Serving.Deploy("llama-3.1-8b", "h100-sxm");
        double[] first = [.. new[] { 1e-4, 0.03, 0.06, 0.08 }.Select(rate => Serving.Predict(d, Open(rate, 100_000, 10)).Ttft)];
        Assert.True(first[1] > 1.05 * first[0] && first[2] > 1.15 * first[1] && first[3] > 1.15 * first[2], string.Join(' ', first));
    }

    [Fact]
    public void Few_places_are_waited_for_the_longer_the_fuller_they_are()
    {
        // Two H100s have room for 13 such requests: near the limit a request waits for one of them to end.
        var d = Serving.Deploy("llama-3.1-70b", "h100-sxm", tp: 2);
        var most = Serving.Predict(d, Open(1e6, 1024, 1024)).RequestsPerSecond;
        double[] waits = [.. new[] { 0.5, 0.7, 0.8, 0.9, 0.94 }.Select(share => Serving.Predict(d, Open(most * share, 1024, 1024)).Ttft)];
        for (var i = 1; i < waits.Length; i++)
            Assert.True(waits[i] > 1.3 * waits[i - 1], string.Join(' ', waits));
        Assert.InRange(waits[^1], 5, 40);
        Assert.True(Serving.Predict(d, Open(most * 0.97, 1024, 1024)) is { NearLimit: true, Saturated: false });
    }

    [Fact]
    public void All_at_once_yields_at_least_as_much_as_any_number_of_clients() => Cases.Check(100, dice =>
    {
        var (input, output) = (dice.Scale(32, 8000), dice.Scale(64, 2000));
        var d = Serving.DrawFitting(dice, input + output);
        foreach (var calibration in Serving.Both)
        {
            var load = Serving.Closed(0, input, output) with { Arrival = Arrival.Offline, Concurrency = null };
            var offline = Serving.Prepare(d, load);
            var rate = calibration.RateOf("offline") * calibration.Offline.Factor(offline.Traits);
            var most = Serving.Predict(offline, calibration).OutputTokensPerSecond / rate;
            foreach (var clients in new double[] { 1, 4, 16, 64, 256, 1024, 8192 })
            {
                var some = Serving.Predict(d, Serving.Closed(clients, input, output), calibration).OutputTokensPerSecond / calibration.RateOf("closed-loop");
                Assert.True(most >= some * (1 - 0.02), $"{Serving.Named(d)}, {input:F0} in, {output:F0} out: {most} tokens/s at once, {some} with {clients} clients");
            }
        }
    });

    [Fact]
    public void A_batch_of_prompts_alone_makes_no_further_tokens()
    {
        var d = Serving.Deploy("llama-3.1-8b", "h100-sxm");
        var batch = Serving.Closed(16, 1024, 128) with { Arrival = Arrival.StaticBatch };
        var (whole, prompts) = (Serving.Predict(d, batch), Serving.Predict(d, batch with { Arrival = Arrival.PrefillOnly }));
        Assert.True(whole.Tpot > 0);
        Assert.Equal(0, prompts.Tpot);
        Assert.Equal(whole.Ttft, prompts.Ttft);
        Assert.True(prompts.RequestsPerSecond > whole.RequestsPerSecond);
        Nearly.Equal(whole.Ttft + (127 * whole.Tpot), whole.EndToEnd);
    }

    private static Load Open(double rate, double input, double output) =>
        Serving.Closed(0, input, output) with { Arrival = Arrival.OpenLoop, Concurrency = null, RequestsPerSecond = rate };
}
