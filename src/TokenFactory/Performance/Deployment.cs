using TokenFactory.Catalog;
using TokenFactory.Units;

namespace TokenFactory.Performance;

/// <summary>Speculative decoding: each step proposes tokens and the model verifies them together.</summary>
/// <param name="DraftTokens">Tokens proposed per step and sequence, at least 1.</param>
/// <param name="Acceptance">Probability that a proposed token is kept, given that those before it were; 0 to 1.</param>
public readonly record struct SpeculativeDecoding(int DraftTokens, double Acceptance)
{
    /// <summary>Tokens that a step yields per sequence: 1 + a + a^2 + ... over the draft.</summary>
    public double TokensPerStep =>
        Acceptance >= 1 ? DraftTokens + 1 : (1 - Math.Pow(Acceptance, DraftTokens + 1)) / (1 - Acceptance);
}

/// <summary>One replica of a model on an engine: everything that decides how long a step takes.</summary>
public sealed record Deployment
{
    /// <summary>What is served.</summary>
    public required ModelShape Model { get; init; }

    /// <summary>What it runs on.</summary>
    public required Accelerator Gpu { get; init; }

    /// <summary>Key of the engine, "vllm".</summary>
    public required string Engine { get; init; }

    /// <summary>The precision as the deployment is labelled.</summary>
    public required NumberFormat Weights { get; init; }

    /// <summary>What is held in which format.</summary>
    public required PrecisionPlan Precision { get; init; }

    /// <summary>How the replica is spread over GPUs.</summary>
    public required Parallelism Parallelism { get; init; }

    /// <summary>Most prompt tokens that one step computes on an attention group.</summary>
    public int TokenBudget { get; init; } = DefaultTokenBudget;

    /// <summary>Most sequences that run at once on the replica; null for as many as the memory holds.</summary>
    public int? MaxSequences { get; init; }

    /// <summary>Share of the GPU memory that the engine takes.</summary>
    public double MemoryUtilisation { get; init; } = DefaultMemoryUtilisation;

    /// <summary>Speculative decoding; null for none.</summary>
    public SpeculativeDecoding? Speculation { get; init; }

    /// <summary>Power limit per GPU at its board; null for the datasheet's.</summary>
    public Watts? PowerCap { get; init; }

    /// <summary>Clock as a share of the highest, 0 to 1; null where it is not locked.</summary>
    public double? ClockLock { get; init; }

    /// <summary>Chunked prefill budget that vLLM, SGLang and TensorRT-LLM share on large GPUs.</summary>
    public const int DefaultTokenBudget = 8192;

    /// <summary>What engines take of the memory unless told otherwise.</summary>
    public const double DefaultMemoryUtilisation = 0.9;

    /// <summary>Lowest power cap as a share of the thermal design power: 200 W of 700 on H100 and H200, about so elsewhere.</summary>
    public const double LeastPowerCap = 0.28;

    /// <summary>The clock as a share of the highest: the lock, within what GPUs take, or 1.</summary>
    public double Clock => Math.Clamp(ClockLock ?? 1, Throttle.LowestClock, 1);

    /// <summary>Longest sequence that the model is made for, prompt and answer together, in tokens; null where nobody says.</summary>
    public double? ContextTokens => Model.MaxContextTokens?.Value;

    /// <summary>Attention groups of the replica, each with its own requests.</summary>
    public int AttentionGroups => Parallelism.AttentionData;

    /// <summary>GPUs of one replica.</summary>
    public int Gpus => Parallelism.Gpus;
}
