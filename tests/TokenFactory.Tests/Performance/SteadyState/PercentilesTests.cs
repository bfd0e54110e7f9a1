using TokenFactory.Performance;
using TokenFactory.Performance.Calibration;
using TokenFactory.Performance.SteadyState;

namespace TokenFactory.Tests.Performance.SteadyState;

/// <summary>Percentiles estimated from the closed form.</summary>
public sealed class PercentilesTests
{
    [Theory]
    [InlineData(0.01)]
    [InlineData(0.3)]
    [InlineData(1)]
    public void Rise_and_stay_at_or_above_a_step_without_prompts(double share)
    {
        var prediction = Tokens(decode: 0.020, prompts: 0.005, share);
        var at = Percentiles.OfTokenTime(prediction, outputTokens: 256, tokensPerStep: 1);
        Assert.True(at.P50 <= at.P90 && at.P90 <= at.P99);
        Assert.True(at.P50 >= 0.020);
        Assert.Equal(prediction.Tpot, at.P50, 12);
    }

    [Fact]
    public void Are_the_mean_where_no_prompt_falls_between()
    {
        var prediction = Tokens(decode: 0.020, prompts: 0, share: 0);
        Assert.Equal(new Percentiles(prediction.Tpot, prediction.Tpot, prediction.Tpot, prediction.Tpot), Percentiles.OfTokenTime(prediction, 256, 1));
    }

    [Fact]
    public void Come_closer_to_the_mean_the_longer_the_answer()
    {
        var prediction = Tokens(decode: 0.020, prompts: 0.005, share: 0.1);
        var (brief, lengthy) = (Percentiles.OfTokenTime(prediction, 64, 1), Percentiles.OfTokenTime(prediction, 4096, 1));
        Assert.True(lengthy.P99 < brief.P99);
    }

    [Fact]
    public void Of_first_tokens_rise_and_are_the_mean_where_nothing_waits()
    {
        var own = default(FirstTokenTerms);
        own[FirstTokenTerm.Own] = 0.2;
        var alone = new Prediction { Fits = true, Ttft = 0.2, FirstTokenTime = own };
        Assert.Equal(new Percentiles(0.2, 0.2, 0.2, 0.2), Percentiles.OfFirstToken(alone, Arrival.OpenLoop));
        own[FirstTokenTerm.Queue] = 0.1;
        var queued = alone with { Ttft = 0.3, FirstTokenTime = own };
        var at = Percentiles.OfFirstToken(queued, Arrival.OpenLoop);
        Assert.True(at.P50 > 0.2 && at.P50 < 0.3 && at.P90 > 0.3 && at.P99 > at.P90);
        Assert.Equal(new Percentiles(0.3, 0.3, 0.3, 0.3), Percentiles.OfFirstToken(queued, Arrival.ClosedLoop));
    }

    private static Prediction Tokens(double decode, double prompts, double share)
    {
        var terms = default(StepTerms);
        terms[StepTerm.DecodeGemm] = decode;
        terms[StepTerm.PrefillGemm] = prompts;
        return new Prediction { Fits = true, Tpot = decode + prompts, TokenTime = terms, PrefillShare = share };
    }
}
