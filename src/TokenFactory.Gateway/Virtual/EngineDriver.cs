using TokenFactory.Engine;
using TokenFactory.Performance;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Virtual;

/// <summary>
/// The driver of one replica in wall time, as the simulator is in virtual time: (1) a request passes the server in front of the engine;
/// (2) the engine has it; (3) its tokens are seen as steps end; (4) it ends. What happens follows from arrivals and cancellations alone: a
/// timer that comes late makes tokens leave late, and moves no step.
/// </summary>
internal sealed partial class EngineDriver : IDisposable
{
    private readonly Lock _gate = new();
    private readonly TimeProvider _time;
    private readonly long _origin;
    private readonly ITimer _timer;
    private readonly Duration _grain;
    private readonly ReplicaModel _model;
    private readonly Replica _engine;
    private readonly int _writesPerSecond;
    private readonly PriorityQueue<Choice, (long At, long Order)> _front = new();
    private readonly List<EngineEvent> _told = [];
    private readonly List<Job> _streams = [];
    private readonly List<Job> _signals = [];
    private long _order;
    private int _tokenStreams;
    private Instant _looked;
    private Instant _lookAt = Instant.Never;
    private Instant _armed = Instant.Never;
    private bool _disposed;

    /// <summary>A replica with nothing to do.</summary>
    public EngineDriver(ReplicaModel model, EngineSettings settings, int writesPerSecond, TimeProvider time)
    {
        (_model, _time, _writesPerSecond) = (model, time, writesPerSecond);
        _engine = new Replica(model, settings);
        _origin = time.GetTimestamp();
        // Timers of the system count whole milliseconds and drop the rest: earlier than asked is of no use.
        _grain = ReferenceEquals(time, TimeProvider.System) ? Duration.OfSeconds(1e-3) : Duration.OfSeconds(1e-7);
        _timer = time.CreateTimer(static driver => ((EngineDriver)driver!).Due(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>What is counted of the requests that were here. Read it under <see cref="Look{T}"/>.</summary>
    public EngineCounts Counts { get; } = new();

    /// <summary>Tokens of one sequence that it can hold, prompt and answer.</summary>
    public long MostTokens => _engine.MostTokens;

    /// <summary>How its engine schedules.</summary>
    public EngineSettings Settings => _engine.Settings;

    /// <summary>What it is.</summary>
    public ReplicaModel Model => _model;

    /// <summary>Why a prompt can never be served; null where it can.</summary>
    public string? Refuses(int promptTokens) => _engine.Refuses(promptTokens);

    /// <summary>Takes a request in; its choices have their engine requests.</summary>
    public void Submit(Job job)
    {
        lock (_gate)
        {
            var now = Catch();
            (job.Arrived, job.Open) = (now, job.Choices.Count);
            if (job.Streams)
            {
                job.Place = _streams.Count;
                _streams.Add(job);
            }

            foreach (var choice in job.Choices)
            {
                var front = Duration.OfSeconds(Math.Max(1e-9, _model.FrontSeconds(choice.Leg.PromptTokens)));
                _front.Enqueue(choice, ((now + front).Nanoseconds, _order++));
            }

            Arm(now);
        }

        Tell();
    }

    /// <summary>The client left: what it has not got is not generated.</summary>
    public void Cancel(Job job)
    {
        lock (_gate)
        {
            var now = Catch();
            foreach (var choice in job.Choices)
            {
                if (choice.End != ChoiceEnd.None)
                    continue;
                if (choice.Delivered)
                    _engine.Cancel(choice.Leg, now);
                else
                    End(choice, ChoiceEnd.Cancelled, now);
            }

            Arm(now);
        }

        Tell();
    }

    /// <summary>Replaces what steps cost from the next one on.</summary>
    /// <param name="factor">Times as long as usual, 1 or more.</param>
    public void Slow(double factor)
    {
        lock (_gate)
        {
            var now = Catch();
            _engine.Replace(new DecodeCurve(factor > 1 ? _model.Slowed(factor) : _model), now);
            Arm(now);
        }

        Tell();
    }

    /// <summary>Looks at the engine as it is now.</summary>
    /// <param name="look">What is wanted: the engine, its counts, the time since its start.</param>
    public T Look<T>(Func<Replica, EngineCounts, Instant, T> look)
    {
        T seen;
        lock (_gate)
        {
            var now = Catch();
            seen = look(_engine, Counts, now);
            Arm(now);
        }

        Tell();
        return seen;
    }

    /// <summary>Stops its timer. Nothing that waits is told any more.</summary>
    public void Dispose()
    {
        lock (_gate)
            _disposed = true;
        _timer.Dispose();
    }

    private void Due()
    {
        lock (_gate)
        {
            if (_disposed)
                return;
            _armed = Instant.Never;
            Arm(Catch());
        }

        Tell();
    }

    private Instant Now()
    {
        var ticks = _time.GetTimestamp() - _origin;
        var frequency = _time.TimestampFrequency;
        return new Instant(frequency == 1_000_000_000 ? ticks : (long)((Int128)ticks * 1_000_000_000 / frequency));
    }

    /// <summary>Does all that was due, in the order in which the simulator would: who reaches the engine as a step ends is there for the
    /// next.</summary>
    private Instant Catch()
    {
        var now = Now();
        RunUntil(now);
        return now;
    }

    private void RunUntil(Instant now)
    {
        while (true)
        {
            var front = _front.TryPeek(out _, out var key) ? new Instant(key.At) : Instant.Never;
            var step = _engine.NextEvent;
            if (Instant.Earlier(front, step) is var next && (next > now || next == Instant.Never))
                break;
            if (front <= step)
                Deliver(_front.Dequeue(), front);
            else
                Step(step);
        }

        if (_lookAt <= now)
            LookAtTokens(now);
    }

    private void Mark(Job job)
    {
        if (job.Marked)
            return;
        job.Marked = true;
        _signals.Add(job);
    }

    /// <summary>Tells those who have news, outside the lock: their own work begins on other threads.</summary>
    private void Tell()
    {
        Job[]? jobs;
        lock (_gate)
        {
            if (_signals.Count == 0)
                return;
            jobs = [.. _signals];
            _signals.Clear();
            foreach (var job in jobs)
                job.Marked = false;
        }

        foreach (var job in jobs)
            job.Signal();
    }

    private void Arm(Instant now)
    {
        RunUntil(now); // what was just done may be due at once
        var next = Instant.Earlier(_engine.NextEvent, _front.TryPeek(out _, out var key) ? new Instant(key.At) : Instant.Never);
        if (_tokenStreams > 0 && _lookAt == Instant.Never)
            _lookAt = _engine.StepEnd(Later(now, SoonestLook));
        next = Instant.Earlier(next, _lookAt);
        if (next == _armed || _disposed)
            return;
        _armed = next;
        var grains = (Math.Max(0, next.Nanoseconds - now.Nanoseconds) + _grain.Nanoseconds - 1) / _grain.Nanoseconds;
        _timer.Change(
            next == Instant.Never ? Timeout.InfiniteTimeSpan : TimeSpan.FromTicks(grains * (_grain.Nanoseconds / 100)),
            Timeout.InfiniteTimeSpan);
    }
}
