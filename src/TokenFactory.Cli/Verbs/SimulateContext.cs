using TokenFactory.Cli.Input;
using TokenFactory.Simulation;
using TokenFactory.Workload.Traces;

namespace TokenFactory.Cli.Verbs;

/// <summary>Holds the prompts of recorded traces against what the pools can serve, before time starts.</summary>
internal static class SimulateContext
{
    /// <summary>The key of a workload that says what becomes of prompts that no pool serves.</summary>
    public const string Key = "too_long";

    /// <summary>
    /// Notes a trace with prompts that no pool serves, unless the file says <c>too_long: reject</c>: then they are rejected inside the
    /// run and counted, as those are that are made up.
    /// </summary>
    public static void Check(WorkloadInput workload, IReadOnlyList<PoolPlan> pools, Settings settings)
    {
        var says = settings.Text(Key);
        if (says is not (null or "reject" or "refuse"))
            settings.Note(Key, $"is '{says}'", "Write reject, or refuse");
        var serving = pools.Where(pool => pool.Facts.Role != Fleet.ReplicaRole.Decode).ToList();
        if (says == "reject" || serving.Count == 0)
            return;
        var most = serving.Max(pool => Math.Min(pool.Engine.ContextTokens, pool.Facts.KvTokens));
        foreach (var trace in workload.Streams.OfType<TracePlan>())
        {
            if (trace.Contents.LongestPromptTokens >= most)
            {
                settings.Note(
                    settings.Has("trace") ? "trace" : "streams",
                    $"has a prompt of {trace.Contents.LongestPromptTokens:N0} tokens in line {trace.Contents.LongestPromptLine:N0}, and no pool "
                        + $"serves more than {most:N0}",
                    $"Give more memory or a longer context, or '{Key}: reject' to have such requests rejected and counted");
            }
        }
    }
}
