using TokenFactory.Units;

namespace TokenFactory.Fleet;

/// <summary>A class of service: what its requests are promised, and who goes first.</summary>
/// <param name="Name">"chat".</param>
public sealed record ServiceClass(string Name)
{
    /// <summary>Who goes first: 0 before 1. Classes of equal priority share by tenant.</summary>
    public int Priority { get; init; }

    /// <summary>Longest time to the first token that is promised, in seconds; null for no promise.</summary>
    public double? TtftSeconds { get; init; }

    /// <summary>Longest mean time per output token after the first that is promised, in seconds; null for no promise.</summary>
    public double? TpotSeconds { get; init; }

    /// <summary>Longest time from sending to the last token that is promised, in seconds; null for no promise.</summary>
    public double? EndToEndSeconds { get; init; }

    /// <summary>Time after its arrival by which a request must be done or be given up, in seconds; null for no deadline.</summary>
    public double? DeadlineSeconds { get; init; }

    /// <summary>Longest time that a request may wait before it is sent to a replica, in seconds; then it is shed. Null for no limit.</summary>
    public double? MaxWaitSeconds { get; init; }

    /// <summary>Most requests that may wait; more are shed. Null for no limit.</summary>
    public int? MaxWaiting { get; init; }

    /// <summary>It takes only the slack that the promises to other classes leave: batch work.</summary>
    public bool FillsSlack { get; init; }

    /// <summary>Whether an answer kept the promises.</summary>
    /// <param name="ttft">Time to its first token.</param>
    /// <param name="endToEnd">Time to its last token.</param>
    /// <param name="outputTokens">Its tokens.</param>
    public bool Kept(Duration ttft, Duration endToEnd, int outputTokens) =>
        (TtftSeconds is not { } first || ttft.Seconds <= first)
        && (EndToEndSeconds is not { } whole || endToEnd.Seconds <= whole)
        && (DeadlineSeconds is not { } deadline || endToEnd.Seconds <= deadline)
        && (TpotSeconds is not { } each || outputTokens < 2 || (endToEnd.Seconds - ttft.Seconds) / (outputTokens - 1) <= each);

    /// <summary>Whether anything is promised.</summary>
    public bool Promises => (TtftSeconds ?? TpotSeconds ?? EndToEndSeconds ?? DeadlineSeconds) is not null;
}
