using TokenFactory.Catalog;
using TokenFactory.Performance.SteadyState;
using TokenFactory.Planning;
using TokenFactory.Planning.Explain;

namespace TokenFactory.Tests.Planning;

/// <summary>Plans: kept in the twin, as small as that allows, within every limit, and honest where there is none.</summary>
public sealed class PlannerTests
{
    private static PlanAnswer Solve(PlanAsk ask) => new Planner(Asks.Knowledge).Solve(ask);

    [Fact]
    public void The_plan_keeps_every_promise_in_the_twin_and_one_replica_less_does_not()
    {
        var answer = Solve(Asks.Plain with { Services = [Asks.Service(rate: 60)], Supplies = [Asks.Supply("l40s", 0.8)] });
        var best = answer.Best!;
        Assert.True(best.Kept);
        Assert.All(best.Runs.SelectMany(run => run.Promises), promise => Assert.True(promise.Seconds <= promise.Promised));
        Assert.Equal(2000, best.Runs[0].Report.Requests.Requests.Completed);
        var smaller = answer.Ask with { Limits = new PlanLimits { Gpus = best.Gpus - 1 } };
        Assert.True(Solve(smaller).Best is not { } less || less.MarginalUsdPerHour >= best.MarginalUsdPerHour);
    }

    [Fact]
    public void The_same_ask_gives_the_same_plan()
    {
        var (one, other) = (Solve(Asks.Plain), Solve(Asks.Plain));
        Assert.Equal(one.Best!.Design.Pools.Select(Told), other.Best!.Design.Pools.Select(Told));
        Assert.Equal(one.Finalists.Select(fleet => fleet.MeanWatts), other.Finalists.Select(fleet => fleet.MeanWatts));

        static string Told(PlannedPool pool) => $"{pool.Order.Name} {pool.Order.Replicas} {pool.Order.Deployment.Parallelism} {pool.Order.Deployment.TokenBudget}";
    }

    [Theory]
    [InlineData(Obstacle.Budget)]
    [InlineData(Obstacle.Power)]
    [InlineData(Obstacle.Stock)]
    public void A_limit_that_forbids_every_fleet_is_named_with_the_least_that_works(Obstacle obstacle)
    {
        var plain = Asks.Plain with { Services = [Asks.Service(rate: 100)], TwinRequests = 0 };
        var tight = obstacle switch
        {
            Obstacle.Budget => plain with { Limits = new PlanLimits { UsdPerMonth = 200 } },
            Obstacle.Power => plain with { Limits = new PlanLimits { FacilityWatts = 100 } },
            _ => plain with { Supplies = [Asks.Supply("l40s", 0.8, stock: 1)] },
        };
        var answer = Solve(tight);
        Assert.Null(answer.Best);
        var why = Assert.Single(answer.Infeasible, one => one.Obstacle == obstacle);
        Assert.True(why.Needed > why.Given);
        var enough = obstacle switch
        {
            Obstacle.Budget => tight with { Limits = new PlanLimits { UsdPerMonth = why.Needed * 1.0001 } },
            Obstacle.Power => tight with { Limits = new PlanLimits { FacilityWatts = why.Needed * 1.0001 } },
            _ => tight with { Supplies = [Asks.Supply("l40s", 0.8, stock: (int)why.Needed!.Value)] },
        };
        Assert.NotNull(Solve(enough).Best);
    }

    [Fact]
    public void A_promise_that_nothing_keeps_is_named_with_the_least_time_that_is_kept()
    {
        var answer = Solve(Asks.Plain with { Services = [Asks.Service(targets: new LatencyTargets { Ttft = 0.8, Tpot = 0.0005 })] });
        Assert.Null(answer.Best);
        var why = Assert.Single(answer.Infeasible);
        Assert.Equal((Obstacle.Tpot, "chat"), (why.Obstacle, why.Class));
        var kept = new LatencyTargets { Ttft = 0.8, Tpot = why.Needed * 1.02 };
        Assert.DoesNotContain(Solve(Asks.Plain with { Services = [Asks.Service(rate: 1, targets: kept)], TwinRequests = 0 }).Infeasible, one => one.Obstacle == Obstacle.Tpot);
    }

    [Fact]
    public void A_model_that_fits_nowhere_is_said()
    {
        var answer = Solve(Asks.Plain with { Services = [Asks.Service("llama-3.1-405b")], Supplies = [Asks.Supply("l40s", 0.8)] });
        Assert.Equal(Obstacle.Memory, Assert.Single(answer.Infeasible).Obstacle);
    }

    [Fact]
    public void Whole_machines_are_paid_for()
    {
        var eight = Asks.Supply("h100-sxm", 2) with { GpusPerInstance = 8, GpusPerMachine = 8 };
        var best = Solve(Asks.Plain with { Supplies = [eight] }).Best!;
        Assert.Equal(Math.Ceiling(best.Gpus / 8.0) * 16, best.PaidUsdPerHour, 9);
    }

    [Fact]
    public void What_is_bought_already_is_used_before_more_is_bought()
    {
        var owned = Asks.Supply("l40s", 1, Billing.Owned, stock: 4) with { Sunk = true };
        var best = Solve(Asks.Plain with { Supplies = [owned, .. Asks.Plain.Supplies], Services = [Asks.Service(rate: 5)] }).Best!;
        Assert.Equal(0, best.MarginalUsdPerHour);
        Assert.All(best.Bought, one => Assert.True(one.Supply.Sunk));
    }

    [Fact]
    public void Offers_that_share_a_stock_take_from_the_same_GPUs()
    {
        Supply Offer(string provider, int machine) => Asks.Supply("h100-sxm", 2, stock: 8) with
        {
            Provider = provider,
            StockKey = "h100-sxm",
            GpusPerInstance = machine,
            GpusPerMachine = machine,
        };
        var ask = Asks.Plain with
        {
            Services = [Asks.Service("llama-3.1-70b", rate: 60)],
            Supplies = [Offer("one", 8), Offer("other", 2), Offer("third", 4)],
            TwinRequests = 0,
        };
        var answer = Solve(ask);
        Assert.Null(answer.Best);
        var why = Assert.Single(answer.Infeasible, one => one.Obstacle == Obstacle.Stock);
        Assert.Equal(("h100-sxm", 8), (why.On, (int)why.Given));
        var enough = Solve(ask with { Supplies = [.. ask.Supplies.Select(supply => supply with { Stock = (int)why.Needed!.Value })] });
        Assert.InRange(enough.Best!.Bought.Sum(one => one.Paid), 9, (int)why.Needed!.Value);
    }

    [Fact]
    public void Cheap_GPUs_that_are_few_are_used_before_dear_ones()
    {
        var few = Asks.Supply("l40s", 0.4, stock: 2);
        var best = Solve(Asks.Plain with { Services = [Asks.Service(rate: 60)], Supplies = [few, Asks.Supply("l40s", 0.8) with { Offered = "#2" }] }).Best!;
        Assert.Equal(2, best.Bought.Single(one => one.Supply == few).Used);
        Assert.True(best.Gpus > 2);
    }

    [Fact]
    public void Spot_that_is_gone_more_often_than_promises_tolerate_carries_only_batch_work()
    {
        var spot = Asks.Supply("l40s", 0.1, Billing.Spot) with { Unavailable = 0.1, WallTimePerWork = 1.05 };
        var best = Solve(Asks.Plain with { Supplies = [spot, Asks.Supply("l40s", 0.8)] }).Best!;
        Assert.True(best.Bought.Where(one => one.Supply.Billing == Billing.OnDemand).Sum(one => one.Used) > 0);
        var batch = Asks.Service() with { Promises = [new Promise("chat")] };
        var cheap = Solve(Asks.Plain with { Supplies = [spot, Asks.Supply("l40s", 0.8)], Services = [batch] }).Best!;
        Assert.All(cheap.Bought, one => Assert.Equal(Billing.Spot, one.Supply.Billing));
    }

    [Fact]
    public void A_spare_replica_is_beyond_what_the_twin_needs()
    {
        var ask = Asks.Plain with { Supplies = [Asks.Supply("l40s", 0.8)] };
        var (without, with) = (Solve(ask).Best!, Solve(ask with { Spare = 1 }).Best!);
        Assert.True(with.Gpus > without.Gpus);
        Assert.True(with.Proven.Gpus < with.Gpus);
        Assert.True(with.Kept);
    }

    [Fact]
    public void Two_services_share_a_stock()
    {
        var one = Asks.Service(rate: 10) with { Name = "one" };
        var other = Asks.Service("qwen3-30b-a3b", rate: 5) with { Name = "other" };
        var answer = Solve(Asks.Plain with { Services = [one, other], Supplies = [Asks.Supply("h100-sxm", 2, stock: 3), Asks.Supply("h200-sxm", 4)] });
        var best = answer.Best!;
        Assert.True(best.Kept);
        Assert.Equal(["one", "other"], best.Design.Pools.Select(pool => pool.Service).Distinct().Order());
        Assert.True(best.Bought.Where(bought => bought.Supply.Gpu.Key == "h100-sxm").Sum(bought => bought.Used) <= 3);
    }

    [Fact]
    public void Fewer_watts_are_found_where_watts_are_asked_for()
    {
        var ask = Asks.Plain with { Services = [Asks.Service(rate: 40)] };
        var (cost, watts) = (Solve(ask).Best!, Solve(ask with { Objective = PlanObjective.TokensPerWatt }).Best!);
        Assert.True(watts.MeanWatts <= cost.MeanWatts * 1.0001);
        Assert.True(cost.MarginalUsdPerHour <= watts.MarginalUsdPerHour * 1.0001);
    }

    [Fact]
    public void Power_goes_to_the_service_that_earns_most_with_it()
    {
        PlanService Selling(string name, double usd) => Asks.Service() with
        {
            Name = name,
            Unlimited = true,
            Promises = [new Promise("chat") { Targets = new LatencyTargets { Ttft = 1, Tpot = 0.03 }, UsdPerMillionOutput = usd }],
        };
        var answer = Solve(Asks.Plain with
        {
            Objective = PlanObjective.Profit,
            Services = [Selling("cheap", 0.5), Selling("dear", 5)],
            Limits = new PlanLimits { FacilityWatts = 20_000 },
            TwinRequests = 0,
        });
        var best = answer.Best!;
        Assert.All(best.Design.Pools, pool => Assert.Equal("dear", pool.Service));
        Assert.InRange(best.FullWatts, 17_000, 20_000);
    }

    [Fact]
    public void An_explanation_asks_about_every_promise_and_alternative_and_never_regrets_the_best()
    {
        var answer = Solve(Asks.Plain with { Services = [Asks.Service(rate: 60)] });
        var why = new Explainer(Asks.Knowledge).Of(answer, new ExplainOptions());
        Assert.Equal(4, why.Answers.Count(one => one.WhatIf.Kind == WhatIfKind.Promise));
        Assert.All(why.Answers.Where(one => one.WhatIf.Kind == WhatIfKind.Promise && one.WhatIf.To > one.WhatIf.From), one => Assert.True(one.Change <= 1e-9, one.WhatIf.Subject));
        Assert.Contains(why.Answers, one => one.WhatIf is { Kind: WhatIfKind.Precision, Subject: "bf16" });
        for (var i = 0; i < why.Scenarios.Count; i++)
            Assert.Contains(why.Regrets, row => row.Regrets[i] == 0);
    }
}
