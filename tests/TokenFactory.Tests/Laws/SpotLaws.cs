using TokenFactory.Economics;
using TokenFactory.Units;

namespace TokenFactory.Tests.Laws;

/// <summary>Preemptible capacity: work takes at least its own time, and Daly's interval is as good as the best.</summary>
public sealed class SpotLaws
{
    [Fact]
    public void Work_takes_at_least_its_own_time() => Cases.Check(1000, dice =>
    {
        var (behaviour, checkpoint) = Drawn(dice);
        var interval = TimeSpan.FromSeconds(dice.Scale(10, 1e5));
        var wall = SpotCost.WallTimePerWork(behaviour, checkpoint, interval);
        Assert.True(wall >= 1, $"{wall}");
        var requests = SpotCost.WallTimePerWorkOfRequests(behaviour, interval, new Fraction(dice.Real(0, 1)));
        Assert.True(requests >= 1, $"{requests}");
    });

    [Fact]
    public void Daly_is_within_one_percent_of_the_best_interval() => Cases.Check(500, dice =>
    {
        var (behaviour, checkpoint) = Drawn(dice);
        var atDaly = SpotCost.WallTimePerWork(behaviour, checkpoint, SpotCost.Daly(checkpoint, behaviour.MeanToPreemption));
        var best = Enumerable.Range(0, 4000)
            .Select(i => TimeSpan.FromSeconds(behaviour.MeanToPreemption.TotalSeconds * Math.Pow(10, -4 + (i / 800.0))))
            .Min(interval => SpotCost.WallTimePerWork(behaviour, checkpoint, interval));
        Assert.True(atDaly <= best * 1.01, $"at Daly {atDaly}, best {best}");
    });

    [Fact]
    public void Longer_restarts_and_writes_cost_more_and_calmer_spot_less() => Cases.Check(300, dice =>
    {
        var (behaviour, checkpoint) = Drawn(dice);
        var interval = SpotCost.Young(checkpoint, behaviour.MeanToPreemption);
        var wall = SpotCost.WallTimePerWork(behaviour, checkpoint, interval);
        Assert.True(wall < SpotCost.WallTimePerWork(behaviour with { Restart = behaviour.Restart + TimeSpan.FromMinutes(1) }, checkpoint, interval));
        Assert.True(wall < SpotCost.WallTimePerWork(behaviour, checkpoint + TimeSpan.FromSeconds(10), interval));
        Assert.True(wall > SpotCost.WallTimePerWork(behaviour with { MeanToPreemption = behaviour.MeanToPreemption * 2 }, checkpoint, interval));
    });

    /// <summary>From calm spot to one whose checkpoints take a quarter of its life.</summary>
    private static (SpotBehaviour Behaviour, TimeSpan Checkpoint) Drawn(Dice dice)
    {
        var mean = dice.Scale(900, 1e7);
        return (
            new SpotBehaviour(TimeSpan.FromSeconds(mean), TimeSpan.FromSeconds(dice.Real(0, 1800))),
            TimeSpan.FromSeconds(mean * dice.Scale(1e-5, 0.25)));
    }
}
