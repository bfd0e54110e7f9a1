using System.Net;
using System.Security.Cryptography;
using System.Text;
using TokenFactory.Fleet;
using TokenFactory.Gateway.Live;
using TokenFactory.Gateway.Setup;
using TokenFactory.Gateway.Tenants;
using TokenFactory.Policies;
using TokenFactory.Store.Tenants;

namespace TokenFactory.Gateway.Tests.Tenants;

/// <summary>A book of tenants over a store in memory, on a clock that the test moves.</summary>
internal sealed class Books : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();

    private Books(DateTimeOffset? start)
    {
        Clock = start is { } at ? new HandClock(at) : new HandClock();
        Wall = new WallClock(Clock);
    }

    public HandClock Clock { get; }

    public WallClock Wall { get; }

    public MemoryStore Store { get; } = new();

    public TenantBook Book { get; private set; } = null!;

    public string Folder => _folder.Root;

    public static async Task<Books> OpenAsync(params TenantSetup[] tenants)
    {
        var books = new Books(null);
        await books.ReopenAsync(tenants);
        return books;
    }

    public static async Task<Books> OpenAsync(DateTimeOffset start, params TenantSetup[] tenants)
    {
        var books = new Books(start);
        await books.ReopenAsync(tenants);
        return books;
    }

    /// <summary>As if the process began anew.</summary>
    public async Task ReopenAsync(params TenantSetup[] tenants)
    {
        if (Book is not null)
            await Book.DisposeAsync();
        Book = await TenantBook.OpenAsync(Setup(tenants), Store, Wall, TestContext.Current.CancellationToken);
    }

    /// <summary>A factory file's tenant with one key, whose text is "key of NAME".</summary>
    public static TenantSetup Tenant(TenantRecord tenant) =>
        new(tenant, [SHA256.HashData(Encoding.UTF8.GetBytes($"key of {tenant.Name}"))]);

    public Caller Caller(string tenant) =>
        Book.Find($"Bearer key of {tenant}", out var why) ?? throw new InvalidOperationException(why!.Message);

    public GatewaySetup Setup(params TenantSetup[] tenants) => new()
    {
        Name = "test",
        Listen = new ListenSetup(new IPEndPoint(IPAddress.Loopback, 0), new IPEndPoint(IPAddress.Loopback, 0)),
        Models = [new ModelSetup("llama", []) { ContextTokens = 8192 }],
        Classes = [new ServiceClass("chat"), new ServiceClass("batch")],
        Policies = new PolicySetup("least-outstanding", () => new LeastOutstandingRouter(), new Eligibility(), new Recovery()),
        Tenants = tenants,
        Store = new StoreSetup(_folder.Root),
    };

    public async ValueTask DisposeAsync()
    {
        await Book.DisposeAsync();
        _folder.Dispose();
    }
}
