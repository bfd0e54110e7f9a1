using TokenFactory.Economics;
using TokenFactory.Tests.Laws;
using TokenFactory.Units;

namespace TokenFactory.Tests.Economics;

/// <summary>Checkpoint intervals and the price of restarts against the worked checks of the economics notes.</summary>
public sealed class SpotCostTests
{
    [Theory]
    [InlineData(60, 2, 300, 890, 1.190)]
    [InlineData(60, 8, 300, 1819, 1.079)]
    [InlineData(20, 1, 240, 366, 1.190)]
    public void Daly(double writeSeconds, double meanHours, double restartSeconds, double interval, double wall)
    {
        var (checkpoint, mean) = (TimeSpan.FromSeconds(writeSeconds), TimeSpan.FromHours(meanHours));
        var daly = SpotCost.Daly(checkpoint, mean);
        Assert.Equal(interval, daly.TotalSeconds, 0.5);
        Assert.Equal(wall, SpotCost.WallTimePerWork(new SpotBehaviour(mean, TimeSpan.FromSeconds(restartSeconds)), checkpoint, daly), 0.0005);
    }

    [Fact]
    public void Young() =>
        Assert.Equal(Math.Sqrt(2 * 60 * 7200), SpotCost.Young(TimeSpan.FromSeconds(60), TimeSpan.FromHours(2)).TotalSeconds, 1e-6);

    [Fact]
    public void A_checkpoint_of_twice_the_mean_is_written_once_per_mean() =>
        Assert.Equal(TimeSpan.FromHours(1), SpotCost.Daly(TimeSpan.FromHours(2), TimeSpan.FromHours(1)));

    [Fact]
    public void A_batch_request_is_its_own_checkpoint()
    {
        var behaviour = new SpotBehaviour(TimeSpan.FromHours(2), TimeSpan.FromSeconds(300));
        Nearly.Equal(1 + (315.0 / 7200), SpotCost.WallTimePerWorkOfRequests(behaviour, TimeSpan.FromSeconds(60), new Fraction(0.5)));
    }

    [Fact]
    public void Restarts_are_in_the_effective_price() => Nearly.Equal(1.19, SpotCost.Effective(new UsdPerHour(1), 1.19).Value);
}
