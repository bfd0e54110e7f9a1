using FsCheck;
using FsCheck.Fluent;

namespace TokenFactory.Tests.Laws;

/// <summary>
/// Runs a law on many random cases. A case is a function of one number, its seed, which stands in the failure message after "Original:"
/// and replays alone under TOKENFACTORY_SEED. The seeds are the same in every run; with TOKENFACTORY_LONG=1 there are twenty times as
/// many, and fresh ones.
/// </summary>
internal static class Cases
{
    private const int LongFactor = 20;

    public static bool Long { get; } = Environment.GetEnvironmentVariable("TOKENFACTORY_LONG") == "1";

    private static readonly string? Only = Environment.GetEnvironmentVariable("TOKENFACTORY_SEED");

    public static void Check(int count, Action<Dice> law)
    {
        if (int.TryParse(Only, out var seed))
        {
            law(new Dice(seed));
            return;
        }

        var config = Config.QuickThrowOnFailure.WithQuietOnSuccess(true).WithMaxTest(Long ? count * LongFactor : count);
        var property = Prop.ForAll(Gen.Choose(0, int.MaxValue - 1).ToArbitrary(), drawn => law(new Dice(drawn)));
        property.Check(Long ? config : config.WithReplay(20261121, 1));
    }
}

/// <summary>What a case is made of, drawn from its seed.</summary>
internal sealed class Dice(int seed)
{
    private readonly Random _random = new(seed);

    public int Whole(int least, int most) => _random.Next(least, most + 1);

    public double Real(double least, double most) => least + (_random.NextDouble() * (most - least));

    /// <summary>Evenly over the orders of magnitude.</summary>
    public double Scale(double least, double most) => Math.Exp(Real(Math.Log(least), Math.Log(most)));

    public bool Chance(double share) => _random.NextDouble() < share;

    public List<T> Many<T>(int least, int most, Func<T> one) => [.. Enumerable.Range(0, Whole(least, most)).Select(_ => one())];

    public List<T> Shuffled<T>(IEnumerable<T> items)
    {
        var shuffled = items.ToArray();
        _random.Shuffle(shuffled);
        return [.. shuffled];
    }
}

/// <summary>Comparison of computed numbers.</summary>
internal static class Nearly
{
    /// <summary>Equal but for rounding, relative to the expected number (absolute where that is zero).</summary>
    public static void Equal(double expected, double actual, double relative = 1e-12) =>
        Assert.True(
            Math.Abs(expected - actual) <= relative * (expected == 0 ? 1 : Math.Abs(expected)),
            $"expected {expected:R}, actual {actual:R}, more than {relative} apart");
}
