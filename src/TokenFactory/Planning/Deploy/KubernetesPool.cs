using System.Globalization;

namespace TokenFactory.Planning.Deploy;

/// <summary>Writes a pool for Kubernetes: its replicas, how they are reached, how many may be gone, how many there should be.</summary>
internal sealed class KubernetesPool(PoolSite pool, EngineLaunch launch, DeployOptions options, string design)
{
    private const string SetLabel = "leaderworkerset.sigs.k8s.io/name";
    private const string IndexLabel = "leaderworkerset.sigs.k8s.io/worker-index";

    private readonly KubernetesPod _pod = new(pool, launch, options, design);

    /// <summary>Everything of the pool.</summary>
    public IReadOnlyList<Doc> Documents()
    {
        var documents = new List<Doc>();
        if (launch.Configuration is { } configuration)
            documents.Add(Configuration(configuration));
        documents.Add(pool.Nodes == 1 ? Deployment() : LeaderWorkerSet());
        documents.Add(Service(pool.Name, headless: false));
        documents.Add(Service(ObjectNames.Replicas(pool.Name), headless: true));
        documents.Add(Budget());
        if (pool.Most is { } most)
            documents.Add(Autoscaler(most));
        return documents;
    }

    private DocMap Meta(string name) => new() { { "name", name }, { "namespace", design }, { "labels", _pod.Labels() } };

    private static DocMap Object(string version, string kind, DocMap meta, DocMap spec) =>
        new() { { "apiVersion", version }, { "kind", kind }, { "metadata", meta }, { "spec", spec } };

    private DocMap Configuration(DocMap configuration) => new()
    {
        { "apiVersion", "v1" },
        { "kind", "ConfigMap" },
        { "metadata", Meta(pool.Name) },
        { "data", new DocMap { { $"{pool.Name}.yaml", Yaml.Write(configuration) } } },
    };

    private DocMap Deployment() => Object("apps/v1", "Deployment", Meta(pool.Name), new DocMap
    {
        { "replicas", pool.Replicas, pool.Most is null ? null : "Where the pool starts; the autoscaler moves it." },
        { "selector", new DocMap { { "matchLabels", Selected() } } },
        {
            "strategy",
            new DocMap { { "type", "RollingUpdate" }, { "rollingUpdate", new DocMap { { "maxSurge", 0 }, { "maxUnavailable", 1 } } } },
            "No GPUs are spare: a replica goes before its successor comes."
        },
        { "progressDeadlineSeconds", pool.StartLimitSeconds + 600 },
        { "template", _pod.Template(leader: true) },
    });

    private DocMap LeaderWorkerSet() => Object("leaderworkerset.x-k8s.io/v1", "LeaderWorkerSet", Meta(pool.Name), new DocMap
    {
        { "replicas", pool.Replicas, pool.Most is null ? null : "Where the pool starts; the autoscaler moves it." },
        { "startupPolicy", "LeaderCreated" },
        {
            "rolloutStrategy",
            new DocMap
            {
                { "type", "RollingUpdate" },
                { "rollingUpdateConfiguration", new DocMap { { "maxUnavailable", 1 }, { "maxSurge", 0 } } },
            }
        },
        {
            "leaderWorkerTemplate",
            new DocMap
            {
                { "size", pool.Nodes, $"Machines of a replica, with {pool.NodeGpus} GPUs each." },
                { "restartPolicy", "RecreateGroupOnPodRestart" },
                { "leaderTemplate", _pod.Template(leader: true) },
                { "workerTemplate", _pod.Template(leader: false) },
            }
        },
    });

    /// <summary>The pods that take requests.</summary>
    private DocMap Selected()
    {
        var labels = new DocMap { { KubernetesPod.PoolLabel, pool.Name } };
        if (pool.Nodes > 1)
            labels.Add("token-factory-node", "leader");
        return labels;
    }

    private DocMap Service(string name, bool headless)
    {
        var ports = new DocList { Port("http", EngineLaunch.Port) };
        foreach (var (port, number) in headless ? launch.Ports : [])
            ports.Add(Port(port, number));
        return Object("v1", "Service", Meta(name), new DocMap
        {
            { "clusterIP", headless ? "None" : null },
            { "selector", Selected() },
            { "ports", ports },
        });

        static DocMap Port(string name, int number) => new() { { "name", name }, { "port", number }, { "targetPort", number } };
    }

    private DocMap Budget()
    {
        var labels = pool.Nodes == 1 ? Selected() : new DocMap { { SetLabel, pool.Name }, { IndexLabel, "0" } };
        return Object("policy/v1", "PodDisruptionBudget", Meta(pool.Name), new DocMap
        {
            { "maxUnavailable", 1 },
            { "selector", new DocMap { { "matchLabels", labels } } },
        });
    }

    private DocMap Autoscaler(int most)
    {
        var target = new DocMap
        {
            { "apiVersion", pool.Nodes == 1 ? "apps/v1" : "leaderworkerset.x-k8s.io/v1" },
            { "kind", pool.Nodes == 1 ? "Deployment" : "LeaderWorkerSet" },
            { "name", pool.Name },
        };
        var measure = Measure.Of(pool.Engine.Key);
        var wanted = new DocMap { { "type", "AverageValue" }, { "averageValue", measure.Target(pool, options) } };
        var metric = new DocMap { { "metric", new DocMap { { "name", measure.Name } } }, { "target", wanted } };
        return Object("autoscaling/v2", "HorizontalPodAutoscaler", Meta(pool.Name), new DocMap
        {
            { "scaleTargetRef", target },
            { "minReplicas", pool.Least },
            { "maxReplicas", Math.Max(most, pool.Least) },
            { "metrics", new DocList { new DocMap { { "type", "Pods" }, { "pods", metric } } }, measure.Words },
            {
                "behavior",
                new DocMap
                {
                    { "scaleUp", new DocMap { { "stabilizationWindowSeconds", 0 } } },
                    { "scaleDown", new DocMap { { "stabilizationWindowSeconds", 300 } } },
                }
            },
        });
    }
}

/// <summary>What an autoscaler looks at: a metric that an engine exports, as the metrics adapter offers it.</summary>
/// <param name="Engine">Key of the engine.</param>
/// <param name="Name">The adapter's name for it.</param>
/// <param name="Series">A series that the engine exports.</param>
/// <param name="Query">What the adapter asks Prometheus.</param>
/// <param name="Words">What it means.</param>
internal sealed record Measure(string Engine, string Name, string Series, string Query, string Words)
{
    private static readonly Measure[] All =
    [
        Requests("vllm", "vllm_requests", "vllm:num_requests_running", "vllm:num_requests_waiting"),
        Requests("sglang", "sglang_requests", "sglang:num_running_reqs", "sglang:num_queue_reqs"),
        new(
            "tensorrt-llm", "trtllm_kv_cache_utilization", "trtllm_kv_cache_utilization",
            "avg(trtllm_kv_cache_utilization{<<.LabelMatchers>>}) by (<<.GroupBy>>)", "Share of the KV cache that is held, per replica."),
    ];

    /// <summary>The measure of an engine.</summary>
    public static Measure Of(string engine) => All.First(measure => measure.Engine == engine);

    /// <summary>The value at which a replica is as full as its scaler wants it.</summary>
    public string Target(PoolSite pool, DeployOptions options)
    {
        if (Engine == "tensorrt-llm")
            return $"{Math.Max(1, Math.Round(pool.ScalingTarget * 1000)).ToString("0", CultureInfo.InvariantCulture)}m";
        var full = options.Concurrency.TryGetValue(pool.Order.Name, out var planned) ? planned : pool.MaxSequences;
        return Math.Max(1, Math.Floor(full * pool.ScalingTarget)).ToString("0", CultureInfo.InvariantCulture);
    }

    private static Measure Requests(string engine, string name, string running, string waiting) => new(
        engine, name, running,
        $"sum({running}{{<<.LabelMatchers>>}}) by (<<.GroupBy>>) + sum({waiting}{{<<.LabelMatchers>>}}) by (<<.GroupBy>>)",
        "Requests that run or wait on a replica.");

    /// <summary>The settings of the Prometheus adapter that offer the measures of some engines to autoscalers.</summary>
    public static DocMap Adapter(IEnumerable<string> engines)
    {
        var rules = new DocList();
        foreach (var measure in engines.Select(Of))
        {
            var overrides = new DocMap
            {
                { "namespace", new DocMap { { "resource", "namespace" } } }, { "pod", new DocMap { { "resource", "pod" } } },
            };
            rules.Add(new DocMap
            {
                { "seriesQuery", $"{measure.Series}{{namespace!=\"\",pod!=\"\"}}" },
                { "resources", new DocMap { { "overrides", overrides } } },
                { "name", new DocMap { { "as", measure.Name } } },
                { "metricsQuery", measure.Query },
            });
        }

        return new DocMap { { "rules", new DocMap { { "default", false }, { "custom", rules } } } };
    }
}
