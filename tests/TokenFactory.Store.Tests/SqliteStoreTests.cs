using Microsoft.Data.Sqlite;
using TokenFactory.Store.Sqlite;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Store.Tests;

/// <summary>The contract on SQLite, and what only a file can do.</summary>
public sealed class SqliteStoreTests : StoreContract, IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("tf-sqlite-").FullName;
    private int _files;

    [Fact]
    public async Task A_locked_file_is_away_and_comes_back()
    {
        var file = (await NewAsync()).File!;
        await using var store = new SqliteStore(file, busySeconds: 1);
        await store.PrepareAsync(Cancel);
        var record = Records.Usage(new Dice(1));
        await using (var other = new SqliteConnection($"Data Source={file};Pooling=false"))
        {
            await other.OpenAsync(Cancel);
            await using var transaction = other.BeginTransaction();
            var away = await Assert.ThrowsAsync<StoreAwayException>(() => store.AddAsync([record], [], Cancel));
            Assert.Contains("locked", away.Message);
            await Assert.ThrowsAsync<StoreAwayException>(() => store.RemoveKeyAsync("key-1", Cancel));
        }

        await store.AddAsync([record], [], Cancel);
        Assert.Equal([record.Id], await IdsAsync(store));
    }

    [Fact]
    public async Task A_folder_that_cannot_be_used_is_away()
    {
        var file = Path.Combine(_folder, "no folder");
        await File.WriteAllTextAsync(file, "", Cancel);
        await using var store = new SqliteStore(Path.Combine(file, "ledger.db"));
        await Assert.ThrowsAsync<StoreAwayException>(() => store.PrepareAsync(Cancel));
    }

    [Fact]
    public async Task A_file_that_is_no_database_is_said_to_be_damaged()
    {
        var file = Path.Combine(_folder, "letter.db");
        await File.WriteAllTextAsync(file, new string('a', 5000), Cancel);
        await using var store = new SqliteStore(file);
        var damaged = await Assert.ThrowsAsync<InvalidDataException>(() => store.PrepareAsync(Cancel));
        Assert.Contains("letter.db is damaged", damaged.Message);
    }

    [Fact]
    public async Task Only_its_owner_may_read_the_file()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no file modes");
        var place = await NewAsync();
        await using var store = UsageStores.Open(place);
        await store.PrepareAsync(Cancel);
        foreach (var file in new[] { place.File!, place.File! + "-wal" })
            Assert.True(
                OperatingSystem.IsWindows() || File.GetUnixFileMode(file) == (UnixFileMode.UserRead | UnixFileMode.UserWrite), file);
    }

    public void Dispose() => Directory.Delete(_folder, true);

    protected override Task<StoreLocation> NewAsync() =>
        Task.FromResult(StoreLocation.Sqlite(Path.Combine(_folder, $"{Interlocked.Increment(ref _files)}", "ledger.db")));

    protected override async Task ExecuteAsync(StoreLocation place, string sql)
    {
        await using var connection = new SqliteConnection($"Data Source={place.File};Pooling=false");
        await connection.OpenAsync(Cancel);
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync(Cancel);
    }
}
