using Npgsql;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Store.Tests;

/// <summary>The contract on PostgreSQL, and what only a server can do.</summary>
public sealed class PostgresStoreTests(PostgresServer server) : StoreContract
{
    [Fact]
    public async Task A_server_that_stops_is_away_and_comes_back()
    {
        await using var own = new PostgresServer();
        await using var store = UsageStores.Open(StoreLocation.Postgres(await own.SchemaAsync(Cancel)));
        await store.PrepareAsync(Cancel);
        var record = Records.Usage(new Dice(1));
        await own.StopAsync();
        await Assert.ThrowsAsync<StoreAwayException>(() => store.AddAsync([record], [], Cancel));
        await Assert.ThrowsAsync<StoreAwayException>(() => IdsAsync(store));
        await own.StartAsync(Cancel);
        await store.AddAsync([record], [], Cancel);
        Assert.Equal([record.Id], await IdsAsync(store));
    }

    [Fact]
    public async Task Secrets_of_the_connection_are_in_no_text()
    {
        var place = StoreLocation.Postgres("Host=127.0.0.1;Port=1;Database=ledger;Username=tf;Password=hush-hush;Timeout=1");
        await using var store = UsageStores.Open(place);
        Assert.Equal("postgresql 127.0.0.1:1/ledger", store.What);
        var away = await Assert.ThrowsAsync<StoreAwayException>(() => store.PrepareAsync(Cancel));
        var unreadable = Assert.Throws<StoreSetupException>(() => UsageStores.Open(StoreLocation.Postgres("Host=a;Pasword=hush-hush")));
        Assert.All([away.ToString(), unreadable.ToString(), place.ToString()], text => Assert.DoesNotContain("hush", text));
        Assert.Contains("store.postgres", unreadable.Message);
    }

    [Fact]
    public async Task A_database_that_is_not_there_is_a_mistake_and_not_an_absence()
    {
        var connection = new NpgsqlConnectionStringBuilder(await server.SchemaAsync(Cancel)) { Database = "nowhere" };
        await using var store = UsageStores.Open(StoreLocation.Postgres(connection.ToString()));
        var mistake = await Assert.ThrowsAsync<StoreSetupException>(() => store.PrepareAsync(Cancel));
        Assert.Contains("store.postgres", mistake.Message);
    }

    protected override async Task<StoreLocation> NewAsync() => StoreLocation.Postgres(await server.SchemaAsync(Cancel));

    protected override async Task ExecuteAsync(StoreLocation place, string sql)
    {
        await using var connection = new NpgsqlConnection(place.Connection);
        await connection.OpenAsync(Cancel);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancel);
    }
}
