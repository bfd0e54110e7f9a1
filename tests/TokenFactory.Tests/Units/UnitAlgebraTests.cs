using System.Reflection;
using TokenFactory.Tests.Laws;
using TokenFactory.Units;

namespace TokenFactory.Tests.Units;

/// <summary>Every relation between units, with numbers worked by hand.</summary>
public sealed class UnitAlgebraTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    [Fact]
    public void Power_over_time_is_energy_and_back()
    {
        Assert.Equal(new Joules(2_520_000), new Watts(700) * Hour);
        Assert.Equal(new Watts(700), new Joules(2_520_000) / Hour);
    }

    [Fact]
    public void Power_over_throughput_is_energy_per_token_and_back()
    {
        Assert.Equal(new JoulesPerToken(0.35), new Watts(700) / new TokensPerSecond(2000));
        Assert.Equal(new Watts(700), new TokensPerSecond(2000) * new JoulesPerToken(0.35));
        Assert.Equal(new TokensPerJoule(4), new TokensPerSecond(2000) / new Watts(500));
    }

    [Fact]
    public void A_kilowatt_costs_its_price_every_hour()
    {
        Assert.Equal(new UsdPerHour(0.08), new Watts(1000) * new UsdPerKilowattHour(0.08));
        Assert.Equal(new Usd(0.08m), new Joules(3.6e6) * new UsdPerKilowattHour(0.08));
    }

    [Fact]
    public void Pue_turns_IT_into_facility()
    {
        Assert.Equal(new Watts(1300), new Watts(1000) * new Pue(1.3));
        Assert.Equal(new JoulesPerToken(0.65), new JoulesPerToken(0.5) * new Pue(1.3));
    }

    [Fact]
    public void A_rate_makes_tokens_to_the_nearest()
    {
        Assert.Equal(new Tokens(5_760_000), new TokensPerSecond(1600) * Hour);
        Assert.Equal(new Tokens(3), new TokensPerSecond(2.6) * TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void An_hourly_price_over_throughput_is_a_price_per_million_and_back()
    {
        Assert.Equal(new UsdPerMillionTokens(1), new UsdPerHour(3.6) / new TokensPerSecond(1000));
        Assert.Equal(new UsdPerHour(3.6), new TokensPerSecond(1000) * new UsdPerMillionTokens(1));
    }

    [Fact]
    public void Prices_times_quantities_are_money()
    {
        Assert.Equal(new Usd(5), new UsdPerHour(2.5) * TimeSpan.FromHours(2));
        Assert.Equal(new Usd(0.75m), new UsdPerMillionTokens(3) * new Tokens(250_000));
        Assert.Equal(new Usd(1.5m), (new Usd(1) + new Usd(0.25m) - new Usd(0.5m)) * 2);
    }

    [Fact]
    public void A_joule_per_token_is_its_share_of_a_kilowatt_hour_per_million()
    {
        Nearly.Equal(0.08 / 3.6, (new JoulesPerToken(1) * new UsdPerKilowattHour(0.08)).Value);
        Nearly.Equal(400 / 3.6, (new JoulesPerToken(1) * new GramsPerKilowattHour(400)).Value);
    }

    [Fact]
    public void Money_of_the_ledger_does_not_drift()
    {
        var sum = Enumerable.Repeat(new Usd(0.1m), 10).Aggregate(Usd.Zero, (total, one) => total + one);
        Assert.Equal(new Usd(1), sum);
    }

    [Fact]
    public void A_count_of_tokens_that_overflows_is_no_count() =>
        Assert.Throws<OverflowException>(() => new Tokens(long.MaxValue) + new Tokens(1));

    [Fact]
    public void Devices_at_a_boundary_add_up_there()
    {
        var power = new Power(new Watts(700), PowerBoundary.Board).Times(8);
        Assert.Equal(new Power(new Watts(5600), PowerBoundary.Board), power);
    }

    [Fact]
    public void A_gigabyte_is_decimal() => Assert.Equal(80, new Bytes(80_000_000_000).Gigabytes);

    [Fact]
    public void Energy_price_and_rate_agree_by_every_way() => Cases.Check(300, dice =>
    {
        var (power, rate, price) = (new Watts(dice.Scale(1, 1e6)), new TokensPerSecond(dice.Scale(0.1, 1e6)), new UsdPerKilowattHour(dice.Real(0.01, 1)));
        Nearly.Equal((power * price / rate).Value, (power / rate * price).Value);
        Nearly.Equal(1, (power / rate).Value * (rate / power).Value);
        Nearly.Equal((power * price).Value, (rate * (power * price / rate)).Value);
    });

    /// <summary>The types that wrap one number, found by looking, so that a new one is tested without being named here.</summary>
    public static TheoryData<Type> Quantities => new(typeof(Watts).Assembly.GetTypes()
        .Where(type => type.IsValueType && type.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IQuantity<>))));

    [Theory]
    [MemberData(nameof(Quantities))]
    public void A_quantity_adds_compares_and_scales(Type quantity) =>
        typeof(UnitAlgebraTests).GetMethod(nameof(Holds), BindingFlags.NonPublic | BindingFlags.Static)!.MakeGenericMethod(quantity).Invoke(null, null);

    private static void Holds<T>()
        where T : struct, IQuantity<T>
    {
        var (three, four) = (T.Of(3), T.Of(4));
        Assert.Equal(T.Of(7), three + four);
        Assert.Equal(T.Of(1), four - three);
        Assert.Equal(T.Of(6), three * 2);
        Assert.Equal(T.Of(6), 2 * three);
        Assert.Equal(T.Of(1.5), three / 2);
        Assert.Equal(0.75, three / four);
        Assert.True(three < four && four > three && !(four < three) && !(three > four));
        Assert.True(three <= four && four >= three && three <= T.Of(3) && three >= T.Of(3) && !(four <= three) && !(three >= four));
        Assert.Equal(sizeof(double), System.Runtime.CompilerServices.Unsafe.SizeOf<T>());
    }
}
