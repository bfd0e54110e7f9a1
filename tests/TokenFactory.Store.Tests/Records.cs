using TokenFactory.Store.Ledger;
using TokenFactory.Store.Tenants;
using TokenFactory.Tests.Laws;
using TokenFactory.Units;

namespace TokenFactory.Store.Tests;

/// <summary>Records as chance has them: few names, so that they meet; odd texts; every optional field there or not.</summary>
internal static class Records
{
    /// <summary>2026-11-22, in nanoseconds.</summary>
    public const long Day = 1_795_305_600_000_000_000;

    private const long NanosPerSecond = 1_000_000_000;
    private static readonly string[] Odd =
        ["", "engine said 500", "quote ' \" ; DROP TABLE", "naïve 東京 🚀", "line\nbreak\ttab", new('x', 3000)];

    public static Instant Moment(Dice dice) => new(Day + dice.Whole(0, 100) * NanosPerSecond);

    public static UsageRecord Usage(Dice dice, string? id = null)
    {
        var arrival = new Instant(Day + (dice.Whole(0, 100) * NanosPerSecond) + dice.Whole(0, 999_999_999));
        var dispatched = new Instant(arrival.Nanoseconds + dice.Whole(0, 1_000_000_000));
        var output = dice.Chance(0.2) ? 0 : dice.Whole(1, 4000);
        var first = output == 0 ? (Instant?)null : new Instant(dispatched.Nanoseconds + dice.Whole(1, 1_000_000_000));
        return new UsageRecord
        {
            Id = id ?? $"req-{dice.Whole(0, int.MaxValue - 1):x8}{dice.Whole(0, int.MaxValue - 1):x8}",
            Tenant = Name(dice, "tenant", 3),
            Key = Name(dice, "key", 5),
            Model = Name(dice, "model", 3),
            Pool = Name(dice, "pool", 2),
            Replica = Name(dice, "replica", 4),
            Class = dice.Chance(0.5) ? "standard" : "batch",
            Endpoint = dice.Chance(0.7) ? "chat" : "embeddings",
            Outcome = (Outcome)dice.Whole(0, 2),
            Error = dice.Chance(0.7) ? "" : Odd[dice.Whole(0, Odd.Length - 1)],
            Arrival = arrival,
            Dispatched = dispatched,
            FirstToken = first,
            Ended = new Instant((first ?? dispatched).Nanoseconds + (output * (long)dice.Whole(1, 30_000_000))),
            Attempts = dice.Whole(1, 4),
            Tokens = new TokenCounts(dice.Whole(0, 100_000), dice.Whole(0, 100_000), output, dice.Whole(0, output)),
            TokensFrom = (TokensFrom)dice.Whole(0, 2),
            Charged = Dollars(dice),
            UsageCost = Dollars(dice),
            AllocationCost = Dollars(dice),
            Joules = dice.Chance(0.1) ? 0 : dice.Scale(1e-3, 1e6),
            JoulesAt = dice.Chance(0.5) ? "chip" : "facility",
            JoulesFrom = "estimated",
        };
    }

    public static MeterRecord Meter(Dice dice)
    {
        var from = Moment(dice);
        var (paid, joules) = (dice.Whole(1, 1_000_000_000), dice.Scale(1, 1e6));
        return new MeterRecord
        {
            Replica = Name(dice, "replica", 4),
            Pool = Name(dice, "pool", 2),
            Model = Name(dice, "model", 3),
            From = from,
            To = new Instant(from.Nanoseconds + NanosPerSecond),
            BusySeconds = dice.Real(0, 1),
            Paid = new Usd(paid / 1e9m),
            Idle = new Usd(dice.Whole(0, paid) / 1e9m),
            Joules = joules,
            IdleJoules = dice.Real(0, joules),
            JoulesAt = "board",
            JoulesFrom = "estimated",
        };
    }

    public static TenantRecord Tenant(Dice dice) => new(Name(dice, "tenant", 3))
    {
        Models = dice.Many(0, 2, () => Name(dice, "model", 3)),
        Class = dice.Chance(0.5) ? null : "standard",
        Classes = dice.Many(0, 2, () => Odd[dice.Whole(1, 3)]),
        RequestsPerMinute = Maybe(dice, 10_000),
        TokensPerMinute = dice.Chance(0.5) ? null : long.MaxValue,
        Concurrency = Maybe(dice, 100),
        UsdPerHour = dice.Chance(0.5) ? null : Dollars(dice),
        UsdPerDay = dice.Chance(0.5) ? null : Dollars(dice),
        UsdPerMonth = dice.Chance(0.5) ? null : Dollars(dice),
        MaxOutputTokens = Maybe(dice, 100_000),
        ShowsDecisions = dice.Chance(0.5),
        Disabled = dice.Chance(0.5),
    };

    public static KeyRecord Key(Dice dice)
    {
        var hash = new byte[32];
        new Random(dice.Whole(0, 1000)).NextBytes(hash);
        return new KeyRecord(Name(dice, "key", 5), Name(dice, "tenant", 3), hash, Moment(dice))
        {
            Label = Odd[dice.Whole(0, Odd.Length - 1)],
            Expires = dice.Chance(0.5) ? null : Moment(dice),
            Disabled = dice.Chance(0.5),
        };
    }

    /// <summary>Whole billionths, from none to a million dollars.</summary>
    private static Usd Dollars(Dice dice) => dice.Chance(0.1) ? Usd.Zero : new(decimal.Round((decimal)dice.Scale(1, 1e15)) / 1e9m);

    private static int? Maybe(Dice dice, int most) => dice.Chance(0.5) ? null : dice.Whole(1, most);

    private static string Name(Dice dice, string what, int most) => $"{what}-{dice.Whole(1, most)}";
}
