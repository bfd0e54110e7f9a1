using TokenFactory.Fleet;

namespace TokenFactory.Policies;

/// <summary>A usual request.</summary>
/// <param name="PromptTokens">Tokens of its prompt.</param>
/// <param name="FreshTokens">Those of them that no cache holds.</param>
/// <param name="OutputTokens">Tokens of its answer.</param>
public readonly record struct LoadShape(double PromptTokens, double FreshTokens, double OutputTokens)
{
    private const double PriorPromptTokens = 1024;

    /// <summary>The requests of a time that lies back not too far, and what is usual before any.</summary>
    /// <param name="demand">What was noted of that time.</param>
    public static LoadShape Of(in Demand demand)
    {
        var prompt = demand.Arrivals > 0 ? Math.Max(1, demand.PromptTokens / (double)demand.Arrivals) : PriorPromptTokens;
        var fresh = demand.SentPromptTokens > 0 ? demand.SentFreshTokens / (double)demand.SentPromptTokens : 1;
        var output = demand.Completed > 0 ? Math.Max(1, demand.OutputTokens / (double)demand.Completed) : ClassState.PriorOutputTokens;
        return new LoadShape(prompt, prompt * Math.Clamp(fresh, 0.01, 1), output);
    }
}

/// <summary>What one replica serves of usual requests under the promises.</summary>
/// <param name="RequestsPerSecond">Requests per second.</param>
/// <param name="InFlight">Requests that are then on it at once.</param>
public readonly record struct Capacity(double RequestsPerSecond, double InFlight)
{
    private const double Patience = 4;

    /// <summary>The capacity of a replica of a pool.</summary>
    /// <param name="fleet">What is known.</param>
    /// <param name="pool">The pool.</param>
    /// <param name="load">The usual request.</param>
    public static Capacity Of(FleetSnapshot fleet, PoolState pool, LoadShape load)
    {
        var prompt = pool.Facts.Role == ReplicaRole.Decode
            ? 0
            : pool.Steps.Prompt((long)Math.Ceiling(load.FreshTokens), load.PromptTokens - load.FreshTokens, 0);
        if (pool.Facts.Role == ReplicaRole.Prefill)
            return new Capacity(1 / prompt, Math.Max(1, (Promise(fleet, facts => facts.TtftSeconds) ?? (Patience * prompt)) / prompt));
        var context = load.PromptTokens + (load.OutputTokens / 2);
        var promised = Promise(fleet, facts => facts.TpotSeconds) ?? (Patience * pool.Steps.Token(1, context));
        var (low, high) = (1, (int)Math.Clamp(pool.Facts.KvTokens / context, 1, pool.Facts.MaxSequences));
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (Pace(pool, load, prompt, context, middle) <= promised)
                low = middle;
            else
                high = middle - 1;
        }

        return new Capacity(low / (load.OutputTokens * Pace(pool, load, prompt, context, low)), low);
    }

    /// <summary>
    /// Seconds per output token with so many on it: their steps, and the prompts of those that take the places of the finished.
    /// </summary>
    private static double Pace(PoolState pool, LoadShape load, double prompt, double context, int sequences) =>
        pool.Steps.Token(sequences, context) + (sequences * prompt / load.OutputTokens);

    /// <summary>The tightest promise of the classes that do not only fill slack.</summary>
    private static double? Promise(FleetSnapshot fleet, Func<ServiceClass, double?> of)
    {
        double? tightest = null;
        foreach (var kind in fleet.Classes)
        {
            if (!kind.Facts.FillsSlack && of(kind.Facts) is { } promise)
                tightest = Math.Min(tightest ?? promise, promise);
        }

        return tightest;
    }
}
