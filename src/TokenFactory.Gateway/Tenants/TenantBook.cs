using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using TokenFactory.Gateway.Live;
using TokenFactory.Gateway.Setup;
using TokenFactory.Store;
using TokenFactory.Store.Tenants;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Tenants;

/// <summary>
/// Tenants, their keys, rates and budgets. Who reads takes an immutable snapshot, which every change swaps as a whole; reservations are
/// made under a lock per tenant. Tenants of the factory file win over those of the store.
/// </summary>
public sealed partial class TenantBook : IAsyncDisposable
{
    private const string Scheme = "Bearer ";
    private readonly IUsageStore _store;
    private readonly WallClock _clock;
    private readonly ILogger _log;
    private readonly byte[] _secret;
    private readonly Dictionary<string, TenantAccount> _accounts = new(StringComparer.Ordinal);
    private volatile TenantSnapshot _now;

    private TenantBook(GatewaySetup setup, IUsageStore store, WallClock clock, ILogger log)
    {
        _store = store;
        _clock = clock;
        _log = log;
        _file = setup.Tenants;
        _secret = SecretFile.Installation(setup.Store.Folder);
        _now = new TenantSnapshot([], [], [], _ => throw new InvalidOperationException("No tenant, no account"));
        _refreshing = RefreshOftenAsync();
    }

    /// <summary>
    /// Reads tenants, keys and what was charged in the running hour, day and month. Records that wait in the journal must be in the store
    /// by then, or what they charged is missing from the budgets: flush the ledger's writer before.
    /// </summary>
    /// <exception cref="StoreAwayException">The store cannot be reached.</exception>
    public static async Task<TenantBook> OpenAsync(
        GatewaySetup setup, IUsageStore store, WallClock clock, CancellationToken cancel, ILogger? log = null)
    {
        var book = new TenantBook(setup, store, clock, log ?? NullLogger.Instance);
        try
        {
            await book.RefreshAsync(cancel);
            return book;
        }
        catch
        {
            await book.DisposeAsync();
            throw;
        }
    }

    /// <summary>All tenants, of file and store, by name.</summary>
    public IReadOnlyList<TenantRecord> Tenants => _now.Tenants;

    /// <summary>Keys of the store; those of the factory file stand there.</summary>
    public IReadOnlyList<KeyRecord> Keys => _now.Keys;

    /// <summary>Whether there is any key, in file or store: without one nobody is served.</summary>
    public bool HasKeys => _now.HasKeys;

    /// <summary>Whether a tenant stands in the factory file, where alone it can be changed.</summary>
    public bool IsInFile(string tenant) => _now.InFile.Contains(tenant);

    /// <summary>What a tenant has spent and holds now; null where there is none of the name.</summary>
    public TenantUsage? UsageOf(string tenant)
    {
        if (!_now.ByName.ContainsKey(tenant))
            return null;
        TenantAccount account;
        lock (_accounts)
            account = _accounts[tenant];
        return account.Usage(tenant);
    }

    /// <summary>
    /// Finds whose key an Authorization header holds ("Bearer sk-tf-..."). The work does not depend on how much of it is right, and nothing
    /// is told of a key before its secret was right.
    /// </summary>
    public Caller? Find(ReadOnlySpan<char> authorization, out Refused? why)
    {
        var key = authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? authorization[Scheme.Length..].Trim() : default;
        if (key.IsEmpty)
        {
            why = authorization.IsEmpty ? NoKey : NoBearer;
            return null;
        }

        var caller = key.Length <= ApiKey.MostLength ? _now.Find(key) : null;
        why = caller is null ? WrongKey : Barred(caller);
        return why is null ? caller : null;
    }

    /// <summary>
    /// Takes a place within all limits: requests and tokens per minute, concurrency, dollars per hour, day and month. All or nothing.
    /// </summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="model">For which model.</param>
    /// <param name="tokens">Prompt by estimate, and the answer as far as declared.</param>
    /// <param name="worst">The most that it can come to be charged.</param>
    /// <param name="why">Why not: of the limits in the way, the one that stays there longest.</param>
    public Hold? Reserve(Caller caller, string model, long tokens, Usd worst, out Refused? why)
    {
        if (caller.MayUse(model))
            return caller.Account.Reserve(_clock.Now, tokens, worst, out why);
        why = new Refused(
            404,
            "model_not_found",
            $"Tenant '{caller.Tenant.Name}' may not use the model '{model}'. It may use {string.Join(", ", caller.Tenant.Models)}.");
        return null;
    }

    private Refused? Barred(Caller caller)
    {
        var (tenant, key) = (caller.Tenant, caller.Key);
        if (tenant.Disabled)
            return new Refused(403, "tenant_disabled", $"Tenant '{tenant.Name}' is disabled. Ask your operator to enable it.");
        if (key.Disabled)
            return new Refused(401, "invalid_api_key", $"The API key '{key.Id}' is disabled. Ask your operator for another.");
        if (key.Expires is { } end && _clock.Now >= end)
            return new Refused(401, "invalid_api_key", $"The API key '{key.Id}' has expired. Ask your operator for another.");
        return null;
    }

    private static readonly Refused NoKey = new(
        401, "missing_api_key", "No API key was given. Send one as the header 'Authorization: Bearer sk-tf-...'.");

    private static readonly Refused NoBearer = new(
        401, "invalid_api_key", "The Authorization header holds no bearer key. Send 'Authorization: Bearer sk-tf-...'.");

    private static readonly Refused WrongKey = new(
        401, "invalid_api_key", "The API key is wrong. Check that it was copied whole, or ask your operator for another.");
}
