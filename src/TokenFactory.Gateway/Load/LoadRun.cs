using TokenFactory.Engine;
using TokenFactory.Fleet;
using TokenFactory.Gateway.Virtual;
using TokenFactory.Units;
using TokenFactory.Workload;

namespace TokenFactory.Gateway.Load;

/// <summary>
/// Sends a workload: (1) each request at its time, whatever became of those before it; (2) its answer is timed and counted; (3) where the
/// workload has another wait for that answer (a closed loop, the next turn of a session), that one gets its time. One timer wakes for
/// whoever
/// is due next.
/// </summary>
public sealed class LoadRun : IDisposable
{
    private readonly LoadPlan _plan;
    private readonly TimeProvider _time;
    private readonly Action<LoadRow>? _row;
    private readonly LoadClient _client;
    private readonly CancellationTokenSource _cut = new();
    private readonly Lock _gate = new();
    private readonly PriorityQueue<Request, (long At, long Order)> _waiting = new();
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TimeHistogram _behind = new();
    private readonly LoadTally _all;
    private readonly LoadTally[] _classes;
    private readonly Instant _from;
    private readonly Instant _until;
    private readonly long _origin;
    private ITimer? _timer;
    private Instant _armed;
    private Request? _coming;
    private Instant _lastSent;
    private Instant _lastEnd;
    private long _order;
    private long _early;
    private long _earlyFailed;
    private int _underWay;
    private bool _open = true;
    private bool _stopped;

    private LoadRun(LoadPlan plan, ulong seed, TimeProvider time, Action<LoadRow>? row)
    {
        (_plan, _time, _row) = (plan, FineClock.For(time), row);
        _all = new LoadTally(new ServiceClass("all"));
        _classes = [
            .. plan.Traffic.Classes.Select(name => new LoadTally(plan.Classes.FirstOrDefault(one => one.Name == name) ?? new(name)))];
        _from = Instant.AtSeconds(plan.WarmUpSeconds);
        _until = plan.Seconds is { } seconds ? Instant.AtSeconds(seconds) : Instant.Never;
        _origin = _time.GetTimestamp();
        _client = new LoadClient(plan, seed, Now);
    }

    /// <summary>Runs a workload to its end.</summary>
    /// <param name="plan">What is sent.</param>
    /// <param name="seed">What texts follow from.</param>
    /// <param name="time">The clock.</param>
    /// <param name="row">Called with every request as it ends, one at a time; null for nobody.</param>
    /// <param name="progress">Called now and then; null for nobody.</param>
    /// <param name="stop">Sends nothing more, cuts what is under way and reports what there is.</param>
    public static async Task<LoadReport> RunAsync(
        LoadPlan plan, ulong seed, TimeProvider time, Action<LoadRow>? row, Action<LoadProgress>? progress, CancellationToken stop)
    {
        using var run = new LoadRun(plan, seed, time, row);
        return await run.RunAsync(progress, stop);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _client.Dispose();
        _cut.Dispose();
        (_time as FineClock)?.Dispose();
    }

    private async Task<LoadReport> RunAsync(Action<LoadProgress>? progress, CancellationToken stop)
    {
        await using var timer = _time.CreateTimer(
            static run => ((LoadRun)run!).Due(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        await using var told = _time.CreateTimer(_ => progress?.Invoke(Progress()), null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        await using var stopped = stop.Register(Stop);
        _timer = timer;
        Go();
        await _over.Task;
        lock (_gate)
        {
            var end = _stopped || _until == Instant.Never || _until < _lastEnd ? _lastEnd : _until;
            return new LoadReport(Math.Max(0, (end - _from).Seconds), _all, _classes, _behind, _stopped)
            {
                WarmUpRequests = _early,
                WarmUpFailures = _earlyFailed,
            };
        }
    }

    private LoadProgress Progress()
    {
        lock (_gate)
            return new LoadProgress(Now().Seconds, Now() < _from, _all.Sent, _all.Completed, _all.Failed);
    }

    private Instant Now()
    {
        var ticks = _time.GetTimestamp() - _origin;
        return new Instant((long)((Int128)ticks * 1_000_000_000 / _time.TimestampFrequency));
    }

    private void Stop()
    {
        lock (_gate)
        {
            (_stopped, _open, _coming) = (true, false, null);
            _waiting.Clear();
        }

        _ = _cut.CancelAsync();
        Go();
    }

    private void Due()
    {
        lock (_gate)
            _armed = default; // it fired, perhaps a little early
        Go();
    }

    /// <summary>(1) Sends all that is due, and sets the timer to the next.</summary>
    private void Go()
    {
        while (Take() is { } request)
            _ = SendAsync(request);
    }

    /// <summary>The next request that is due; null where none is.</summary>
    private Request? Take()
    {
        lock (_gate)
        {
            var now = Now();
            Pull();
            var waiting = _waiting.TryPeek(out _, out var key) ? new Instant(key.At) : Instant.Never;
            var coming = _coming?.Arrival ?? Instant.Never;
            if (Instant.Earlier(waiting, coming) is var next && next > now)
            {
                Rest(next, now);
                return null;
            }

            var request = waiting < coming ? _waiting.Dequeue() : _coming!;
            if (ReferenceEquals(request, _coming))
            {
                if (now >= _from)
                    _behind.Add(now - coming);
                _coming = null;
            }

            _lastSent = now;
            _underWay++;
            _all.Sent++;
            _classes[request.Class].Sent++;
            return request;
        }
    }

    /// <summary>The request that comes next whatever becomes of those before it.</summary>
    private void Pull()
    {
        if (!_open || _coming is not null)
            return;
        _coming = _plan.Traffic.Next();
        if (_coming is not null && _coming.Arrival < _until)
            return;
        (_open, _coming) = (false, null);
    }

    /// <summary>Nothing is due now: waits for what is due next, for answers, or ends.</summary>
    private void Rest(Instant next, Instant now)
    {
        if (next == Instant.Never)
        {
            if (_underWay == 0)
            {
                _over.TrySetResult();
                return;
            }

            next = _lastSent + Duration.OfSeconds(_plan.DrainSeconds);
            if (next <= now)
            {
                _ = _cut.CancelAsync();
                return;
            }
        }

        if (_armed > now && _armed <= next)
            return; // it wakes early enough, and looks again
        _armed = next;
        _timer!.Change(Wait(next - now), Timeout.InfiniteTimeSpan);
    }

    /// <summary>Timers of the system count whole milliseconds and drop the rest: rounded up, as nothing may be sent too early.</summary>
    private TimeSpan Wait(Duration time) => ReferenceEquals(_time, TimeProvider.System)
        ? TimeSpan.FromMilliseconds((time.Nanoseconds + 999_999) / 1_000_000)
        : TimeSpan.FromTicks((time.Nanoseconds + 99) / 100);

    /// <summary>(2) Sends one, and counts its end.</summary>
    private async Task SendAsync(Request request)
    {
        try
        {
            var sent = Now();
            var attempt = await _client.SendAsync(request, _plan.Traffic.Classes[request.Class], _cut.Token);
            Count(request, sent, attempt);
            Go();
        }
        catch (Exception fault)
        {
            _over.TrySetException(fault); // a fault of our own: the run must not go on as if nothing were
        }
    }

    private void Count(Request request, Instant sent, in Attempt attempt)
    {
        var completed = attempt.Outcome == LoadRow.Completed;
        lock (_gate)
        {
            _underWay--;
            var tally = _classes[request.Class];
            var output = attempt.Usage?.Output ?? attempt.ContentEvents;
            var row = new LoadRow(
                request.Id,
                tally.Class.Name,
                attempt.Outcome,
                request.Arrival.Seconds,
                sent.Seconds,
                attempt.FirstToken?.Seconds,
                attempt.Ended.Seconds,
                attempt.Usage?.Prompt ?? request.PromptTokens,
                attempt.Usage?.Cached ?? 0,
                output,
                completed && tally.Class.Kept((attempt.FirstToken ?? attempt.Ended) - sent, attempt.Ended - sent, (int)output));
            _lastEnd = attempt.Ended > _lastEnd ? attempt.Ended : _lastEnd;
            if (attempt.Ended < _from)
            {
                _all.Sent--;
                tally.Sent--;
                (_early, _earlyFailed) = (_early + 1, _earlyFailed + (completed ? 0 : 1));
            }
            else
            {
                _all.End(row, attempt.Usage is not null, attempt.Message);
                tally.End(row, attempt.Usage is not null, attempt.Message);
                _row?.Invoke(row);
            }

            if (!_stopped)
                Follow(request, attempt.Ended, completed);
        }
    }

    /// <summary>(3) Who waited for this answer gets its time.</summary>
    private void Follow(Request request, Instant ended, bool completed)
    {
        if (_plan.Traffic.After(request, ended, completed) is { } next && next.Arrival < _until)
            _waiting.Enqueue(next, (next.Arrival.Nanoseconds, _order++));
    }
}
