using TokenFactory.Store.Ledger;
using TokenFactory.Tests.Laws;
using TokenFactory.Units;

namespace TokenFactory.Store.Tests;

/// <summary>What every store does: random calls, each answered as the model answers it, through closing and opening.</summary>
public abstract partial class StoreContract
{
    private static readonly Instant Ever = new(long.MaxValue);

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>A place with nothing in it.</summary>
    protected abstract Task<StoreLocation> NewAsync();

    [Fact]
    public async Task Every_sequence_of_calls_is_answered_as_the_model_answers_it()
    {
        await NewAsync(); // skips here, where there is no database
        Cases.Check(25, dice => RunAsync(dice).GetAwaiter().GetResult());
    }

    [Fact]
    public async Task Two_that_write_the_same_records_at_once_write_them_once()
    {
        var place = await NewAsync();
        await using var first = UsageStores.Open(place);
        await using var second = UsageStores.Open(place);
        await Task.WhenAll(Task.Run(() => first.PrepareAsync(Cancel), Cancel), Task.Run(() => second.PrepareAsync(Cancel), Cancel));
        var dice = new Dice(1);
        var records = dice.Many(2000, 2000, () => Records.Usage(dice));
        await Task.WhenAll(AddAsync(first, records), AddAsync(second, records));
        Assert.Equal(records.Select(record => record.Id).Order(StringComparer.Ordinal), await IdsAsync(first));

        static Task AddAsync(IUsageStore store, List<UsageRecord> records) => Task.Run(
            async () =>
            {
                foreach (var chunk in records.Chunk(100))
                    await store.AddAsync(chunk, [], Cancel);
            },
            Cancel);
    }

    [Fact]
    public async Task A_batch_with_an_unfit_record_is_refused_whole_and_the_next_is_taken()
    {
        await using var store = UsageStores.Open(await NewAsync());
        await store.PrepareAsync(Cancel);
        var dice = new Dice(2);
        var (good, bad) = (Records.Usage(dice), Records.Usage(dice) with { Tokens = new TokenCounts(-1, 0, 0) });
        await Assert.ThrowsAsync<UnfitRecordException>(() => store.AddAsync([good, bad], [], Cancel));
        Assert.Empty(await IdsAsync(store));
        await store.AddAsync([good], [], Cancel);
        Assert.Equal([good.Id], await IdsAsync(store));
    }

    [Fact]
    public async Task Text_that_a_database_does_not_know_is_kept_as_far_as_it_can_be()
    {
        await using var store = UsageStores.Open(await NewAsync());
        await store.PrepareAsync(Cancel);
        await store.AddAsync([Records.Usage(new Dice(3)) with { Error = "a\0b" }], [], Cancel);
        Assert.Equal("a\uFFFDb", (await store.UsageAsync(default, Ever, Cancel).SingleAsync(Cancel)).Error);
    }

    [Fact]
    public async Task Tables_of_a_newer_program_are_left_alone()
    {
        var place = await NewAsync();
        await using (var store = UsageStores.Open(place))
            await store.PrepareAsync(Cancel);
        await ExecuteAsync(place, "UPDATE tokenfactory_schema SET version = 999");
        await using var later = UsageStores.Open(place);
        var refusal = await Assert.ThrowsAsync<StoreTooNewException>(() => later.PrepareAsync(Cancel));
        Assert.Contains("of version 999", refusal.Message);
    }

    /// <summary>Runs one statement beside the store.</summary>
    protected abstract Task ExecuteAsync(StoreLocation place, string sql);

    private protected static async Task<List<string>> IdsAsync(IUsageStore store) =>
        [.. (await store.UsageAsync(default, Ever, Cancel).ToListAsync(Cancel)).Select(record => record.Id).Order(StringComparer.Ordinal)];

    private async Task RunAsync(Dice dice)
    {
        var place = await NewAsync();
        var (store, model) = (UsageStores.Open(place), new StoreModel());
        await store.PrepareAsync(Cancel);
        for (var i = 0; i < 30; i++)
        {
            if (dice.Chance(0.1))
            {
                await store.DisposeAsync();
                store = UsageStores.Open(place);
                await store.PrepareAsync(Cancel);
            }

            await StepAsync(store, model, dice);
        }

        await model.MatchesAsync(store, default, Ever);
        await store.DisposeAsync();
    }

    private static async Task StepAsync(IUsageStore store, StoreModel model, Dice dice)
    {
        switch (dice.Whole(0, 7))
        {
            case 0 or 1:
                var known = model.Usage.Keys.ToList();
                var usage = dice.Many(0, 20, () =>
                    Records.Usage(dice, known.Count > 0 && dice.Chance(0.3) ? known[dice.Whole(0, known.Count - 1)] : null));
                var meters = dice.Many(0, 5, () => Records.Meter(dice));
                await store.AddAsync(usage, meters, Cancel);
                model.Add(usage, meters);
                break;
            case 2:
                var tenant = Records.Tenant(dice);
                await store.PutTenantAsync(tenant, Cancel);
                model.Tenants[tenant.Name] = tenant;
                break;
            case 3:
                var key = Records.Key(dice);
                await store.PutKeyAsync(key, Cancel);
                model.Keys[key.Id] = key;
                break;
            case 4:
                var name = $"tenant-{dice.Whole(1, 3)}";
                Assert.Equal(model.RemoveTenant(name), await store.RemoveTenantAsync(name, Cancel));
                break;
            case 5:
                var id = $"key-{dice.Whole(1, 5)}";
                Assert.Equal(model.Keys.Remove(id), await store.RemoveKeyAsync(id, Cancel));
                break;
            case 6:
                var (payer, since) = ($"tenant-{dice.Whole(1, 3)}", Records.Moment(dice));
                Assert.Equal(model.Charged(payer, since), await store.ChargedAsync(payer, since, Cancel));
                break;
            default:
                await model.MatchesAsync(store, Records.Moment(dice), Records.Moment(dice));
                break;
        }
    }
}
