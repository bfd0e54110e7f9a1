using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using TokenFactory.Gateway.Api;
using TokenFactory.Gateway.Live;
using TokenFactory.Gateway.Setup;
using TokenFactory.Gateway.Virtual;
using TokenFactory.Store.Ledger;

namespace TokenFactory.Gateway.Hosting;

/// <content>What goes on while it runs: a changed file, meters.</content>
public sealed partial class GatewayHost
{
    /// <summary>Fleets that end what they had when the file changed.</summary>
    private ImmutableArray<LiveFleet> _former = [];

    /// <summary>Replicas that are there now.</summary>
    internal IEnumerable<LiveReplica> Replicas => _gateway.Running.Fleets.Values.SelectMany(fleet => fleet.Replicas);

    /// <summary>Requests at replicas now.</summary>
    internal int InFlight => Replicas.Sum(replica => replica.InFlight);

    /// <summary>Bytes of bodies that are held now.</summary>
    internal long HeldBodyBytes => _gateway.Held.Now;

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
            var same = before.Setup.FleetText == setup.FleetText && before.Fleets.Count == setup.Models.Count
                && setup.Models.All(model => before.Fleets.TryGetValue(model.Name, out var fleet) && fleet.CanBecome(model));
            await _gateway.Tenants.RefreshAsync(cancel).ConfigureAwait(false);
            await _virtual.StartAsync(setup, cancel).ConfigureAwait(false);
            _retiring.RemoveAll(done => done.IsCompletedSuccessfully);
            await (same ? ChangeAsync(before, setup, cancel) : ReplaceAsync(before, setup, cancel)).ConfigureAwait(false);
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>The same fleets, in which replicas come and go: what is known of those that stay stays.</summary>
    private async Task ChangeAsync(Running before, GatewaySetup setup, CancellationToken cancel)
    {
        await _gateway.Tenants.ApplyAsync(setup, cancel).ConfigureAwait(false);
        _gateway.Running = new Running(setup, before.Fleets, before.Uses);
        var gone = new List<LiveReplica>();
        foreach (var model in setup.Models)
            gone.AddRange(await before.Fleets[model.Name].BecomeAsync(model, cancel).ConfigureAwait(false));
        _retiring.Add(RetireAsync(Task.WhenAll(gone.Select(replica => replica.Left)), _virtual.Unused(setup)));
    }

    /// <summary>
    /// Other fleets: (1) what can fail is tried first; (2) they are made, and each replica is looked at; (3) tenants and fleets change
    /// together; (4) what ran before ends.
    /// </summary>
    private async Task ReplaceAsync(Running before, GatewaySetup setup, CancellationToken cancel)
    {
        var (events, old) = (OpenLog(setup), _events);
        var running = await FleetsAsync(setup, events, cancel).ConfigureAwait(false);
        try
        {
            await _gateway.Tenants.ApplyAsync(setup, cancel).ConfigureAwait(false);
        }
        catch
        {
            _retiring.Add(RetireAsync(running, events)); // those that run keep the engines that they have
            throw;
        }

        var drained = before.Fleets.Values.SelectMany(fleet => fleet.Replicas).Where(replica => replica.Drained).ToList();
        foreach (var fleet in running.Fleets.Values)
        {
            foreach (var same in fleet.Replicas.Where(replica => drained.Exists(replica.IsSameAs)))
                fleet.Drain(same); // an operator's word outlives a change of the file
        }

        var there = running.Fleets.Values.SelectMany(fleet => fleet.Replicas).ToList();
        foreach (var fleet in before.Fleets.Values)
            fleet.HandOver(there);
        (_gateway.Running, _events) = (running, events);
        _retiring.Add(RetireAsync(RetireAsync(before, old), _virtual.Unused(setup)));
    }

    /// <summary>A log tells in its first line what decides: other fleets begin another, "events.2.jsonl" beside "events.jsonl".</summary>
    private EventLog? OpenLog(GatewaySetup setup)
    {
        if (setup.Telemetry.Events is not { } path)
            return null;
        _logsBegun++;
        return EventLog.Open(_logsBegun == 1 ? path : Path.ChangeExtension(path, $"{_logsBegun}{Path.GetExtension(path)}"), setup);
    }

    /// <summary>A fleet for each model, each of whose replicas was looked at once.</summary>
    private async Task<Running> FleetsAsync(GatewaySetup setup, EventLog? events, CancellationToken cancel)
    {
        var fleets = setup.Models.ToDictionary(
            model => model.Name,
            model => new LiveFleet(model, setup, _clock, events, _http, _logger, (_, replica) => _virtual.AddressOf(replica)),
            StringComparer.Ordinal);
        await Task.WhenAll(fleets.Values.Select(fleet => fleet.StartAsync(cancel))).ConfigureAwait(false);
        return new Running(setup, fleets, new Uses());
    }

    /// <summary>Virtual engines end when those who used them are gone.</summary>
    private static async Task RetireAsync(Task users, IReadOnlyList<VirtualEngine> unused)
    {
        await users.ConfigureAwait(false);
        foreach (var engine in unused)
            await engine.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>What ran before ends what it has, and goes.</summary>
    private async Task RetireAsync(Running before, EventLog? events)
    {
        ImmutableInterlocked.Update(ref _former, former => former.AddRange(before.Fleets.Values));
        await DrainAsync(before).ConfigureAwait(false);
        ImmutableInterlocked.Update(ref _former, former => former.RemoveRange(before.Fleets.Values));
        foreach (var fleet in before.Fleets.Values)
        {
            await KeepAsync(fleet.TakeMeters()).ConfigureAwait(false);
            await fleet.DisposeAsync().ConfigureAwait(false);
        }

        if (events is not null)
            await events.DisposeAsync().ConfigureAwait(false);
    }

    private async Task DrainAsync(Running running)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(running.Setup.Limits.DrainSeconds), _time);
        try
        {
            await running.Uses.RetireAsync().WaitAsync(patience.Token).ConfigureAwait(false);
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
            await KeepAsync(fleet.TakeMeters()).ConfigureAwait(false);
    }

    /// <summary>Keeps what meters showed; where the disk is full, with what they show next.</summary>
    private async Task KeepAsync(IReadOnlyList<MeterRecord> meters)
    {
        await _keeping.WaitAsync().ConfigureAwait(false);
        try
        {
            _unkept.AddRange(meters);
            await _gateway.Ledger.CommitAsync(_unkept).ConfigureAwait(false);
            _unkept.Clear();
        }
        catch (JournalException full)
        {
            JournalWarns($"Meters cannot be kept and are tried again with the next: {full.Message}");
        }
        finally
        {
            _keeping.Release();
        }
    }
}
