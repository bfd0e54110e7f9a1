using System.Collections.Concurrent;
using TokenFactory.Fleet;
using TokenFactory.Performance;
using TokenFactory.Tests.Performance;
using TokenFactory.Units;

namespace TokenFactory.Tests.Fleet;

/// <summary>Fleets for tests, and the events that bring them into a state.</summary>
internal static class Fleets
{
    private static readonly ConcurrentDictionary<string, ReplicaModel> Models = new(StringComparer.Ordinal);

    public static readonly ServiceClass Chat = new("chat") { TtftSeconds = 1, TpotSeconds = 0.05 };

    public static readonly ServiceClass Free = new("free") { Priority = 1 };

    public static readonly ServiceClass Batch = new("batch") { Priority = 2, FillsSlack = true, DeadlineSeconds = 3600 };

    public static ReplicaModel Model(string gpu) => Models.GetOrAdd(gpu, _ =>
    {
        var deployment = Serving.Deploy("llama-3.1-8b", gpu);
        return new ReplicaModel(deployment, Serving.Kernels(deployment.Gpu), Serving.Shipped);
    });

    public static PoolFacts Pool(
        string gpu = "h100-sxm", double usd = 3, ReplicaRole role = ReplicaRole.Aggregated, double kv = 400_000, int most = 64) => new()
        {
            Name = gpu,
            Role = role,
            Model = Model(gpu),
            UsdPerHour = usd,
            KvTokens = kv,
            MaxSequences = most,
        };

    /// <summary>Replicas are numbered pool by pool.</summary>
    public static FleetState Ready(IReadOnlyList<ServiceClass> classes, params (PoolFacts Pool, int Replicas)[] pools)
    {
        var state = new FleetState([.. pools.Select(pool => pool.Pool)], classes, 2);
        foreach (var (pool, index) in pools.Select((pool, index) => (pool, index)))
        {
            for (var i = 0; i < pool.Replicas; i++)
                state.Start(index);
        }

        return state;
    }

    public static int Start(this FleetState state, int pool, Instant at = default)
    {
        var replica = state.Snapshot.Replicas.Count;
        state.Apply(new(FleetEventKind.Starting, at, replica) { Pool = pool });
        state.Apply(new(FleetEventKind.Ready, at, replica));
        return replica;
    }

    public static void Send(this FleetState state, Ask ask, int replica, Instant at = default, int? fresh = null) =>
        state.Apply(new(FleetEventKind.Dispatched, at, replica) { Ask = ask, FreshTokens = fresh ?? ask.PromptTokens });

    public static void Begin(this FleetState state, Ask ask, int replica, Instant at = default, int? fresh = null) =>
        state.Apply(new(FleetEventKind.FirstToken, at, replica) { Ask = ask, FreshTokens = fresh ?? ask.PromptTokens });

    public static void Finish(this FleetState state, Ask ask, int replica, Instant firstToken, Instant at, int tokens) =>
        state.Apply(new(FleetEventKind.Ended, at, replica)
        {
            Ask = ask,
            FreshTokens = ask.PromptTokens,
            HadFirstToken = true,
            FirstTokenAt = firstToken,
            OutputTokens = tokens,
            Completed = true,
        });

    public static void Queue(this FleetState state, Ask ask, Instant at = default) =>
        state.Apply(new(FleetEventKind.Queued, at) { Ask = ask });

    /// <summary>Requests that generate on a replica.</summary>
    public static void Fill(this FleetState state, int replica, int requests, int prompt = 1000, int serviceClass = 0, Instant at = default)
    {
        for (var i = 0; i < requests; i++)
        {
            var ask = Ask(100_000 + i, prompt, serviceClass);
            state.Send(ask, replica, at);
            state.Begin(ask, replica, at);
        }
    }

    public static Ask Ask(
        long id, int prompt = 1000, int serviceClass = 0, int tenant = 0, double at = 0, params PrefixKey[] prefix) => new()
        {
            Id = id,
            Arrival = Instant.AtSeconds(at),
            PromptTokens = prompt,
            Class = serviceClass,
            Tenant = tenant,
            Prefix = prefix,
        };
}
