namespace TokenFactory.Simulation;

/// <summary>Machines of a pool, a replica, or all of them.</summary>
public sealed record MachineReport
{
    /// <summary>The pool or replica; "all" for all.</summary>
    public required string Name { get; init; }

    /// <summary>What it is, "8 x H100 SXM, llama-3.1-70b fp8 TP8, vllm".</summary>
    public string What { get; init; } = "";

    /// <summary>"on-demand", "spot", "reserved-1y", "owned".</summary>
    public string Billing { get; init; } = "";

    /// <summary>GPUs of one replica; of all of them where it is a sum.</summary>
    public int Gpus { get; init; }

    /// <summary>Replicas on average over the run.</summary>
    public double MeanReplicas { get; init; }

    /// <summary>GPU-hours paid: from ordering a replica until it is gone.</summary>
    public double PaidGpuHours { get; init; }

    /// <summary>Replica-seconds paid.</summary>
    public double PaidSeconds { get; init; }

    /// <summary>Replica-seconds in which requests could be taken.</summary>
    public double ReadySeconds { get; init; }

    /// <summary>Replica-seconds in steps.</summary>
    public double BusySeconds { get; init; }

    /// <summary>Dollars paid: allocation basis.</summary>
    public double PaidUsd { get; init; }

    /// <summary>Dollars of the busy time: usage basis.</summary>
    public double UsageUsd { get; init; }

    /// <summary>Joules of the steps, at the boards of all GPUs.</summary>
    public double StepJoules { get; init; }

    /// <summary>Joules of idling while powered, at the boards of all GPUs.</summary>
    public double IdleJoules { get; init; }

    /// <summary>Joules of all IT equipment, hosts and network included.</summary>
    public double ItJoules { get; init; }

    /// <summary>Joules at the site's meter.</summary>
    public double FacilityJoules { get; init; }

    /// <summary>Prompt tokens computed, recomputed ones included.</summary>
    public double PromptTokens { get; init; }

    /// <summary>Tokens generated, those of failed requests included.</summary>
    public double OutputTokens { get; init; }

    /// <summary>Mean share of the KV blocks that requests held.</summary>
    public double KvHeld { get; init; }

    /// <summary>Mean number of sequences that generated together while it worked.</summary>
    public double MeanBatch { get; init; }

    /// <summary>Time between tokens of a sequence in seconds, over all tokens.</summary>
    public Spread TokenGap { get; init; }

    /// <summary>Replicas started during the run, those at the beginning not counted.</summary>
    public int Started { get; init; }

    /// <summary>Replicas that crashed or were preempted.</summary>
    public int Lost { get; init; }

    /// <summary>Joules at the boards.</summary>
    public double BoardJoules => StepJoules + IdleJoules;

    /// <summary>Share of the paid time in steps.</summary>
    public double Utilisation => PaidSeconds > 0 ? BusySeconds / PaidSeconds : 0;
}
