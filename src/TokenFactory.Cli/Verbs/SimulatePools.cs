using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Engine;
using TokenFactory.Fleet;
using TokenFactory.Performance;
using TokenFactory.Policies;
using TokenFactory.Simulation;
using TokenFactory.Units;

namespace TokenFactory.Cli.Verbs;

/// <summary>What a GPU of a pool costs per hour, and who says so.</summary>
/// <param name="Pool">The pool.</param>
/// <param name="Billing">How it is billed.</param>
/// <param name="Provider">Whose price it is; "given" where the file gives it.</param>
/// <param name="UsdPerGpuHour">Dollars per hour and GPU.</param>
/// <param name="Stale">Whether it may be too old.</param>
internal sealed record SimulatePrice(string Pool, string Billing, string Provider, Sourced<double> UsdPerGpuHour, bool Stale)
{
    /// <summary>The provider of a price that the file gives.</summary>
    public const string Given = "given";
}

/// <summary>Reads the pools of a scenario.</summary>
internal sealed class SimulatePools(CatalogContents catalog, CalibrationInput calibration, DateOnly today)
{
    private const int MostReplicas = 100_000;

    private readonly List<(string Pool, string What)> _assumed = [];
    private int _pools;
    private readonly List<SimulatePrice> _prices = [];
    private readonly List<string> _remarks = [];

    /// <summary>Whether the provider of a pool with a price of its own only says where it runs; otherwise the two contradict each other.</summary>
    public bool ProviderMayBeRemark { get; init; }

    /// <summary>What was assumed where the file says nothing.</summary>
    public IReadOnlyList<string> Assumed =>
    [
        .. _assumed.GroupBy(one => one.What, StringComparer.Ordinal).Select(same =>
            same.Count() == _pools ? same.Key : $"{same.Key} (of {string.Join(", ", same.Select(one => one.Pool))})"),
    ];

    /// <summary>What is to be told of engine flags that say nothing to the twin.</summary>
    public IReadOnlyList<string> Remarks => _remarks;

    /// <summary>Where prices come from.</summary>
    public IReadOnlyList<SimulatePrice> Prices => _prices;

    /// <summary>One pool; null where a mistake was noted without which there is none.</summary>
    public PoolOrder? Read(Settings pool)
    {
        _remarks.AddRange(new EngineFlagReader(pool, catalog).Fill());
        var assumed = new List<string>();
        var terms = new Terms(Settings.OfFlags([]), pool, today);
        var input = new DeploymentInput(terms, catalog, assumed);
        var one = input.Read();
        var asked = input.Pool("tp", "ep", "attention_dp", null);
        pool.Require("name", "Name the pool");
        var name = pool.Text("name") ?? "";
        var role = Role(pool);
        var scaler = Scaler(pool, out var least, out var most);
        var replicas = pool.Whole("replicas", scaler is null ? 1 : 0) ?? least ?? 1;
        if (replicas > MostReplicas || most > MostReplicas)
            pool.Note("replicas", $"is {Math.Max(replicas, most ?? 0):N0}", $"Give at most {MostReplicas:N0}");
        if (replicas > most && pool.Has("replicas"))
            pool.Note("replicas", $"is {replicas:N0}, more than most, {most:N0}", "Begin with no more than there may be");
        var (usd, billing) = Price(pool, one?.Gpu, name, terms);
        var times = (
            pool.Number("provision_s", 0, 1e7) ?? 120, pool.Number("load_gb_per_s", 1e-3, 1e6) ?? 1, pool.Number("warm_s", 0, 1e7) ?? 60);
        var link = pool.Number("link_gb_per_s", 1e-6, 1e6) * 1e9;
        var pue = pool.Number("pue", 1, 10);
        var deployment = one is null ? null : Spread(one, asked, input, pool);
        var settings = Engine(pool, deployment);
        if (deployment is null || settings is null)
            return null;
        if (calibration.Kernels.For(deployment.Gpu) is not { } kernels)
        {
            pool.Note("gpu", $"is {deployment.Gpu.Key}, for which no kernels were measured that could stand in", "Name another");
            return null;
        }

        _pools++;
        _assumed.AddRange(assumed.Distinct(StringComparer.Ordinal).Select(what => (name, what)));
        return new PoolOrder
        {
            Name = name,
            Model = new ReplicaModel(deployment, kernels, calibration.Set, role != ReplicaRole.Aggregated),
            Site = catalog.Site,
            Role = role,
            Replicas = replicas,
            Least = least,
            Most = most,
            UsdPerGpuHour = usd,
            Billing = billing,
            ProvisionSeconds = times.Item1,
            LoadBytesPerSecond = times.Item2 * 1e9,
            WarmSeconds = times.Item3,
            Engine = settings,
            Scaler = scaler,
            Pue = pue is { } factor ? new Sourced<Pue>(new Pue(factor), terms.Said(pool)) : null,
            LinkBytesPerSecond = link,
        };
    }

    private static ReplicaRole Role(Settings pool)
    {
        if (RoleOf(pool) is { } role)
            return role;
        pool.Note("role", $"is '{pool.Text("role")}'", "Write aggregated, prefill or decode");
        return ReplicaRole.Aggregated;
    }

    /// <summary>What a pool does; null where the word means nothing.</summary>
    public static ReplicaRole? RoleOf(Settings pool)
    {
        var text = pool.Text("role") ?? "aggregated";
        return Enum.TryParse<ReplicaRole>(text, ignoreCase: true, out var role) && char.IsLetter(text[0]) ? role : null;
    }

    /// <summary>The deployment on as many GPUs as the file names, or on the fewest that hold the model and a long sequence.</summary>
    private static Deployment? Spread(Deployment one, AskedPool asked, DeploymentInput input, Settings pool)
    {
        const double room = 8192;
        Deployment On(int tensor) => one with
        {
            Parallelism = new Parallelism(
                tensor,
                one.Parallelism.Pipeline,
                asked.AttentionData,
                asked.Expert ?? (asked.AttentionData > 1 && Spreading.IsMixture(one.Model) ? tensor * asked.AttentionData : 1)),
        };
        var tried = asked.Tensor is { } given ? [given] : Spreading.Tensors(one.Model).ToList();
        var fits = tried.Select(On).FirstOrDefault(deployment => new KvCapacity(deployment).Fits(room))
            ?? tried.Select(On).FirstOrDefault(deployment => new KvCapacity(deployment).Fits(1));
        if (fits is not null || input.Model is null)
            return fits;
        var largest = On(tried[^1]);
        var missing = new KvCapacity(largest).MissingGibibytes(room);
        pool.Note(
            "model",
            $"is {one.Model.Key}, which does not fit on {largest.Gpus} x {one.Gpu.Key} "
                + $"in {one.Weights.Word()}: {missing:0.#} GiB per GPU are missing",
            "Give more GPUs with tp, pp or attention_dp, or a smaller precision");
        return null;
    }

    /// <summary>How its engines schedule; null where the deployment is not known, after reading what the file says all the same.</summary>
    private static EngineSettings? Engine(Settings pool, Deployment? deployment)
    {
        var usual = deployment is null ? null : EngineSettings.Of(deployment);
        var batching = pool.Text("batching") ?? "continuous";
        if (batching is not ("continuous" or "static"))
            pool.Note("batching", $"is '{batching}'", "Write continuous or static");
        var context = pool.Whole("max_context_tokens", 2);
        if (context > usual?.ContextTokens)
            pool.Note("max_context_tokens", $"is {context:N0}", $"{deployment!.Model.Key} is made for {usual.ContextTokens:N0} at most");
        var host = pool.Number("host_kv_gb", 0, 1e6);
        var speed = pool.Number("host_gb_per_s", 1e-3, 1e5);
        if (speed is not null && host is null)
            pool.Note("host_gb_per_s", "is the speed of a host memory that is not given", "Give host_kv_gb too");
        var (block, caching) = (pool.Whole("block_tokens", 1), SimulateInput.Truth(pool, "prefix_caching", true));
        return usual is null ? null : usual with
        {
            BlockTokens = block ?? usual.BlockTokens,
            PrefixCaching = caching,
            StaticBatches = batching == "static",
            ContextTokens = Math.Min(context ?? usual.ContextTokens, usual.ContextTokens),
            HostBytes = (host ?? 0) * 1e9 / deployment!.AttentionGroups / deployment.Parallelism.Tensor,
            HostBytesPerSecond = speed * 1e9 ?? EngineSettings.DefaultHostBytesPerSecond,
        };
    }

    private static Func<IScaler>? Scaler(Settings pool, out int? least, out int? most)
    {
        (least, most) = (null, null);
        if (pool.Item("scaling") is not { } scaling)
            return null;
        (least, most) = (scaling.Whole("least", 0) ?? 1, scaling.Whole("most", 1));
        if (most is null)
            scaling.Require("most", "Say how many replicas there may be");
        if (most < least)
            scaling.Note("most", $"is {most}, fewer than least, {least}", "Give at least as many");
        var policy = scaling.Text("policy") ?? "target-utilisation";
        var target = scaling.Number("target", 0.01, 1);
        switch (policy)
        {
            case "target-utilisation":
                return () => target is { } used ? new TargetUtilisationScaler { Target = used } : new TargetUtilisationScaler();
            case "predictive":
                return () => target is { } served ? new PredictiveScaler { Target = served } : new PredictiveScaler();
            default:
                scaling.Note("policy", $"is '{policy}'", "Write target-utilisation or predictive");
                return null;
        }
    }

    /// <summary>Dollars per GPU and hour: given, or the cheapest offer of the catalog.</summary>
    private (double Usd, string Billing) Price(Settings pool, Accelerator? gpu, string name, Terms terms)
    {
        var billing = Billing.OnDemand;
        if (pool.Text("billing") is { } text)
        {
            if (BillingNames.Parse(text) is { } parsed)
                billing = parsed;
            else
                pool.Note("billing", $"is '{text}'", $"Write one of {string.Join(", ", BillingNames.All)}");
        }

        var provider = pool.Text("provider");
        if (!ProviderMayBeRemark)
            pool.Exclude("usd_per_gpu_hour", "provider", "Give a price, or who is asked for one");
        if (pool.Number("usd_per_gpu_hour", 0) is { } given)
        {
            _prices.Add(new SimulatePrice(name, billing.Text(), SimulatePrice.Given, new Sourced<double>(given, terms.Said(pool)), false));
            return (given, billing.Text());
        }

        if (gpu is null || pool.Has("usd_per_gpu_hour"))
            return (0, billing.Text());
        if (catalog.Cheapest(gpu, billing, provider) is { } offer)
        {
            _prices.Add(new SimulatePrice(
                name,
                billing.Text(),
                offer.Provider,
                offer.PerGpu.Select(price => price.Value),
                offer.IsStale(today)));
            return (offer.PerGpu.Value.Value, billing.Text());
        }

        pool.Note(
            pool.Has("billing") ? "billing" : "gpu",
            $"has no {billing.Text()} price for {gpu.Key}{(provider is null ? "" : $" from {provider}")} in the catalog",
            "Give usd_per_gpu_hour");
        return (0, billing.Text());
    }
}
