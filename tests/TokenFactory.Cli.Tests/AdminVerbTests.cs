using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;
using TokenFactory.Fleet;
using TokenFactory.Gateway.Admin;
using TokenFactory.Gateway.Live;
using TokenFactory.Gateway.Setup;
using TokenFactory.Gateway.Telemetry;
using TokenFactory.Gateway.Tenants;
using TokenFactory.Policies;
using TokenFactory.Store.Tenants;
using TokenFactory.Store;
using TokenFactory.Units;

namespace TokenFactory.Cli.Tests;

/// <summary>keys, tenants and replicas against an admin API on a real socket, over SQLite.</summary>
public sealed class AdminVerbTests : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private readonly HashSet<string> _draining = [];
    private IUsageStore _store = null!;
    private TenantBook _book = null!;
    private WebApplication _app = null!;
    private string _key = "";

    private string Address => _app.Urls.Single();

    public async ValueTask InitializeAsync()
    {
        _store = UsageStores.Open(StoreLocation.Sqlite(Path.Combine(_folder.Root, "ledger.db")));
        await _store.PrepareAsync(TestContext.Current.CancellationToken);
        var (clock, setup, key) = (new WallClock(TimeProvider.System), Setup(), AdminKey.Open(_folder.Root));
        _book = await TenantBook.OpenAsync(setup, _store, clock, TestContext.Current.CancellationToken);
        _key = key.Made!;
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _app = builder.Build();
        AdminApi.Map(_app, new AdminParts
        {
            Key = key,
            Tenants = _book,
            Setup = () => setup,
            Replicas = () => [Replica("h100-0"), Replica("l40s-0")],
            Drain = (name, drain) => name is "h100-0" or "l40s-0" && (drain ? _draining.Add(name) : _draining.Remove(name)),
            Store = () => new StoreStatus(_store.What, null, 0, false),
            Clock = clock,
            Started = clock.Now,
        });
        await _app.StartAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await _book.DisposeAsync();
        await _store.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public void A_tenant_is_set_bit_by_bit_listed_with_what_it_spent_and_removed()
    {
        var set = Run("tenants", "set", "acme", "--usd-per-day", "2.50", "--requests-per-minute", "60", "--models", "llama");
        Assert.Equal((0, ""), (set.Code, set.Err));
        Assert.StartsWith("Tenant 'acme' is made.", set.Out, StringComparison.Ordinal);
        var changed = Run("tenants", "set", "acme", "--requests-per-minute", "none", "--concurrency", "4");
        Assert.StartsWith("Tenant 'acme' is changed.", changed.Out, StringComparison.Ordinal);
        var key = Run("keys", "create", "--tenant", "acme", "--json").Json.GetProperty("keys")[0].GetProperty("key").GetString()!;
        _book.Reserve(Caller(key), "llama", 10, new Usd(1), out _)!.Settle(new Usd(0.5m), 10);
        var listed = Run("tenants", "--json").Json.GetProperty("tenants");
        var acme = listed.EnumerateArray().Single(each => each.GetProperty("name").GetString() == "acme");
        Assert.Equal((4, 0.5), (acme.GetProperty("concurrency").GetInt32(), acme.GetProperty("spent_usd_day").GetDouble()));
        Assert.Equal(System.Text.Json.JsonValueKind.Null, acme.GetProperty("requests_per_minute").ValueKind);
        var limits = Run("tenants", "--json").Json.GetProperty("limits");
        var limit = limits.EnumerateArray().Single(each => each.GetProperty("name").GetString() == "acme");
        Assert.Equal(2.5, limit.GetProperty("usd_per_day").GetDouble());
        Assert.Contains("$0.500 of $2.50", Run("tenants").Out, StringComparison.Ordinal);
        Assert.Equal(0, Run("tenants", "remove", "acme").Code);
        Assert.DoesNotContain("acme", Run("tenants").Out, StringComparison.Ordinal);
        Assert.Null(_book.Find("Bearer " + key, out _));
    }

    [Fact]
    public void A_key_is_printed_once_and_works_until_it_is_disabled_removed_or_rotated_away()
    {
        var made = Run("keys", "create", "--tenant", "filed", "--label", "ci", "--expires", "30d");
        var key = made.Out.Split('\n').Single(line => line.StartsWith("sk-tf-", StringComparison.Ordinal));
        var id = Caller(key).Key.Id;
        Assert.InRange((Caller(key).Key.Expires!.Value - Caller(key).Key.Created).Seconds, 30 * 86400 - 1, 30 * 86400 + 1);
        Assert.DoesNotContain(key, Run("keys").Out, StringComparison.Ordinal);
        Assert.Contains(id, Run("keys", "list", "--tenant", "filed").Out, StringComparison.Ordinal);
        Assert.Equal(0, Run("keys", "disable", id).Code);
        Assert.Null(_book.Find("Bearer " + key, out _));
        Assert.Equal("disabled", Run("keys", "--json").Json.GetProperty("keys")[0].GetProperty("state").GetString());
        Run("keys", "enable", id);
        var next = Run("keys", "rotate", id, "--grace", "0s", "--json").Json.GetProperty("keys")[0].GetProperty("key").GetString()!;
        Assert.Null(_book.Find("Bearer " + key, out _));
        Assert.Equal("ci", Caller(next).Key.Label);
        Assert.Equal(0, Run("keys", "remove", id).Code);
        var gone = Run("keys", "remove", id);
        Assert.Equal(2, gone.Code);
        Assert.Contains($"error: admin API: There is no key '{id}'.", gone.Err, StringComparison.Ordinal);
    }

    [Fact]
    public void A_replica_is_drained_and_resumed()
    {
        Assert.StartsWith("2 replicas, 2 ready, 800 W.", Run("replicas").Out, StringComparison.Ordinal);
        Assert.StartsWith("Replica 'l40s-0' gets nothing more.", Run("replicas", "drain", "l40s-0").Out, StringComparison.Ordinal);
        var replicas = Run("replicas", "--json").Json.GetProperty("replicas").EnumerateArray();
        Assert.Equal(["ready", "draining"], replicas.Select(each => each.GetProperty("state").GetString()));
        Run("replicas", "resume", "l40s-0");
        Assert.StartsWith("2 replicas, 2 ready", Run("replicas", "list").Out, StringComparison.Ordinal);
        Assert.Contains("There is no replica 'none'", Run("replicas", "drain", "none").Err, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--usd-per-day is 'much'. Give a number, or 'none' for no limit.", "tenants", "set", "acme", "--usd-per-day", "much")]
    [InlineData("--usd-per-day is -1. Give dollars from 0", "tenants", "set", "acme", "--usd-per-day", "-1", "--concurrency", "1.5")]
    [InlineData("--concurrency is 1.5. Give a whole number", "tenants", "set", "acme", "--usd-per-day", "-1", "--concurrency", "1.5")]
    [InlineData("--models names 'gpt', which the factory file does not have. Known: llama.", "tenants", "set", "acme", "--models", "gpt")]
    [InlineData("Tenant 'filed' stands in the factory file. Change it there", "tenants", "set", "filed", "--concurrency", "1")]
    [InlineData("There is no tenant 'nobody'. Make it first", "keys", "create", "--tenant", "nobody")]
    [InlineData("--expires is \"soon\". Give 30d, 12h, 45m, or a time such as 2026-12-31", "keys", "create", "--tenant", "filed", "--expires", "soon")]
    [InlineData("--expires is \"-3d\". Give 30d,", "keys", "create", "--tenant", "filed", "--expires", "-3d")]
    [InlineData("--expires is '999999999d'. Give 1s to 36525d,", "keys", "create", "--tenant", "filed", "--expires", "999999999d")]
    [InlineData("--grace is '99999d'. Give 0s to 36525d.", "keys", "rotate", "abcdefgh", "--grace", "99999d")]
    [InlineData("--requests-per-minute is 0. Give a whole number from 1 to", "tenants", "set", "acme", "--requests-per-minute", "0")]
    [InlineData("--tokens-per-minute is 0. Give a whole number from 1 to", "tenants", "set", "acme", "--tokens-per-minute", "0")]
    [InlineData("--concurrency is 0. Give a whole number from 1 to", "tenants", "set", "acme", "--concurrency", "0")]
    [InlineData("2,147,483,647, or 'none' for no limit.", "tenants", "set", "acme", "--concurrency", "0")]
    [InlineData("at most nine decimals, or 'none' for no limit.", "tenants", "set", "acme", "--usd-per-day", "-5")]
    [InlineData("There is no tenant 'x'. 'tokenfactory tenants' lists those that are.", "tenants", "remove", "x")]
    [InlineData("There is no replica 'x'. 'tokenfactory replicas' lists those that are.", "replicas", "drain", "x")]
    [InlineData("--grace is 'soon'. Give a time such as 1d", "keys", "rotate", "abcdefgh", "--grace", "soon")]
    public void What_is_wrong_is_told_by_the_flag_that_says_it(string message, params string[] arguments)
    {
        var run = Run(arguments);
        Assert.Equal((2, ""), (run.Code, run.Out));
        Assert.Contains(message, run.Err, StringComparison.Ordinal);
        Assert.All(run.Err.TrimEnd('\n').Split('\n'), line => Assert.StartsWith("error: ", line, StringComparison.Ordinal));
    }

    [Fact]
    public void The_key_is_found_in_the_folder_of_the_store() =>
        Assert.StartsWith("2 replicas", Program.Run("replicas", "--admin", Address, "--store", _folder.Root).Out, StringComparison.Ordinal);

    [Fact]
    public void Where_no_gateway_answers_or_the_key_is_wrong_one_line_says_so_and_what_to_do()
    {
        var nobody = Program.Run("keys", "--admin", "http://127.0.0.1:1", "--admin-key", "x");
        Assert.Equal((2, ""), (nobody.Code, nobody.Out));
        Assert.Equal(
            "error: admin API: --admin is http://127.0.0.1:1/, where no gateway answers: Connection refused. "
            + "Start one with 'tokenfactory serve', or name the admin address that it printed.\n",
            nobody.Err);
        var wrong = Program.Run("replicas", "--admin", Address, "--admin-key", "sk-wrong");
        Assert.Equal(2, wrong.Code);
        Assert.StartsWith($"error: admin key: is not that of {Address}", wrong.Err, StringComparison.Ordinal);
        Assert.DoesNotContain("sk-wrong", wrong.Err, StringComparison.Ordinal);
        var noStore = Program.Run("tenants", "--admin", Address, "--store", Path.Combine(_folder.Root, "none"));
        Assert.StartsWith($"error: admin key: {Path.Combine(_folder.Root, "none", "admin-key")} cannot be read: ", noStore.Err, StringComparison.Ordinal);
        var both = Program.Run("tenants", "--admin", Address, "--store", _folder.Root, "--admin-key", _key);
        Assert.Equal("error: command line: gives both --admin-key and --store. Leave out one of them.\n", both.Err);
        var nonsense = Program.Run("tenants", "--admin", "nonsense", "--admin-key", "x");
        Assert.Contains("--admin is 'nonsense'", nonsense.Err, StringComparison.Ordinal);
    }

    private Outcome Run(params string[] arguments) => Program.Run([.. arguments, "--admin", Address, "--admin-key", _key]);

    private Caller Caller(string key) => _book.Find("Bearer " + key, out var why) ?? throw new InvalidOperationException(why!.Message);

    private ReplicaStatus Replica(string name) => new(
        name, "llama", "pool", "1 x H100", true, Address, _draining.Contains(name) ? "draining" : "ready", "", 1, 2, 3, 0.5, 0.25,
        400, 1000, 200, 0.5, 0.1, 60);

    private GatewaySetup Setup() => new()
    {
        Name = "test",
        Listen = new ListenSetup(new IPEndPoint(IPAddress.Loopback, 0), new IPEndPoint(IPAddress.Loopback, 0)),
        Models = [new ModelSetup("llama", []) { ContextTokens = 8192 }],
        Classes = [new ServiceClass("chat")],
        Policies = new PolicySetup("least-outstanding", () => new LeastOutstandingRouter(), new Eligibility(), new Recovery()),
        Tenants = [new TenantSetup(new TenantRecord("filed"), [])],
        Store = new StoreSetup(_folder.Root),
    };
}
