using TokenFactory.Store.Ledger;
using TokenFactory.Store.Reports;
using TokenFactory.Tests.Laws;
using TokenFactory.Units;

namespace TokenFactory.Store.Tests;

/// <summary>What the stores sum in SQL is what summing record by record gives.</summary>
public abstract partial class StoreContract
{
    private static readonly double[] Shares = [0.01, 0.1, 0.25, 0.5, 0.9, 0.99, 1];
    private static readonly Dimension[] OfMeters = [Dimension.Model, Dimension.Replica, Dimension.Pool, Dimension.Hour, Dimension.Day];

    [Fact]
    public async Task Sums_and_spreads_by_any_dimensions_are_those_of_the_records()
    {
        var (place, dice, model) = (await NewAsync(), new Dice(5), new StoreModel());
        await using var store = UsageStores.Open(place);
        await store.PrepareAsync(Cancel);
        Assert.Empty(await store.SumUsageAsync(default, Ever, [], Cancel));
        var usage = dice.Many(2000, 2000, () => Far(dice, Records.Usage(dice)));
        var meters = dice.Many(500, 500, () => Records.Meter(dice));
        await store.AddAsync(usage, meters, Cancel);
        model.Add(usage, meters);
        foreach (var by in Groupings(Enum.GetValues<Dimension>()))
        {
            var (from, to) = dice.Chance(0.5)
                ? (default, Ever)
                : (Records.Moment(dice), new Instant(Records.Day + (30L * 3_600_000_000_000)));
            var inSpan = model.Usage.Values.Where(record => record.Ended >= from && record.Ended < to).ToAsyncEnumerable();
            Same(await Sums.OfAsync(inSpan, by, Cancel), await store.SumUsageAsync(from, to, by, Cancel));
            var (expected, actual) = (await Sums.SpreadAsync(inSpan, by, Cancel), await store.SpreadAsync(from, to, by, Cancel));
            Assert.Equal(expected.SelectMany(Spelled), actual.SelectMany(Spelled));
        }

        foreach (var by in Groupings(OfMeters))
        {
            var expected = await Sums.OfAsync(model.Meters.Values.ToAsyncEnumerable(), by, Cancel);
            Same(expected, await store.SumMetersAsync(default, Ever, by, Cancel));
        }
    }

    [Fact]
    public async Task A_report_adds_up_and_says_what_is_not_attributed()
    {
        await using var store = UsageStores.Open(await NewAsync());
        await store.PrepareAsync(Cancel);
        var dice = new Dice(6);
        var usage = dice.Many(200, 200, () => Records.Usage(dice) with { UsageCost = new Usd(0.001m), Joules = 5 });
        var span = Records.Meter(dice) with
        {
            Replica = "replica-1",
            Model = "model-1",
            Paid = new Usd(1),
            Idle = new Usd(0.75m),
            Joules = 2000,
            IdleJoules = 900
        };
        var idle = span with { Replica = "replica-9", Idle = new Usd(1), IdleJoules = 2000 };
        await store.AddAsync(usage, [span, idle], Cancel);
        var report = await UsageReport.MakeAsync(store, default, Ever, [Dimension.Replica], Cancel);

        Assert.Equal(new Usd(0.25m - 0.2m), report.NotAttributed);
        Assert.Equal(100, report.NotAttributedJoules);
        Assert.Equal((200, new Usd(0.2m), 1000.0), (report.Total.Requests, report.Total.UsageCost, report.Total.Joules));
        Assert.Equal(report.Total.Charged.Value, report.Rows.Sum(row => row.Sum.Charged.Value));
        Assert.Equal(usage.Sum(record => record.Charged.Value - record.AllocationCost.Value), report.Total.Margin.Value);
        Assert.Equal(1000.0 / usage.Sum(record => record.Tokens.Output), report.Total.JoulesPerOutputToken!.Value, 12);
        Assert.Equal(["replica-1", "replica-2", "replica-3", "replica-4", "replica-9"], report.Rows.Select(row => row.Sum.Group.Single()));
        Assert.Equal((0, 1m), (report.Rows[^1].Sum.Requests, report.Rows[^1].Meters!.Idle.Value));

        var times = usage.Where(record => record.Replica == "replica-2" && record.FirstToken is not null)
            .Select(record => (record.FirstToken!.Value - record.Arrival).Seconds).Order().ToList();
        var p95 = times[(int)Math.Ceiling(0.95 * times.Count) - 1];
        Nearly.Equal(p95, report.Rows[1].Times!.Ttft.Seconds(0.95)!.Value, 0.006);
        Nearly.Equal(times.Average(), report.Rows[1].Sum.MeanTtftSeconds!.Value, 1e-9);
        await Assert.ThrowsAsync<ArgumentException>(() =>
            UsageReport.MakeAsync(store, default, Ever, [Dimension.Hour, Dimension.Hour], Cancel));
    }

    /// <summary>Hours, days and orders of magnitude apart.</summary>
    private static UsageRecord Far(Dice dice, UsageRecord record)
    {
        var later = dice.Whole(0, 60) * 3_600_000_000_000L;
        var first = (long)dice.Scale(1, 1e14);
        return record with
        {
            Arrival = new Instant(record.Arrival.Nanoseconds + later),
            FirstToken = record.FirstToken is null ? null : new Instant(record.Arrival.Nanoseconds + later + first),
            Ended = new Instant(record.Arrival.Nanoseconds + later + first + (long)dice.Scale(1, 1e14)),
        };
    }

    private static IEnumerable<Dimension[]> Groupings(Dimension[] of) =>
        of.SelectMany(a => of.Where(b => b != a).Select(b => new[] { a, b })).Concat(of.Select(a => new[] { a })).Append([]);

    private static IEnumerable<string> Spelled(TimeSpread spread) => new[] { spread.Ttft, spread.Tpot }.Select(of =>
        $"{string.Join('|', spread.Group)} {of.Count}: {string.Join(' ', Shares.Select(share => of.Seconds(share)))}");

    private static void Same(IReadOnlyList<UsageSum> expected, IReadOnlyList<UsageSum> actual) => Pairwise(expected, actual, (a, b) =>
    {
        Assert.Equal(a.Group, b.Group);
        Nearly.Equal(a.Joules, b.Joules, 1e-9);
        Nearly.Equal(a.TtftSeconds, b.TtftSeconds, 1e-9);
        Nearly.Equal(a.Pace.Seconds, b.Pace.Seconds, 1e-9);
        Assert.Equal(a.Pace.Tokens, b.Pace.Tokens);
        Assert.Equal(Plain(a), Plain(b));

        static UsageSum Plain(UsageSum sum) => sum with { Group = [], Joules = 0, TtftSeconds = 0, Pace = default };
    });

    private static void Same(IReadOnlyList<MeterSum> expected, IReadOnlyList<MeterSum> actual) => Pairwise(expected, actual, (a, b) =>
    {
        Assert.Equal(a.Group, b.Group);
        Assert.Equal((a.Paid, a.Idle), (b.Paid, b.Idle));
        Nearly.Equal(a.Joules, b.Joules, 1e-9);
        Nearly.Equal(a.IdleJoules, b.IdleJoules, 1e-9);
        Nearly.Equal(a.Seconds, b.Seconds, 1e-9);
        Nearly.Equal(a.BusySeconds, b.BusySeconds, 1e-9);
    });

    private static void Pairwise<T>(IReadOnlyList<T> expected, IReadOnlyList<T> actual, Action<T, T> same)
    {
        Assert.NotEmpty(expected);
        Assert.Equal(expected.Count, actual.Count);
        for (var i = 0; i < expected.Count; i++)
            same(expected[i], actual[i]);
    }
}
