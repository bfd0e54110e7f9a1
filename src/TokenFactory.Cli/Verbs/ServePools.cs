using TokenFactory.Cli.Input;
using TokenFactory.Fleet;
using TokenFactory.Gateway.Setup;
using TokenFactory.Simulation;

namespace TokenFactory.Cli.Verbs;

/// <summary>Reads the pools of a factory: those of a scenario, and where their replicas are.</summary>
internal sealed class ServePools(SimulatePools pools)
{
    private const int MostReplicas = 10_000;
    private const int MostVirtual = 64;

    /// <summary>Words for software; the first of each is the performance model's too.</summary>
    private static readonly Dictionary<string, EngineKind> Software = new(StringComparer.Ordinal)
    {
        ["virtual"] = EngineKind.Virtual,
        ["vllm"] = EngineKind.Vllm,
        ["sglang"] = EngineKind.Sglang,
        ["tensorrt-llm"] = EngineKind.TensorRtLlm,
        ["llama.cpp"] = EngineKind.LlamaCpp,
        ["ollama"] = EngineKind.Ollama,
    };

    /// <summary>The word for software.</summary>
    public static string WordOf(EngineKind kind) => Software.First(word => word.Value == kind).Key;

    /// <summary>A pool, and the model that it serves; null where a mistake was noted without which there is none.</summary>
    public (PoolSetup Pool, string Model)? Read(Settings pool)
    {
        pool.Has("service");
        foreach (var remark in (string[])["region", "instance_type"])
            pool.Has(remark);
        var model = pool.Text("model");
        var (software, speaks) = Kind(pool);
        var endpoints = Endpoints(pool);
        var discover = Discover(pool);
        pool.Exclude("discover", "endpoints", "Give one of them");
        var key = Secrets.OfVariable(pool, "api_key_env");
        var name = pool.Text("engine_model");
        if (SimulatePools.RoleOf(pool) is ReplicaRole.Prefill or ReplicaRole.Decode)
        {
            pool.Note(
                "role",
                $"is {pool.Text("role")}, and the gateway does not pair prompts and answers of separate pools yet",
                "Serve it from pools of role aggregated, or put a router that pairs them behind one endpoint");
        }

        if (pools.Read(pool) is not { } order || order.Role != ReplicaRole.Aggregated)
            return null;
        var plan = order.Plan();
        var replicas = Replicas(pool, order, endpoints, discover);
        var isVirtual = endpoints.Count == 0 && discover is null;
        if (isVirtual && pool.Has("software") && software != EngineKind.Virtual && Software.ContainsKey(speaks))
            pool.Note("endpoints", "are missing", $"Say where the replicas of {speaks} answer, or leave software out for virtual ones");
        return (new PoolSetup(plan.Facts, isVirtual ? EngineKind.Virtual : software, replicas)
        {
            Settings = plan.Engine,
            EngineModel = name,
            What = plan.What,
            Billing = plan.Billing,
            Discover = discover,
            ApiKey = key,
        }, model!);
    }

    /// <summary>What answers: as software says, or else the engine whose speed the pool is taken to have.</summary>
    private static (EngineKind Kind, string Name) Kind(Settings pool)
    {
        var name = pool.Text("software") ?? pool.Text("engine") ?? "vllm";
        if (Software.TryGetValue(name, out var kind))
            return (kind, name);
        if (pool.Has("software"))
            pool.Note("software", $"is '{name}'", $"Write one of {string.Join(", ", Software.Keys)}");
        return (EngineKind.Vllm, name);
    }

    private static List<Uri> Endpoints(Settings pool)
    {
        var read = new List<Uri>();
        foreach (var text in pool.Texts("endpoints"))
        {
            if (Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https" && address.PathAndQuery == "/")
                read.Add(address);
            else
                pool.Note("endpoints", $"names '{text}'", "Write the address of a replica without a path: http://10.0.0.5:8000");
        }

        if (pool.Has("endpoints") && read.Distinct().Count() < read.Count)
            pool.Note("endpoints", "names an address twice", "Name each replica once");
        return read;
    }

    private static string? Discover(Settings pool)
    {
        var text = pool.Text("discover");
        if (text is null)
            return null;
        var colon = text.LastIndexOf(':');
        if (colon > 0 && int.TryParse(text.AsSpan(colon + 1), out var port) && port is > 0 and < 65536 && !text.Contains('/', StringComparison.Ordinal))
            return text;
        pool.Note("discover", $"is '{text}'", "Write a host name and port: vllm.default.svc.cluster.local:8000");
        return null;
    }

    private static List<ReplicaSetup> Replicas(Settings pool, PoolOrder order, List<Uri> endpoints, string? discover)
    {
        if (discover is not null)
            return [];
        if (endpoints.Count > 0)
        {
            if (pool.Has("replicas") && order.Replicas != endpoints.Count)
                pool.Note("replicas", $"is {order.Replicas}, and {endpoints.Count} endpoints are named", "Leave replicas out, or name as many");
            return [.. endpoints.Select((address, i) => new ReplicaSetup($"{order.Name}-{i}", address))];
        }

        if (order.Replicas > MostVirtual)
            pool.Note("replicas", $"is {order.Replicas:N0} without endpoints", $"At most {MostVirtual} virtual replicas run inside the gateway");
        return [.. Enumerable.Range(0, Math.Min(order.Replicas, MostReplicas)).Select(i => new ReplicaSetup($"{order.Name}-{i}", null))];
    }
}
