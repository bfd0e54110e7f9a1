using TokenFactory.Planning.Mix;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Tests.Planning.Mix;

/// <summary>The mix against trying every number of replicas, each checked by a rule of its own and not by the programme.</summary>
public sealed class FleetMixLaws
{
    [Fact]
    public void A_mix_is_the_cheapest_of_all_numbers_of_replicas() => Cases.Check(1500, dice =>
    {
        var problem = MixCases.Draw(dice, 3, 2, rich: false);
        Agree(problem, MixReference.Least(problem));
    });

    [Fact]
    public void With_spot_and_spare_and_limits_too() => Cases.Check(2500, dice =>
    {
        var problem = MixCases.Draw(dice, 3, 2, rich: true);
        Agree(problem, MixReference.Least(problem));
    });

    [Fact]
    public void Pruned_and_whole_agree() => Cases.Check(2500, dice =>
    {
        var problem = MixCases.Draw(dice, 7, 4, rich: dice.Chance(0.7));
        var (pruned, whole) = (FleetMix.Solve(problem), FleetMix.Solve(problem, prune: false));
        Assert.Equal(whole.Found, pruned.Found);
        if (whole.Found)
            Assert.Equal(whole.Objective, pruned.Objective, 1e-6);
    });

    [Fact]
    public void An_answer_keeps_every_limit_and_serves_all() => Cases.Check(1500, dice =>
    {
        var problem = MixCases.Draw(dice, 6, 5, rich: true);
        if (FleetMix.Solve(problem) is not { Found: true } answer)
            return;
        Assert.True(answer.Bound <= answer.Objective + 1e-9 && answer.Proven);
        for (var i = 0; i < problem.Buckets.Count; i++)
        {
            var (bucket, served) = (problem.Buckets[i], answer.Assigned[i].Sum());
            Assert.True(served <= bucket.RequestsPerSecond + 1e-6);
            Assert.True(served >= bucket.RequestsPerSecond - 1e-6 || (bucket.MayBeRefused && problem.Objective == MixObjective.Profit));
        }

        for (var j = 0; j < problem.Options.Count; j++)
        {
            var option = problem.Options[j];
            var load = problem.Buckets.Select((_, i) => answer.Assigned[i][j] > 0 ? answer.Assigned[i][j] * option.Loads[i] : 0).Sum();
            Assert.True(load <= answer.Replicas[j] + 1e-6, $"{option.Name}: {load} on {answer.Replicas[j]}");
            Assert.InRange(answer.Replicas[j], option.Least, option.Most ?? int.MaxValue);
        }

        Assert.True(MixReference.Within(problem, [.. answer.Replicas]));
        Assert.Equal(problem.Objective switch
        {
            MixObjective.UsdPerHour => answer.UsdPerHour,
            MixObjective.Watts => answer.Watts,
            _ => answer.UsdPerHour - answer.RevenueUsdPerHour,
        }, answer.Objective, 1e-5);
    });

    [Fact]
    public void More_demand_or_a_dearer_price_never_costs_less_and_more_stock_never_more() => Cases.Check(800, dice =>
    {
        var problem = MixCases.Draw(dice, 5, 4, rich: true) with { Objective = MixObjective.UsdPerHour };
        if (FleetMix.Solve(problem) is not { Found: true } answer)
            return;
        var asked = FleetMix.Solve(problem.With(new MixLimit(MixLimitKind.Demand), 0.3));
        Assert.True(!asked.Found || asked.Objective >= answer.Objective - 1e-6);
        var dearer = FleetMix.Solve(problem with { MostUsdPerHour = null, Options = [.. problem.Options.Select(o => o with { UsdPerHour = o.UsdPerHour * 1.25 })] });
        Assert.True(dearer.Objective >= answer.Objective - 1e-6);
        foreach (var stock in problem.Stocks.Keys)
            Assert.True(FleetMix.Solve(problem.With(new MixLimit(MixLimitKind.Stock, stock), 2)).Objective <= answer.Objective + 1e-6);
    });

    [Fact]
    public void Each_relaxation_works_and_nothing_less_does() => Cases.Check(1200, dice =>
    {
        var problem = MixCases.Draw(dice, 4, 3, rich: true);
        var answer = FleetMix.Solve(problem);
        if (answer.Found)
            return;
        Assert.NotNull(answer.Infeasible);
        foreach (var relaxation in answer.Infeasible.Alone)
        {
            var (limit, by) = (relaxation.Limit, relaxation.By);
            var whole = limit.Kind is MixLimitKind.Stock or MixLimitKind.Gpus or MixLimitKind.Most;
            var (enough, little) = limit.Kind == MixLimitKind.Demand ? (-Math.Min(1, by + 1e-6), -(by * 0.98)) : whole ? (by, by - 1) : (by + 1e-6, by * 0.98);
            Assert.True(FleetMix.Solve(problem.With(limit, enough)).Found, $"{relaxation} does not help");
            Assert.False(FleetMix.Solve(problem.With(limit, little)).Found, $"{relaxation} is more than needed");
        }

        if (answer.Infeasible.Together.Count > 0)
            Assert.True(FleetMix.Solve(answer.Infeasible.Together.Aggregate(problem, (p, r) => p.With(r.Limit, r.By + 1e-6))).Found);
        Assert.True(answer.Infeasible.Hopeless.Count + answer.Infeasible.Alone.Count + answer.Infeasible.Together.Count > 0);
    });

    [Fact]
    public void Replicas_that_are_paid_anyway_are_used_first_and_no_more_than_needed()
    {
        MixOption Replica(string name, double dollars, double paid, int? most) => new()
        {
            Name = name,
            UsdPerHour = dollars,
            PaidUsdPerHour = paid,
            Loads = [0.5],
            Most = most,
        };
        MixAnswer At(double rate) => FleetMix.Solve(new MixProblem
        {
            Options = [Replica("sunk", 0, 8, 4), Replica("on-demand", 10, 10, null)],
            Buckets = [new MixBucket { Name = "all", RequestsPerSecond = rate }],
        });
        Assert.Equal([3, 0], At(5).Replicas);
        Assert.Equal((0, 24), (At(5).UsdPerHour, At(5).PaidUsdPerHour));
        Assert.Equal([4, 1], At(9).Replicas);
    }

    [Fact]
    public void Many_replicas_of_one_pool_fail_as_one()
    {
        MixProblem With(double tolerated, params string[] pools) => new()
        {
            Options =
            [
                new MixOption { Name = "firm", UsdPerHour = 10, Loads = [0.25] },
                .. pools.Select(pool => new MixOption
                {
                    Name = pool, UsdPerHour = 2, Loads = [0.25], Interruptible = true, Pool = pool, Unavailable = 0.1,
                }),
            ],
            Buckets = [new MixBucket { Name = "all", RequestsPerSecond = 8, LostTolerated = tolerated }],
        };
        Assert.Equal([0, 2], FleetMix.Solve(With(0.1, "a")).Replicas); // gone no more often than is tolerated
        Assert.Equal([2, 0], FleetMix.Solve(With(0.01, "a")).Replicas); // spot would come on top
        Assert.Equal([0, 2, 2], FleetMix.Solve(With(0.01, "a", "b")).Replicas); // each carries all when the other is gone
        Assert.Equal([0, 1, 1, 1], FleetMix.Solve(With(0.01, "a", "b", "c")).Replicas);
    }

    [Fact]
    public void Work_without_a_promise_runs_on_the_spare_replica()
    {
        MixAnswer With(params MixBucket[] buckets) => FleetMix.Solve(new MixProblem
        {
            Options = [new MixOption { Name = "only", UsdPerHour = 10, Loads = [.. buckets.Select(_ => 0.5)] }],
            Buckets = buckets,
            Spare = 1,
        });
        var chat = new MixBucket { Name = "chat", RequestsPerSecond = 4 };
        var batch = new MixBucket { Name = "batch", RequestsPerSecond = 2, LostTolerated = 1 };
        Assert.Equal([3], With(chat).Replicas);
        Assert.Equal([3], With(chat, batch).Replicas);
        Assert.Equal([1], With(batch).Replicas);
    }

    [Fact]
    public void What_stands_in_the_way_is_named()
    {
        var problem = new MixProblem
        {
            Options = [new MixOption { Name = "h100", Gpus = 2, UsdPerHour = 6, Watts = 1400, Loads = [0.5, MixCases.Never], Draws = new Dictionary<string, int> { ["h100"] = 2 } }],
            Buckets = [new MixBucket { Name = "chat", RequestsPerSecond = 5 }, new MixBucket { Name = "long" }],
            Stocks = new Dictionary<string, int> { ["h100"] = 4 },
            MostWatts = 10_000,
        };
        var why = FleetMix.Solve(problem).Infeasible;
        Assert.NotNull(why);
        Assert.Equal(new MixRelaxation(new MixLimit(MixLimitKind.Stock, "h100"), 2, true), Assert.Single(why.Alone, r => r.Limit.Kind == MixLimitKind.Stock));
        Assert.Equal(0.2, Assert.Single(why.Alone, r => r.Limit.Kind == MixLimitKind.Demand).By, 1e-6);
        var tight = FleetMix.Solve(problem with { MostWatts = 2800 }).Infeasible;
        Assert.Equal([(MixLimitKind.Stock, 2), (MixLimitKind.Watts, 1400)], tight!.Together.Select(r => (r.Limit.Kind, (int)Math.Round(r.By))));
        var hopeless = FleetMix.Solve(problem with { Buckets = [problem.Buckets[0], problem.Buckets[1] with { RequestsPerSecond = 1 }] });
        Assert.Equal([new MixLimit(MixLimitKind.Promise, "long")], hopeless.Infeasible!.Hopeless);
        var enough = FleetMix.Solve(problem with { Stocks = new Dictionary<string, int> { ["h100"] = 6 } });
        Assert.Contains(new MixLimit(MixLimitKind.Stock, "h100"), enough.Binding);
    }

    private static void Agree(MixProblem problem, double best)
    {
        var answer = FleetMix.Solve(problem);
        Assert.Equal(double.IsFinite(best), answer.Found);
        if (answer.Found)
            Assert.Equal(best, answer.Objective, 1e-6);
    }
}
