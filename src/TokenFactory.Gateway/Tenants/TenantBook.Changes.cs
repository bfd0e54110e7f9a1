using Microsoft.Extensions.Logging;
using TokenFactory.Gateway.Setup;
using TokenFactory.Store;
using TokenFactory.Store.Tenants;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Tenants;

/// <summary>A key that was just made: the only time that it is told whole.</summary>
/// <param name="Record">What is kept of it.</param>
/// <param name="Text">The key itself; never logged, never kept.</param>
public sealed record NewKey(KeyRecord Record, string Text);

/// <summary>A change that cannot be made: what is wrong, and what to do instead.</summary>
/// <param name="status">HTTP status that says it: 404 for what is not there, 409 for what cannot be changed here.</param>
/// <param name="message">In words.</param>
public sealed class TenantChangeException(int status, string message) : Exception(message)
{
    /// <summary>HTTP status that says it.</summary>
    public int Status { get; } = status;
}

public sealed partial class TenantBook
{
    /// <summary>Time between looks at what other gateways on the same store changed.</summary>
    private static readonly TimeSpan RefreshEvery = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _changing = new(1);
    private readonly CancellationTokenSource _closing = new();
    private readonly Task _refreshing;
    private IReadOnlyList<TenantSetup> _file;
    private IReadOnlyList<TenantRecord> _tenants = [];
    private IReadOnlyList<KeyRecord> _keys = [];

    /// <summary>A changed factory file: its tenants from now on.</summary>
    /// <exception cref="StoreAwayException">What a new tenant spent cannot be read; nothing was changed.</exception>
    public Task ApplyAsync(GatewaySetup setup, CancellationToken cancel = default) =>
        ChangeAsync(() => SwapAsync(setup.Tenants, _tenants, _keys, cancel), cancel);

    /// <summary>Adds a tenant to the store, or replaces it.</summary>
    /// <exception cref="TenantChangeException">It stands in the factory file.</exception>
    public Task PutTenantAsync(TenantRecord tenant, CancellationToken cancel = default) =>
        ChangeAsync(
            async () =>
            {
                RefuseIfInFile(tenant.Name);
                await _store.PutTenantAsync(tenant, cancel);
                await ReadAsync(cancel);
            },
            cancel);

    /// <summary>Removes a tenant of the store with its keys; what it used stays in the ledger.</summary>
    /// <exception cref="TenantChangeException">There is none, or it stands in the factory file.</exception>
    public Task RemoveTenantAsync(string name, CancellationToken cancel = default) =>
        ChangeAsync(
            async () =>
            {
                RefuseIfInFile(name);
                if (!await _store.RemoveTenantAsync(name, cancel))
                    throw new TenantChangeException(404, $"There is no tenant '{name}'. GET /admin/v1/tenants lists those that are.");
                await ReadAsync(cancel);
            },
            cancel);

    /// <summary>Makes a key.</summary>
    /// <param name="tenant">Whose.</param>
    /// <param name="label">What it is for.</param>
    /// <param name="expires">When it ends; null for never.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="TenantChangeException">There is no such tenant.</exception>
    public async Task<NewKey> CreateKeyAsync(string tenant, string label, Instant? expires, CancellationToken cancel = default)
    {
        NewKey? made = null;
        await ChangeAsync(
            async () =>
            {
                if (!_now.ByName.ContainsKey(tenant))
                    throw new TenantChangeException(404, $"There is no tenant '{tenant}'. Make it first, or name another.");
                made = Fresh(tenant, label, expires);
                await PutAsync(made.Record, cancel);
            },
            cancel);
        return made!;
    }

    /// <summary>Makes a key in the place of another, which goes on to work for a while so that its users can change over.</summary>
    /// <param name="id">Public part of the old one.</param>
    /// <param name="grace">How long the old one still works.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The new one, with the label and the end of the old one.</returns>
    /// <exception cref="TenantChangeException">There is no such key.</exception>
    public async Task<NewKey> RotateKeyAsync(string id, Duration grace, CancellationToken cancel = default)
    {
        NewKey? made = null;
        await ChangeAsync(
            async () =>
            {
                var old = KeyOf(id);
                made = Fresh(old.Tenant, old.Label, old.Expires);
                var end = _clock.Now + grace;
                await _store.PutKeyAsync(made.Record, cancel);
                await PutAsync(old with { Expires = Instant.Earlier(old.Expires ?? Instant.Never, end) }, cancel);
            },
            cancel);
        return made!;
    }

    /// <summary>Refuses a key for now, or takes it again.</summary>
    /// <exception cref="TenantChangeException">There is no such key.</exception>
    public Task DisableKeyAsync(string id, bool disabled, CancellationToken cancel = default) =>
        ChangeAsync(() => PutAsync(KeyOf(id) with { Disabled = disabled }, cancel), cancel);

    /// <summary>Removes a key.</summary>
    /// <exception cref="TenantChangeException">There is no such key.</exception>
    public Task RemoveKeyAsync(string id, CancellationToken cancel = default) =>
        ChangeAsync(
            async () =>
            {
                if (!await _store.RemoveKeyAsync(KeyOf(id).Id, cancel))
                    throw NoSuchKey(id);
                await ReadAsync(cancel);
            },
            cancel);

    /// <summary>Reads what other gateways on the same store changed.</summary>
    /// <exception cref="StoreAwayException">The store cannot be reached; what was known stays.</exception>
    public Task RefreshAsync(CancellationToken cancel = default) => ChangeAsync(() => ReadAsync(cancel), cancel);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_closing.IsCancellationRequested)
            return;
        await _closing.CancelAsync();
        await _refreshing;
        _closing.Dispose();
        _changing.Dispose();
    }

    private NewKey Fresh(string tenant, string label, Instant? expires)
    {
        var (id, text) = ApiKey.Create();
        while (_keys.Any(key => key.Id == id))
            (id, text) = ApiKey.Create();
        var record = new KeyRecord(id, tenant, ApiKey.Hash(text).ToArray(), _clock.Now) { Label = label, Expires = expires };
        return new NewKey(record, text);
    }

    private KeyRecord KeyOf(string id) => _now.Keys.FirstOrDefault(key => key.Id == id) ?? throw NoSuchKey(id);

    private static TenantChangeException NoSuchKey(string id) =>
        new(404, $"There is no key '{id}'. Keys that the factory file names by their hashes are changed there.");

    private void RefuseIfInFile(string name)
    {
        if (IsInFile(name))
            throw new TenantChangeException(409, $"Tenant '{name}' stands in the factory file. Change it there; the file is read again.");
    }

    private async Task PutAsync(KeyRecord key, CancellationToken cancel)
    {
        await _store.PutKeyAsync(key, cancel);
        await ReadAsync(cancel);
    }

    private async Task ReadAsync(CancellationToken cancel)
    {
        var tenants = await _store.TenantsAsync(cancel);
        var keys = await _store.KeysAsync(cancel);
        await SwapAsync(_file, tenants, keys, cancel);
    }

    /// <summary>One change after another; each writes to the store first, and is seen when it is there.</summary>
    private async Task ChangeAsync(Func<Task> change, CancellationToken cancel)
    {
        await _changing.WaitAsync(cancel);
        try
        {
            await change();
        }
        finally
        {
            _changing.Release();
        }
    }

    private async Task SwapAsync(
        IReadOnlyList<TenantSetup> file, IReadOnlyList<TenantRecord> tenants, IReadOnlyList<KeyRecord> keys, CancellationToken cancel)
    {
        foreach (var tenant in file.Select(each => each.Tenant).Concat(tenants))
            await OpenAccountAsync(tenant, cancel);
        var next = new TenantSnapshot(file, tenants, keys, tenant => _accounts[tenant.Name]);
        foreach (var tenant in next.Tenants)
            _accounts[tenant.Name].Limit(tenant);
        (_file, _tenants, _keys, _now) = (file, tenants, keys, next);
    }

    /// <summary>A tenant's account stays for as long as the process runs, also after the tenant: what was spent is spent.</summary>
    private async Task OpenAccountAsync(TenantRecord tenant, CancellationToken cancel)
    {
        if (_accounts.ContainsKey(tenant.Name))
            return;
        var now = _clock.Now;
        var account = new TenantAccount(_accounts.Count, tenant, Salts.Of(_secret, tenant.Name), _clock);
        account.Begin(now, await Spent(BudgetSpan.Hour), await Spent(BudgetSpan.Day),
            await Spent(BudgetSpan.Month));
        lock (_accounts)
            _accounts.Add(tenant.Name, account);

        async Task<decimal> Spent(BudgetSpan span) =>
            (await _store.ChargedAsync(tenant.Name, BudgetWindow.Around(span, now).Begins, cancel)).Value;
    }

    private async Task RefreshOftenAsync()
    {
        using var timer = new PeriodicTimer(RefreshEvery, _clock.Time);
        var away = false;
        try
        {
            while (await timer.WaitForNextTickAsync(_closing.Token))
            {
                try
                {
                    await RefreshAsync(_closing.Token);
                    away = false;
                }
                catch (StoreAwayException failure)
                {
                    if (!away)
                        StaysAsKnown(_log, failure.Message);
                    away = true;
                }
            }
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested)
        {
            // The book is closed.
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "Tenants and keys cannot be read again: {Reason}. Those known go on.", EventName = "tenants_away")]
    private static partial void StaysAsKnown(ILogger log, string reason);
}
