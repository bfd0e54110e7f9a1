using TokenFactory.Fleet;

namespace TokenFactory.Simulation;

/// <summary>What became of requests. Law 3: the first is the sum of the others.</summary>
/// <param name="Arrived">Requests that clients sent.</param>
/// <param name="Completed">Answered in full.</param>
/// <param name="Rejected">Longer than any replica could serve.</param>
/// <param name="Shed">Turned away or given up while they waited at the gateway: full queue, waited too long, deadline.</param>
/// <param name="Expired">Given up while an engine had them: past their deadline.</param>
/// <param name="Failed">Lost with a replica, and not tried again.</param>
/// <param name="Waiting">Still at the gateway when the run ended.</param>
/// <param name="Running">Still with an engine, or on the way to one, when the run ended.</param>
public readonly record struct RequestCounts(
    long Arrived, long Completed, long Rejected, long Shed, long Expired, long Failed, long Waiting, long Running)
{
    /// <summary>Requests that are accounted for.</summary>
    public long Accounted => Completed + Rejected + Shed + Expired + Failed + Waiting + Running;
}

/// <summary>A distribution in numbers; percentiles within 0.8 %. All zero where nothing was counted.</summary>
/// <param name="Count">How many.</param>
/// <param name="Mean">Mean.</param>
/// <param name="P50">Half are not above.</param>
/// <param name="P90">Nine in ten are not above.</param>
/// <param name="P95">19 in 20 are not above.</param>
/// <param name="P99">99 in 100 are not above.</param>
/// <param name="Max">The largest.</param>
public readonly record struct Spread(long Count, double Mean, double P50, double P90, double P95, double P99, double Max);

/// <summary>Requests of a class, a tenant, a pool, a replica, or all of them.</summary>
public sealed record RequestReport
{
    /// <summary>The class, tenant, pool or replica; "all" for all.</summary>
    public required string Name { get; init; }

    /// <summary>What is promised to the class; null where there is none.</summary>
    public ServiceClass? Class { get; init; }

    /// <summary>What became of them.</summary>
    public RequestCounts Requests { get; init; }

    /// <summary>Prompt tokens of completed requests.</summary>
    public long PromptTokens { get; init; }

    /// <summary>Of them, tokens found in a prefix cache.</summary>
    public long CachedTokens { get; init; }

    /// <summary>Tokens generated for completed requests.</summary>
    public long OutputTokens { get; init; }

    /// <summary>Completed requests that kept every promise (all of them where nothing is promised).</summary>
    public long Kept { get; init; }

    /// <summary>Time to the first token in seconds, from sending to receiving.</summary>
    public Spread Ttft { get; init; }

    /// <summary>Mean time per output token after the first of each request, in seconds.</summary>
    public Spread Tpot { get; init; }

    /// <summary>Time from sending to the last token in seconds.</summary>
    public Spread EndToEnd { get; init; }

    /// <summary>Time at the gateway before a request was sent to a replica, in seconds.</summary>
    public Spread GatewayWait { get; init; }

    /// <summary>Times that a request lost its KV blocks to others.</summary>
    public long Preemptions { get; init; }

    /// <summary>Times that a request was tried again.</summary>
    public long Retries { get; init; }

    /// <summary>Dollars of the time that replicas worked for them, failed ones included: usage basis.</summary>
    public double UsageUsd { get; init; }

    /// <summary>Joules at the boards of the steps that worked for them, failed ones included.</summary>
    public double StepJoules { get; init; }

    /// <summary>Completed requests by time to first token, for pictures: upper bounds in seconds and counts.</summary>
    public IReadOnlyList<(double UpTo, long Count)> TtftHistogram { get; init; } = [];

    /// <summary>Completed requests by time per output token, for pictures.</summary>
    public IReadOnlyList<(double UpTo, long Count)> TpotHistogram { get; init; } = [];

    /// <summary>Share of the prompt tokens that a prefix cache held; 0 without any.</summary>
    public double HitShare => PromptTokens > 0 ? (double)CachedTokens / PromptTokens : 0;

    /// <summary>Share of the requests that are over and kept every promise; 1 where none is over.</summary>
    public double KeptShare => Over > 0 ? (double)Kept / Over : 1;

    private long Over => Requests.Arrived - Requests.Waiting - Requests.Running;
}

/// <summary>What a stretch of the run looked like: one pool, or all.</summary>
/// <param name="Replicas">Replicas that take requests, at its end.</param>
/// <param name="Running">Requests that engines compute, at its end.</param>
/// <param name="EngineWaiting">Requests that wait in engines, at its end.</param>
/// <param name="KvHeld">Share of the KV blocks that requests hold, at its end.</param>
/// <param name="PromptTokensPerSecond">Prompt tokens computed.</param>
/// <param name="OutputTokensPerSecond">Tokens generated.</param>
/// <param name="BoardWatts">At the boards, mean.</param>
/// <param name="FacilityWatts">At the site's meter, mean.</param>
/// <param name="PaidUsd">Dollars paid in it.</param>
public readonly record struct IntervalPool(
    int Replicas,
    int Running,
    int EngineWaiting,
    double KvHeld,
    double PromptTokensPerSecond,
    double OutputTokensPerSecond,
    double BoardWatts,
    double FacilityWatts,
    double PaidUsd);

/// <summary>A stretch of the run.</summary>
public sealed record IntervalReport
{
    /// <summary>When it began, in seconds.</summary>
    public required double FromSeconds { get; init; }

    /// <summary>How long it lasted, in seconds.</summary>
    public required double Seconds { get; init; }

    /// <summary>Requests that arrived.</summary>
    public long Arrived { get; init; }

    /// <summary>Requests that were answered.</summary>
    public long Completed { get; init; }

    /// <summary>Requests that were answered and kept every promise.</summary>
    public long Kept { get; init; }

    /// <summary>Requests that wait at the gateway, at its end.</summary>
    public int GatewayWaiting { get; init; }

    /// <summary>Mean time to first token of those answered, in seconds; 0 without any.</summary>
    public double MeanTtft { get; init; }

    /// <summary>Mean time per output token of those answered, in seconds; 0 without any.</summary>
    public double MeanTpot { get; init; }

    /// <summary>All pools together.</summary>
    public IntervalPool All { get; init; }

    /// <summary>Pool by pool, in the order of the scenario.</summary>
    public IReadOnlyList<IntervalPool> Pools { get; init; } = [];
}

/// <summary>What a simulated run came to.</summary>
public sealed record RunReport
{
    /// <summary>The scenario's name.</summary>
    public required string Name { get; init; }

    /// <summary>Its seed.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Name of the routing policy.</summary>
    public string Routing { get; init; } = "";

    /// <summary>Whether it was stopped before its end.</summary>
    public bool Partial { get; init; }

    /// <summary>Simulated time from the beginning to the last event, in seconds.</summary>
    public double Seconds { get; init; }

    /// <summary>All requests.</summary>
    public required RequestReport Requests { get; init; }

    /// <summary>Requests by class.</summary>
    public IReadOnlyList<RequestReport> Classes { get; init; } = [];

    /// <summary>Requests by tenant.</summary>
    public IReadOnlyList<RequestReport> Tenants { get; init; } = [];

    /// <summary>Completed requests by the pool that answered them.</summary>
    public IReadOnlyList<RequestReport> PoolRequests { get; init; } = [];

    /// <summary>Completed requests by the replica that answered them.</summary>
    public IReadOnlyList<RequestReport> ReplicaRequests { get; init; } = [];

    /// <summary>All machines.</summary>
    public required MachineReport Machines { get; init; }

    /// <summary>Machines by pool.</summary>
    public IReadOnlyList<MachineReport> Pools { get; init; } = [];

    /// <summary>Machines by replica.</summary>
    public IReadOnlyList<MachineReport> Replicas { get; init; } = [];

    /// <summary>The run in stretches of equal length.</summary>
    public IReadOnlyList<IntervalReport> Intervals { get; init; } = [];

    /// <summary>What happened beside requests, in order: faults, starts, stops; the first thousand.</summary>
    public IReadOnlyList<(double AtSeconds, string What)> Happenings { get; init; } = [];

    /// <summary>Why requests were turned away or lost, and how many: a line each.</summary>
    public IReadOnlyList<(string Why, long Count)> Reasons { get; init; } = [];

    /// <summary>Dollars per million output tokens of completed requests, of all paid time.</summary>
    public double UsdPerMillionOutput => Per(Machines.PaidUsd, Requests.OutputTokens) * 1e6;

    /// <summary>Dollars per million output tokens of completed requests, of the busy time.</summary>
    public double UsageUsdPerMillionOutput => Per(Machines.UsageUsd, Requests.OutputTokens) * 1e6;

    /// <summary>Dollars per million tokens, prompts and answers, of all paid time.</summary>
    public double UsdPerMillionTokens => Per(Machines.PaidUsd, Requests.OutputTokens + Requests.PromptTokens) * 1e6;

    /// <summary>Joules per output token at the boards.</summary>
    public double BoardJoulesPerOutput => Per(Machines.BoardJoules, Requests.OutputTokens);

    /// <summary>Joules per output token at the site's meter.</summary>
    public double FacilityJoulesPerOutput => Per(Machines.FacilityJoules, Requests.OutputTokens);

    /// <summary>Output tokens per second of completed requests.</summary>
    public double OutputTokensPerSecond => Seconds > 0 ? Requests.OutputTokens / Seconds : 0;

    /// <summary>Completed requests per second that kept every promise.</summary>
    public double Goodput => Seconds > 0 ? Requests.Kept / Seconds : 0;

    private static double Per(double amount, long tokens) => tokens > 0 ? amount / tokens : 0;
}

/// <summary>One request as it ended, for tables.</summary>
/// <param name="Id">Number.</param>
/// <param name="Class">Service class.</param>
/// <param name="Tenant">Tenant.</param>
/// <param name="Outcome">"completed", "rejected", "shed", "expired", "failed".</param>
/// <param name="Why">Why it was not answered; empty where it was.</param>
/// <param name="ArrivalSeconds">When it was sent.</param>
/// <param name="DispatchSeconds">When it was sent to a replica last; negative where it never was.</param>
/// <param name="FirstTokenSeconds">When its first token came; negative where none did.</param>
/// <param name="EndSeconds">When it ended.</param>
/// <param name="PromptTokens">Prompt tokens.</param>
/// <param name="CachedTokens">Of them, found in a prefix cache.</param>
/// <param name="OutputTokens">Tokens generated.</param>
/// <param name="Replica">Replica that ended it; -1 for none.</param>
/// <param name="Attempts">How often it was sent to a replica.</param>
/// <param name="Preemptions">How often it lost its blocks.</param>
/// <param name="Joules">Joules at the boards of the steps that worked for it.</param>
/// <param name="UsageUsd">Dollars of the time that replicas worked for it.</param>
/// <param name="Kept">Whether it was answered and kept every promise.</param>
public readonly record struct RequestRow(
    long Id,
    string Class,
    string Tenant,
    string Outcome,
    string Why,
    double ArrivalSeconds,
    double DispatchSeconds,
    double FirstTokenSeconds,
    double EndSeconds,
    int PromptTokens,
    int CachedTokens,
    int OutputTokens,
    int Replica,
    int Attempts,
    int Preemptions,
    double Joules,
    double UsageUsd,
    bool Kept);
