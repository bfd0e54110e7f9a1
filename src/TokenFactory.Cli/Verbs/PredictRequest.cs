using TokenFactory.Catalog;
using TokenFactory.Performance;
using TokenFactory.Performance.SteadyState;
using TokenFactory.Units;

namespace TokenFactory.Cli.Verbs;

/// <summary>A pool of equal replicas as the user asks for it.</summary>
/// <param name="Tensor">GPUs that share each attention layer; null for the fewest that fit.</param>
/// <param name="Expert">GPUs that the experts are spread over; null for what is usual.</param>
/// <param name="AttentionData">Attention groups of a replica.</param>
/// <param name="Replicas">Replicas.</param>
internal sealed record AskedPool(int? Tensor, int? Expert, int AttentionData, int Replicas);

/// <summary>What predict is asked: one deployment and the load on it.</summary>
internal sealed record PredictRequest
{
    /// <summary>Model, accelerator, engine, precision and engine settings, on one GPU.</summary>
    public required Deployment One { get; init; }

    /// <summary>Pipeline stages.</summary>
    public required int Pipeline { get; init; }

    /// <summary>The replicas, or the decode pool.</summary>
    public required AskedPool Pool { get; init; }

    /// <summary>The prefill pool; null where the replicas do both.</summary>
    public AskedPool? Prefill { get; init; }

    /// <summary>The load on all of it.</summary>
    public required Load Load { get; init; }

    /// <summary>Format of the KV cache, where the user names one.</summary>
    public NumberFormat? Cache { get; init; }

    /// <summary>Price of a GPU-hour, where the user gives one.</summary>
    public Sourced<UsdPerHour>? PerGpuHour { get; init; }

    /// <summary>What was assumed where the user left it out.</summary>
    public IReadOnlyList<string> Assumed { get; init; } = [];

    /// <summary>The same in another precision.</summary>
    public PredictRequest In(NumberFormat weights) =>
        this with { One = One with { Weights = weights, Precision = PrecisionPlan.For(One.Model, weights, Cache) } };

    /// <summary>One replica of a pool, spread over so many GPUs per attention group.</summary>
    public Deployment Replica(AskedPool pool, int tensor)
    {
        var experts = pool.Expert ?? (pool.AttentionData > 1 && Spreading.IsMixture(One.Model) ? tensor * pool.AttentionData : 1);
        return One with { Parallelism = new Parallelism(tensor, Pipeline, pool.AttentionData, experts) };
    }

    /// <summary>The scenario with so many GPUs per attention group in each pool.</summary>
    public Scenario Scenario(int tensor, int prefillTensor)
    {
        var decode = new Pool(Replica(Pool, tensor), Pool.Replicas);
        var prefill = Prefill is { } asked ? new Pool(Replica(asked, prefillTensor), asked.Replicas) : (Pool?)null;
        return new Scenario(decode, prefill, Load, decode.Gpus + (prefill?.Gpus ?? 0));
    }
}
