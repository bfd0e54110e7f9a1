using TokenFactory.Gateway.Setup;
using TokenFactory.Units;

namespace TokenFactory.Gateway.Live;

/// <summary>
/// A replica's circuit breaker. Closed: requests pass. Open: after so many failures in a row none passes for a while, each time twice as
/// long as before, up to ten times. Half-open: then one passes, and what becomes of it closes or opens the circuit.
/// </summary>
internal sealed class Circuit(HealthSetup health)
{
    private const double MostFactor = 10;

    private int _openings;
    private Instant _closed;

    /// <summary>Failures in a row.</summary>
    public int Failures { get; private set; }

    /// <summary>Until when it is open; null where it is not.</summary>
    public Instant? OpenUntil { get; private set; }

    /// <summary>For how long it was last opened, in seconds.</summary>
    public double OpenSeconds { get; private set; }

    /// <summary>One request may pass.</summary>
    public bool HalfOpen { get; private set; }

    /// <summary>A request failed.</summary>
    /// <returns>Whether the circuit opens now.</returns>
    public bool Fail(Instant now)
    {
        if (OpenUntil is not null)
            return false; // it was sent before
        Failures++;
        if (!HalfOpen && Failures < health.Failures)
            return false;
        if (!HalfOpen && (now - _closed).Seconds > health.OpenSeconds * MostFactor)
            _openings = 0;
        HalfOpen = false;
        OpenSeconds = health.OpenSeconds * Math.Min(Math.Pow(2, _openings++), MostFactor);
        OpenUntil = now + Duration.OfSeconds(OpenSeconds);
        return true;
    }

    /// <summary>Lets one request pass when it was open for long enough.</summary>
    /// <returns>Whether it is half-open from now on.</returns>
    public bool Try(Instant now)
    {
        if (OpenUntil is not { } until || now < until)
            return false;
        (OpenUntil, HalfOpen) = (null, true);
        return true;
    }

    /// <summary>A request got an answer.</summary>
    /// <returns>Whether the circuit closes now.</returns>
    public bool Succeed(Instant now)
    {
        if (OpenUntil is not null)
            return false; // it was sent before
        Failures = 0;
        if (!HalfOpen)
            return false;
        (HalfOpen, _closed) = (false, now);
        return true;
    }
}
