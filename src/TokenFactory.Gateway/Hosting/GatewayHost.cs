using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using TokenFactory.Gateway.Admin;
using TokenFactory.Gateway.Api;
using TokenFactory.Gateway.Live;
using TokenFactory.Gateway.Setup;
using TokenFactory.Gateway.Telemetry;
using TokenFactory.Gateway.Tenants;
using TokenFactory.Store;
using TokenFactory.Store.Ledger;
using TokenFactory.Store.Tenants;

namespace TokenFactory.Gateway.Hosting;

/// <summary>
/// A gateway from its start to its end. Start: (1) the store, (2) the journal, which first brings in what an earlier run left, (3) tenants
/// and what they have spent, (4) fleets, and a first look at each replica, (5) the doors. End: (1) the doors take nothing new, (2) answers
/// that run end, (3) meters and journal are closed.
/// </summary>
public sealed partial class GatewayHost : IAsyncDisposable
{
    private const string FirstTenant = "default";
    private static readonly TimeSpan MeterEvery = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ExportEvery = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan FlushPatience = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _changing = new(1);
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<Task> _retiring = [];
    private readonly SemaphoreSlim _keeping = new(1);
    private readonly List<MeterRecord> _unkept = [];
    private readonly TimeProvider _time;
    private readonly ILoggerProvider _logs;
    private readonly ILogger _logger;
    private readonly IUsageStore _store;
    private readonly WallClock _clock;
    private readonly HttpMessageInvoker _http = new(EngineCalls.Handler());
    private readonly VirtualFleet _virtual;
    private readonly GatewayMetrics _metrics;
    private OtlpExport? _export;
    private Api.Gateway _gateway = null!;
    private EventLog? _events;
    private LedgerWriter? _ledger;
    private TenantBook? _tenants;
    private WebApplication? _admin;
    private WebApplication? _public;
    private Task _metering = Task.CompletedTask;
    private bool _closed;
    private int _logsBegun;

    private GatewayHost(TimeProvider time, ILoggerProvider logs, IUsageStore store)
    {
        (_time, _logs, _store, _clock) = (time, logs, store, new WallClock(time));
        _logger = logs.CreateLogger("TokenFactory.Gateway");
        _virtual = new VirtualFleet(time);
        _metrics = new GatewayMetrics(time);
    }

    /// <summary>Where clients reach it.</summary>
    public Uri Address => Listeners.AddressOf(_public!);

    /// <summary>Where operators reach it.</summary>
    public Uri AdminAddress => Listeners.AddressOf(_admin!);

    /// <summary>The key that this start made, as there was none; null where there was. Never kept: show it once.</summary>
    public string? FirstKey { get; private set; }

    /// <summary>Whose key it is.</summary>
    public string? FirstKeyTenant { get; private set; }

    /// <summary>The admin key, where this start made it and may show it.</summary>
    public string? FirstAdminKey { get; private set; }

    /// <summary>Where records go, without secrets.</summary>
    public string Ledger => _store.What;

    /// <summary>What it runs by.</summary>
    public GatewaySetup Setup => _gateway.Running.Setup;

    /// <summary>Tenants and keys.</summary>
    public TenantBook Tenants => _gateway.Tenants;

    /// <summary>Starts a gateway. It answers once this returns.</summary>
    /// <param name="setup">What it runs by.</param>
    /// <param name="time">Its clock.</param>
    /// <param name="logs">Where it logs.</param>
    /// <param name="cancel">Gives up starting.</param>
    /// <exception cref="StoreAwayException">The store cannot be reached.</exception>
    /// <exception cref="JournalException">Another process has the folder, or it cannot be written.</exception>
    /// <exception cref="SettingException">An address is taken or not this machine's, or a folder cannot be written to.</exception>
    public static async Task<GatewayHost> StartAsync(GatewaySetup setup, TimeProvider time, ILoggerProvider logs, CancellationToken cancel)
    {
        Try(setup);
        var location = setup.Store.Postgres is { } postgres
            ? StoreLocation.Postgres(postgres)
            : StoreLocation.Sqlite(Path.Combine(setup.Store.Folder, LedgerFile));
        var host = new GatewayHost(time, logs, UsageStores.Open(location));
        try
        {
            await host.BeginAsync(setup, cancel).ConfigureAwait(false);
            return host;
        }
        catch
        {
            await host.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Name of the SQLite file in the store's folder.</summary>
    public const string LedgerFile = "ledger.db";

    /// <summary>Name of the journal's folder in the store's folder.</summary>
    public const string JournalFolder = "journal";

    /// <summary>
    /// Looks whether all can be had that it needs of this machine, before it writes anything: a key that is made and not shown is lost.
    /// </summary>
    private static void Try(GatewaySetup setup)
    {
        Listeners.Try("listen", setup.Listen.Address);
        Listeners.Try("admin", setup.Listen.Admin);
        if (setup.Telemetry.Events is { } events && !Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(events))))
            throw new SettingException("telemetry.events", events, "its folder does not exist");
        try
        {
            Directory.CreateDirectory(setup.Store.Folder);
        }
        catch (Exception unwritable) when (unwritable is IOException or UnauthorizedAccessException)
        {
            throw new SettingException("store.folder", setup.Store.Folder, unwritable.Message);
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _closed, true))
            return;
        if (_gateway is not null)
            await StopServingAsync(_gateway.Running).ConfigureAwait(false);
        await Task.WhenAll(_retiring).ConfigureAwait(false);
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _metering.ConfigureAwait(false);
        await CloseAsync().ConfigureAwait(false);
        _export?.Dispose();
        _metrics.Dispose();
        _http.Dispose();
        _stopping.Dispose();
        _changing.Dispose();
        _keeping.Dispose();
    }

    private async Task BeginAsync(GatewaySetup setup, CancellationToken cancel)
    {
        await _store.PrepareAsync(cancel).ConfigureAwait(false);
        var journal = new JournalOptions(Path.Combine(setup.Store.Folder, JournalFolder))
        {
            Sync = setup.Store.Sync,
            MostWaitingBytes = setup.Store.MostWaitingBytes,
        };
        _ledger = await LedgerWriter.OpenAsync(_store, journal, _time, JournalWarns, cancel).ConfigureAwait(false);
        await _ledger.FlushAsync(cancel).ConfigureAwait(false);
        _tenants = await TenantBook.OpenAsync(setup, _store, _clock, cancel, _logger).ConfigureAwait(false);
        _events = OpenLog(setup);
        await _virtual.StartAsync(setup, cancel).ConfigureAwait(false);
        var running = await FleetsAsync(setup, _events, cancel).ConfigureAwait(false);
        _gateway = new Api.Gateway(running, _tenants, _ledger, _metrics, _clock, _http, new GatewayLogs(_logger));
        _metrics.Watch = Watch();
        _export = setup.Telemetry.Otlp is { } collector ? new OtlpExport(collector, setup.Name, ExportEvery) : null;
        _metering = MeterAsync();
        await OpenDoorsAsync(setup, cancel).ConfigureAwait(false);
    }

    /// <summary>The doors take nothing new; answers that run get their time to end, and are then cut off.</summary>
    private async Task StopServingAsync(Running running)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(running.Setup.Limits.DrainSeconds), _time);
        using var cut = new CancellationTokenSource();
        using var registered = patience.Token.Register(() =>
        {
            _gateway.Cutting = true; // before connections are cut: who is cut off by us did not leave
            cut.Cancel();
        });
        if (_public is not null)
            await _public.StopAsync(cut.Token).ConfigureAwait(false);
        await DrainAsync(running).ConfigureAwait(false);
    }

    private async Task OpenDoorsAsync(GatewaySetup setup, CancellationToken cancel)
    {
        var key = AdminKey.Open(setup.Store.Folder);
        FirstAdminKey = setup.FirstKey ? key.Made : null;
        await MakeFirstKeyAsync(setup, cancel).ConfigureAwait(false);
        _admin = Listeners.Build(setup.Listen.Admin, setup, _logs);
        var parts = Parts(key);
        AdminApi.Map(_admin, parts);
        _admin.Map("/healthz", PublicApi.HealthAsync);
        await _admin.StartAsync(cancel).ConfigureAwait(false);
        _public = Listeners.Build(setup.Listen.Address, setup, _logs, inline: true);
        _public.Run(new PublicApi(_gateway, http => AdminApi.RunAsync(parts, http, _metrics.ServeAsync)).HandleAsync);
        await _public.StartAsync(cancel).ConfigureAwait(false);
    }

    /// <summary>Whoever starts a gateway for the first time can use it at once.</summary>
    private async Task MakeFirstKeyAsync(GatewaySetup setup, CancellationToken cancel)
    {
        if (!setup.FirstKey || _tenants!.HasKeys)
            return;
        if (_tenants.Tenants.Count == 0)
            await _tenants.PutTenantAsync(new TenantRecord(FirstTenant), cancel).ConfigureAwait(false);
        var first = setup.Tenants.Count > 0 ? setup.Tenants[0].Tenant.Name : _tenants.Tenants[0].Name;
        FirstKey = (await _tenants.CreateKeyAsync(first, "made at the first start", null, cancel).ConfigureAwait(false)).Text;
        FirstKeyTenant = first;
    }

    private GatewayWatch Watch() => new()
    {
        Replicas = () => ReplicaStatus.Of(_gateway.Running.Fleets.Values, _former),
        Queues = () => [.. _gateway.Running.Fleets.Values.SelectMany(fleet =>
            Setup.Classes.Select((kind, i) => new QueueDepth(fleet.Model.Name, kind.Name, fleet.WaitingOf(i))))],
        Tenants = () => [.. _tenants!.Tenants.Select(tenant => _tenants.UsageOf(tenant.Name)).OfType<TenantUsage>()],
        Store = Status,
    };

    private StoreStatus Status() => new(_store.What, _ledger!.StoreAwaySince, _ledger.WaitingBytes, _ledger.Full);

    private AdminParts Parts(AdminKey key) => new()
    {
        Key = key,
        Tenants = _tenants!,
        Setup = () => Setup,
        Replicas = () => ReplicaStatus.Of(_gateway.Running.Fleets.Values, _former),
        Drain = (name, drain) => ReplicaStatus.Drain(_gateway.Running.Fleets.Values, name, drain),
        Store = Status,
        Metrics = _metrics,
        Clock = _clock,
        Started = _clock.Now,
    };

    /// <summary>What was recorded goes to the store, unless that is away: then it stays in the journal for the next start.</summary>
    private async Task CloseAsync()
    {
        foreach (var fleet in _gateway?.Running.Fleets.Values ?? [])
            await fleet.DisposeAsync().ConfigureAwait(false);
        await _virtual.DisposeAsync().ConfigureAwait(false);
        if (_events is not null)
            await _events.DisposeAsync().ConfigureAwait(false);
        if (_tenants is not null)
            await _tenants.DisposeAsync().ConfigureAwait(false);
        if (_ledger is not null)
        {
            await FlushAsync(_ledger).ConfigureAwait(false);
            await _ledger.DisposeAsync().ConfigureAwait(false);
        }

        if (_admin is not null)
            await _admin.DisposeAsync().ConfigureAwait(false);
        if (_public is not null)
            await _public.DisposeAsync().ConfigureAwait(false);
        await _store.DisposeAsync().ConfigureAwait(false);
    }

    private async Task FlushAsync(LedgerWriter ledger)
    {
        using var patience = new CancellationTokenSource(FlushPatience, _time);
        try
        {
            await ledger.FlushAsync(patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            JournalWarns("The store is away: records stay in the journal until the next start.");
        }
    }

    [LoggerMessage(11, LogLevel.Warning, "{what}")]
    private partial void JournalWarns(string what);
}
