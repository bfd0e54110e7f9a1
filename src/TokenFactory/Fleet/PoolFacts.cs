using TokenFactory.Performance;

namespace TokenFactory.Fleet;

/// <summary>What a replica does of a request.</summary>
public enum ReplicaRole
{
    /// <summary>All of it.</summary>
    Aggregated,

    /// <summary>Computes prompts and hands their KV cache on.</summary>
    Prefill,

    /// <summary>Takes over KV caches and generates.</summary>
    Decode,
}

/// <summary>What is known of a pool of equal replicas.</summary>
public sealed record PoolFacts
{
    /// <summary>"h100-fp8".</summary>
    public required string Name { get; init; }

    /// <summary>What a replica does.</summary>
    public required ReplicaRole Role { get; init; }

    /// <summary>How long its steps take and what they draw.</summary>
    public required ReplicaModel Model { get; init; }

    /// <summary>Dollars per hour of one replica: all its GPUs, energy where that is paid for separately.</summary>
    public required double UsdPerHour { get; init; }

    /// <summary>Tokens that the KV cache of one replica holds.</summary>
    public required double KvTokens { get; init; }

    /// <summary>Tokens of the longest sequence that a replica serves, prompt and answer: its context, or what one KV cache of it holds.</summary>
    public double LongestTokens { get; init; } = double.PositiveInfinity;

    /// <summary>Most sequences that run on one replica at once.</summary>
    public required int MaxSequences { get; init; }

    /// <summary>Seconds from ordering a replica until it takes requests.</summary>
    public double StartSeconds { get; init; }

    /// <summary>Fewest replicas.</summary>
    public int Least { get; init; }

    /// <summary>Most replicas.</summary>
    public int Most { get; init; } = int.MaxValue;
}
