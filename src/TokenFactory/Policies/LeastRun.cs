using TokenFactory.Fleet;

namespace TokenFactory.Policies;

/// <summary>How long a request takes at the least.</summary>
internal static class LeastRun
{
    /// <summary>Seconds that a request of usual length takes alone on the fastest pool that has or may have a replica.</summary>
    public static double Seconds(FleetSnapshot fleet, Ask ask)
    {
        double whole = double.PositiveInfinity, prompt = double.PositiveInfinity, answer = double.PositiveInfinity;
        foreach (var pool in fleet.Pools)
        {
            if (pool.Facts.Most <= 0 || ask.PromptTokens >= pool.Facts.KvTokens)
                continue;
            if (pool.Facts.Role == ReplicaRole.Aggregated)
                whole = Math.Min(whole, Prompt(pool, ask) + Answer(fleet, pool, ask));
            else if (pool.Facts.Role == ReplicaRole.Prefill)
                prompt = Math.Min(prompt, Prompt(pool, ask));
            else
                answer = Math.Min(answer, Answer(fleet, pool, ask));
        }

        var least = Math.Min(whole, prompt + answer);
        return double.IsFinite(least) ? least : 0;
    }

    private static double Prompt(PoolState pool, Ask ask) =>
        pool.Facts.Model.FrontSeconds(ask.PromptTokens) + pool.Steps.Prompt(ask.PromptTokens, 0, 0);

    private static double Answer(FleetSnapshot fleet, PoolState pool, Ask ask) =>
        pool.Steps.Token(1, ask.PromptTokens) * Math.Max(0, fleet.Classes[ask.Class].Expected(ask) - 1);
}
