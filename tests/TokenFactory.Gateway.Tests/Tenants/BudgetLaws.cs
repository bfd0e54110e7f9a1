using TokenFactory.Gateway.Tenants;
using TokenFactory.Store.Tenants;
using TokenFactory.Tests.Laws;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Tests.Tenants;

/// <summary>Law 8: a tenant never spends more than its budget.</summary>
public sealed class BudgetLaws
{
    private const decimal Nano = 0.000_000_001m;

    [Fact]
    public async Task No_interleaving_of_many_requests_ever_spends_one_nano_dollar_too_much()
    {
        const decimal Budget = 1.2m;
        var tenant = new TenantRecord("acme") { UsdPerHour = new Usd(Budget), UsdPerDay = new Usd(2 * Budget) };
        await using var books = await Books.OpenAsync(Books.Tenant(tenant));
        var caller = books.Caller("acme");
        var (charged, taken, over) = (0L, 0, 0);
        await Task.WhenAll(Enumerable.Range(1, 8).Select(seed => Task.Run(() =>
        {
            var dice = new Dice(seed);
            var held = new Queue<Hold>();
            for (var i = 0; i < 20_000; i++)
            {
                if (books.Book.Reserve(caller, "llama", 100, new Usd(dice.Whole(0, 2_000_000) * Nano), out _) is { } hold)
                {
                    Interlocked.Increment(ref taken);
                    held.Enqueue(hold);
                }

                if (held.Count > dice.Whole(0, 40) && held.TryDequeue(out var done))
                    Interlocked.Add(ref charged, (long)(done.Settle(new Usd(dice.Whole(0, 2_000_000) * Nano), 100).Value / Nano));
                var usage = books.Book.UsageOf("acme")!;
                if (usage.SpentHour.Value + usage.Reserved.Value > Budget)
                    Interlocked.Increment(ref over);
            }

            while (held.TryDequeue(out var done))
                Interlocked.Add(ref charged, (long)(done.Settle(done.Worst, 100).Value / Nano));
        }, TestContext.Current.CancellationToken)));
        var end = books.Book.UsageOf("acme")!;
        Assert.Equal(0, over);
        Assert.InRange(taken, 1000, 159_999); // some were taken and some refused
        Assert.Equal(0, end.Reserved.Value);
        Assert.Equal(0, end.Running);
        Assert.InRange(end.SpentHour.Value, 0.99m * Budget, Budget);
        Assert.Equal(charged * Nano, end.SpentHour.Value);
    }

    [Fact]
    public async Task A_thousand_requests_at_once_against_a_budget_for_three_hundred_take_exactly_three_hundred()
    {
        await using var books = await Books.OpenAsync(Books.Tenant(new TenantRecord("acme") { UsdPerDay = new Usd(0.3m) }));
        var caller = books.Caller("acme");
        var holds = await Task.WhenAll(Enumerable.Range(0, 1000).Select(_ => Task.Run(
            () => books.Book.Reserve(caller, "llama", 10, new Usd(0.001m), out Refused? _), TestContext.Current.CancellationToken)));
        Assert.Equal(300, holds.Count(hold => hold is not null));
        Assert.All(holds.OfType<Hold>(), hold => hold.Settle(hold.Worst, 10));
        Assert.Equal(0.3m, books.Book.UsageOf("acme")!.SpentDay.Value);
    }

    /// <summary>
    /// Random lives of requests over several hours and days. The judge keeps two ledgers of its own: by the hour of each request's end, as
    /// the store does, and by the hour of its settlement, as a process does while it runs. Neither ever holds more than a budget, also where
    /// requests cross the hour, where they are settled long after they ended, and, for the store's, where the process begins anew from it.
    /// </summary>
    [Fact]
    public void No_hour_day_or_month_is_ever_charged_more_than_its_budget() => Cases.Check(40, dice =>
    {
        var tenant = new TenantRecord("acme")
        {
            UsdPerHour = new Usd(dice.Whole(0, 1000) * Nano),
            UsdPerDay = dice.Whole(0, 1) == 0 ? null : new Usd(dice.Whole(500, 5000) * Nano),
            UsdPerMonth = dice.Whole(0, 1) == 0 ? null : new Usd(dice.Whole(1000, 9000) * Nano),
        };
        LiveAsync(tenant, dice).GetAwaiter().GetResult();
    });

    private static async Task LiveAsync(TenantRecord tenant, Dice dice)
    {
        await using var books = await Books.OpenAsync(new DateTimeOffset(2026, 11, 30, 20, 30, 0, TimeSpan.Zero), Books.Tenant(tenant));
        var (running, ended) = (new List<Hold>(), new List<(Hold Hold, Usd Charged)>());
        var settled = new List<(Instant At, decimal Usd)>();
        var caller = books.Caller("acme");
        for (var i = 0; i < 400; i++)
        {
            switch (dice.Whole(0, 20))
            {
                case < 8 when books.Book.Reserve(caller, "llama", 1, new Usd(dice.Whole(0, 300) * Nano), out _) is { } hold:
                    running.Add(hold);
                    break;
                case < 13 when running.Count > 0:
                    var done = running[dice.Whole(0, running.Count - 1)];
                    running.Remove(done);
                    ended.Add((done, new Usd(Math.Min(done.Worst.Value, dice.Whole(0, 300) * Nano))));
                    books.Store.Charges.Add(("acme", books.Wall.Now, ended[^1].Charged.Value));
                    break;
                case < 18 when ended.Count > 0:
                    settled.Add((books.Wall.Now, ended[0].Hold.Settle(ended[0].Charged, 1).Value));
                    ended.RemoveAt(0);
                    break;
                case 18 when running.Count + ended.Count == 0:
                    Judge(settled, tenant);
                    settled.Clear();
                    await books.ReopenAsync(Books.Tenant(tenant));
                    caller = books.Caller("acme");
                    break;
                default:
                    books.Clock.Advance(dice.Whole(1, 1500));
                    break;
            }
        }

        Judge(settled, tenant);
        Judge([.. books.Store.Charges.Select(charge => (charge.Ended, charge.Usd))], tenant);
    }

    private static void Judge(List<(Instant At, decimal Usd)> ledger, TenantRecord tenant)
    {
        Within(ledger, BudgetSpan.Hour, tenant.UsdPerHour);
        Within(ledger, BudgetSpan.Day, tenant.UsdPerDay);
        Within(ledger, BudgetSpan.Month, tenant.UsdPerMonth);
    }

    private static void Within(IEnumerable<(Instant At, decimal Usd)> ledger, BudgetSpan span, Usd? budget)
    {
        if (budget is { } most)
        {
            var windows = ledger.GroupBy(charge => BudgetWindow.Around(span, charge.At));
            Assert.All(windows, each => Assert.InRange(each.Sum(charge => charge.Usd), 0, most.Value));
        }
    }

    [Fact]
    public async Task A_new_start_goes_on_from_what_the_ledger_says_was_charged()
    {
        var tenant = Books.Tenant(
            new TenantRecord("acme") { UsdPerHour = new Usd(1), UsdPerDay = new Usd(3), UsdPerMonth = new Usd(10) });
        await using var books = await Books.OpenAsync(tenant);
        var now = books.Wall.Now;
        var (earlier, yesterday) = (now + Duration.OfSeconds(-3600), now + Duration.OfSeconds(-86400));
        books.Store.Charges.AddRange([("acme", now, 0.25m), ("acme", earlier, 2), ("acme", yesterday, 4), ("other", now, 9)]);
        await books.ReopenAsync(tenant);
        var usage = books.Book.UsageOf("acme")!;
        Assert.Equal((0.25m, 2.25m, 6.25m), (usage.SpentHour.Value, usage.SpentDay.Value, usage.SpentMonth.Value));
        Assert.Null(books.Book.Reserve(books.Caller("acme"), "llama", 1, new Usd(0.76m), out _));
        Assert.NotNull(books.Book.Reserve(books.Caller("acme"), "llama", 1, new Usd(0.75m), out _));
    }
}
