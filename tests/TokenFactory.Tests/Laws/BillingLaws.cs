using TokenFactory.Economics;
using TokenFactory.Units;

namespace TokenFactory.Tests.Laws;

/// <summary>
/// The billing split is the best there is. Prices and hours are multiples of 1/8, so that every sum is exact and equal means equal.
/// </summary>
public sealed class BillingLaws
{
    [Fact]
    public void No_single_commitment_of_any_level_beats_it() => Cases.Check(1000, dice =>
    {
        var demand = Curve(dice, 12, 20);
        var menu = Menu(dice, dice.Whole(1, 3));
        var best = BillingSplit.Best(demand, menu).Cost.Total.Value;
        var peak = (int)demand.Max(span => span.Gpus);
        foreach (var option in menu.Commitments)
        {
            for (var level = 0; level <= peak + 1; level++)
            {
                var single = BillingSplit.Cost(demand, menu, [new Committed(option, level)]).Total.Value;
                Assert.True(single >= best, $"{level} of {option} cost {single}, the best split {best}");
            }
        }
    });

    [Fact]
    public void It_costs_exactly_what_trying_every_combination_finds() => Cases.Check(600, dice =>
    {
        var demand = Curve(dice, 4, 3);
        var menu = Menu(dice, dice.Whole(2, 3));
        var plan = BillingSplit.Best(demand, menu);
        Assert.Equal(BruteForce(demand, menu), plan.Cost.Total.Value);
    });

    [Fact]
    public void Dispatch_costs_exactly_what_trying_every_dispatch_finds() => Cases.Check(300, dice =>
    {
        var demand = Curve(dice, 4, 4);
        var menu = Menu(dice, dice.Whole(1, 3));
        var gpus = menu.Commitments.Select(_ => dice.Whole(0, 4)).ToArray();
        var commitments = menu.Commitments.Select((option, k) => new Committed(option, gpus[k])).ToList();
        Assert.Equal(Tried(demand, menu, gpus), BillingSplit.Cost(demand, menu, dice.Shuffled(commitments)).Total.Value);
    });

    [Fact]
    public void The_plan_states_its_own_cost_and_serves_all_demand() => Cases.Check(500, dice =>
    {
        var (demand, menu) = (Curve(dice, 12, 20), Menu(dice, dice.Whole(0, 3)));
        var plan = BillingSplit.Best(demand, menu);
        Assert.Equal(BillingSplit.Cost(demand, menu, plan.Commitments), plan.Cost);
        Assert.Equal(
            demand.Sum(span => span.Hours * span.Gpus),
            plan.Cost.CommittedGpuHours + plan.Cost.OnDemandGpuHours + plan.Cost.SpotGpuHours);
        Assert.True(plan.CommittedGpus <= demand.Max(span => span.Gpus));
        Assert.All(plan.Commitments, committed => Assert.True(committed.Gpus > 0));
    });

    [Fact]
    public void Splitting_a_span_or_shuffling_the_spans_changes_nothing() => Cases.Check(500, dice =>
    {
        var (demand, menu) = (Curve(dice, 12, 20), Menu(dice, dice.Whole(0, 3)));
        var plan = BillingSplit.Best(demand, menu);
        var cut = dice.Whole(0, demand.Count - 1);
        var half = demand[cut] with { Hours = demand[cut].Hours / 2 };
        var others = demand.Where((_, i) => i != cut);
        var again = BillingSplit.Best(dice.Shuffled([.. others, half, half]), menu);
        Assert.Equal(plan.Commitments, again.Commitments);
        Assert.Equal(plan.Cost, again.Cost);
    });

    [Fact]
    public void Allowing_interruptions_never_costs_more() => Cases.Check(500, dice =>
    {
        var (demand, menu) = (Curve(dice, 12, 20), Menu(dice, dice.Whole(0, 3)));
        var relaxed = demand.Select(span =>
        {
            var moved = dice.Whole(0, (int)span.FirmGpus);
            return new Demand(span.Hours, span.FirmGpus - moved, span.InterruptibleGpus + moved);
        }).ToList();
        Assert.True(BillingSplit.Best(relaxed, menu).Cost.Total.Value <= BillingSplit.Best(demand, menu).Cost.Total.Value);
    });

    [Fact]
    public void Not_knowing_demand_never_pays_and_knowing_it_costs_nothing() => Cases.Check(300, dice =>
    {
        var (demand, menu) = (Curve(dice, 12, 20), Menu(dice, dice.Whole(1, 3)));
        var plan = BillingSplit.Best(demand, menu);
        var regrets = BillingSplit.Regret(demand, menu, plan, [-0.5, 0, 0.25, 1]);
        Assert.Equal([-0.5, 0, 0.25, 1], regrets.Select(regret => regret.Error));
        Assert.All(regrets, regret => Assert.True(regret.Regret.Value >= 0, $"{regret}"));
        Assert.Equal(0m, regrets[1].Regret.Value);
        Assert.Equal(plan.Cost.Total, regrets[1].Plan);
    });

    [Fact]
    public void One_commitment_goes_to_the_newsvendor_quantile() => Cases.Check(500, dice =>
    {
        var spans = dice.Many(2, 40, () => new Demand(1, dice.Whole(0, 1000), 0));
        var onDemand = new UsdPerHour(dice.Whole(2, 60) / 8.0);
        var reserved = onDemand * ((dice.Whole(0, spans.Count - 1) + 0.5) / spans.Count); // between two steps of the distribution
        var plan = BillingSplit.Best(spans, new PriceMenu(onDemand, null, [new Commitment("reserved", reserved, default)]));
        var quantile = BreakEven.CommitmentQuantile(reserved, onDemand).Value;
        var sorted = spans.Select(span => span.FirmGpus).Order().ToList();
        Assert.Equal(sorted[(int)Math.Ceiling(quantile * sorted.Count) - 1], plan.CommittedGpus);
    });

    [Fact]
    public void A_commitment_as_dear_as_on_demand_is_not_made() => Cases.Check(200, dice =>
    {
        var demand = Curve(dice, 6, 10);
        var onDemand = new UsdPerHour(dice.Whole(1, 40) / 8.0);
        var plan = BillingSplit.Best(demand, new PriceMenu(onDemand, null, [new Commitment("same", onDemand, default)]));
        Assert.Empty(plan.Commitments);
        Assert.Equal((decimal)(demand.Sum(span => span.Hours * span.Gpus) * onDemand.Value), plan.Cost.Total.Value);
    });

    private static List<Demand> Curve(Dice dice, int spans, int gpus) =>
        dice.Many(1, spans, () => new Demand(dice.Whole(1, 64) / 8.0, dice.Whole(0, gpus), dice.Chance(0.5) ? dice.Whole(0, gpus) : 0));

    private static PriceMenu Menu(Dice dice, int options)
    {
        var onDemand = dice.Whole(8, 40);
        var commitments = Enumerable.Range(0, options).Select(k =>
            new Commitment($"option {k}", Eighths(dice.Whole(0, onDemand)), Eighths(dice.Chance(0.4) ? 0 : dice.Whole(0, onDemand + 4)))).ToList();
        return new PriceMenu(Eighths(onDemand), dice.Chance(0.5) ? Eighths(dice.Whole(1, onDemand + 8)) : null, commitments);
    }

    private static UsdPerHour Eighths(int eighths) => new(eighths / 8.0);

    /// <summary>The least cost over every combination of whole commitments.</summary>
    private static decimal BruteForce(IReadOnlyList<Demand> demand, PriceMenu menu)
    {
        var peak = (int)demand.Max(span => span.Gpus);
        var gpus = new int[menu.Commitments.Count];
        var least = decimal.MaxValue;
        while (true)
        {
            least = Math.Min(least, Tried(demand, menu, gpus));
            var digit = 0;
            while (digit < gpus.Length && ++gpus[digit] > peak)
                gpus[digit++] = 0;
            if (digit == gpus.Length)
                return least;
        }
    }

    /// <summary>What is paid when every span tries every way to hand its work to the commitments.</summary>
    private static decimal Tried(IReadOnlyList<Demand> demand, PriceMenu menu, int[] gpus)
    {
        var total = 0m;
        foreach (var span in demand)
        {
            var committed = gpus.Select((count, k) => count * (decimal)menu.Commitments[k].Fixed.Value).Sum();
            total += (decimal)span.Hours * (committed + CheapestRest(menu, gpus, 0, (int)span.FirmGpus, (int)span.InterruptibleGpus));
        }

        return total;
    }

    private static decimal CheapestRest(PriceMenu menu, int[] gpus, int option, int firm, int interruptible)
    {
        var onDemand = (decimal)menu.OnDemand.Value;
        if (option == gpus.Length)
            return (firm * onDemand) + (interruptible * Math.Min(onDemand, menu.Spot is { } spot ? (decimal)spot.Value : onDemand));
        var least = decimal.MaxValue;
        for (var f = 0; f <= Math.Min(firm, gpus[option]); f++)
        {
            for (var i = 0; i <= Math.Min(interruptible, gpus[option] - f); i++)
            {
                var here = (f + i) * (decimal)menu.Commitments[option].WhileUsed.Value;
                least = Math.Min(least, here + CheapestRest(menu, gpus, option + 1, firm - f, interruptible - i));
            }
        }

        return least;
    }
}
