using TokenFactory.Planning.Mix;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Tests.Planning.Mix;

/// <summary>Random problems of a few options and buckets.</summary>
internal static class MixCases
{
    public const double Never = double.PositiveInfinity;

    /// <summary>A problem of whole numbers and eighths.</summary>
    /// <param name="dice">What decides.</param>
    /// <param name="options">Options at most.</param>
    /// <param name="buckets">Buckets at most.</param>
    /// <param name="rich">Whether there are spot, spare replicas, commitments and limits.</param>
    public static MixProblem Draw(Dice dice, int options, int buckets, bool rich)
    {
        var count = dice.Whole(1, buckets);
        return new MixProblem
        {
            Options = [.. Enumerable.Range(0, dice.Whole(1, options)).Select(j => Option(dice, j, count, rich))],
            Buckets = [.. Enumerable.Range(0, count).Select(i => Bucket(dice, i))],
            Stocks = dice.Chance(0.6) ? new Dictionary<string, int> { ["a"] = dice.Whole(0, 12), ["b"] = dice.Whole(1, 12) } : [],
            Machines = dice.Chance(0.4) ? new Dictionary<string, MixMachine> { ["a"] = new(dice.Whole(1, 4), dice.Whole(0, 40) / 4.0) { Stock = dice.Chance(0.3) ? "b" : null } } : [],
            MostUsdPerHour = rich && dice.Chance(0.3) ? dice.Whole(5, 60) : null,
            MostWatts = rich && dice.Chance(0.3) ? dice.Whole(1000, 20000) : null,
            MostGpus = rich && dice.Chance(0.3) ? dice.Whole(1, 16) : null,
            Spare = rich && dice.Chance(0.4) ? dice.Whole(1, 2) : 0,
            Objective = !rich || dice.Chance(0.6) ? MixObjective.UsdPerHour : dice.Chance(0.5) ? MixObjective.Watts : MixObjective.Profit,
        };
    }

    private static MixBucket Bucket(Dice dice, int number) => new()
    {
        Name = $"bucket {number}",
        RequestsPerSecond = dice.Chance(0.1) ? 0 : dice.Whole(1, 12) / 4.0,
        LostTolerated = dice.Chance(0.3) ? 1 : dice.Chance(0.5) ? 0 : 0.05,
        ValuePerRequest = dice.Whole(0, 20) / 3600.0,
        MayBeRefused = dice.Chance(0.5),
    };

    private static MixOption Option(Dice dice, int number, int buckets, bool rich)
    {
        var spot = rich && dice.Chance(0.4);
        var gpus = dice.Whole(1, 3);
        var dollars = dice.Whole(rich && dice.Chance(0.1) ? 0 : 4, 40) / 4.0;
        return new MixOption
        {
            Name = $"option {number}",
            Gpus = gpus,
            UsdPerHour = dollars,
            PaidUsdPerHour = dollars,
            Watts = dice.Whole(1, 12) * 250,
            Loads = [.. Enumerable.Range(0, buckets).Select(_ => dice.Chance(0.12) ? Never : dice.Whole(1, 8) / 8.0)],
            Draws = Draws(dice, gpus),
            Interruptible = spot,
            Pool = spot ? dice.Chance(0.5) ? "west" : "east" : "",
            Unavailable = spot ? dice.Chance(0.5) ? 0.02 : 0.2 : 0,
            Least = rich && dice.Chance(0.05) ? 1 : 0,
            Most = dice.Chance(rich ? 0.4 : 0.2) ? dice.Whole(1, 4) : null,
        };
    }

    /// <summary>All from one stock, from none, or from two.</summary>
    private static Dictionary<string, int> Draws(Dice dice, int gpus) => dice.Whole(0, 9) switch
    {
        < 3 => [],
        < 6 => new Dictionary<string, int> { ["a"] = gpus },
        < 9 => new Dictionary<string, int> { ["b"] = gpus },
        _ => gpus > 1 ? new Dictionary<string, int> { ["a"] = 1, ["b"] = gpus - 1 } : [],
    };
}
