using TokenFactory.Performance;
using TokenFactory.Performance.Calibration;
using TokenFactory.Performance.SteadyState;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Tests.Performance.SteadyState;

/// <summary>A fixed number of clients: more of them never make tokens faster, and never yield more than Little's law lets them.</summary>
public sealed class ClosedLoopTests
{
    private static readonly double[] Clients = [1, 2, 3, 4, 6, 8, 12, 16, 32, 64, 100, 128, 256, 512, 1024, 4096];

    [Fact]
    public void More_concurrency_never_lowers_the_time_per_token() => Cases.Check(150, dice =>
    {
        var (input, output) = (dice.Scale(16, 20_000), dice.Scale(16, 4000));
        var d = Serving.DrawFitting(dice, input + output);
        foreach (var calibration in Serving.Both)
        {
            var last = 0.0;
            foreach (var clients in Clients)
            {
                var tpot = Serving.Predict(d, Serving.Closed(clients, input, output), calibration).Tpot;
                // Prompts beside many sequences find their experts read already; fitted factors may count that a little too high.
                Assert.True(
                    tpot >= last * (1 - 5e-3),
                    $"{Serving.Named(d)}, {input:F0} in, {output:F0} out, {clients} clients: {tpot * 1e3} ms after {last * 1e3}");
                last = Math.Max(last, tpot);
            }
        }
    });

    [Fact]
    public void Places_in_the_memory_bound_the_rate_however_many_wait() => Cases.Check(100, dice =>
    {
        var (input, output) = (dice.Scale(100, 60_000), dice.Scale(2, 500));
        var d = Serving.DrawFitting(dice, input + output) with { MaxSequences = dice.Whole(1, 8) };
        var rates = new[] { 1.0, 4, 32, 500 }
            .Select(times => Serving.Predict(d, Serving.Closed(times * d.MaxSequences!.Value, input, output)))
            .ToList();
        if (!rates.TrueForAll(p => p.Fits && p.Running >= p.Capacity))
            return;
        var least = d.MaxSequences!.Value / (rates[0].Ttft + ((output - 1) * rates[0].Tpot));
        Assert.All(rates, p => Assert.True(
            p.RequestsPerSecond <= least * 1.1, $"{Serving.Named(d)}: {p.RequestsPerSecond}/s through {d.MaxSequences} places that give {least}/s"));
    });

    [Fact]
    public void A_lone_users_tokens_take_the_same_time_however_many_there_are()
    {
        foreach (var (model, gpu, tp) in new[] { ("llama-3.1-8b", "h100-sxm", 1), ("deepseek-v3", "h200-sxm", 8), ("gpt-oss-120b", "mi300x", 1) })
        {
            var d = Serving.Deploy(model, gpu, NumberFormat.Fp8, tp);
            double[] each = [.. new[] { 2.0, 8, 64, 512 }.Select(output => Serving.Predict(d, Serving.Closed(1, 30_000 - (output / 2), output)).Tpot)];
            Assert.All(each, tpot => Nearly.Equal(each[0], tpot, 0.01));
        }
    }

    [Fact]
    public void Littles_law_bounds_requests() => Cases.Check(200, dice =>
    {
        var load = Serving.Closed(dice.Whole(1, 2000), dice.Scale(16, 20_000), dice.Scale(1, 4000));
        var d = Serving.DrawFitting(dice, load.InputTokens + load.OutputTokens);
        foreach (var calibration in Serving.Both)
        {
            var p = Serving.Predict(d, load, calibration);
            if (!p.Fits)
                continue;
            var rate = Math.Max(1, calibration.RateOf(Rates.Key(Arrival.ClosedLoop, load)));
            Assert.True(p.RequestsPerSecond * p.EndToEnd <= load.Concurrency * rate * (1 + 1e-9), $"{Serving.Named(d)}: {p}");
            Assert.True(p.Running <= Math.Min(load.Concurrency!.Value, p.Capacity) * (1 + 1e-9), $"{Serving.Named(d)}: {p}");
            Nearly.Equal(p.Ttft + ((load.OutputTokens - 1) * p.Tpot), p.EndToEnd);
            Nearly.Equal(p.RequestsPerSecond * load.OutputTokens, p.OutputTokensPerSecond);
            Nearly.Equal(p.RequestsPerSecond * (load.InputTokens + load.OutputTokens), p.TotalTokensPerSecond);
        }
    });

    [Fact]
    public void Every_number_is_finite_and_its_parts_sum_to_it() => Cases.Check(300, dice =>
    {
        var load = Serving.Closed(dice.Scale(0.5, 3000), dice.Scale(1, 50_000), dice.Scale(1, 8000)) with
        {
            CachedShare = dice.Chance(0.3) ? dice.Real(0, 1) : 0,
            RequestsPerClient = dice.Chance(0.5) ? 10 : double.PositiveInfinity,
        };
        var d = Serving.Draw(dice);
        foreach (var calibration in Serving.Both)
        {
            var p = Serving.Predict(d, load, calibration);
            double[] numbers = [p.Ttft, p.Tpot, p.EndToEnd, p.RequestsPerSecond, p.WattsPerGpu, p.MissingGibibytes, p.Running, p.JoulesPerOutputToken];
            Assert.All(numbers, number => Assert.True(double.IsFinite(number) && number >= 0, $"{Serving.Named(d)}: {p}"));
            Assert.Equal(p.Fits, p.MissingGibibytes == 0);
            if (!p.Fits)
                continue;
            Assert.True(p.Ttft > 0 && p.Tpot > 0 && p.OutputTokensPerSecond > 0, $"{Serving.Named(d)}: {p}");
            Nearly.Equal(p.Tpot, Enum.GetValues<StepTerm>().Sum(term => p.TokenTime[term]), 1e-9);
            Nearly.Equal(p.Ttft, Enum.GetValues<FirstTokenTerm>().Sum(term => p.FirstTokenTime[term]), 1e-9);
        }
    });

    [Theory]
    [InlineData(1, 0.9, 1.1)]
    [InlineData(256, 1.5, 2.1)]
    public void Two_stages_make_nearly_twice_the_tokens_of_one_where_they_are_kept_busy(double clients, double least, double most)
    {
        var load = Serving.Closed(clients, 512, 512);
        var one = Serving.Predict(Serving.Deploy("llama-3.1-70b", "h200-sxm", NumberFormat.Fp8, tp: 2), load);
        var two = Serving.Predict(Serving.Deploy("llama-3.1-70b", "h200-sxm", NumberFormat.Fp8, tp: 2, pp: 2), load);
        Assert.InRange(two.OutputTokensPerSecond / one.OutputTokensPerSecond, least, most);
    }

    [Fact]
    public void Twice_the_replicas_serve_twice_the_clients_as_fast() => Cases.Check(100, dice =>
    {
        var load = Serving.Closed(dice.Whole(1, 300), dice.Scale(64, 4000), dice.Scale(16, 1000));
        var d = Serving.DrawFitting(dice, load.InputTokens + load.OutputTokens);
        var one = Serving.Predict(d, load);
        var two = Serving.Predict(Serving.Prepare(d, load with { Concurrency = load.Concurrency * 2 }, 2));
        Nearly.Equal(one.Tpot, two.Tpot, 1e-9);
        Assert.Equal(2 * one.Gpus, two.Gpus);
        Assert.InRange(two.OutputTokensPerSecond, one.OutputTokensPerSecond, one.OutputTokensPerSecond * 2 * (1 + 1e-9));
    });

    [Fact]
    public void A_cached_prompt_is_never_slower() => Cases.Check(100, dice =>
    {
        var load = Serving.Closed(dice.Whole(1, 200), dice.Scale(64, 20_000), dice.Scale(16, 1000));
        var d = Serving.DrawFitting(dice, load.InputTokens + load.OutputTokens);
        var (fresh, cached) = (Serving.Predict(d, load), Serving.Predict(d, load with { CachedShare = dice.Real(0.5, 1) }));
        Assert.True(cached.Ttft <= fresh.Ttft * (1 + 1e-9), $"{Serving.Named(d)}: {cached.Ttft} s, without cache {fresh.Ttft} s");
        var (more, less) = (cached.OutputTokensPerSecond, fresh.OutputTokensPerSecond);
        Assert.True(more >= less * (1 - 1e-9), $"{Serving.Named(d)}: {more} tokens/s, without cache {less}");
    });

    [Fact]
    public void What_does_not_fit_says_how_much_is_missing()
    {
        var p = Serving.Predict(Serving.Deploy("deepseek-v3", "h100-sxm", NumberFormat.Fp8, tp: 8), Serving.Closed(8));
        Assert.False(p.Fits);
        Assert.InRange(p.MissingGibibytes, 5, 40); // 671 GB over eight GPUs of 72 usable GiB
        Assert.Equal(0, p.OutputTokensPerSecond);
        Assert.Equal(0, p.JoulesPerOutputToken);
    }
}
