using TokenFactory.Gateway.Live;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Gateway.Tests.Live;

/// <summary>Bytes per token are learned, and what cannot be is not believed.</summary>
public sealed class TokenWidthTests
{
    [Fact]
    public void Four_before_any_and_what_was_seen_soon_after() => Cases.Check(100, dice =>
    {
        var width = new TokenWidth();
        Assert.Equal(4, width.BytesPerToken);
        var truth = dice.Real(1, 8);
        for (var i = 0; i < 200; i++)
        {
            var tokens = (long)dice.Scale(100, 100_000);
            width.Learn((long)(tokens * truth * dice.Real(0.9, 1.1)), tokens);
            if (dice.Chance(0.2))
                width.Learn(dice.Whole(0, 1) * long.MaxValue, dice.Whole(-5, 100)); // absurd
            if (dice.Chance(0.2))
                width.Learn(50, 1_000_000_000); // an image, say
        }

        Assert.InRange(width.BytesPerToken, truth * 0.93, truth * 1.07);
    });

    [Fact]
    public void A_change_of_traffic_is_learned_too()
    {
        var width = new TokenWidth();
        for (var i = 0; i < 10_000; i++)
            width.Learn(4000, 1000);
        for (var i = 0; i < 5_000; i++)
            width.Learn(2000, 1000);
        Assert.InRange(width.BytesPerToken, 2, 2.1);
    }
}
