using System.Net;
using Microsoft.Extensions.Logging;
using TokenFactory.Fleet;
using TokenFactory.Gateway.Setup;
using TokenFactory.Policies;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Live;

/// <summary>
/// The fleet that serves one model, in wall time: it drives the same fleet state and policies as the simulator does in virtual time, with
/// the same events in the same order. Safe for use from many threads: everything that is decided is decided under one lock and never
/// awaits.
/// </summary>
/// <remarks>
/// The way of a request: (1) it is queued; (2) the router finds it a replica, or it waits, and whenever something changes those who wait
/// are looked at again; (3) it is sent, which makes a leg; (4) its first token comes; (5) it ends, or its replica fails it and it is placed
/// again.
/// </remarks>
public sealed partial class LiveFleet : IAsyncDisposable
{
    private static readonly TimeSpan TickTime = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly GatewaySetup _setup;
    private readonly WallClock _clock;
    private readonly EventLog? _log;
    private readonly int _number;
    private readonly HttpMessageInvoker _http;
    private readonly ILogger _logger;
    private readonly Brain _brain;
    private readonly Recovery _recovery;
    private readonly Backlog _backlog;
    private readonly Backlog _aside;
    private readonly Dictionary<long, Waiter> _waiters = [];
    private readonly PriorityQueue<Leg, long> _unseen = new();
    private readonly List<LiveReplica> _all = [];
    private readonly PoolMeter[] _meters;
    private readonly ITimer _dueTimer;
    private readonly ITimer _tickTimer;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _work = [];
    private readonly Func<string, CancellationToken, Task<IPAddress[]>> _resolve;
    private readonly Func<PoolSetup, ReplicaSetup, Uri>? _open;
    private readonly TokenWidth _width = new();
    private volatile ModelSetup _model;
    private volatile LiveReplica[] _present = [];
    private TaskCompletionSource? _drained;
    private Instant _now;
    private Instant _dueSet = Instant.Never;
    private Waiter? _answered;
    private Ask? _placing;
    private bool _placingStreams;
    private Placement _placed;
    private bool _started;
    private bool _closing;
    private bool _disposed;

    /// <summary>
    /// A fleet; its replicas are there, but nothing is sent to them before <see cref="StartAsync"/> found them in health.
    /// </summary>
    /// <param name="model">What it serves.</param>
    /// <param name="setup">The factory that the model is part of.</param>
    /// <param name="clock">Wall time.</param>
    /// <param name="log">Gets every event and decision; null for nobody.</param>
    /// <param name="http">Sends looks to replicas.</param>
    /// <param name="logger">Hears of replicas that come, go and fail.</param>
    /// <param name="open">Starts a virtual replica inside the gateway and returns its address; null where there may be none.</param>
    /// <param name="resolve">Finds the addresses of a host name; null for DNS.</param>
    /// <exception cref="ArgumentException">A replica has no address, and none may be inside the gateway.</exception>
    public LiveFleet(
        ModelSetup model,
        GatewaySetup setup,
        WallClock clock,
        EventLog? log,
        HttpMessageInvoker http,
        ILogger logger,
        Func<PoolSetup, ReplicaSetup, Uri>? open = null,
        Func<string, CancellationToken, Task<IPAddress[]>>? resolve = null)
    {
        (_model, _setup, _clock, _log, _http, _logger) = (model, setup, clock, log, http, logger);
        _open = open;
        _number = log?.NumberOf(model.Name) ?? 0;
        _resolve = resolve ?? Dns.GetHostAddressesAsync;
        _brain = new Brain(model, setup);
        _recovery = setup.Policies.Recovery with { ContinueAnswers = false }; // an answer goes on at the replica where it began
        (_backlog, _aside) = (new Backlog(_brain.Classes), new Backlog(_brain.Classes));
        _meters = [.. View.Pools.Select(pool => new PoolMeter(pool.Facts, pool.Steps))];
        _now = clock.Now;
        for (var pool = 0; pool < model.Pools.Count; pool++)
        {
            foreach (var replica in model.Pools[pool].Replicas)
                Add(pool, replica.Name, AddressOf(model.Pools[pool], replica));
        }

        _dueTimer = clock.Time.CreateTimer(_ => OnDue(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _tickTimer = clock.Time.CreateTimer(_ => OnTick(), null, TickTime, TickTime);
    }

    /// <summary>What it serves, by the newest file.</summary>
    public ModelSetup Model => _model;

    /// <summary>All replicas, also those that drain, are broken or were never reached; those that are gone not.</summary>
    public IReadOnlyList<LiveReplica> Replicas => _present;

    /// <summary>Bytes of content per prompt token: learned from usage, 4 before any.</summary>
    public double BytesPerToken => _width.BytesPerToken;

    /// <summary>Teaches it.</summary>
    /// <param name="contentBytes">Bytes of a request's content.</param>
    /// <param name="promptTokens">Tokens that the engine counted in its prompt.</param>
    public void Learn(long contentBytes, long promptTokens) => _width.Learn(contentBytes, promptTokens);

    private Placement Closed =>
        new(null, null, $"The gateway takes no more requests for '{Model.Name}': it is stopping. Retry after 1 s.") { Closed = true };

    private FleetSnapshot View => _brain.View;

    /// <summary>Requests of a class that wait for a replica.</summary>
    public int WaitingOf(int serviceClass)
    {
        lock (_gate)
            return View.Classes[serviceClass].Waiting;
    }

    /// <summary>Finds a request a replica, waiting for its turn as long as its class lets it.</summary>
    /// <param name="ask">The request; no two that are here at once have the same number.</param>
    /// <param name="cancel">It no longer waits. A leg that it has got already must still be ended.</param>
    /// <param name="streams">
    /// Its answer is a stream, so that <see cref="Leg.FirstToken"/> will tell when it begins. Of others the fleet takes the first token to
    /// come when it is predicted: nobody sees it.
    /// </param>
    public ValueTask<Placement> PlaceAsync(Ask ask, CancellationToken cancel, bool streams = true)
    {
        if (cancel.IsCancellationRequested)
            return ValueTask.FromCanceled<Placement>(cancel);
        if (TooLong(ask) is { } refused)
            return new(new Placement(null, null, refused));
        Waiter? waiter = null, answered;
        Placement placement;
        lock (_gate)
        {
            placement = Place(ask, streams);
            if (placement is { Leg: null, Shed: null, Refused: null })
                _waiters.Add(ask.Id, waiter = new Waiter(ask, streams));
            Arm(_now);
            answered = Answered();
        }

        Waiter.Tell(answered);
        return waiter is null ? new(placement) : WaitAsync(waiter, cancel);
    }

    /// <summary>(1) It waits, unless too many do; and is sent at once where a replica takes it.</summary>
    private Placement Place(Ask ask, bool streams)
    {
        var now = Step(default);
        if (_closing)
            return Closed;
        if (_waiters.ContainsKey(ask.Id))
            throw new ArgumentException($"A request with number {ask.Id} waits already", nameof(ask));
        if (_backlog.Add(ask, View, now) is { } shed)
            return new Placement(null, True(shed, now), null);
        Tell(new FleetEvent(FleetEventKind.Queued, now) { Ask = ask });
        (_placing, _placingStreams, _placed) = (ask, streams, default);
        Dispatch(now);
        _placing = null;
        return _placed;
    }

    private async ValueTask<Placement> WaitAsync(Waiter waiter, CancellationToken cancel)
    {
        using var registration = cancel.UnsafeRegister((_, token) => Leave(waiter, token), null);
        return await waiter.Task.ConfigureAwait(false);
    }

    /// <summary>The client left while its request waited.</summary>
    private void Leave(Waiter waiter, CancellationToken cancel)
    {
        Waiter? answered;
        lock (_gate)
        {
            if (!_waiters.TryGetValue(waiter.Ask.Id, out var known) || known != waiter)
                return;
            var now = Step(default);
            Unqueue(waiter.Ask, now);
            Dispatch(now);
            answered = Answered();
        }

        waiter.Cancel(cancel);
        Waiter.Tell(answered);
    }

    /// <summary>Takes out who is not sent.</summary>
    private Waiter? Unqueue(Ask ask, Instant now)
    {
        _waiters.Remove(ask.Id, out var waiter);
        if (!_backlog.Remove(ask.Id, View))
            _aside.Remove(ask.Id, View);
        Tell(new FleetEvent(FleetEventKind.Unqueued, now) { Ask = ask });
        return waiter;
    }

    /// <summary>The present, never before what has happened; and what nobody saw happen until then.</summary>
    private Instant Step(Instant at)
    {
        var now = at == default ? _clock.Now : at;
        _now = now > _now ? now : _now;
        BeginUnseen(_now);
        return _now;
    }

    /// <summary>Tells fleet state, which policies read, and the log.</summary>
    private void Tell(in FleetEvent e, int? promptTokens = null, int? cachedTokens = null)
    {
        _brain.State.Apply(e);
        _log?.Applied(_number, e, promptTokens, cachedTokens);
    }

    private Waiter? Answered()
    {
        if (_closing && _waiters.Count == 0)
            Close();
        var answered = _answered;
        _answered = null;
        return answered;
    }

    /// <summary>Nobody waits and nobody comes: replicas leave as they have nothing more to do, and are no longer paid for here.</summary>
    private void Close()
    {
        foreach (var replica in _present)
            Dismiss(replica, _now);
        if (InFlight() == 0)
            _drained?.TrySetResult();
    }

    private int InFlight()
    {
        var count = 0;
        foreach (var pool in View.Pools)
            count += pool.InFlight;
        return count;
    }

    private string? TooLong(Ask ask)
    {
        double longest = 0;
        foreach (var pool in Model.Pools)
        {
            if (pool.Facts.Role == ReplicaRole.Aggregated)
                longest = Math.Max(longest, Longest(pool.Facts));
        }

        return ask.PromptTokens < longest
            ? null
            : $"The prompt has about {ask.PromptTokens:#,0} tokens; replicas of '{Model.Name}' take less than {longest:#,0}. Shorten it.";
    }

    private static double Longest(PoolFacts facts) => Math.Min(facts.KvTokens, facts.LongestTokens);

    private Uri AddressOf(PoolSetup pool, ReplicaSetup replica) =>
        replica.Address ?? _open?.Invoke(pool, replica) ?? throw new ArgumentException(
            $"Replica '{replica.Name}' has no address, and no virtual replica can be opened here: give it an address", nameof(replica));
}
