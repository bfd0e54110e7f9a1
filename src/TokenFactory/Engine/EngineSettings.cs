using TokenFactory.Performance;

namespace TokenFactory.Engine;

/// <summary>When an engine lets a request in, as far as memory goes.</summary>
public enum Admission
{
    /// <summary>When its prompt fits; who finds no block for the next token later is preempted and computed again (vLLM).</summary>
    Prompt,

    /// <summary>When its prompt and an estimate of the answers of all that run fit; preempts when the estimate was short (SGLang).</summary>
    Estimate,

    /// <summary>When its prompt and the longest answer that it may give fit: nobody is ever preempted (TensorRT-LLM).</summary>
    Longest,
}

/// <summary>How the engine of a replica schedules: what its command line would say.</summary>
public sealed record EngineSettings
{
    /// <summary>Most tokens that one step computes on an attention group.</summary>
    public required int TokenBudget { get; init; }

    /// <summary>Most sequences that run at once on an attention group.</summary>
    public required int MaxSequences { get; init; }

    /// <summary>Tokens per block of the KV cache.</summary>
    public required int BlockTokens { get; init; }

    /// <summary>Blocks of the KV cache of an attention group; null for what its memory holds.</summary>
    public long? Blocks { get; init; }

    /// <summary>Whether blocks of finished requests are kept for prompts that begin alike.</summary>
    public bool PrefixCaching { get; init; } = true;

    /// <summary>Prompts get steps of their own, while generation waits (SGLang).</summary>
    public bool SeparatesPrompts { get; init; }

    /// <summary>When a request is let in.</summary>
    public Admission Admission { get; init; }

    /// <summary>A new batch starts when the last one is done as a whole: what engines did before continuous batching.</summary>
    public bool StaticBatches { get; init; }

    /// <summary>Longest sequence that is served, prompt and answer together, in tokens.</summary>
    public int ContextTokens { get; init; } = int.MaxValue;

    /// <summary>Host memory that holds a copy of the prefix cache, in bytes per attention group; 0 for none.</summary>
    public double HostBytes { get; init; }

    /// <summary>Bytes per second between host and GPUs of an attention group.</summary>
    public double HostBytesPerSecond { get; init; } = DefaultHostBytesPerSecond;

    /// <summary>What a fifth-generation PCIe link with 16 lanes carries in practice, in bytes per second.</summary>
    public const double DefaultHostBytesPerSecond = 50e9;

    /// <summary>Share of the declared answers that SGLang sets aside when it admits: its new-token ratio once settled.</summary>
    public const double EstimatedShare = 0.1;

    /// <summary>Longest declared answer that the estimate counts, in tokens.</summary>
    public const int EstimatedMost = 4096;

    /// <summary>Sequences that engines run at once on large GPUs unless told otherwise.</summary>
    public const int DefaultMaxSequences = 1024;

    /// <summary>What an engine does by default with a deployment.</summary>
    public static EngineSettings Of(Deployment d)
    {
        var sequences = Math.Max(1, (d.MaxSequences ?? (DefaultMaxSequences * d.AttentionGroups)) / d.AttentionGroups);
        var one = new EngineSettings
        {
            TokenBudget = d.TokenBudget,
            MaxSequences = sequences,
            BlockTokens = KvCapacity.BlockTokens,
            ContextTokens = (int)Math.Min(int.MaxValue, d.ContextTokens ?? int.MaxValue),
        };
        return d.Engine switch
        {
            "sglang" => one with { SeparatesPrompts = true, Admission = Admission.Estimate, BlockTokens = 1 },
            "tensorrt-llm" => one with { Admission = Admission.Longest, BlockTokens = 32 },
            _ => one,
        };
    }
}
