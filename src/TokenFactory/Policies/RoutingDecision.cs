using TokenFactory.Fleet;
using TokenFactory.Units;

namespace TokenFactory.Policies;

/// <summary>Why a request goes where it goes, or waits.</summary>
public enum RoutingCause
{
    /// <summary>Nothing takes requests of this kind.</summary>
    NoReplica,

    /// <summary>Every replica has as many requests as it may have.</summary>
    AllFull,

    /// <summary>No replica's KV cache has room.</summary>
    KvFull,

    /// <summary>The request is longer than the KV cache of any pool.</summary>
    TooLong,

    /// <summary>It is the replica's turn.</summary>
    Turn,

    /// <summary>The replica has the least before it.</summary>
    LeastOutstanding,

    /// <summary>The replica has less before it than the other of two.</summary>
    LessOfTwo,

    /// <summary>The replica holds a leading part of the prompt.</summary>
    PrefixResident,

    /// <summary>The replica that holds a leading part of the prompt has too much before it.</summary>
    PrefixCrowded,

    /// <summary>Of the replicas that keep all promises it adds the least cost.</summary>
    Cheapest,

    /// <summary>No replica keeps all promises; this one breaks them least.</summary>
    BreaksLeast,

    /// <summary>It only fills slack, and requests with promises wait.</summary>
    OthersWait,

    /// <summary>It only fills slack, and would take too much of the time of others.</summary>
    NoSlack,

    /// <summary>It only fills slack, and the KV cache holds too much.</summary>
    NoSlackInKv,

    /// <summary>It only fills slack, and there is some.</summary>
    Slack,

    /// <summary>The replica failed the request before, and another may take it.</summary>
    FailedBefore,
}

/// <summary>A cause with its numbers, put into words only when somebody reads it.</summary>
/// <param name="Cause">Why.</param>
/// <param name="A">What the cause counts first: tokens, or seconds to the first token, or a share.</param>
/// <param name="B">Second: the other's tokens, or seconds per output token, or the share's limit.</param>
/// <param name="C">Third: dollars per million tokens that it adds, or how many times a promise is used up.</param>
public readonly record struct RoutingReason(RoutingCause Cause, double A = 0, double B = 0, double C = 0)
{
    /// <summary>"prefix of 1,024 tokens resident".</summary>
    public override string ToString() => Cause switch
    {
        RoutingCause.NoReplica => "no replica takes requests",
        RoutingCause.AllFull => $"all {A:0} replicas have as many requests as they may have",
        RoutingCause.KvFull => $"no KV cache of {A:0} replicas has room for {B:#,0} tokens",
        RoutingCause.TooLong => $"{A:#,0} tokens are more than any KV cache holds: {B:#,0}",
        RoutingCause.Turn => "its turn",
        RoutingCause.LeastOutstanding => $"least outstanding: {A:#,0} tokens",
        RoutingCause.LessOfTwo => $"{A:#,0} tokens outstanding, the other of two {B:#,0}",
        RoutingCause.PrefixResident => $"prefix of {A:#,0} tokens resident",
        RoutingCause.PrefixCrowded => $"prefix of {A:#,0} tokens is where {B:#,0} more tokens are outstanding",
        RoutingCause.Cheapest => $"predicted TTFT {A:0.00} s, TPOT {B * 1e3:0.#} ms, adds ${C:0.###}/M",
        RoutingCause.BreaksLeast => $"predicted TTFT {A:0.00} s, TPOT {B * 1e3:0.#} ms, {C:0.##} of a promise: none keeps all",
        RoutingCause.OthersWait => $"{A:0} requests with promises wait",
        RoutingCause.NoSlack => $"would use {A:0.00} of a promise, at most {B:0.00} is for slack",
        RoutingCause.NoSlackInKv => $"KV cache {A:0.00} held, at most {B:0.00} is for slack",
        RoutingCause.Slack => $"slack: {A:0.00} of a promise and {B:0.00} of the KV cache used",
        RoutingCause.FailedBefore => "the replica failed it before",
        _ => Cause.ToString(),
    };
}

/// <summary>Where a request goes.</summary>
/// <param name="Replica">Number of the replica; -1 where it goes on waiting.</param>
/// <param name="FreshTokens">Prompt tokens that the replica must compute, as far as the fleet knows.</param>
/// <param name="Reason">Why.</param>
public readonly record struct RoutingDecision(int Replica, int FreshTokens, RoutingReason Reason)
{
    /// <summary>Whether it goes on waiting.</summary>
    public bool Waits => Replica < 0;

    /// <summary>It goes on waiting.</summary>
    public static RoutingDecision Wait(RoutingReason reason) => new(-1, 0, reason);
}

/// <summary>Chooses the replica that a request is sent to.</summary>
public interface IRouter
{
    /// <summary>Decides on a request. It changes nothing, and the same state gives the same decision.</summary>
    /// <param name="fleet">What is known.</param>
    /// <param name="ask">The request.</param>
    /// <param name="role">Aggregated for the first leg, or all of it; decode for the second; prefill for such pools alone.</param>
    /// <param name="now">The present.</param>
    RoutingDecision Decide(FleetSnapshot fleet, Ask ask, ReplicaRole role, Instant now);
}
