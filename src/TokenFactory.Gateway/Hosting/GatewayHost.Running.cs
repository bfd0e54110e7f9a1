using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;
using TokenFactory.Gateway.Api;
using TokenFactory.Gateway.Live;
using TokenFactory.Gateway.Setup;
using TokenFactory.Gateway.Virtual;

namespace TokenFactory.Gateway.Hosting;

/// <content>What goes on while it runs: a changed file, meters.</content>
public sealed partial class GatewayHost
{
    /// <summary>
    /// A changed file: new requests go by it at once, those that run end by the old one. Addresses and the store are those of the start.
    /// </summary>
    /// <exception cref="Store.StoreAwayException">What a new tenant spent cannot be read; everything goes on as before.</exception>
    public async Task ApplyAsync(GatewaySetup setup, CancellationToken cancel)
    {
        await _changing.WaitAsync(cancel).ConfigureAwait(false);
        try
        {
            var before = _gateway.Running;
            await _gateway.Tenants.ApplyAsync(setup, cancel).ConfigureAwait(false);
            if (before.Setup.FleetText == setup.FleetText)
            {
                _gateway.Running = new Running(setup, before.Fleets);
                return;
            }

            var unused = await _virtual.StartAsync(setup, cancel).ConfigureAwait(false);
            var log = _events;
            OpenLog(setup);
            _gateway.Running = await FleetsAsync(setup, cancel).ConfigureAwait(false);
            _retiring.RemoveAll(done => done.IsCompletedSuccessfully);
            _retiring.Add(RetireAsync(before, unused, log));
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>A fleet for each model, each of whose replicas was looked at once.</summary>
    private async Task<Running> FleetsAsync(GatewaySetup setup, CancellationToken cancel)
    {
        var fleets = setup.Models.ToDictionary(
            model => model.Name,
            model => new LiveFleet(model, setup, _clock, _events, _http, _logger, (_, replica) => _virtual.AddressOf(replica)),
            StringComparer.Ordinal);
        await Task.WhenAll(fleets.Values.Select(fleet => fleet.StartAsync(cancel))).ConfigureAwait(false);
        return new Running(setup, fleets);
    }

    /// <summary>What ran before ends what it has, and goes.</summary>
    private async Task RetireAsync(Running before, IReadOnlyList<VirtualEngine> unused, EventLog? log)
    {
        await DrainAsync(before).ConfigureAwait(false);
        foreach (var fleet in before.Fleets.Values)
        {
            await _gateway.Ledger.CommitAsync(fleet.TakeMeters()).ConfigureAwait(false);
            await fleet.DisposeAsync().ConfigureAwait(false);
        }

        foreach (var engine in unused)
            await engine.DisposeAsync().ConfigureAwait(false);
        if (log is not null)
            await log.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>A log tells of one setup: a file that changes the fleets begins another, "events.2.jsonl" after "events.jsonl".</summary>
    private void OpenLog(GatewaySetup setup)
    {
        _openedLogs++;
        _events = setup.Telemetry.Events is { } path
            ? EventLog.Open(_openedLogs == 1 ? path : Path.ChangeExtension(path, $"{_openedLogs}{Path.GetExtension(path)}"), setup)
            : null;
    }

    /// <summary>Takes nothing new; connections on which answers run are cut when their time is over.</summary>
    private async Task CloseDoorsAsync(WebApplication doors)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(Setup.Limits.DrainSeconds), _time);
        await doors.StopAsync(patience.Token).ConfigureAwait(false);
    }

    private async Task DrainAsync(Running running)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(running.Setup.Limits.DrainSeconds), _time);
        try
        {
            await Task.WhenAll(running.Fleets.Values.Select(fleet => fleet.DrainAsync(patience.Token))).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            Drained(running.Setup.Limits.DrainSeconds);
        }
    }

    [LoggerMessage(10, LogLevel.Warning, "Answers still ran after limits.drain_s, {seconds} s, and are cut off")]
    private partial void Drained(double seconds);

    /// <summary>Each minute, what replicas were paid, drew and did.</summary>
    private async Task MeterAsync()
    {
        using var timer = new PeriodicTimer(MeterEvery, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stopping.Token).ConfigureAwait(false))
                await TakeMetersAsync().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            await TakeMetersAsync().ConfigureAwait(false);
        }
    }

    private async Task TakeMetersAsync()
    {
        foreach (var fleet in _gateway.Running.Fleets.Values)
            await _gateway.Ledger.CommitAsync(fleet.TakeMeters()).ConfigureAwait(false);
    }
}
