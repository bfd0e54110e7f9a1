using TokenFactory.Economics;
using TokenFactory.Units;

namespace TokenFactory.Tests.Laws;

/// <summary>What must hold of cost per token whatever the numbers.</summary>
public sealed class TokenCostLaws
{
    [Fact]
    public void The_split_by_class_sums_to_the_price() => Cases.Check(1000, dice =>
    {
        var price = new UsdPerHour(dice.Scale(0.01, 100));
        var streams = new TokenStreams(Stream(dice), Stream(dice), new TokensPerSecond(dice.Scale(0.1, 1e5)));
        var split = TokenCost.Split(price, streams, Share(dice), Share(dice));
        var paid = (streams.FreshInput * split.FreshInput) + (streams.CachedInput * split.CachedInput) + (streams.Output * split.Output);
        Nearly.Equal(price.Value, paid.Value, 1e-12);
    });

    [Fact]
    public void A_cached_token_costs_its_weight_of_a_fresh_one() => Cases.Check(300, dice =>
    {
        var weight = Share(dice);
        var streams = new TokenStreams(new TokensPerSecond(dice.Scale(1, 1e4)), Stream(dice), new TokensPerSecond(dice.Scale(1, 1e4)));
        var split = TokenCost.Split(new UsdPerHour(dice.Scale(0.1, 10)), streams, Share(dice), weight);
        Nearly.Equal(split.FreshInput.Value * weight.Value, split.CachedInput.Value);
    });

    [Fact]
    public void An_amount_is_apportioned_to_the_last_digit() => Cases.Check(1000, dice =>
    {
        var total = new Usd(dice.Whole(0, int.MaxValue - 1) / (decimal)Math.Pow(10, dice.Whole(0, 12)));
        var weights = dice.Many(1, 30, () => dice.Chance(0.2) ? 0m : (decimal)dice.Scale(1e-3, 1e6));
        weights.Add(1m);
        weights = dice.Shuffled(weights);
        var parts = TokenCost.Apportion(total, weights);
        Assert.Equal(weights.Count, parts.Count);
        Assert.Equal(total.Value, parts.Sum(part => part.Value));
        Assert.All(parts.Zip(weights).Where(pair => pair.Second == 0), pair => Assert.Equal(0m, pair.First.Value));
        var sum = weights.Sum();
        Assert.All(parts.Zip(weights), pair => Assert.True(Math.Abs(pair.First.Value - (total.Value * pair.Second / sum)) < 1e-10m));
    });

    [Fact]
    public void Twice_the_throughput_costs_half_and_twice_the_price_twice() => Cases.Check(300, dice =>
    {
        var (price, rate, factor) = (new UsdPerHour(dice.Scale(0.01, 100)), new TokensPerSecond(dice.Scale(1, 1e5)), dice.Scale(0.01, 100));
        var cost = TokenCost.Blended(price, rate);
        Nearly.Equal(cost.Value / factor, TokenCost.Blended(price, rate * factor).Value);
        Nearly.Equal(cost.Value * factor, TokenCost.Blended(price * factor, rate).Value);
    });

    [Fact]
    public void Usage_over_allocation_is_utilisation_times_availability() => Cases.Check(300, dice =>
    {
        var (utilisation, availability) = (new Fraction(dice.Real(0.01, 1)), new Fraction(dice.Real(0.5, 1)));
        var bases = TokenCost.Bases(new UsdPerHour(dice.Scale(0.1, 10)), new TokensPerSecond(dice.Scale(1, 1e4)), utilisation, availability);
        Nearly.Equal(utilisation.Value * availability.Value, bases.Usage / bases.Allocation);
        Assert.True(bases.Allocation >= bases.Usage);
    });

    [Fact]
    public void A_deployment_is_divided_by_all_its_GPUs() => Cases.Check(300, dice =>
    {
        var (prefill, decode) = (dice.Whole(0, 64), dice.Whole(1, 64));
        var whole = new TokensPerSecond(dice.Scale(10, 1e6));
        var price = new UsdPerHour(dice.Scale(0.1, 10));
        Nearly.Equal(
            (price * (prefill + decode) / whole).Value,
            TokenCost.Blended(price, TokenCost.PerGpu(whole, prefill, decode)).Value);
    });

    [Fact]
    public void Billable_input_lies_between_the_fresh_and_all_input() => Cases.Check(300, dice =>
    {
        var (input, hits, price) = (new TokensPerSecond(dice.Scale(1, 1e5)), Share(dice), Share(dice));
        var billed = TokenCost.BillableInput(input, hits, price);
        Nearly.Equal((input.Value * hits.Rest.Value) + (input.Value * hits.Value * price.Value), billed.Value, 1e-9);
    });

    private static TokensPerSecond Stream(Dice dice) => new(dice.Chance(0.2) ? 0 : dice.Scale(0.1, 1e5));

    private static Fraction Share(Dice dice) => new(dice.Chance(0.1) ? dice.Whole(0, 1) : dice.Real(0, 1));
}
