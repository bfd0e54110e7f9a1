using TokenFactory.Fleet;
using TokenFactory.Units;

namespace TokenFactory.Policies;

/// <summary>What went wrong with a request on its replica.</summary>
public enum Mishap
{
    /// <summary>The replica failed.</summary>
    ReplicaFailed,

    /// <summary>The replica will be taken away at a known time.</summary>
    PreemptionNotice,

    /// <summary>The connection broke, or the answer stopped; the replica may live.</summary>
    AnswerLost,
}

/// <summary>An attempt in trouble.</summary>
/// <param name="Ask">The request as it was sent.</param>
/// <param name="Mishap">What went wrong.</param>
/// <param name="Replica">Where it ran.</param>
/// <param name="OutputTokens">Tokens of the answer that have come.</param>
/// <param name="Streamed">The client has seen them.</param>
/// <param name="GoneAt">When the replica will be gone; the present where it is.</param>
public readonly record struct Trouble(Ask Ask, Mishap Mishap, int Replica, int OutputTokens, bool Streamed, Instant GoneAt);

/// <summary>What is done with it.</summary>
public enum RecoveryAction
{
    /// <summary>It stays: it will be done in time.</summary>
    Finish,

    /// <summary>It is sent again from the beginning.</summary>
    Restart,

    /// <summary>It is sent again with what was generated as the end of its prompt.</summary>
    Continue,

    /// <summary>It is given up.</summary>
    GiveUp,
}

/// <summary>Why.</summary>
public enum RecoveryCause
{
    /// <summary>It will be done before the replica goes.</summary>
    DoneInTime,

    /// <summary>Nothing had been generated.</summary>
    NothingLost,

    /// <summary>What was generated is kept.</summary>
    OutputKept,

    /// <summary>What was generated cannot be kept.</summary>
    OutputLost,

    /// <summary>The client saw part of an answer that cannot be continued.</summary>
    CannotContinue,

    /// <summary>It was tried as often as may be.</summary>
    Attempts,

    /// <summary>Too much of the traffic is retries already: more would make a failure last.</summary>
    RetryShare,

    /// <summary>Its deadline has passed.</summary>
    Deadline,
}

/// <summary>A decision on a request in trouble.</summary>
/// <param name="Action">What is done.</param>
/// <param name="Cause">Why.</param>
/// <param name="Value">The number behind it: tokens kept or lost, attempts, a share, seconds.</param>
/// <param name="Limit">What it is held against.</param>
/// <param name="Next">The request as it is to be sent again; null where it is not.</param>
public readonly record struct RecoveryDecision(RecoveryAction Action, RecoveryCause Cause, double Value, double Limit, Ask? Next)
{
    /// <summary>"retried 2 times, max_attempts is 3".</summary>
    public override string ToString() => Cause switch
    {
        RecoveryCause.DoneInTime => $"done in {Value:0.##} s, the replica goes in {Limit:0.##} s",
        RecoveryCause.NothingLost => "sent again: nothing had been generated",
        RecoveryCause.OutputKept => $"continued after {Value:#,0} tokens",
        RecoveryCause.OutputLost => $"sent again: {Value:#,0} tokens lost",
        RecoveryCause.CannotContinue => $"given up: the client saw {Value:#,0} tokens, and its answer cannot be continued",
        RecoveryCause.Attempts => $"given up after {Value:0} attempts, max_attempts is {Limit:0}",
        RecoveryCause.RetryShare => $"given up: {Value:0.###} of the traffic is retries, max_retry_share is {Limit:0.###}",
        RecoveryCause.Deadline => $"given up: {Value:0.##} s after its arrival, its deadline is {Limit:0.##} s",
        _ => Cause.ToString(),
    };
}

/// <summary>Decides what happens to requests whose replica failed, goes or no longer answers.</summary>
public sealed record Recovery
{
    /// <summary>Share of a usual answer that is taken to be left of one that is nearly that long, or longer, already.</summary>
    private const double LeastRest = 0.5;

    /// <summary>Most times that a request is sent, the first included; at least 1.</summary>
    public int MaxAttempts { get; init; } = 3;

    /// <summary>Largest share of the requests sent that may be retries; 0 to 1.</summary>
    public double MaxRetryShare { get; init; } = 0.1;

    /// <summary>Retries that are allowed whatever their share, so that a small fleet can lose a replica.</summary>
    public int FreeRetries { get; init; } = 100;

    /// <summary>Whether the end of a prompt may be the beginning of its answer: what was generated is then not lost.</summary>
    public bool ContinueAnswers { get; init; } = true;

    /// <summary>Times the predicted rest of an answer that a notice must leave for it to stay where it is.</summary>
    public double NoticeSpare { get; init; } = 1.5;

    /// <summary>Decides.</summary>
    /// <param name="fleet">What is known.</param>
    /// <param name="trouble">The attempt.</param>
    /// <param name="now">The present.</param>
    public RecoveryDecision Decide(FleetSnapshot fleet, in Trouble trouble, Instant now)
    {
        var (ask, output) = (trouble.Ask, trouble.OutputTokens);
        if (Finishes(fleet, trouble, now) is { } finishes)
            return finishes;
        var (age, facts) = ((now - ask.Arrival).Seconds, fleet.Classes[ask.Class].Facts);
        if (facts.DeadlineSeconds is { } deadline && age >= deadline)
            return GiveUp(RecoveryCause.Deadline, age, deadline);
        if (ask.Attempt + 1 >= MaxAttempts)
            return GiveUp(RecoveryCause.Attempts, ask.Attempt + 1, MaxAttempts);
        var (retries, sent) = (fleet.Totals.Retries, fleet.Totals.Dispatched);
        if (trouble.Mishap != Mishap.PreemptionNotice && retries >= FreeRetries && retries >= sent * MaxRetryShare)
            return GiveUp(RecoveryCause.RetryShare, (double)retries / sent, MaxRetryShare);
        var keeps = ContinueAnswers && (ask.MaxTokens == 0 || output < ask.MaxTokens);
        if (output > 0 && !keeps && trouble.Streamed)
            return GiveUp(RecoveryCause.CannotContinue, output, 0);
        return Again(ask, output, keeps);
    }

    private static RecoveryDecision Again(Ask ask, int output, bool keeps)
    {
        if (output == 0)
            return new(RecoveryAction.Restart, RecoveryCause.NothingLost, 0, 0, ask with { Attempt = ask.Attempt + 1 });
        if (!keeps)
            return new(RecoveryAction.Restart, RecoveryCause.OutputLost, output, 0, ask with { Attempt = ask.Attempt + 1 });
        var next = ask with
        {
            Attempt = ask.Attempt + 1,
            PromptTokens = ask.PromptTokens + output,
            MaxTokens = ask.MaxTokens > 0 ? ask.MaxTokens - output : 0,
        };
        return new(RecoveryAction.Continue, RecoveryCause.OutputKept, output, 0, next);
    }

    /// <summary>On notice, whether what is left of the answer comes in time; requests without a first token do not stay.</summary>
    private RecoveryDecision? Finishes(FleetSnapshot fleet, in Trouble trouble, Instant now)
    {
        if (trouble.Mishap != Mishap.PreemptionNotice || trouble.OutputTokens == 0)
            return null;
        var replica = fleet.Replicas[trouble.Replica];
        var pool = fleet.Pools[replica.Pool];
        var context = trouble.Ask.PromptTokens + trouble.OutputTokens;
        var expected = fleet.Classes[trouble.Ask.Class].Expected(trouble.Ask);
        var rest = Math.Max(expected * LeastRest, expected - trouble.OutputTokens);
        var seconds = rest * pool.Steps.Token(Math.Max(1, replica.Generating), context) * replica.Slowness;
        var left = (trouble.GoneAt - now).Seconds;
        return seconds * NoticeSpare <= left ? new(RecoveryAction.Finish, RecoveryCause.DoneInTime, seconds, left, null) : null;
    }

    private static RecoveryDecision GiveUp(RecoveryCause cause, double value, double limit) =>
        new(RecoveryAction.GiveUp, cause, value, limit, null);
}
