using TokenFactory.Simulation;

namespace TokenFactory.Planning;

/// <summary>So many of a unit.</summary>
/// <param name="Unit">The unit.</param>
/// <param name="Count">How many, at least 1.</param>
public readonly record struct Chosen(PlanUnit Unit, int Count);

/// <summary>What the twin says of a service on a fleet.</summary>
/// <param name="Service">Index of the service.</param>
/// <param name="Report">The run.</param>
/// <param name="Promises">Every promise and what came of it.</param>
public sealed record ServiceRun(int Service, RunReport Report, IReadOnlyList<PromiseKept> Promises)
{
    /// <summary>Share of requests that may stay unanswered.</summary>
    internal const double Unanswered = 0.001;

    /// <summary>Times of an answer that a run must last, so that what it counts is not its first moments.</summary>
    private const double Settling = 4;

    /// <summary>Seconds over which its requests were sent.</summary>
    public double SentSeconds { get; init; }

    /// <summary>Whether the run is long enough to say that a fleet carries the traffic, not only its first moments.</summary>
    public bool Settles => SentSeconds >= Settling * Report.Requests.EndToEnd.Mean;

    /// <summary>Whether requests that are longer than the model is made for may be rejected.</summary>
    public bool MayReject { get; init; }

    /// <summary>Whether every promise was kept and every request answered.</summary>
    public bool Kept => Promises.All(promise => promise.Kept)
        && Report.Requests.Requests.Completed + (MayReject ? Report.Requests.Requests.Rejected : 0)
            >= Report.Requests.Requests.Arrived * (1 - Unanswered);
}

/// <summary>What a fleet serves.</summary>
/// <param name="InputTokensPerSecond">Prompt tokens per second.</param>
/// <param name="OutputTokensPerSecond">Output tokens per second.</param>
/// <param name="RevenueUsdPerHour">Dollars per hour that they bring at the prices of their classes; 0 where nothing is sold.</param>
public readonly record struct ServedTokens(double InputTokensPerSecond, double OutputTokensPerSecond, double RevenueUsdPerHour)
{
    /// <summary>Both together.</summary>
    public ServedTokens And(ServedTokens other) => new(
        InputTokensPerSecond + other.InputTokensPerSecond,
        OutputTokensPerSecond + other.OutputTokensPerSecond,
        RevenueUsdPerHour + other.RevenueUsdPerHour);
}

/// <summary>A fleet that is worth showing: put together by the closed form, sized by the twin.</summary>
public sealed record Finalist
{
    /// <summary>The fleet.</summary>
    public required FleetDesign Design { get; init; }

    /// <summary>The fleet without the replicas that it holds in reserve: what the twin runs.</summary>
    public required FleetDesign Proven { get; init; }

    /// <summary>What it is put together from.</summary>
    public required IReadOnlyList<Chosen> Units { get; init; }

    /// <summary>How much more than the traffic the closed form had to plan for, so that the twin keeps the promises.</summary>
    public double Factor { get; init; } = 1;

    /// <summary>
    /// How far the closed form's optimum may lie below, relative; null where fleets were not put together by the integer programme.
    /// </summary>
    public double? Gap { get; init; }

    /// <summary>What the twin says, service by service; empty where it was not asked.</summary>
    public IReadOnlyList<ServiceRun> Runs { get; init; } = [];

    /// <summary>Whether the twin was asked and says that every promise is kept.</summary>
    public bool Kept => Runs.Count > 0 && Runs.All(run => run.Kept);

    /// <summary>GPUs that are paid for, by where they come from: whole instances.</summary>
    public IEnumerable<(Supply Supply, int Used, int Paid)> Bought =>
        from chosen in Units
        from pool in chosen.Unit.Pools
        group pool.Gpus * chosen.Count by pool.Supply into same
        select (same.Key, same.Sum(), same.Key.Paid(same.Sum()));

    /// <summary>Dollars per hour that it adds to what is bought already.</summary>
    public double MarginalUsdPerHour => Bought.Sum(one => one.Paid * one.Supply.Marginal.Value);

    /// <summary>Dollars per hour that are paid for its GPUs.</summary>
    public double PaidUsdPerHour => Bought.Sum(one => one.Paid * one.Supply.PerGpu.Value.Value * one.Supply.WallTimePerWork);

    /// <summary>Watts at the site's meter with every replica at full load.</summary>
    public double FullWatts => Units.Sum(chosen => chosen.Count * chosen.Unit.FacilityWatts);

    /// <summary>Mean watts at the site's meter in the twin; at full load where it was not asked.</summary>
    public double MeanWatts => Runs.Count == 0
        ? FullWatts
        : Runs.Sum(run => run.Report.Machines.FacilityJoules / Math.Max(run.Report.Seconds, 1e-9));

    /// <summary>GPUs of all kinds.</summary>
    public int Gpus => Design.Gpus;

    /// <summary>What it serves.</summary>
    public required ServedTokens Served { get; init; }

    /// <summary>What it is judged by: less is better.</summary>
    public double Weighs(PlanObjective objective) => objective switch
    {
        PlanObjective.TokensPerWatt => MeanWatts,
        PlanObjective.Profit => MarginalUsdPerHour - Served.RevenueUsdPerHour,
        _ => MarginalUsdPerHour,
    };

    /// <summary>Dollars per million output tokens: all paid time over what is served.</summary>
    public double UsdPerMillionOutput => PaidUsdPerHour / (Served.OutputTokensPerSecond * 3600) * 1e6;

    /// <summary>Dollars per million tokens, prompts and answers.</summary>
    public double UsdPerMillionTokens => PaidUsdPerHour / ((Served.OutputTokensPerSecond + Served.InputTokensPerSecond) * 3600) * 1e6;

    /// <summary>Output tokens per joule at the site's meter: tokens per second and watt.</summary>
    public double OutputTokensPerJoule => Served.OutputTokensPerSecond / MeanWatts;

    /// <summary>GPUs that are paid for: whole instances.</summary>
    public int PaidGpus => Bought.Sum(one => one.Paid);
}
