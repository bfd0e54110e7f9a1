using TokenFactory.Performance;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Tests.Performance.SteadyState;

/// <summary>Speculative decoding: tokens per step, and what acceptance does to the time per token.</summary>
public sealed class SpeculationTests
{
    [Fact]
    public void Nothing_accepted_is_one_token_and_everything_the_draft_and_one_more() => Cases.Check(100, dice =>
    {
        var draft = dice.Whole(1, 16);
        Assert.Equal(1, new SpeculativeDecoding(draft, 0).TokensPerStep);
        Assert.Equal(draft + 1, new SpeculativeDecoding(draft, 1).TokensPerStep);
        Nearly.Equal(draft + 1, new SpeculativeDecoding(draft, 1 - 1e-9).TokensPerStep, 1e-6);
        var acceptance = dice.Real(0, 0.999);
        var sum = Enumerable.Range(0, draft + 1).Sum(i => Math.Pow(acceptance, i));
        Nearly.Equal(sum, new SpeculativeDecoding(draft, acceptance).TokensPerStep, 1e-9);
    });

    [Fact]
    public void Higher_acceptance_never_slows_tokens() => Cases.Check(200, dice =>
    {
        var load = Serving.Closed(dice.Scale(1, 1000), dice.Scale(32, 10_000), dice.Scale(16, 3000));
        var drawn = Serving.DrawFitting(dice, load.InputTokens + load.OutputTokens);
        var (draft, low) = (dice.Whole(1, 5), dice.Real(0, 1));
        var high = dice.Real(low, 1);
        foreach (var calibration in Serving.Both)
        {
            var (slow, fast) = (Tpot(low), Tpot(high));
            Assert.True(fast <= slow * (1 + 1e-9), $"{drawn.Model.Key} on {drawn.Gpu.Key} {drawn.Parallelism}: {slow} s at {low}, {fast} s at {high}");

            double Tpot(double acceptance) =>
                Serving.Predict(drawn with { Speculation = new SpeculativeDecoding(draft, acceptance) }, load, calibration).Tpot;
        }
    });

    [Fact]
    public void Guessing_wrong_costs_time_and_guessing_right_saves_it_in_small_batches()
    {
        var plain = Serving.Deploy("deepseek-v3", "h200-sxm", NumberFormat.Fp8, tp: 8);
        var load = Serving.Closed(4);
        foreach (var calibration in Serving.Both)
        {
            Assert.True(Tpot(0) > Serving.Predict(plain with { Speculation = null }, load, calibration).Tpot / 2);
            Assert.True(Tpot(0.8) < 0.75 * Tpot(0));

            double Tpot(double acceptance) =>
                Serving.Predict(plain with { Speculation = new SpeculativeDecoding(3, acceptance) }, load, calibration).Tpot;
        }
    }
}
