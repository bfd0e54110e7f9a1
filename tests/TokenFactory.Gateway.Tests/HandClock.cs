namespace TokenFactory.Gateway.Tests;

/// <summary>A clock that a test moves by hand; delays and timers end when it passes them, in order.</summary>
internal sealed class HandClock(DateTimeOffset start) : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly PriorityQueue<HandTimer, (long At, long Order)> _due = new();
    private long _ticks = start.UtcTicks;
    private long _order;

    public HandClock()
        : this(new DateTimeOffset(2026, 11, 22, 10, 0, 0, TimeSpan.Zero))
    {
    }

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => new(Volatile.Read(ref _ticks), TimeSpan.Zero);

    public override long GetTimestamp() => Volatile.Read(ref _ticks);

    public void Advance(double seconds) => Advance(TimeSpan.FromSeconds(seconds));

    /// <summary>Moves on; calls the timers that become due, each at its time.</summary>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        var end = _ticks + by.Ticks;
        while (Next(end) is { } timer)
            timer.Fire();
        Volatile.Write(ref _ticks, end);
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new HandTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private HandTimer? Next(long end)
    {
        lock (_gate)
        {
            while (_due.TryPeek(out var timer, out var when) && when.At <= end)
            {
                _due.Dequeue();
                if (timer.Order != when.Order)
                    continue; // changed or disposed since
                Volatile.Write(ref _ticks, Math.Max(_ticks, when.At));
                Enqueue(timer, timer.Period);
                return timer;
            }

            return null;
        }
    }

    private void Enqueue(HandTimer timer, TimeSpan after)
    {
        timer.Order = ++_order;
        if (after > TimeSpan.Zero)
            _due.Enqueue(timer, (_ticks + after.Ticks, timer.Order));
    }

    private sealed class HandTimer(HandClock owner, TimerCallback callback, object? state) : ITimer
    {
        public long Order { get; set; }

        public TimeSpan Period { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (owner._gate)
            {
                Period = period > TimeSpan.Zero ? period : TimeSpan.Zero;
                owner.Enqueue(this, dueTime == TimeSpan.Zero ? Period : dueTime);
            }

            if (dueTime == TimeSpan.Zero)
                Fire();
            return true;
        }

        public void Dispose()
        {
            lock (owner._gate)
                Order = ++owner._order;
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
