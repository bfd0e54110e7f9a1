using TokenFactory.Gateway.Tenants;
using TokenFactory.Store.Tenants;
using TokenFactory.Tests.Laws;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Tests.Tenants;

/// <summary>Law 10: a limit that is reached is said, with its value and a time to come back that is true.</summary>
public sealed class LimitTests
{
    [Fact]
    public async Task Who_is_over_budget_is_told_how_much_by_what_and_when_to_come_back()
    {
        await using var books = await Books.OpenAsync(Books.Tenant(new TenantRecord("acme") { UsdPerHour = new Usd(1.2m) }));
        var caller = books.Caller("acme");
        books.Book.Reserve(caller, "llama", 1, new Usd(1.17m), out _)!.Settle(new Usd(1.17m), 1);
        books.Book.Reserve(caller, "llama", 1, new Usd(0.03m), out _);
        books.Clock.Advance(3600 - 412);
        Assert.Null(books.Book.Reserve(caller, "llama", 1, new Usd(0.05m), out var why));
        Assert.Equal(
            new Refused(
                429,
                "insufficient_quota",
                "Tenant 'acme' is over its budget: 1.20 of 1.20 USD this hour, of which 0.03 are reserved by requests that run. "
                + "Raise tenants.acme.usd_per_hour or retry after 412 s.",
                412),
            why);
        books.Clock.Advance(411.9);
        Assert.Null(books.Book.Reserve(caller, "llama", 1, new Usd(0.05m), out _));
        books.Clock.Advance(0.1);
        Assert.NotNull(books.Book.Reserve(caller, "llama", 1, new Usd(0.05m), out _));
    }

    [Fact]
    public async Task Who_asks_for_more_than_is_left_is_told_to_ask_for_less_and_for_more_than_there_ever_is_not_to_come_back()
    {
        await using var books = await Books.OpenAsync(
            Books.Tenant(new TenantRecord("acme") { UsdPerDay = new Usd(1), TokensPerMinute = 1000 }));
        Assert.Null(books.Book.Reserve(books.Caller("acme"), "llama", 1, new Usd(2), out var money));
        Assert.Equal(
            "Tenant 'acme' is over its budget: 0.00 of 1.00 USD today, and this request may cost 2.00. "
            + "Lower its max_tokens or n, or raise tenants.acme.usd_per_day.",
            money!.Message);
        Assert.Null(money.RetryAfterSeconds);
        Assert.Null(books.Book.Reserve(books.Caller("acme"), "llama", 1001, new Usd(0), out var tokens));
        Assert.Equal(
            "Tenant 'acme' has taken 0 tokens in the last minute and this request may take 1,001, its tokens_per_minute is 1,000. "
            + "Lower its max_tokens or n, or raise tenants.acme.tokens_per_minute.",
            tokens!.Message);
        Assert.Equal(("rate_limit_exceeded", null), (tokens.Code, tokens.RetryAfterSeconds));
        Assert.Equal(0, books.Book.UsageOf("acme")!.Running);
    }

    [Fact]
    public async Task A_place_is_taken_within_all_limits_or_none()
    {
        var tenant = new TenantRecord("acme") { Concurrency = 2, RequestsPerMinute = 3, TokensPerMinute = 100, UsdPerMonth = new Usd(1) };
        await using var books = await Books.OpenAsync(Books.Tenant(tenant));
        var caller = books.Caller("acme");
        Assert.Null(books.Book.Reserve(caller, "llama", 101, new Usd(0.1m), out _));
        Assert.Null(books.Book.Reserve(caller, "llama", 10, new Usd(1.1m), out _));
        var first = books.Book.Reserve(caller, "llama", 60, new Usd(0.1m), out _)!;
        books.Clock.Advance(4);
        var second = books.Book.Reserve(caller, "llama", 10, new Usd(0.1m), out _)!;
        Assert.Null(books.Book.Reserve(caller, "llama", 10, new Usd(0.1m), out var busy));
        Assert.Equal(
            "Tenant 'acme' has 2 requests running, its concurrency is 2. Raise tenants.acme.concurrency or retry after 1 s.",
            busy!.Message);
        first.Settle(new Usd(0.05m), 20);
        second.Settle(new Usd(0.05m), 10);
        var usage = books.Book.UsageOf("acme")!;
        Assert.Equal((0.1m, 0m, 0), (usage.SpentMonth.Value, usage.Reserved.Value, usage.Running));
        Assert.Equal((2L, 30L), (usage.RequestsLastMinute, usage.TokensLastMinute));
        books.Book.Reserve(caller, "llama", 10, new Usd(0), out _)!.Settle(Usd.Zero, 10);
        Assert.Null(books.Book.Reserve(caller, "llama", 10, new Usd(0), out var rate));
        Assert.Equal(
            "Tenant 'acme' has sent 3 requests in the last minute, its requests_per_minute is 3. "
            + "Raise tenants.acme.requests_per_minute or retry after 57 s.",
            rate!.Message);
        Assert.Throws<InvalidOperationException>(() => first.Settle(Usd.Zero, 0));
    }

    [Fact]
    public async Task Who_may_not_use_a_model_is_told_which_it_may()
    {
        await using var books = await Books.OpenAsync(Books.Tenant(new TenantRecord("acme") { Models = ["qwen", "llama"] }));
        Assert.NotNull(books.Book.Reserve(books.Caller("acme"), "llama", 1, Usd.Zero, out _));
        Assert.Null(books.Book.Reserve(books.Caller("acme"), "gpt", 1, Usd.Zero, out var why));
        Assert.Equal((404, "model_not_found"), (why!.Status, why.Code));
        Assert.Equal("Tenant 'acme' may not use the model 'gpt'. It may use qwen, llama.", why.Message);
    }

    /// <summary>No sixty seconds, wherever they begin, hold more than the limit; and who comes back when told finds a place.</summary>
    [Fact]
    public void No_span_of_sixty_seconds_holds_more_than_the_limit_and_retry_after_is_true() => Cases.Check(30, dice =>
        Rates(dice.Whole(1, 60), dice.Whole(1, 500), dice).GetAwaiter().GetResult());

    private static async Task Rates(int requests, int tokens, Dice dice)
    {
        await using var books = await Books.OpenAsync(
            Books.Tenant(new TenantRecord("acme") { RequestsPerMinute = requests, TokensPerMinute = tokens }));
        var caller = books.Caller("acme");
        var taken = new List<(double At, int Tokens)>();
        var pace = dice.Real(0.01, 5);
        for (var i = 0; i < 600; i++)
        {
            var asks = dice.Whole(0, Math.Min(tokens, 1 + (tokens / dice.Whole(1, 20))));
            var hold = books.Book.Reserve(caller, "llama", asks, Usd.Zero, out var why);
            if (hold is null && dice.Whole(0, 3) == 0)
            {
                books.Clock.Advance(why!.RetryAfterSeconds!.Value);
                hold = books.Book.Reserve(caller, "llama", asks, Usd.Zero, out why);
                Assert.NotNull(hold);
            }

            if (hold is not null)
                taken.Add((books.Wall.Now.Seconds, asks));
            books.Clock.Advance(dice.Real(0, pace));
        }

        for (int from = 0, to = 0; to < taken.Count; to++)
        {
            while (taken[to].At - taken[from].At > 60)
                from++;
            Assert.InRange(to - from + 1, 1, requests);
            Assert.InRange(taken[from..(to + 1)].Sum(each => each.Tokens), 0, tokens);
        }
    }

    [Fact]
    public async Task A_steady_rate_just_below_the_limit_is_never_refused()
    {
        await using var books = await Books.OpenAsync(Books.Tenant(new TenantRecord("acme") { RequestsPerMinute = 60 }));
        for (var i = 0; i < 1000; i++, books.Clock.Advance(1.02))
            Assert.NotNull(books.Book.Reserve(books.Caller("acme"), "llama", 1, Usd.Zero, out _));
    }
}
