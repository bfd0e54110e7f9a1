using TokenFactory.Units;

namespace TokenFactory.Gateway.Live;

/// <summary>
/// Wall time as instants: nanoseconds since 1970-01-01 UTC when it was made, from then on monotone, whatever happens to the system's clock.
/// </summary>
public sealed class WallClock
{
    private const long NanosecondsPerSecond = 1_000_000_000;
    private const long NanosecondsPerTick = 100;

    private readonly long _began;
    private readonly long _timestamp;
    private readonly long _frequency;

    /// <summary>A clock that goes by a time provider.</summary>
    public WallClock(TimeProvider time)
    {
        Time = time;
        (_timestamp, _frequency) = (time.GetTimestamp(), time.TimestampFrequency);
        _began = (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * NanosecondsPerTick;
    }

    /// <summary>What it goes by; delays and timers come from it too.</summary>
    public TimeProvider Time { get; }

    /// <summary>The present.</summary>
    public Instant Now
    {
        get
        {
            var elapsed = Time.GetTimestamp() - _timestamp;
            var whole = Math.DivRem(elapsed, _frequency, out var rest);
            return new Instant(_began + (whole * NanosecondsPerSecond) + (rest * NanosecondsPerSecond / _frequency));
        }
    }
}
