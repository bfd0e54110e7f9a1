using TokenFactory.Units;

namespace TokenFactory.Fleet;

/// <summary>Where a replica is in its life.</summary>
public enum ReplicaPhase
{
    /// <summary>Being provisioned, loading weights, warming up.</summary>
    Starting,

    /// <summary>Takes requests.</summary>
    Ready,

    /// <summary>Finishes what it has.</summary>
    Draining,

    /// <summary>No longer there.</summary>
    Gone,
}

/// <summary>
/// What is known of one replica without asking it: what was sent and what came back, and what it last reported. Sums are integers, so
/// that what is added and taken away again leaves nothing.
/// </summary>
public sealed class ReplicaState
{
    /// <summary>As many requests as the pool's eligibility allows.</summary>
    public const int NoLimit = int.MaxValue;

    private const double SlownessWeight = 0.1;
    private const double MostSlowness = 100;

    private readonly int[] _unstarted;
    private readonly int[] _generating;
    private long _firstTokens;

    internal ReplicaState(int index, int pool, int classes, Instant at)
    {
        (Index, Pool, StartedAt, ReadyAt, WaitingSince) = (index, pool, at, Instant.Never, at);
        (_unstarted, _generating) = (new int[classes], new int[classes]);
    }

    /// <summary>Its number, never given to another.</summary>
    public int Index { get; }

    /// <summary>Index of its pool.</summary>
    public int Pool { get; }

    /// <summary>Where it is in its life.</summary>
    public ReplicaPhase Phase { get; private set; }

    /// <summary>When it was ordered.</summary>
    public Instant StartedAt { get; }

    /// <summary>When it first took requests; never where it has not.</summary>
    public Instant ReadyAt { get; private set; }

    /// <summary>Requests that were sent and have no first token yet.</summary>
    public int Unstarted { get; private set; }

    /// <summary>Prompt tokens of these that it has to compute, as far as the senders knew.</summary>
    public long UnstartedFreshTokens { get; private set; }

    /// <summary>Prompt tokens of these.</summary>
    public long UnstartedPromptTokens { get; private set; }

    /// <summary>Requests with a first token that have not ended.</summary>
    public int Generating { get; private set; }

    /// <summary>Prompt tokens of these.</summary>
    public long GeneratingPromptTokens { get; private set; }

    /// <summary>Requests sent and not ended.</summary>
    public int InFlight => Unstarted + Generating;

    /// <summary>Prompt tokens of all requests sent and not ended.</summary>
    public long HeldTokens => UnstartedPromptTokens + GeneratingPromptTokens;

    /// <summary>Requests ever sent to it.</summary>
    public long Dispatched { get; private set; }

    /// <summary>Tokens that ever entered its KV cache: prompt tokens to compute and tokens of answers.</summary>
    public long WrittenTokens { get; private set; }

    /// <summary>Since when requests without a first token wait with none of them getting one.</summary>
    public Instant WaitingSince { get; private set; }

    /// <summary>Most requests that it may have for now, whatever its pool allows.</summary>
    public int MostInFlight { get; private set; } = NoLimit;

    /// <summary>
    /// How many times as long as predicted its tokens take: a moving mean over complete answers, 1 before any and when it is ready again.
    /// </summary>
    public double Slowness { get; private set; } = 1;

    /// <summary>Requests that the engine computed at its last report.</summary>
    public int ReportedRunning { get; private set; }

    /// <summary>Requests that waited in the engine at its last report.</summary>
    public int ReportedWaiting { get; private set; }

    /// <summary>Share of the KV cache that requests held at its last report, 0 to 1.</summary>
    public double ReportedKvHeld { get; private set; }

    /// <summary>When it last reported; null where it never did.</summary>
    public Instant? ReportedAt { get; private set; }

    /// <summary>Requests of others that it had at its last report: running or waiting there and not sent from here.</summary>
    public int Strangers { get; private set; }

    /// <summary>Prompt tokens to compute that were sent since its last report.</summary>
    public long FreshSinceReport { get; private set; }

    /// <summary>Requests of a class that were sent and have no first token yet.</summary>
    public int UnstartedOf(int serviceClass) => _unstarted[serviceClass];

    /// <summary>Requests of a class with a first token that have not ended.</summary>
    public int GeneratingOf(int serviceClass) => _generating[serviceClass];

    /// <summary>Mean seconds since the first tokens of the requests that generate; 0 where none does.</summary>
    public double MeanElapsedSeconds(Instant now) =>
        Generating == 0 ? 0 : Math.Max(0, unchecked((Generating * now.Nanoseconds) - _firstTokens)) * 1e-9 / Generating;

    /// <summary>Mean context in tokens of the requests that generate: their prompts, and what they must have generated since.</summary>
    /// <param name="now">The present.</param>
    /// <param name="tokenSeconds">Seconds from one token to the next.</param>
    /// <param name="mostGenerated">Tokens that a mean answer has, as a bound.</param>
    public double MeanContext(Instant now, double tokenSeconds, double mostGenerated)
    {
        if (Generating == 0)
            return 0;
        var generated = tokenSeconds > 0 ? MeanElapsedSeconds(now) / tokenSeconds : 0;
        return (GeneratingPromptTokens / (double)Generating) + Math.Min(generated, mostGenerated);
    }

    internal void Enter(ReplicaPhase phase, Instant at)
    {
        if (Phase == ReplicaPhase.Draining && phase == ReplicaPhase.Ready)
            Slowness = 1; // it is judged afresh
        Phase = phase;
        if (phase == ReplicaPhase.Ready && ReadyAt == Instant.Never)
            ReadyAt = at;
    }

    internal void Send(in FleetEvent e)
    {
        if (Unstarted == 0)
            WaitingSince = e.At;
        Wait(e, 1);
        Dispatched++;
        WrittenTokens += e.FreshTokens;
        FreshSinceReport += e.FreshTokens;
    }

    internal void Begin(in FleetEvent e)
    {
        Wait(e, -1);
        WaitingSince = e.At;
        Generate(e, 1, e.At);
    }

    internal void End(in FleetEvent e)
    {
        WrittenTokens += e.OutputTokens;
        if (e.HadFirstToken)
            Generate(e, -1, e.FirstTokenAt);
        else
            Wait(e, -1);
    }

    internal void Report(in FleetEvent e)
    {
        (ReportedRunning, ReportedWaiting, ReportedKvHeld) = (e.Running, e.Waiting, e.KvHeld);
        (ReportedAt, FreshSinceReport) = (e.At, 0);
        Strangers = Math.Max(0, e.Running + e.Waiting - InFlight);
    }

    internal void Limit(in FleetEvent e) => MostInFlight = e.MostInFlight;

    internal void Observe(double timesAsLong) =>
        Slowness += (Math.Clamp(timesAsLong, 1 / MostSlowness, MostSlowness) - Slowness) * SlownessWeight;

    private void Wait(in FleetEvent e, int sign)
    {
        var ask = e.Ask!;
        Unstarted += sign;
        _unstarted[ask.Class] += sign;
        UnstartedFreshTokens += sign * (long)e.FreshTokens;
        UnstartedPromptTokens += sign * (long)ask.PromptTokens;
    }

    /// <summary>Instants are summed modulo 2^64: the sum of the times since them fits, and comes out right.</summary>
    private void Generate(in FleetEvent e, int sign, Instant firstToken)
    {
        var ask = e.Ask!;
        Generating += sign;
        _generating[ask.Class] += sign;
        GeneratingPromptTokens += sign * (long)ask.PromptTokens;
        _firstTokens = unchecked(_firstTokens + (sign * firstToken.Nanoseconds));
    }
}
