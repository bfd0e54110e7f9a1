using TokenFactory.Fleet;
using TokenFactory.Units;

namespace TokenFactory.Policies;

/// <summary>
/// What a scaler decided on its pools: one decision per interval, and fewer replicas only once fewer would have done for a while.
/// </summary>
internal sealed class Steadiness
{
    private readonly List<Memory> _pools = [];

    /// <summary>The decision that still stands; null where it is time for another.</summary>
    public ScalingDecision? Standing(int pool, double intervalSeconds, Instant now)
    {
        while (_pools.Count <= pool)
            _pools.Add(new Memory());
        return _pools[pool].At is { } at && (now - at).Seconds < intervalSeconds
            ? new ScalingDecision(_pools[pool].Target, new(ScalingCause.Standing))
            : null;
    }

    /// <summary>Makes a decision of what is wanted.</summary>
    /// <param name="pool">The pool.</param>
    /// <param name="wanted">Replicas that the load asks for.</param>
    /// <param name="reason">Why.</param>
    /// <param name="windowSeconds">For how long fewer must have done.</param>
    /// <param name="now">The present.</param>
    public ScalingDecision Decide(PoolState pool, int wanted, ScalingReason reason, double windowSeconds, Instant now)
    {
        var (memory, facts) = (_pools[pool.Index], pool.Facts);
        var present = pool.Ready.Length + pool.Starting;
        var bounded = Math.Clamp(wanted, facts.Least, Math.Max(facts.Least, facts.Most));
        if (bounded != wanted)
            reason = bounded > wanted ? new(ScalingCause.Least, facts.Least) : new(ScalingCause.Most, facts.Most, wanted);
        var lately = memory.Note(now, bounded, windowSeconds);
        var target = bounded;
        if (bounded < present && lately > bounded && lately is var most)
        {
            target = Math.Min(present, most);
            reason = new(ScalingCause.Stabilising, bounded);
        }

        target = Math.Clamp(target, facts.Least, Math.Max(facts.Least, facts.Most));
        (memory.At, memory.Target) = (now, target);
        return new ScalingDecision(target, reason);
    }

    private sealed class Memory
    {
        private readonly Queue<(Instant At, int Wanted)> _lately = [];
        private Instant? _began;

        public Instant? At { get; set; }

        public int Target { get; set; }

        /// <summary>The most that was wanted within the window; as many as one likes where less than a window has passed.</summary>
        public int Note(Instant now, int wanted, double windowSeconds)
        {
            _began ??= now;
            _lately.Enqueue((now, wanted));
            while ((now - _lately.Peek().At).Seconds > windowSeconds)
                _lately.Dequeue();
            return (now - _began.Value).Seconds < windowSeconds ? int.MaxValue : _lately.Max(one => one.Wanted);
        }
    }
}
