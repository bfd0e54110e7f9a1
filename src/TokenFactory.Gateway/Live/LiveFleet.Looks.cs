using System.Net;
using System.Net.Sockets;
using TokenFactory.Fleet;
using TokenFactory.Gateway.Live.Probes;
using TokenFactory.Gateway.Setup;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Live;

/// <content>Looks at replicas, and addresses that come and go.</content>
public sealed partial class LiveFleet
{
    private static readonly TimeSpan ResolveTime = TimeSpan.FromSeconds(10);

    /// <summary>Looks at replicas from now on; returns when each was looked at once, or did not answer in time.</summary>
    public async Task StartAsync(CancellationToken cancel)
    {
        for (var pool = 0; pool < Model.Pools.Count; pool++)
        {
            if (Model.Pools[pool].Discover is not null)
                await ResolveAsync(pool, cancel).ConfigureAwait(false);
        }

        var first = _present.Select(Watch).ToList();
        lock (_gate)
        {
            for (var pool = 0; pool < Model.Pools.Count; pool++)
            {
                var number = pool;
                if (Model.Pools[pool].Discover is not null)
                    _work.Add(Task.Run(() => DiscoverAsync(number, _stop.Token), CancellationToken.None));
            }
        }

        await Task.WhenAll(first).WaitAsync(cancel).ConfigureAwait(false);
        lock (_gate)
            _started = true;
    }

    /// <summary>Ends looks and timers; who still waits is told that the fleet is closed.</summary>
    public async ValueTask DisposeAsync()
    {
        Waiter? answered;
        Task[] work;
        lock (_gate)
        {
            if (_disposed)
                return;
            (_closing, _disposed) = (true, true);
            var now = Step(default);
            foreach (var waiter in _waiters.Values.ToList())
                Unqueue(waiter.Ask, now)?.Answer(Closed, ref _answered);
            answered = Answered();
            work = [.. _work];
        }

        Waiter.Tell(answered);
        await _stop.CancelAsync().ConfigureAwait(false);
        await _dueTimer.DisposeAsync().ConfigureAwait(false);
        await _tickTimer.DisposeAsync().ConfigureAwait(false);
        await Task.WhenAll(work).ConfigureAwait(false);
        foreach (var replica in _present)
            replica.Leave();
        _stop.Dispose();
    }

    /// <summary>Begins to look at a replica.</summary>
    /// <returns>Ends with the first look.</returns>
    private Task Watch(LiveReplica replica)
    {
        var first = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_disposed)
                return Task.CompletedTask;
            _work.RemoveAll(done => done.IsCompleted);
            _work.Add(Task.Run(() => WatchAsync(replica, first), CancellationToken.None));
        }

        return first.Task;
    }

    private async Task WatchAsync(LiveReplica replica, TaskCompletionSource first)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token, replica.Leaves.Token);
        var probe = new Probe(replica.Address, replica.Pool, _setup.Health, _http, _clock.Time);
        try
        {
            while (!ends.IsCancellationRequested)
            {
                var look = await probe.LookAsync(ends.Token).ConfigureAwait(false);
                Looked(replica, look);
                first.TrySetResult();
                await Task.Delay(probe.Pause(look), _clock.Time, ends.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (ends.IsCancellationRequested)
        {
            LiveLog.NoLongerWatched(_logger, replica.Name);
        }
        finally
        {
            first.TrySetResult();
        }
    }

    private void Looked(LiveReplica replica, in Look look)
    {
        Waiter? answered;
        lock (_gate)
        {
            if (_disposed || replica.Gone)
                return;
            var now = Step(default);
            if (look.Healthy)
                Good(replica, look, now);
            else
                Bad(replica, look);
            Settle(replica, now);
            Dispatch(now);
            Arm(now);
            answered = Answered();
        }

        Waiter.Tell(answered);
    }

    private void Good(LiveReplica replica, in Look look, Instant now)
    {
        (replica.Reachable, replica.BadLooks, replica.LookedAt) = (true, 0, now);
        if (look.Words.Length > 0)
            LiveLog.TellsNoLoad(_logger, replica.Name, look.Words);
        if (look.Load is not { } load)
            return;
        Tell(new FleetEvent(FleetEventKind.Reported, now, replica.Index)
        {
            Running = load.Running,
            Waiting = load.Waiting,
            KvHeld = load.KvHeld ?? Held(replica),
        });
    }

    private void Bad(LiveReplica replica, in Look look)
    {
        replica.LookWords = look.Words;
        if (replica.BadLooks++ == 0)
            LiveLog.LookFailed(_logger, replica.Name, look.Words);
        if (replica.BadLooks >= _setup.Health.Failures)
            replica.Reachable = false;
    }

    /// <summary>Share of the KV cache of an engine that does not tell it: by what was sent, half of each answer generated.</summary>
    private double Held(LiveReplica replica)
    {
        var facts = View.Pools[replica.Known.Pool].Facts;
        var tokens = replica.Known.HeldTokens + (View.ExpectedOutputTokens(replica.Known) / 2);
        return Math.Clamp(tokens / facts.KvTokens, 0, 1);
    }

    private async Task DiscoverAsync(int pool, CancellationToken cancel)
    {
        try
        {
            while (!cancel.IsCancellationRequested)
            {
                await Task.Delay(ResolveTime, _clock.Time, cancel).ConfigureAwait(false);
                foreach (var replica in await ResolveAsync(pool, cancel).ConfigureAwait(false))
                    _ = Watch(replica);
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            LiveLog.NoLongerWatched(_logger, Model.Pools[pool].Discover!);
        }
    }

    /// <summary>New addresses become replicas, vanished ones go. Where the name cannot be resolved everything stays as it is.</summary>
    /// <returns>New replicas.</returns>
    private async Task<IReadOnlyList<LiveReplica>> ResolveAsync(int pool, CancellationToken cancel)
    {
        var setup = Model.Pools[pool];
        var (host, port) = Split(setup.Discover!);
        try
        {
            var found = await _resolve(host, cancel).ConfigureAwait(false);
            if (found.Length > 0)
                return Reconcile(pool, [.. found.Distinct().Select(address => new IPEndPoint(address, port))]);
            LiveLog.NotResolved(_logger, setup.Discover!, "it has no address");
        }
        catch (SocketException unknown)
        {
            LiveLog.NotResolved(_logger, setup.Discover!, unknown.Message);
        }

        return [];
    }

    private List<LiveReplica> Reconcile(int pool, List<IPEndPoint> found)
    {
        lock (_gate)
        {
            var now = Step(default);
            var name = Model.Pools[pool].Facts.Name;
            var wanted = found.ConvertAll(address => new ReplicaSetup($"{name}@{address}", new Uri($"http://{address}")));
            var added = Admit(pool, wanted, now);
            DismissOthers(pool, wanted, now);
            return added;
        }
    }

    private static (string Host, int Port) Split(string discover)
    {
        var colon = discover.LastIndexOf(':');
        return (discover[..colon].Trim('[', ']'), int.Parse(discover.AsSpan(colon + 1)));
    }
}
