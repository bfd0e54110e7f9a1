using TokenFactory.Units;

namespace TokenFactory.Workload;

/// <summary>
/// A stretch of a traffic as if it began when the stretch does: sessions that began before it are left out, those that begin in it are
/// sent to their end, and closed loops end after a number of requests.
/// </summary>
/// <param name="whole">The traffic.</param>
/// <param name="from">When the stretch begins.</param>
/// <param name="until">Nothing but later turns of sessions arrives from then on.</param>
/// <param name="most">Most requests, later turns included; <see cref="long.MaxValue"/> for no limit.</param>
public sealed class TrafficStretch(ITraffic whole, Instant from, Instant until, long most = long.MaxValue) : ITraffic
{
    private readonly Duration _shift = from - Instant.Start;
    private readonly bool _limited = most != long.MaxValue;
    private long _left = most;

    /// <inheritdoc/>
    public IReadOnlyList<string> Classes => whole.Classes;

    /// <inheritdoc/>
    public IReadOnlyList<string> Tenants => whole.Tenants;

    /// <inheritdoc/>
    public long? Expected => null;

    /// <inheritdoc/>
    public Request? Next()
    {
        while (_left > 0 && whole.Next() is { } next && next.Arrival < until)
        {
            if (next.Arrival < from)
                continue;
            _left--;
            return next with { Arrival = Earlier(next.Arrival) };
        }

        return null;
    }

    /// <inheritdoc/>
    public Request? After(Request ended, Instant at, bool completed)
    {
        if (_limited && _left <= 0)
            return null;
        if (whole.After(ended with { Arrival = ended.Arrival + _shift }, at + _shift, completed) is not { } next)
            return null;
        _left -= _limited ? 1 : 0;
        return next with { Arrival = Earlier(next.Arrival) };
    }

    private Instant Earlier(Instant at) => new(at.Nanoseconds - _shift.Nanoseconds);
}
