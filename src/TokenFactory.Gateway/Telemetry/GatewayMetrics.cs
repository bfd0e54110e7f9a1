using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Http;
using TokenFactory.Policies;
using TokenFactory.Store.Ledger;

namespace TokenFactory.Gateway.Telemetry;

/// <summary>
/// The gateway's metrics. What a request adds goes to series that were found once, without a lock and without an allocation; reading them
/// holds nobody up. They leave as Prometheus text (<see cref="ServeAsync"/>) and as the meter "TokenFactory", which OTLP exports.
/// </summary>
public sealed class GatewayMetrics : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "TokenFactory";

    private const int MostModels = 200;
    private const int MostClasses = 50;
    private const int MostCodes = 100;
    private readonly Meter _meter = new(MeterName);
    private readonly GatewayFamilies _families;
    private readonly WatchedFamilies _watched;
    private readonly ITimer _looking;
    private readonly BoundedNames _tenants;
    private readonly BoundedNames _models = new("model", MostModels);
    private readonly BoundedNames _classes = new("class", MostClasses);
    private readonly BoundedNames _codes = new("code", MostCodes);
    private readonly ConcurrentDictionary<(string Tenant, string Model), TenantSeries> _byTenant = [];
    private readonly ConcurrentDictionary<(string Model, string Endpoint), ModelSeries> _byModel = [];
    private readonly ConcurrentDictionary<string, ModelTokens> _tokens = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, HistogramSeries> _waits = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(int Status, string Code), SumSeries> _refusals = [];
    private readonly ConcurrentDictionary<(string Class, ShedLimit Limit), SumSeries> _sheds = [];

    /// <summary>Begins to count.</summary>
    /// <param name="time">Its clock: some metrics tell of the last minute.</param>
    /// <param name="mostTenants">Tenants that have a label of their own; the rest is counted as "other".</param>
    public GatewayMetrics(TimeProvider time, int mostTenants = 100)
    {
        _families = new GatewayFamilies(_meter);
        _tenants = new BoundedNames("tenant", mostTenants);
        _watched = new WatchedFamilies(_meter, time, _tenants, _models, _classes, _codes);
        _looking = time.CreateTimer(_ => _watched.Look(Tokens()), null, LastMinute.Every, LastMinute.Every);
    }

    /// <summary>Where it looks for queues, replicas, tenants and the store.</summary>
    public GatewayWatch Watch
    {
        get => _watched.Watch;
        set => _watched.Watch = value;
    }

    /// <summary>A request that was sent to a replica has ended.</summary>
    /// <param name="record">What it took.</param>
    /// <param name="waitedSeconds">Seconds from its arrival until it was last sent.</param>
    /// <param name="status">HTTP status that its client got.</param>
    public void Finished(UsageRecord record, double waitedSeconds, int status)
    {
        var (tenant, model) = (_tenants.Of(record.Tenant), _models.Of(record.Model));
        if (!_byTenant.TryGetValue((tenant, model), out var byTenant))
            byTenant = _byTenant.GetOrAdd((tenant, model), new TenantSeries(_families, tenant, model));
        byTenant.Add(record, Known(status));
        if (!_byModel.TryGetValue((model, record.Endpoint), out var byModel))
            byModel = _byModel.GetOrAdd((model, record.Endpoint), new ModelSeries(_families, model, record.Endpoint));
        byModel.Add(record);
        if (!_tokens.TryGetValue(model, out var tokens))
            tokens = _tokens.GetOrAdd(model, new ModelTokens());
        tokens.Add(record.Tokens);
        var name = _classes.Of(record.Class);
        if (!_waits.TryGetValue(name, out var waits))
            waits = _waits.GetOrAdd(name, _families.Wait.Of(name));
        waits.Record(waitedSeconds);
    }

    /// <summary>The gateway itself answered a request: no.</summary>
    /// <param name="status">HTTP status.</param>
    /// <param name="code">OpenAI's code; one of the gateway's own, never text of a client.</param>
    public void Refused(int status, string code)
    {
        var key = (Known(status), _codes.Of(code));
        if (!_refusals.TryGetValue(key, out var series))
            series = _refusals.GetOrAdd(key, _families.Refusals.Of($"{key.Item1}", key.Item2));
        series.Add(1);
    }

    /// <summary>A request was turned away from a queue.</summary>
    public void Shed(string serviceClass, ShedLimit limit)
    {
        var key = (_classes.Of(serviceClass), limit);
        if (!_sheds.TryGetValue(key, out var series))
            series = _sheds.GetOrAdd(key, _families.Sheds.Of(key.Item1, Spell(limit)));
        series.Add(1);
    }

    /// <summary>A request for a model is sent once more, as the replica before failed it.</summary>
    public void Retried(string model) => _families.Retries.Of(_models.Of(model)).Add(1);

    /// <summary>Writes all metrics in Prometheus' text format.</summary>
    public void WriteText(IBufferWriter<byte> to)
    {
        foreach (var family in _families.All)
            family.Write(to);
        foreach (var family in _watched.All)
            family.Write(to);
    }

    /// <summary>Answers a scrape.</summary>
    public async Task ServeAsync(HttpContext context)
    {
        var text = new ArrayBufferWriter<byte>(64 << 10);
        WriteText(text);
        context.Response.ContentType = PrometheusText.ContentType;
        context.Response.ContentLength = text.WrittenCount;
        await context.Response.Body.WriteAsync(text.WrittenMemory, context.RequestAborted);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _looking.Dispose();
        _meter.Dispose();
    }

    private IEnumerable<(string Model, double Output, double All)> Tokens() =>
        _tokens.Select(each => (each.Key, (double)each.Value.Output, (double)each.Value.All));

    /// <summary>Statuses that HTTP has.</summary>
    private static int Known(int status) => status is >= 100 and < 600 ? status : 0;

    private static string Spell(ShedLimit limit) => limit switch
    {
        ShedLimit.MaxWaiting => "max_waiting",
        ShedLimit.MaxWait => "max_wait_s",
        ShedLimit.Deadline => "deadline_s",
        _ => "deadline_out_of_reach",
    };
}
