using TokenFactory.Performance;
using TokenFactory.Units;

namespace TokenFactory.Fleet;

/// <summary>
/// The meters of a pool's replicas, and the dollars of their idle time: these go into a pot that the pool's requests empty as they end, in
/// the ratio of idle to busy dollars of the last hour. What was allocated, what is in the pot and what requests in flight have by now add
/// up to what was paid.
/// </summary>
public sealed class PoolMeter
{
    private const double Hour = 3600;

    private double _idle;
    private double _busy;
    private Instant _faded;

    /// <summary>Meters of a pool without replicas.</summary>
    /// <param name="facts">What the pool is and costs.</param>
    /// <param name="steps">How long its steps take.</param>
    public PoolMeter(PoolFacts facts, StepTable steps) =>
        (Steps, Power, UsdPerSecond) = (steps, new PowerTable(facts.Model), facts.UsdPerHour / Hour);

    /// <summary>Idle dollars that no request has been charged with yet.</summary>
    public double UnallocatedUsd { get; private set; }

    /// <summary>Idle dollars per busy dollar, of the last hour: what is an hour old weighs 1/e; 0 before anything was busy.</summary>
    public double IdleRatio => _busy > 0 ? _idle / _busy : 0;

    internal StepTable Steps { get; }

    internal PowerTable Power { get; }

    internal double UsdPerSecond { get; }

    /// <summary>The meter of one of its replicas, which is paid for from now on.</summary>
    public WorkMeter Open(Instant at) => new(this, at);

    internal void Idle(Instant at, double usd)
    {
        Fade(at);
        _idle += usd;
        UnallocatedUsd += usd;
    }

    internal void Busy(Instant at, double usd)
    {
        Fade(at);
        _busy += usd;
    }

    /// <summary>Takes a request's share out of the pot.</summary>
    internal double Allocate(double usage)
    {
        var share = Math.Min(UnallocatedUsd, usage * IdleRatio);
        UnallocatedUsd -= share;
        return usage + share;
    }

    private void Fade(Instant at)
    {
        if (at <= _faded)
            return;
        var left = Math.Exp(-(at - _faded).Seconds / Hour);
        (_idle, _busy, _faded) = (_idle * left, _busy * left, at);
    }
}
