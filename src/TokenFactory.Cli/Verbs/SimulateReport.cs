using TokenFactory.Cli.Output;
using TokenFactory.Simulation;

namespace TokenFactory.Cli.Verbs;

/// <summary>Answers simulate: words, pictures in letters and tables for people; every figure of the run for machines.</summary>
internal static class SimulateReport
{
    /// <summary>So many replicas are shown without being asked for.</summary>
    public const int FewReplicas = 16;

    /// <summary>Share of the work of the busiest by which others of its kind may stay behind and count as the same.</summary>
    private const double Likeness = 0.3;

    /// <summary>The report.</summary>
    /// <param name="run">What the run came to.</param>
    /// <param name="replicas">Whether each of many replicas is shown to people; machines always get them.</param>
    public static Report Of(RunReport run, bool replicas = false) => new(
        "simulate",
        [.. SimulateWords.Answer(run)],
        [.. People(run, replicas), .. SimulateFigures.Of(run)],
        [.. SimulateWords.Notes(run)])
    {
        Picture = SimulatePicture.Of(run),
    };

    /// <summary>The tables for people.</summary>
    public static IEnumerable<Section> People(RunReport run, bool replicas)
    {
        yield return SimulateRequestTables.Kept("Classes", "class", AndAll(run.Classes, run.Requests), run.Seconds);
        yield return SimulateRequestTables.Times("Times, ms", AndAll(run.Classes, run.Requests));
        if (run.Tenants.Count > 1)
            yield return SimulateRequestTables.Tenants(run);
        var (pools, answered) = (AndAll(run.Pools, run.Machines), Answered(run.PoolRequests, run));
        if (run.Pools.Count > 1)
            yield return SimulateMachineTables.Pools(run);
        yield return SimulateMachineTables.Work("Pools: work (gap: time between tokens of a sequence)", "pool", pools, answered, run);
        yield return SimulateMachineTables.Bill("Pools: dollars per million and joules per output token", "pool", pools, answered, run);
        if (run.Replicas.Count > 1 && (replicas || (run.Replicas.Count <= FewReplicas && Differ(run))))
            yield return SimulateMachineTables.Work("Replicas", "replica", run.Replicas, run.ReplicaRequests, run);
        yield return SimulateRequestTables.Reasons(run);
        yield return SimulateRequestTables.Happenings(run);
    }

    /// <summary>Whether replicas of a kind fared so differently that a table of them says more than that of the pools.</summary>
    private static bool Differ(RunReport run) => run.Replicas.GroupBy(one => (one.What, one.Billing)).Any(kind =>
        Apart(kind.Max(one => one.OutputTokens), kind.Min(one => one.OutputTokens))
        || Apart(kind.Max(one => one.PromptTokens), kind.Min(one => one.PromptTokens)));

    private static bool Apart(double most, double least) => least < most * (1 - Likeness);

    private static IReadOnlyList<RequestReport> AndAll(IReadOnlyList<RequestReport> parts, RequestReport all) =>
        parts.Count == 1 ? parts : [.. parts, all];

    private static IReadOnlyList<MachineReport> AndAll(IReadOnlyList<MachineReport> parts, MachineReport all) =>
        parts.Count == 1 ? parts : [.. parts, all];

    /// <summary>The requests of all machines stand beside those of the pools, under the name that all machines have.</summary>
    private static IReadOnlyList<RequestReport> Answered(IReadOnlyList<RequestReport> parts, RunReport run) =>
        [.. parts, run.Requests with { Name = run.Machines.Name }];
}

/// <summary>A column with what stands in it.</summary>
/// <param name="Head">The column.</param>
/// <param name="In">The cell of a row.</param>
internal sealed record Figure<T>(Column Head, Func<T, Cell> In)
{
    /// <summary>A table of such columns.</summary>
    public static Section Table(string key, string title, IReadOnlyList<T> rows, IReadOnlyList<Figure<T>> figures, Audience reader) => new(
        key,
        title,
        [.. figures.Select(figure => figure.Head)],
        [.. rows.Select(row => (IReadOnlyList<Cell>)[.. figures.Select(figure => figure.In(row))])])
    {
        For = reader,
    };
}
