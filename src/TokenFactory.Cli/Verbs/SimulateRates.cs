using TokenFactory.Simulation;

namespace TokenFactory.Cli.Verbs;

/// <summary>Quotients of a run's figures. Null where they have no meaning.</summary>
internal static class SimulateRates
{
    /// <summary>Dollars per million output tokens.</summary>
    public static double? PerMillion(double usd, double tokens) => tokens > 0 ? usd / tokens * 1e6 : null;

    /// <summary>An amount per something; null where there is none of it.</summary>
    public static double? Per(double amount, double of) => of > 0 ? amount / of : null;

    /// <summary>Watts at the boards per GPU, mean over the paid time.</summary>
    public static double? BoardWattsPerGpu(MachineReport machines) => Per(machines.BoardJoules, machines.PaidGpuHours * 3600);

    /// <summary>Requests that a pool or replica answered; null where none is told.</summary>
    public static RequestReport? Answered(IReadOnlyList<RequestReport> all, string name) => all.FirstOrDefault(one => one.Name == name);

    /// <summary>Dollars per million tokens generated in a stretch; null where none was.</summary>
    public static double? UsdPerMillion(IntervalPool pool, double seconds) =>
        PerMillion(pool.PaidUsd, pool.OutputTokensPerSecond * seconds);

    /// <summary>The name of a pool of the intervals.</summary>
    public static string PoolName(RunReport run, int pool) => pool < run.Pools.Count ? run.Pools[pool].Name : $"pool {pool + 1}";

    /// <summary>How many requests are over.</summary>
    public static long Over(RequestCounts requests) => requests.Arrived - requests.Waiting - requests.Running;

    /// <summary>Requests that are over without an answer.</summary>
    public static long Unanswered(RequestCounts requests) => requests.Rejected + requests.Shed + requests.Expired + requests.Failed;
}
