using TokenFactory.Store.Ledger;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Store.Tests.Ledger;

/// <summary>Records go through the journal into the store exactly once, whatever becomes of the store meanwhile.</summary>
public sealed class JournalTests(PostgresServer server)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Many_that_commit_at_once_are_all_in_the_store_once(bool sync)
    {
        await using var place = new JournalPlace();
        var ids = new List<string>();
        await using (var writer = await place.OpenAsync(segmentBytes: 20_000, sync))
        {
            await Task.WhenAll(Enumerable.Range(0, 32).Select(caller => Task.Run(
                async () =>
                {
                    var dice = new Dice(caller);
                    for (var i = 0; i < 50; i++)
                    {
                        var record = Records.Usage(dice, $"{caller}-{i}");
                        await writer.CommitAsync(record);
                        await writer.CommitAsync([Records.Meter(dice)]);
                        lock (ids)
                            ids.Add(record.Id);
                    }
                },
                Cancel)));
            await writer.FlushAsync(Cancel);
            Assert.Equal(0, writer.WaitingBytes);
        }

        Assert.Equal(ids.Order(StringComparer.Ordinal), await place.IdsAsync());
        Assert.Empty(place.Segments);
        Assert.Empty(place.Warnings);
    }

    [Fact]
    public void What_is_written_is_read_back_the_same() => Cases.Check(200, dice =>
    {
        var (usage, meter, writer) = (Records.Usage(dice), Records.Meter(dice), FrameWriter.Mine);
        RecordCodec.Write(writer, usage);
        RecordCodec.Write(writer, meter);
        var batch = new RecordBatch();
        var bytes = writer.Frames;
        for (int frame; (frame = Frame.Read(bytes, out var payload)) > 0; bytes = bytes[frame..])
            Assert.True(RecordCodec.Read(payload, new Names(), batch));
        Assert.Equal(0, bytes.Length);
        Assert.Equal(usage, Assert.Single(batch.Usage));
        Assert.Equal(meter, Assert.Single(batch.Meters));
    });

    [Fact]
    public void A_store_that_comes_and_goes_has_every_record_once() =>
        Cases.Check(20, dice => ComeAndGoAsync(dice).GetAwaiter().GetResult());

    [Fact]
    public async Task An_absence_is_told_once_and_tried_again_ever_more_rarely()
    {
        await using var place = new JournalPlace();
        place.Store.Shut = true;
        await using var writer = await place.OpenAsync();
        await writer.CommitAsync(Records.Usage(new Dice(1)));
        foreach (var wait in new[] { 0.4, 0.8, 1.6, 3.2, 6.4, 10, 10 })
        {
            await place.Clock.TimerAsync(Cancel);
            var attempts = place.Store.Attempts;
            place.Clock.Advance(TimeSpan.FromSeconds(wait - 0.01));
            Assert.Equal((1, attempts), (place.Clock.Waiting, place.Store.Attempts));
            place.Clock.Advance(TimeSpan.FromSeconds(0.01));
        }

        await place.Clock.TimerAsync(Cancel);
        Assert.Contains("Records wait in", Assert.Single(place.Warnings));
        Assert.Equal(Records.Day, writer.StoreAwaySince?.Nanoseconds);
        Assert.True(writer.WaitingBytes > 0);

        place.Store.Shut = false;
        await writer.FlushAsync(Cancel);
        Assert.Equal((null, 0), (writer.StoreAwaySince, writer.WaitingBytes));
        Assert.Contains("is there again after 32.4 s", place.Warnings.Last());
        Assert.Single(await place.IdsAsync());
    }

    [Fact]
    public async Task Without_a_call_records_are_in_the_store_after_a_fifth_of_a_second()
    {
        await using var place = new JournalPlace();
        await using var writer = await place.OpenAsync();
        await place.Clock.TimerAsync(Cancel);
        await writer.CommitAsync(Records.Usage(new Dice(1)));
        place.Clock.Advance(TimeSpan.FromSeconds(0.2));
        await place.Clock.TimerAsync(Cancel);
        Assert.Single(await place.IdsAsync());
    }

    [Fact]
    public async Task A_server_that_is_killed_and_started_again_has_every_record_once()
    {
        await using var own = new PostgresServer();
        await using var place = new JournalPlace(StoreLocation.Postgres(await own.SchemaAsync(Cancel)));
        await using var writer = await place.OpenAsync();
        var (dice, ids) = (new Dice(1), new List<string>());
        for (var round = 0; round < 4; round++)
        {
            for (var i = 0; i < 500; i++)
            {
                var record = Records.Usage(dice);
                ids.Add(record.Id);
                await writer.CommitAsync(record);
            }

            var flushed = writer.FlushAsync(Cancel);
            await own.StopAsync();
            await own.StartAsync(Cancel);
            await writer.FlushAsync(Cancel);
            await flushed;
        }

        Assert.Equal(ids.Order(StringComparer.Ordinal), await place.IdsAsync());
    }

    [Fact]
    public async Task Two_gateways_may_share_a_store_but_not_a_folder()
    {
        var store = StoreLocation.Postgres(await server.SchemaAsync(Cancel));
        await using var place = new JournalPlace(store);
        await using var other = new JournalPlace(store);
        await using var writer = await place.OpenAsync();
        var taken = await Assert.ThrowsAsync<JournalException>(() => place.OpenAsync());
        Assert.Contains("another process has it", taken.Message);
        await using var second = await other.OpenAsync();
        var dice = new Dice(1);
        var records = dice.Many(100, 100, () => Records.Usage(dice));
        foreach (var record in records)
            await Task.WhenAll(writer.CommitAsync(record).AsTask(), second.CommitAsync(record).AsTask());
        await Task.WhenAll(writer.FlushAsync(Cancel), second.FlushAsync(Cancel));
        Assert.Equal(records.Select(record => record.Id).Order(StringComparer.Ordinal), await place.IdsAsync());
    }

    [Fact]
    public async Task A_journal_that_cannot_be_written_says_so_and_goes_on_once_it_can()
    {
        await using var place = new JournalPlace();
        await using var writer = await place.OpenAsync(segmentBytes: 1);
        var dice = new Dice(1);
        await writer.CommitAsync(Records.Usage(dice, "a"));
        await writer.FlushAsync(Cancel);
        Directory.Move(place.Folder, place.Folder + "-away");
        var refused = await Assert.ThrowsAsync<JournalException>(async () => await writer.CommitAsync(Records.Usage(dice, "b")));
        Assert.Contains("store.folder", refused.Message);
        Directory.Move(place.Folder + "-away", place.Folder);
        await writer.CommitAsync(Records.Usage(dice, "c"));
        await writer.FlushAsync(Cancel);
        Assert.Equal(["a", "c"], await place.IdsAsync());
    }

    [Fact]
    public async Task Records_that_the_store_will_never_take_are_kept_aside_and_hold_up_no_other()
    {
        await using var place = new JournalPlace();
        await using var writer = await place.OpenAsync();
        var dice = new Dice(1);
        var ids = dice.Many(100, 100, () => Records.Usage(dice).Id);
        await Assert.ThrowsAsync<ArgumentException>(async () => await writer.CommitAsync(Records.Usage(dice) with { Joules = double.NaN }));

        // A rule that only the table has.
        await ExecuteAsync(
            place,
            $"CREATE TRIGGER picky BEFORE INSERT ON tokenfactory_usage WHEN new.id = '{ids[40]}' BEGIN SELECT RAISE(ABORT, 'picky'); END");
        foreach (var id in ids)
            await writer.CommitAsync(Records.Usage(dice, id));
        await writer.FlushAsync(Cancel);
        Assert.Equal(ids.Where(id => id != ids[40]).Order(StringComparer.Ordinal), await place.IdsAsync());
        Assert.Contains("refused.log", Assert.Single(place.Warnings));
        var kept = await File.ReadAllBytesAsync(Path.Combine(place.Folder, "refused.log"), Cancel);
        Assert.Equal(kept.Length, Frame.Read(kept, out _));
    }

    [Fact]
    public async Task A_full_journal_says_so()
    {
        await using var place = new JournalPlace();
        place.Store.Shut = true;
        var options = new JournalOptions(place.Folder) { Sync = false, MostWaitingBytes = 1000 };
        await using var writer = await LedgerWriter.OpenAsync(place.Store, options, place.Clock, null, Cancel);
        Assert.False(writer.Full);
        for (var i = 0; i < 20; i++)
            await writer.CommitAsync(Records.Usage(new Dice(i)));
        Assert.True(writer.Full);
        place.Store.Shut = false;
        await writer.FlushAsync(Cancel);
        Assert.False(writer.Full);
    }

    private static async Task ComeAndGoAsync(Dice dice)
    {
        await using var place = new JournalPlace();
        var writer = await place.OpenAsync(segmentBytes: 5000);
        var ids = new List<string>();
        for (var i = 0; i < 60; i++)
        {
            place.Store.Shut = dice.Chance(0.3);
            place.Store.BreaksOff = dice.Chance(0.3);
            foreach (var record in dice.Many(1, 10, () => Records.Usage(dice)))
            {
                ids.Add(record.Id);
                await writer.CommitAsync(record);
            }

            if (!place.Store.Shut && dice.Chance(0.5))
                await PatientlyAsync(writer.FlushAsync(Cancel), place.Clock);
            if (dice.Chance(0.1))
            {
                await writer.DisposeAsync();
                writer = await place.OpenAsync(segmentBytes: 5000);
            }

            place.Clock.Advance(TimeSpan.FromSeconds(dice.Real(0, 5)));
        }

        place.Store.Shut = false;
        await PatientlyAsync(writer.FlushAsync(Cancel), place.Clock);
        await writer.DisposeAsync();
        Assert.Equal(ids.Order(StringComparer.Ordinal), await place.IdsAsync());
        Assert.Empty(place.Segments);
    }

    /// <summary>Lets time pass until something is done.</summary>
    private static async Task PatientlyAsync(Task done, HandClock clock)
    {
        while (!done.IsCompleted)
        {
            await Task.WhenAny(done, clock.TimerAsync(Cancel));
            clock.Advance(TimeSpan.FromSeconds(1));
        }

        await done;
    }

    private static async Task ExecuteAsync(JournalPlace place, string sql)
    {
        await using var connection = new Microsoft.Data.Sqlite.SqliteConnection(
            $"Data Source={place.Store.What["sqlite ".Length..]};Pooling=false");
        await connection.OpenAsync(Cancel);
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync(Cancel);
    }
}
