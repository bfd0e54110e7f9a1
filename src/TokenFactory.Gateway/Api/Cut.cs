using TokenFactory.Gateway.Live;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Api;

/// <summary>Ends what waits: when its client leaves, or when a time is over that may be set anew again and again.</summary>
internal sealed class Cut : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly CancellationTokenRegistration _registration;
    private readonly WallClock _clock;
    private readonly Instant _deadline;

    private Cut(TimeSpan first, Instant deadline, WallClock clock, CancellationToken gone)
    {
        (_clock, _deadline) = (clock, deadline);
        _source = new CancellationTokenSource(first, clock.Time);
        _registration = gone.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), _source);
    }

    public CancellationToken Token => _source.Token;

    /// <summary>At an instant.</summary>
    public static Cut At(Instant deadline, WallClock clock, CancellationToken gone) =>
        new(Until(deadline, clock.Now, double.PositiveInfinity), deadline, clock, gone);

    /// <summary>After some seconds, and at an instant in any case.</summary>
    public static Cut After(double seconds, Instant? deadline, WallClock clock, CancellationToken gone)
    {
        var end = deadline ?? Instant.Never;
        return new Cut(Until(end, clock.Now, seconds), end, clock, gone);
    }

    /// <summary>So many seconds from now, unless it is over.</summary>
    public void Again(double seconds) => _source.CancelAfter(
        _deadline == Instant.Never ? TimeSpan.FromSeconds(seconds) : Until(_deadline, _clock.Now, seconds));

    /// <summary>Ends what is being read, and waits until nobody writes to its buffer any more.</summary>
    public async ValueTask EndAsync(ValueTask<int> reading)
    {
        await _source.CancelAsync().ConfigureAwait(false);
        try
        {
            await reading.ConfigureAwait(false);
        }
        catch (Exception over) when (over is OperationCanceledException or IOException or HttpRequestException)
        {
            // as asked
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _registration.Dispose();
        _source.Dispose();
    }

    /// <summary>Timers count whole milliseconds, and must not come early: who is cut off before its deadline seems to be cut off by something else.</summary>
    private static TimeSpan Until(Instant deadline, Instant now, double seconds) =>
        TimeSpan.FromMilliseconds(Math.Ceiling(1e3 * (deadline == Instant.Never ? seconds : Math.Clamp((deadline - now).Seconds, 0, seconds))));
}
