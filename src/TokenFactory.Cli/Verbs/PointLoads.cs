using TokenFactory.Performance.Measured;

namespace TokenFactory.Cli.Verbs;

/// <summary>Loads of rows that name them only in their workload: MLPerf's scenarios, which tables of power carry without a load.</summary>
internal static class PointLoads
{
    private const string Offline = "offline_all_at_once";

    private static readonly string[] Loads = ["concurrency", "batch_size", "request_rate_rps"];

    /// <summary>The row with its load, and what a reader should know about it; the row itself where it says its own.</summary>
    public static (ServingPoint Point, string? Said) Of(ServingPoint point)
    {
        var silent = point.LoadKind.Length == 0 && Loads.All(column => point[column] is null);
        if (!silent || !point.Workload.StartsWith("MLPerf", StringComparison.OrdinalIgnoreCase))
            return (point, null);
        if (Says(" Offline"))
            return (point with { LoadKind = Offline }, null);
        return Says(" Server") || Says(" Interactive")
            ? (point with { LoadKind = Offline }, "the row gives no rate of requests: answered at the most it serves")
            : (point, null);

        bool Says(string scenario) => point.Workload.Contains(scenario, StringComparison.OrdinalIgnoreCase);
    }
}
