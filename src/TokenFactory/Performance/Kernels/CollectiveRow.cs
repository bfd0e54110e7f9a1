using TokenFactory.Catalog;

namespace TokenFactory.Performance.Kernels;

/// <summary>What GPUs do together.</summary>
public enum CollectiveOperator
{
    /// <summary>Every rank gets the sum. Written "all_reduce".</summary>
    AllReduce,

    /// <summary>Every rank gets all parts. Written "all_gather".</summary>
    AllGather,

    /// <summary>Every rank gets its part of the sum. Written "reduce_scatter".</summary>
    ReduceScatter,

    /// <summary>Every rank sends a part to every other. Written "all_to_all".</summary>
    AllToAll,

    /// <summary>Tokens to their experts, written for few tokens. Written "dispatch_low_latency".</summary>
    DispatchLowLatency,

    /// <summary>Results back from the experts, written for few tokens. Written "combine_low_latency".</summary>
    CombineLowLatency,

    /// <summary>Tokens to their experts, written for many tokens. Written "dispatch_normal".</summary>
    DispatchNormal,

    /// <summary>Results back from the experts, written for many tokens. Written "combine_normal".</summary>
    CombineNormal,
}

/// <summary>The constants of one collective on one accelerator among so many ranks: a row of catalog/calibration/collectives.csv.</summary>
/// <param name="Operator">The collective.</param>
/// <param name="Gpu">Key of the accelerator in the catalog.</param>
/// <param name="Ranks">GPUs that take part.</param>
/// <param name="Nodes">Scale-up domains they lie in.</param>
/// <param name="FloorMicroseconds">Microseconds of an empty message.</param>
/// <param name="LinkEfficiency">Share of the link's bandwidth that long messages reach.</param>
/// <param name="RootMicroseconds">
/// How slowly messages approach that rate: adds the square root of this times the message's time on the link.
/// </param>
/// <param name="TokenNanoseconds">Nanoseconds per token on top.</param>
/// <param name="From">Where they come from.</param>
/// <param name="Note">Which kernels were fitted.</param>
public sealed record CollectiveRow(
    CollectiveOperator Operator,
    string Gpu,
    int Ranks,
    int Nodes,
    double FloorMicroseconds,
    double LinkEfficiency,
    double RootMicroseconds,
    double TokenNanoseconds,
    Source From,
    string Note)
{
    /// <summary>Names of the collectives, in the order of <see cref="CollectiveOperator"/>.</summary>
    public static IReadOnlyList<string> Operators { get; } =
    [
        "all_reduce", "all_gather", "reduce_scatter", "all_to_all", "dispatch_low_latency", "combine_low_latency", "dispatch_normal",
        "combine_normal",
    ];

    /// <summary>Reads collectives.csv.</summary>
    internal static IReadOnlyList<CollectiveRow> Read(string text, string where, ISet<string> gpus, ICollection<Mistake> mistakes)
    {
        string[] required = ["operator", "gpu", "ranks", "nodes", "floor_us", "link_efficiency", "source", "date", "kind"];
        string[] optional = ["root_us", "token_ns", "rows", "median_error_percent", "p90_error_percent", "note"];
        var read = new List<CollectiveRow>();
        foreach (var row in CsvTable.Read(text, where, required, optional, mistakes))
        {
            if (CalibrationFields.OneOf(row, "operator", Operators) is { } op
                && CalibrationFields.Gpu(row, gpus) is { } gpu
                && CalibrationFields.From(row) is { } from
                && row.Number("ranks", 2) is { } ranks
                && row.Number("nodes", 1) is { } nodes
                && CalibrationFields.Number(row, "floor_us", share: false) is { } floor
                && CalibrationFields.Number(row, "link_efficiency", share: true) is { } link)
            {
                var root = row["root_us"].Length == 0 ? 0 : row.Number("root_us", 0) ?? 0;
                var token = row["token_ns"].Length == 0 ? 0 : row.Number("token_ns", 0) ?? 0;
                read.Add(new CollectiveRow(
                    (CollectiveOperator)op, gpu, (int)ranks, (int)nodes, floor, link, root, token, from, row["note"]));
            }
        }

        return read;
    }
}
