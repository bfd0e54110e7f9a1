using TokenFactory.Performance;
using TokenFactory.Performance.SteadyState;
using TokenFactory.Planning;
using TokenFactory.Tests.Laws;
using TokenFactory.Tests.Performance;
using TokenFactory.Units;

namespace TokenFactory.Tests.Planning;

/// <summary>What holds for every search: bounds lose no winner, limits are limits, more promises never serve more.</summary>
public sealed class SearchLaws
{
    [Fact]
    public void Pruned_and_whole_searches_find_fleets_of_the_same_cost() => Cases.Check(12, dice =>
    {
        var ask = Asks.Draw(dice);
        var pruned = new Planner(Asks.Knowledge).Solve(ask);
        var whole = new Planner(Asks.Knowledge).Solve(ask with { Prunes = false });
        Assert.Equal(whole.Best is null, pruned.Best is null);
        if (whole.Best is { } best)
            Assert.True(pruned.Best!.MarginalUsdPerHour <= best.MarginalUsdPerHour * (1 + 1e-9), $"{pruned.Best.MarginalUsdPerHour} above {best.MarginalUsdPerHour}");
    });

    /// <summary>A pool of prompts needs one of answers that reads its caches: bounds must leave both halves of a pair.</summary>
    [Fact]
    public void Bounds_leave_pairs_of_pools_whole() => Cases.Check(12, dice =>
    {
        var drawn = Asks.Draw(dice);
        var ask = drawn with
        {
            Services = [drawn.Services[0] with { Space = drawn.Services[0].Space with { Aggregated = false, Disaggregated = true, KvCache = [NumberFormat.Bf16, NumberFormat.Fp8] } }],
        };
        var (pruned, whole) = (new Planner(Asks.Knowledge).Solve(ask), new Planner(Asks.Knowledge).Solve(ask with { Prunes = false }));
        Assert.Equal(whole.Best is null, pruned.Best is null);
        if (whole.Best is { } best)
            Assert.True(pruned.Best!.MarginalUsdPerHour <= best.MarginalUsdPerHour * (1 + 1e-9), $"{pruned.Best.MarginalUsdPerHour} above {best.MarginalUsdPerHour}");
    });

    [Fact]
    public void A_rate_keeps_its_promises_and_a_little_more_breaks_one() => Cases.Check(40, dice =>
    {
        var (prepared, targets) = (Draw(dice), Targets(dice));
        var limit = RateLimit.Of(prepared, Serving.Shipped, targets);
        if (!limit.Possible)
            return;
        Assert.True(Keeps(limit.At, prepared, targets), $"{limit.Bound}");
        Assert.True(limit.RequestsPerSecond <= RateLimit.Ceiling(prepared, Serving.Shipped) * (1 + 1e-9) / 1, "beyond the ceiling");
    });

    [Fact]
    public void Looser_promises_never_serve_less() => Cases.Check(40, dice =>
    {
        var (prepared, targets) = (Draw(dice), Targets(dice));
        var looser = targets with { Ttft = targets.Ttft * dice.Real(1, 3), Tpot = targets.Tpot * dice.Real(1, 3), EndToEnd = targets.EndToEnd * dice.Real(1, 3) };
        var (tight, loose) = (RateLimit.Of(prepared, Serving.Shipped, targets), RateLimit.Of(prepared, Serving.Shipped, looser));
        Assert.True(loose.RequestsPerSecond >= tight.RequestsPerSecond * 0.97, $"{loose.RequestsPerSecond} below {tight.RequestsPerSecond}");
    });

    [Fact]
    public void Dearer_GPUs_never_make_a_plan_cheaper() => Cases.Check(10, dice =>
    {
        var ask = Asks.Draw(dice);
        var dearer = ask with { Supplies = [.. ask.Supplies.Select((supply, i) => i > 0 ? supply : supply with { PerGpu = supply.PerGpu.Select(usd => new UsdPerHour(usd.Value * 1.5)) })] };
        var (before, after) = (new Planner(Asks.Knowledge).Solve(ask).Best, new Planner(Asks.Knowledge).Solve(dearer).Best);
        if (before is not null)
            Assert.True(after!.MarginalUsdPerHour >= before.MarginalUsdPerHour * (1 - 1e-4));
    });

    private static LatencyTargets Targets(Dice dice) => new()
    {
        Ttft = dice.Chance(0.7) ? dice.Scale(0.1, 10) : null,
        Tpot = dice.Chance(0.7) ? dice.Scale(0.005, 0.2) : null,
        EndToEnd = dice.Chance(0.3) ? dice.Scale(1, 100) : null,
    };

    private static Prepared Draw(Dice dice)
    {
        var load = new Load
        {
            Arrival = Arrival.OpenLoop,
            InputTokens = dice.Scale(16, 8000),
            OutputTokens = dice.Scale(1, 1000),
            CachedShare = dice.Chance(0.3) ? dice.Real(0, 0.9) : 0,
        };
        return Serving.Prepare(Serving.DrawFitting(dice, load.InputTokens + load.OutputTokens), load);
    }

    private static bool Keeps(Prediction at, Prepared prepared, LatencyTargets targets)
    {
        var (first, each) = (Percentiles.OfFirstToken(at, Arrival.OpenLoop), Percentiles.OfTokenTime(at, prepared));
        var whole = Percentiles.OfAnswer(at, first, each, prepared.Scenario.Load.OutputTokens);
        return !(first.At(targets.TtftShare) > targets.Ttft) && !(each.At(targets.TpotShare) > targets.Tpot)
            && !(whole.At(targets.EndToEndShare) > targets.EndToEnd);
    }
}
