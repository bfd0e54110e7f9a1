using System.Diagnostics;
using System.Runtime.InteropServices;

namespace TokenFactory.Gateway.Virtual;

/// <summary>
/// The system's clock with timers that are late by some tens of microseconds, not by the milliseconds of the system's: steps of engines
/// take ten
/// milliseconds. One thread sleeps until the next is due, and calls it; what it calls must be short.
/// </summary>
internal sealed class FineClock : TimeProvider, IDisposable
{
    /// <summary>Beyond this a sleep can be cut short by an earlier timer; within it the thread sleeps exactly.</summary>
    private static readonly TimeSpan Near = TimeSpan.FromMilliseconds(2);

    private readonly object _gate = new();
    private readonly PriorityQueue<FineTimer, (long At, long Order)> _due = new();
    private long _order;
    private bool _runs;
    private bool _over;

    private FineClock()
    {
    }

    /// <summary>Such a clock for the system's, and any other as it is. Dispose of it where it is one.</summary>
    public static TimeProvider For(TimeProvider time) =>
        ReferenceEquals(time, System) && !OperatingSystem.IsWindows() ? new FineClock() : time;

    /// <summary>Ends its thread; no timer fires any more.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _over = true;
            Monitor.Pulse(_gate);
        }
    }

    /// <inheritdoc/>
    /// <remarks>Timers fire once: periods are the system's own business.</remarks>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (period != Timeout.InfiniteTimeSpan)
            return System.CreateTimer(callback, state, dueTime, period);
        var timer = new FineTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private void Set(FineTimer timer, TimeSpan dueTime)
    {
        lock (_gate)
        {
            timer.Order = ++_order;
            if (dueTime < TimeSpan.Zero)
                return;
            var at = Stopwatch.GetTimestamp() + (long)(dueTime.TotalSeconds * Stopwatch.Frequency);
            var first = !_due.TryPeek(out _, out var next) || at < next.At;
            _due.Enqueue(timer, (at, timer.Order));
            if (!_runs)
            {
                _runs = true;
                new Thread(Run) { IsBackground = true, Name = "fine timers" }.Start();
            }

            if (first)
                Monitor.Pulse(_gate);
        }
    }

    private void Run()
    {
        while (!Volatile.Read(ref _over))
        {
            if (Next() is { } timer)
                timer.Fire();
        }
    }

    /// <summary>The timer that is due, after sleeping; null where there is a reason to look again.</summary>
    private FineTimer? Next()
    {
        TimeSpan left;
        lock (_gate)
        {
            if (_over)
                return null;
            if (!_due.TryPeek(out var timer, out var key))
            {
                Monitor.Wait(_gate);
                return null;
            }

            if (timer.Order != key.Order)
            {
                _due.Dequeue(); // changed or disposed of since
                return null;
            }

            left = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), key.At);
            if (left <= TimeSpan.Zero)
            {
                _due.Dequeue();
                return timer;
            }

            if (left > Near)
            {
                Monitor.Wait(_gate, left - Near);
                return null;
            }
        }

        Sleep(left);
        return null;
    }

    private static void Sleep(TimeSpan time)
    {
        var span = new TimeSpec { Nanoseconds = (nint)(time.Ticks * TimeSpan.NanosecondsPerTick) };
        _ = NanoSleep(in span, 0);
    }

    [DllImport("libc", EntryPoint = "nanosleep")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int NanoSleep(in TimeSpec time, nint left);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public nint Seconds;
        public nint Nanoseconds;
    }

    private sealed class FineTimer(FineClock owner, TimerCallback callback, object? state) : ITimer
    {
        /// <summary>Number of its last setting: those before it are void.</summary>
        public long Order { get; set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            owner.Set(this, dueTime);
            return true;
        }

        public void Dispose() => owner.Set(this, Timeout.InfiniteTimeSpan);

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
