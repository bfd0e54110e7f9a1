using System.Globalization;
using TokenFactory.Cli.Input;
using TokenFactory.Fleet;
using TokenFactory.Performance;
using TokenFactory.Planning.Audit;
using TokenFactory.Policies;
using TokenFactory.Simulation;

namespace TokenFactory.Cli.Verbs;

/// <summary>What to set in a scenario so that it describes another fleet, as <c>--set</c> takes it.</summary>
internal static class AuditSets
{
    private static readonly CultureInfo Plain = CultureInfo.InvariantCulture;

    /// <summary>The settings, "pools.h100.replicas=3".</summary>
    /// <param name="today">The fleet as the file says it.</param>
    /// <param name="then">The other.</param>
    /// <param name="file">The file.</param>
    public static IReadOnlyList<string> Of(AuditedFleet today, AuditedFleet then, Settings file)
    {
        var sets = new List<string>();
        var (before, after) = (Pools(today), Pools(then));
        if (before.Select(pool => pool["name"]).SequenceEqual(after.Select(pool => pool["name"])))
        {
            for (var i = 0; i < after.Count; i++)
            {
                var path = $"pools.{Path(after[i]["name"], i)}";
                sets.AddRange(Changed(before[i], after[i], file.Items("pools")[i]).Select(one => $"{path}.{one.Key}={one.Value}"));
            }
        }
        else
        {
            sets.Add($"pools=[{string.Join(", ", after.Select(pool => Mapping(pool)))}]");
        }

        if (then.Policies.Routing != today.Policies.Routing)
            sets.Add($"policies.routing={then.Policies.Routing}");
        if (!then.Policies.Classes.SequenceEqual(today.Policies.Classes))
        {
            var classes = then.Policies.Classes.Where(one => Named(one, file) || !today.Policies.Classes.Contains(one));
            sets.Add($"classes=[{string.Join(", ", classes.Select(Words))}]");
        }
        return sets;
    }

    private static string Mapping(IEnumerable<KeyValuePair<string, string>> pairs) =>
        $"{{{string.Join(", ", pairs.Select(one => $"{one.Key}: {one.Value}"))}}}";

    private static bool Named(ServiceClass one, Settings file) => file.Items("classes").Any(item => item.Text("name") == one.Name);

    /// <summary>Keys with other values, and those that go; a price of one's own takes the place of a provider's.</summary>
    private static IEnumerable<KeyValuePair<string, string>> Changed(
        Dictionary<string, string> before, Dictionary<string, string> after, Settings pool)
    {
        if (pool.Has(EngineFlagReader.Key))
            yield return KeyValuePair.Create(EngineFlagReader.Key, ""); // keys say from here on what they said
        foreach (var gone in before.Keys.Where(key => !after.ContainsKey(key) && !pool.IsFilled(key)))
            yield return KeyValuePair.Create(gone, "");
        foreach (var one in after.Where(one => before.GetValueOrDefault(one.Key) != one.Value || pool.IsFilled(one.Key)))
        {
            yield return one;
            if (one.Key == "usd_per_gpu_hour" && pool.Has("provider"))
                yield return KeyValuePair.Create("provider", "");
        }
    }

    private static string Path(string name, int index) => name.Contains('.', StringComparison.Ordinal) ? $"{index}" : name;

    private static List<Dictionary<string, string>> Pools(AuditedFleet fleet)
    {
        var plans = fleet.Plan().Pools;
        return [.. fleet.Pools.Select((pool, i) => Pool(pool, plans[i].Facts.UsdPerHour / pool.Deployment.Gpus))];
    }

    private static Dictionary<string, string> Pool(PoolOrder pool, double usd)
    {
        var (d, engine) = (pool.Deployment, pool.Settings());
        var words = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["name"] = pool.Name,
            ["model"] = d.Model.Key,
            ["gpu"] = d.Gpu.Key,
            ["engine"] = d.Engine,
            ["precision"] = d.Weights.Word(),
            ["kv_precision"] = d.Precision.KvCache.Word(),
            ["tp"] = Word(d.Parallelism.Tensor),
            ["replicas"] = Word(pool.Replicas),
            ["usd_per_gpu_hour"] = Word(Math.Round(usd, 6)),
            ["billing"] = pool.Billing,
            ["token_budget"] = Word(engine.TokenBudget),
            ["max_sequences"] = Word(engine.MaxSequences * d.AttentionGroups),
            ["prefix_caching"] = engine.PrefixCaching ? "true" : "false",
        };
        Add("role", pool.Role != ReplicaRole.Aggregated, pool.Role.ToString().ToLowerInvariant());
        Add("pp", d.Parallelism.Pipeline > 1, Word(d.Parallelism.Pipeline));
        Add("ep", d.Parallelism.Expert > 1, Word(d.Parallelism.Expert));
        Add("attention_dp", d.AttentionGroups > 1, Word(d.AttentionGroups));
        Add("memory_utilisation", d.MemoryUtilisation != Deployment.DefaultMemoryUtilisation, Word(d.MemoryUtilisation));
        Add("draft_tokens", d.Speculation is not null, Word(d.Speculation?.DraftTokens ?? 0));
        Add("acceptance", d.Speculation is not null, Word(d.Speculation?.Acceptance ?? 0));
        Add("power_cap_w", d.PowerCap is not null, Word(d.PowerCap?.Value ?? 0));
        Add("clock_lock", d.ClockLock is not null, Word(d.ClockLock ?? 0));
        Add("batching", engine.StaticBatches, "static");
        Add("max_context_tokens", engine.ContextTokens != (int)(d.ContextTokens ?? int.MaxValue), Word(engine.ContextTokens));
        Add("block_tokens", true, Word(engine.BlockTokens));
        Add("host_kv_gb", engine.HostBytes > 0, Word(engine.HostBytes * d.AttentionGroups * d.Parallelism.Tensor / 1e9));
        Add("provision_s", true, Word(pool.ProvisionSeconds));
        Add("load_gb_per_s", true, Word(pool.LoadBytesPerSecond / 1e9));
        Add("warm_s", true, Word(pool.WarmSeconds));
        Add("pue", pool.Pue is not null, Word(pool.Pue?.Value.Value ?? 1));
        Add("link_gb_per_s", pool.LinkBytesPerSecond is not null, Word((pool.LinkBytesPerSecond ?? 0) / 1e9));
        Add("scaling", pool.Scaler is not null, Scaling(pool));
        return words;

        void Add(string key, bool there, string value)
        {
            if (there)
                words.Add(key, value);
        }
    }

    private static string Scaling(PoolOrder pool)
    {
        var policy = pool.Scaler?.Invoke() is PredictiveScaler ? "predictive" : "target-utilisation";
        return $"{{policy: {policy}, least: {pool.Least ?? 1}, most: {pool.Most ?? pool.Replicas}}}";
    }

    private static string Words(ServiceClass one)
    {
        (string Key, string? Value)[] all =
        [
            ("name", one.Name),
            ("priority", Word(one.Priority)),
            ("ttft_s", Word(one.TtftSeconds)),
            ("tpot_ms", Word(one.TpotSeconds * 1e3)),
            ("end_to_end_s", Word(one.EndToEndSeconds)),
            ("deadline_s", Word(one.DeadlineSeconds)),
            ("max_wait_s", Word(one.MaxWaitSeconds)),
            ("max_waiting", Word(one.MaxWaiting)),
            ("fills_slack", one.FillsSlack ? "true" : null),
        ];
        return Mapping(all.Where(one => one.Value is not null).Select(one => KeyValuePair.Create(one.Key, one.Value!)));
    }

    private static string Word(double value) => value.ToString("R", Plain);

    private static string? Word(double? value) => value?.ToString("R", Plain);
}
