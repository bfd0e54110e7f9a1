using System.Globalization;
using TokenFactory.Engine;
using TokenFactory.Fleet;
using TokenFactory.Performance;
using TokenFactory.Policies;

namespace TokenFactory.Planning.Deploy;

/// <summary>Writes pools and classes in the keys of scenarios, which 'simulate' reads and the gateway's configuration shares.</summary>
internal static class ScenarioFile
{
    /// <summary>A plan of one service as a scenario.</summary>
    public static DocMap Of(FleetDesign design, string service, DeployService known, IReadOnlyList<PoolSite> pools)
    {
        var classes = Classes(design.Classes.Where(made => known.Classes?.Contains(made.Name, StringComparer.Ordinal) ?? true));
        var list = new DocList();
        foreach (var pool in pools.Where(pool => pool.Pool.Service == service))
            list.Add(Pool(pool));
        return new DocMap
        {
            { "name", design.Name },
            { "pools", list },
            { "classes", classes.Count > 0 ? classes : null },
            { "workload", known.Workload },
            { "policies", new DocMap { { "routing", design.Routing } } },
        };
    }

    /// <summary>Classes of service.</summary>
    public static DocList Classes(IEnumerable<ServiceClass> classes)
    {
        var list = new DocList();
        foreach (var made in classes)
        {
            list.Add(new DocMap
            {
                { "name", made.Name },
                { "priority", made.Priority },
                { "ttft_s", made.TtftSeconds is { } first ? first : (Doc?)null },
                { "tpot_ms", made.TpotSeconds is { } each ? Clean(each * 1e3) : (Doc?)null },
                { "end_to_end_s", made.EndToEndSeconds is { } whole ? whole : (Doc?)null },
                { "deadline_s", made.DeadlineSeconds is { } deadline ? deadline : (Doc?)null },
                { "max_wait_s", made.MaxWaitSeconds is { } wait ? wait : (Doc?)null },
                { "max_waiting", made.MaxWaiting is { } many ? many : (Doc?)null },
                { "fills_slack", made.FillsSlack ? (Doc)true : null },
            });
        }

        return list;
    }

    /// <summary>A pool.</summary>
    public static DocMap Pool(PoolSite pool)
    {
        var (order, d, settings) = (pool.Order, pool.Deployment, pool.Settings);
        var map = new DocMap
        {
            { "name", order.Name },
            { "role", pool.IsSplit ? order.Role.ToString().ToLowerInvariant() : null },
            { "model", d.Model.Key },
            { "gpu", d.Gpu.Key },
            { "engine", d.Engine },
            { "precision", d.Weights.Word() },
            { "kv_precision", d.Precision.KvCache.Word() },
            { "tp", d.Parallelism.Tensor },
            { "pp", d.Parallelism.Pipeline > 1 ? d.Parallelism.Pipeline : (Doc?)null },
            { "attention_dp", d.AttentionGroups > 1 ? d.AttentionGroups : (Doc?)null },
            { "ep", d.AttentionGroups > 1 || d.Parallelism.Expert > 1 ? d.Parallelism.Expert : (Doc?)null },
            { "token_budget", settings.TokenBudget },
            { "max_sequences", pool.MaxSequences },
            { "memory_utilisation", d.MemoryUtilisation },
            { "draft_tokens", d.Speculation is { } draft ? draft.DraftTokens : (Doc?)null },
            { "acceptance", d.Speculation is { } kept ? kept.Acceptance : (Doc?)null },
            { "power_cap_w", d.PowerCap is { } cap ? cap.Value : (Doc?)null },
            { "clock_lock", d.ClockLock is { } clock ? clock : (Doc?)null },
        };
        Scheduling(map, pool, settings);
        Cost(map, pool);
        return map;
    }

    private static void Scheduling(DocMap map, PoolSite pool, EngineSettings settings)
    {
        var usual = EngineSettings.Of(pool.Deployment);
        map.Add("batching", settings.StaticBatches ? "static" : null);
        map.Add("prefix_caching", settings.PrefixCaching ? null : (Doc)false);
        map.Add("block_tokens", settings.BlockTokens != usual.BlockTokens ? settings.BlockTokens : (Doc?)null);
        map.Add("max_context_tokens", settings.ContextTokens < usual.ContextTokens ? settings.ContextTokens : (Doc?)null);
        if (settings.HostBytes <= 0)
            return;
        map.Add("host_kv_gb", Clean(pool.Pool.HostCacheBytes / 1e9));
        map.Add("host_gb_per_s", Clean(settings.HostBytesPerSecond / 1e9));
    }

    private static void Cost(DocMap map, PoolSite pool)
    {
        var order = pool.Order;
        map.Add("replicas", pool.Replicas);
        map.Add("usd_per_gpu_hour", order.UsdPerGpuHour);
        map.Add("billing", order.Billing);
        map.Add("pue", order.Pue is { } pue ? pue.Value.Value : (Doc?)null);
        map.Add("provision_s", order.ProvisionSeconds);
        map.Add("load_gb_per_s", Clean(order.LoadBytesPerSecond / 1e9));
        map.Add("warm_s", order.WarmSeconds);
        map.Add("link_gb_per_s", order.LinkBytesPerSecond is { } link ? Clean(link / 1e9) : (Doc?)null);
        if (order.Scaler is null || order.Most is not { } most)
            return;
        map.Add("scaling", new DocMap
        {
            { "policy", order.Scaler() is PredictiveScaler ? "predictive" : "target-utilisation" },
            { "least", order.Least ?? 1 },
            { "most", most },
            { "target", pool.ScalingTarget },
        });
    }

    /// <summary>A number without what conversion between units leaves behind its twelfth digit.</summary>
    private static double Clean(double value) =>
        double.Parse(value.ToString("G12", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
}
