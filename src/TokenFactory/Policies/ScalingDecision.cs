using TokenFactory.Fleet;
using TokenFactory.Units;

namespace TokenFactory.Policies;

/// <summary>Why a pool shall have that many replicas.</summary>
public enum ScalingCause
{
    /// <summary>The last decision still stands: not long enough ago.</summary>
    Standing,

    /// <summary>It fits the load.</summary>
    Fits,

    /// <summary>The replicas are used more than they should be.</summary>
    Busy,

    /// <summary>Fewer would do, and have done for long enough.</summary>
    Idle,

    /// <summary>Fewer would do, but not for long enough yet.</summary>
    Stabilising,

    /// <summary>So much is coming.</summary>
    Forecast,

    /// <summary>So many requests wait.</summary>
    Waiting,

    /// <summary>The pool may not have fewer.</summary>
    Least,

    /// <summary>The pool may not have more.</summary>
    Most,
}

/// <summary>A cause with its numbers, put into words only when somebody reads it.</summary>
/// <param name="Cause">Why.</param>
/// <param name="A">What the cause counts: a share, requests per second, requests that wait, replicas.</param>
/// <param name="B">What it is held against: the target share, requests per second of one replica.</param>
public readonly record struct ScalingReason(ScalingCause Cause, double A = 0, double B = 0)
{
    /// <summary>"0.91 used, target 0.7".</summary>
    public override string ToString() => Cause switch
    {
        ScalingCause.Standing => "decided a moment ago",
        ScalingCause.Fits => $"{A:0.00} used, target {B:0.00}",
        ScalingCause.Busy => $"{A:0.00} used, target {B:0.00}: more",
        ScalingCause.Idle => $"{A:0.00} used, target {B:0.00}: fewer",
        ScalingCause.Stabilising => $"{A:0.##} would do now, the most of the last minutes is kept",
        ScalingCause.Forecast => $"{A:0.##} requests/s expected, a replica serves {B:0.##}",
        ScalingCause.Waiting => $"{A:0} requests wait, a replica serves {B:0.##}/s",
        ScalingCause.Least => $"not fewer than {A:0}",
        ScalingCause.Most => $"not more than {A:0}; the load asks for {B:0.##}",
        _ => Cause.ToString(),
    };
}

/// <summary>How many replicas a pool shall have.</summary>
/// <param name="Target">Replicas that are ready or start.</param>
/// <param name="Reason">Why.</param>
public readonly record struct ScalingDecision(int Target, ScalingReason Reason);

/// <summary>Chooses how many replicas a pool has.</summary>
public interface IScaler
{
    /// <summary>Decides on a pool. It remembers its decisions on each pool, so that it does not go back and forth.</summary>
    /// <param name="fleet">What is known.</param>
    /// <param name="pool">Number of the pool.</param>
    /// <param name="now">The present.</param>
    ScalingDecision Decide(FleetSnapshot fleet, int pool, Instant now);
}

/// <summary>Which replica goes where there are too many.</summary>
public static class ScaleDown
{
    /// <summary>One that still starts, the latest first; otherwise the emptiest, the latest of equals.</summary>
    /// <param name="fleet">What is known.</param>
    /// <param name="pool">Number of the pool.</param>
    /// <returns>Null where none is left.</returns>
    public static int? Choose(FleetSnapshot fleet, int pool)
    {
        int? chosen = null;
        var least = (Phase: int.MaxValue, InFlight: int.MaxValue, Tokens: double.PositiveInfinity);
        foreach (var index in fleet.Pools[pool].Live)
        {
            var replica = fleet.Replicas[index];
            if (replica.Phase is not (ReplicaPhase.Starting or ReplicaPhase.Ready))
                continue;
            var load = ((int)replica.Phase, replica.InFlight, fleet.OutstandingTokens(replica));
            if (load.CompareTo(least) <= 0)
                (chosen, least) = (index, load);
        }

        return chosen;
    }
}
