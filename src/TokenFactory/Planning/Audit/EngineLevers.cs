using TokenFactory.Engine;
using TokenFactory.Performance;

namespace TokenFactory.Planning.Audit;

/// <summary>Levers that are flags of an engine: how it batches, what it keeps of prompts.</summary>
internal static class EngineLevers
{
    private static readonly int[] Drafts = [2, 4];
    private static readonly int[] Budgets = [512, 2048, 8192, 16_384];

    /// <summary>Continuous batching instead of batches that wait for their last answer.</summary>
    public static LeverAnswer Batching(AuditedFleet fleet, AuditScene scene)
    {
        var still = fleet.Live().Where(pool => pool.Settings().StaticBatches).ToList();
        return still.Count == 0
            ? LeverAnswer.On("continuous")
            : LeverAnswer.Off(
                $"static in {still.Names()}",
                [Set(fleet, "batching: continuous", engine => engine.StaticBatches ? engine with { StaticBatches = false } : null)],
                "");
    }

    /// <summary>More sequences at once.</summary>
    public static LeverAnswer Places(AuditedFleet fleet, AuditScene scene)
    {
        var few = fleet.Live().Where(pool => pool.Settings().MaxSequences < EngineSettings.DefaultMaxSequences).ToList();
        if (few.Count == 0)
            return LeverAnswer.On($"up to {fleet.Values(pool => $"{pool.Settings().MaxSequences:N0}")} sequences at once");
        var most = few.Max(pool => pool.Settings().MaxSequences);
        var tried = new[] { Math.Min(4 * most, EngineSettings.DefaultMaxSequences), EngineSettings.DefaultMaxSequences }.Distinct();
        return LeverAnswer.Off(
            $"at most {string.Join(" and ", few.Select(pool => $"{pool.Settings().MaxSequences:N0}").Distinct())} sequences at once",
            tried.Select(count => fleet.Change($"max_sequences: {count}", pool => pool.Settings().MaxSequences >= count
                ? null
                : pool.On(pool.Deployment with { MaxSequences = count * pool.Deployment.AttentionGroups }, scene))),
            "");
    }

    /// <summary>How many tokens a step may compute.</summary>
    public static LeverAnswer Budget(AuditedFleet fleet, AuditScene scene) => LeverAnswer.Off(
        $"{fleet.Values(pool => $"{pool.Settings().TokenBudget:N0}")} tokens per step",
        Budgets.Select(budget => fleet.Change($"token_budget: {budget}", pool => pool.Settings().TokenBudget == budget
            ? null
            : pool.On(pool.Deployment with { TokenBudget = budget }, scene))),
        "");

    /// <summary>Blocks stay for prompts that begin alike.</summary>
    public static LeverAnswer PrefixCaching(AuditedFleet fleet, AuditScene scene)
    {
        var without = fleet.Live().Where(pool => !pool.Settings().PrefixCaching).ToList();
        return without.Count == 0
            ? LeverAnswer.On("blocks stay for prompts that begin alike")
            : LeverAnswer.Off(
                $"off in {without.Names()}",
                [Set(fleet, "prefix_caching: true", engine => engine.PrefixCaching ? null : engine with { PrefixCaching = true })],
                "");
    }

    /// <summary>Host memory keeps what the GPUs drop of the prefix cache.</summary>
    public static LeverAnswer Offload(AuditedFleet fleet, AuditScene scene)
    {
        var able = fleet.Live().Where(pool => pool.Settings().PrefixCaching).ToList();
        if (able.Count == 0)
            return LeverAnswer.No("nothing is kept of prompts to offload: prefix caching comes first");
        if (able.TrueForAll(pool => pool.Settings().HostBytes > 0))
            return LeverAnswer.On("host memory keeps a copy");
        var bytes = scene.Asked.HostBytesPerGpu;
        return LeverAnswer.Off(
            "KV blocks only on the GPUs",
            [Set(
                fleet,
                $"host_kv_gb: {bytes / 1e9:0.##} per GPU",
                engine => engine is { PrefixCaching: true, HostBytes: 0 } ? engine with { HostBytes = bytes } : null)],
            "");
    }

    /// <summary>The fleet with other settings of its engines; null of a pool that stays.</summary>
    private static LeverChange? Set(AuditedFleet fleet, string what, Func<EngineSettings, EngineSettings?> settings) =>
        fleet.Change(what, pool => settings(pool.Settings()) is { } engine ? pool with { Engine = engine } : null);

    /// <summary>Steps propose tokens and verify them together.</summary>
    public static LeverAnswer Speculation(AuditedFleet fleet, AuditScene scene)
    {
        var without = fleet.Live().Where(pool => pool.Deployment.Speculation is null && pool.Role != Fleet.ReplicaRole.Prefill).ToList();
        if (without.Count == 0)
            return LeverAnswer.On($"drafts of {fleet.Values(pool => $"{pool.Deployment.Speculation?.DraftTokens}")} tokens");
        var acceptance = scene.Asked.Acceptance;
        return LeverAnswer.Off(
            "one token per step and sequence",
            Drafts.Select(draft => fleet.Change(
                FormattableString.Invariant($"draft_tokens: {draft}, acceptance: {acceptance:0.##}"),
                pool => without.Contains(pool)
                    ? pool.On(pool.Deployment with { Speculation = new SpeculativeDecoding(draft, acceptance) }, scene)
                    : null)),
            "the draft does not fit");
    }
}
