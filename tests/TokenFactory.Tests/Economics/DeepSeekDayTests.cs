using TokenFactory.Economics;
using TokenFactory.Tests.Laws;
using TokenFactory.Units;

namespace TokenFactory.Tests.Economics;

/// <summary>
/// The day of 27 February 2025 that DeepSeek published: 226.75 nodes of 8 GPUs at $2, 608 billion input tokens of which 342 billion from
/// the cache, 168 billion output tokens. They state the totals to the billion, hence $562.1 thousand of revenue.
/// </summary>
public sealed class DeepSeekDayTests
{
    private const double Gpus = 226.75 * 8;
    private static readonly TimeSpan Day = TimeSpan.FromHours(24);
    private static readonly Tokens Cached = new(342_000_000_000);
    private static readonly Tokens Fresh = new(608_000_000_000 - 342_000_000_000);
    private static readonly Tokens Output = new(168_000_000_000);
    private static readonly UsdPerHour Price = new(2);

    private static Usd Paid => Price * Gpus * Day;

    private static Usd Taken =>
        (new UsdPerMillionTokens(0.14) * Cached) + (new UsdPerMillionTokens(0.55) * Fresh) + (new UsdPerMillionTokens(2.19) * Output);

    [Fact]
    public void Cost_of_the_day() => Assert.Equal(87_072m, Paid.Value);

    [Fact]
    public void Revenue_of_the_day() => Assert.Equal(562_100m, Taken.Value);

    [Fact]
    public void Margins()
    {
        var day = new Earnings(Taken, Paid);
        Assert.Equal(0.845, day.GrossMargin!.Value, 0.0005);
        Assert.Equal(5.45, (double)(day.Profit.Value / day.Cost.Value), 0.01); // "545 %" over cost
    }

    [Fact]
    public void Tokens_per_gpu()
    {
        Assert.Equal(4951, PerGpu(Cached + Fresh + Output).Value, 0.5);
        Assert.Equal(1072, PerGpu(Output).Value, 0.5);
    }

    [Fact]
    public void Cost_per_million()
    {
        Assert.Equal(0.112, TokenCost.Blended(Price, PerGpu(Cached + Fresh + Output)).Value, 0.0005);
        Assert.Equal(0.518, TokenCost.Blended(Price, PerGpu(Output)).Value, 0.0005);
    }

    [Fact]
    public void Rates_give_the_same_margin_as_totals()
    {
        SoldTokens[] streams =
        [
            new(PerGpu(Cached), new UsdPerMillionTokens(0.14)), new(PerGpu(Fresh), new UsdPerMillionTokens(0.55)), new(PerGpu(Output), new UsdPerMillionTokens(2.19)),
        ];
        var margin = Revenue.GrossMargin(Revenue.PerGpuHour(streams, Fraction.All, Fraction.All), Price);
        Nearly.Equal(new Earnings(Taken, Paid).GrossMargin!.Value, margin!.Value, 1e-9);
    }

    private static TokensPerSecond PerGpu(Tokens tokens) => new(tokens.Value / (Gpus * Day.TotalSeconds));
}
