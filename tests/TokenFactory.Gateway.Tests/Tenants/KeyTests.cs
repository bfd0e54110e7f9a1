using System.Security.Cryptography;
using TokenFactory.Gateway.Setup;
using TokenFactory.Gateway.Tenants;
using TokenFactory.Store;
using TokenFactory.Store.Tenants;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Tests.Tenants;

public sealed class KeyTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_key_is_told_once_kept_as_a_hash_and_found_again_after_a_new_start()
    {
        await using var books = await Books.OpenAsync();
        await books.Book.PutTenantAsync(new TenantRecord("acme"), Cancel);
        var made = await books.Book.CreateKeyAsync("acme", "ci", null, Cancel);
        Assert.Matches("^sk-tf-[0-9A-Za-z]{8}-[0-9A-Za-z_-]{43}$", made.Text);
        Assert.Equal(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(made.Text)), made.Record.Sha256.ToArray());
        await books.ReopenAsync();
        var caller = books.Book.Find("Bearer " + made.Text, out var why);
        Assert.Null(why);
        Assert.Equal(("acme", made.Record.Id, "ci"), (caller!.Tenant.Name, caller.Key.Id, caller.Key.Label));
        Assert.Same(caller, books.Book.Find("bearer  " + made.Text, out _));
    }

    [Fact]
    public async Task Any_change_of_a_key_makes_it_wrong_and_nothing_is_told_about_the_right_one()
    {
        await using var books = await Books.OpenAsync(Books.Tenant(new TenantRecord("acme")));
        var key = (await books.Book.CreateKeyAsync("acme", "", null, Cancel)).Text;
        await books.Book.DisableKeyAsync((await books.Book.CreateKeyAsync("acme", "", null, Cancel)).Record.Id, true, Cancel);
        string[] wrong =
        [
            .. Enumerable.Range(0, key.Length).Select(i => $"{key[..i]}{(key[i] == 'x' ? 'y' : 'x')}{key[(i + 1)..]}"),
            .. Enumerable.Range(1, key.Length - 1).Select(i => key[..i]), key + "x", "key of acmee",
            new string('x', 300), new string('\u20ac', 256), "\ud800",
        ];
        Assert.All(wrong, text =>
        {
            Assert.Null(books.Book.Find("Bearer " + text, out var why));
            Assert.Equal((401, "invalid_api_key"), (why!.Status, why.Code));
            Assert.Equal("The API key is wrong. Check that it was copied whole, or ask your operator for another.", why.Message);
        });
        foreach (var header in new[] { "", "Bearer ", "Basic abc", key })
        {
            Assert.Null(books.Book.Find(header, out var why));
            Assert.Equal((401, header.Length == 0 ? "missing_api_key" : "invalid_api_key"), (why!.Status, why.Code));
        }

        Assert.NotNull(books.Book.Find("Bearer " + key, out _));
        Assert.NotNull(books.Book.Find("Bearer key of acme", out _));
    }

    [Fact]
    public async Task A_rotated_key_works_beside_the_new_one_for_its_grace_time_and_then_no_more()
    {
        await using var books = await Books.OpenAsync(Books.Tenant(new TenantRecord("acme")));
        var old = await books.Book.CreateKeyAsync("acme", "ci", books.Wall.Now + Duration.OfSeconds(1000), Cancel);
        var next = await books.Book.RotateKeyAsync(old.Record.Id, Duration.OfSeconds(60), Cancel);
        Assert.Equal((old.Record.Label, old.Record.Expires), (next.Record.Label, next.Record.Expires));
        Assert.NotEqual(old.Record.Id, next.Record.Id);
        books.Clock.Advance(59.9);
        Assert.NotNull(Found(old));
        Assert.NotNull(Found(next));
        books.Clock.Advance(0.1);
        Assert.Null(books.Book.Find("Bearer " + old.Text, out var why));
        Assert.Equal($"The API key '{old.Record.Id}' has expired. Ask your operator for another.", why!.Message);
        Assert.NotNull(Found(next));
        await books.ReopenAsync(Books.Tenant(new TenantRecord("acme")));
        Assert.Null(Found(old));
        Assert.NotNull(Found(next));
        books.Clock.Advance(1000);
        Assert.Null(Found(next));

        Caller? Found(NewKey key) => books.Book.Find("Bearer " + key.Text, out _);
    }

    [Fact]
    public async Task Disabling_enabling_and_removing_take_effect_at_once()
    {
        await using var books = await Books.OpenAsync();
        await books.Book.PutTenantAsync(new TenantRecord("acme"), Cancel);
        var key = await books.Book.CreateKeyAsync("acme", "", null, Cancel);
        string? Why() => books.Book.Find("Bearer " + key.Text, out var why) is null ? $"{why!.Status} {why.Code}" : null;
        Assert.Null(Why());
        await books.Book.DisableKeyAsync(key.Record.Id, true, Cancel);
        Assert.Equal("401 invalid_api_key", Why());
        await books.Book.DisableKeyAsync(key.Record.Id, false, Cancel);
        Assert.Null(Why());
        await books.Book.PutTenantAsync(new TenantRecord("acme") { Disabled = true }, Cancel);
        Assert.Equal("403 tenant_disabled", Why());
        await books.Book.PutTenantAsync(new TenantRecord("acme"), Cancel);
        Assert.Null(Why());
        await books.Book.RemoveKeyAsync(key.Record.Id, Cancel);
        Assert.Equal("401 invalid_api_key", Why());
        Assert.Equal(404, (await Assert.ThrowsAsync<TenantChangeException>(() => books.Book.RemoveKeyAsync(key.Record.Id, Cancel))).Status);
    }

    [Fact]
    public async Task Tenants_of_the_file_win_and_are_changed_only_there()
    {
        await using var books = await Books.OpenAsync();
        await books.Book.PutTenantAsync(new TenantRecord("acme") { Concurrency = 1 }, Cancel);
        var key = await books.Book.CreateKeyAsync("acme", "", null, Cancel);
        var index = books.Book.Find("Bearer " + key.Text, out _)!.Index;
        await books.Book.ApplyAsync(books.Setup(Books.Tenant(new TenantRecord("acme") { Concurrency = 7 })), Cancel);
        Assert.Equal(7, Assert.Single(books.Book.Tenants).Concurrency);
        Assert.Equal(7, books.Book.Find("Bearer " + key.Text, out _)!.Tenant.Concurrency);
        var put = () => books.Book.PutTenantAsync(new TenantRecord("acme"), Cancel);
        Assert.Equal(409, (await Assert.ThrowsAsync<TenantChangeException>(put)).Status);
        var remove = () => books.Book.RemoveTenantAsync("acme", Cancel);
        Assert.Equal(409, (await Assert.ThrowsAsync<TenantChangeException>(remove)).Status);
        await books.Book.ApplyAsync(books.Setup(), Cancel);
        Assert.Equal(1, Assert.Single(books.Book.Tenants).Concurrency);
        await books.Book.RemoveTenantAsync("acme", Cancel);
        Assert.Empty(books.Book.Tenants);
        Assert.False(books.Book.HasKeys);
        await books.Book.PutTenantAsync(new TenantRecord("beta"), Cancel);
        await books.Book.ApplyAsync(books.Setup(Books.Tenant(new TenantRecord("acme"))), Cancel);
        Assert.Equal(index, books.Caller("acme").Index);
    }

    [Fact]
    public async Task A_removed_tenant_that_comes_back_has_spent_what_it_spent()
    {
        await using var books = await Books.OpenAsync(Books.Tenant(new TenantRecord("acme") { UsdPerDay = new Usd(1) }));
        var running = books.Book.Reserve(books.Caller("acme"), "llama", 1, new Usd(0.6m), out _)!;
        await books.Book.ApplyAsync(books.Setup(), Cancel);
        running.Settle(new Usd(0.6m), 1);
        await books.Book.ApplyAsync(books.Setup(Books.Tenant(new TenantRecord("acme") { UsdPerDay = new Usd(1) })), Cancel);
        Assert.Equal(0.6m, books.Book.UsageOf("acme")!.SpentDay.Value);
    }

    [Fact]
    public async Task What_another_gateway_changes_is_seen_within_seconds_and_what_is_known_stays_while_the_store_is_away()
    {
        await using var books = await Books.OpenAsync();
        var other = await TenantBook.OpenAsync(books.Setup(), books.Store, books.Wall, Cancel);
        await using (other)
        {
            await other.PutTenantAsync(new TenantRecord("acme"), Cancel);
            var key = await other.CreateKeyAsync("acme", "", null, Cancel);
            Assert.Null(books.Book.Find("Bearer " + key.Text, out _));
            books.Clock.Advance(5);
            await Until(() => books.Book.Find("Bearer " + key.Text, out _) is not null);
            books.Store.Away = true;
            books.Store.Asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
            books.Clock.Advance(5);
            await books.Store.Asked.Task.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
            Assert.NotNull(books.Book.Find("Bearer " + key.Text, out _));
            await Assert.ThrowsAsync<StoreAwayException>(() => books.Book.DisableKeyAsync(key.Record.Id, true, Cancel));
            Assert.NotNull(books.Book.Find("Bearer " + key.Text, out _));
        }
    }

    [Fact]
    public async Task Salts_differ_by_tenant_and_installation_and_stay_the_same_over_starts()
    {
        TenantSetup[] both = [Books.Tenant(new TenantRecord("acme")), Books.Tenant(new TenantRecord("beta"))];
        await using var books = await Books.OpenAsync(both);
        await using var elsewhere = await Books.OpenAsync(both);
        var (cache, prefix) = (books.Caller("acme").CacheSalt, books.Caller("acme").PrefixSalt);
        await books.ReopenAsync(both);
        Assert.Equal((cache, prefix), (books.Caller("acme").CacheSalt, books.Caller("acme").PrefixSalt));
        Assert.NotEqual(cache, books.Caller("beta").CacheSalt);
        Assert.NotEqual(prefix, books.Caller("beta").PrefixSalt);
        Assert.NotEqual(cache, elsewhere.Caller("acme").CacheSalt);
        var file = Path.Combine(books.Folder, "installation-secret");
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        File.WriteAllText(file, "short");
        var wrong = await Assert.ThrowsAsync<InvalidDataException>(() => books.ReopenAsync(both));
        Assert.Contains("holds no secret of 32 bytes", wrong.Message, StringComparison.Ordinal);
    }

    private static async Task Until(Func<bool> holds)
    {
        using var guard = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        guard.CancelAfter(TimeSpan.FromSeconds(30));
        while (!holds())
        {
            guard.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }
}
