namespace TokenFactory.Engine;

/// <summary>What a replica has done by an instant: sums that only grow.</summary>
/// <param name="BusySeconds">Time in steps.</param>
/// <param name="StepJoules">Joules of the steps at the boards of all GPUs; idling comes on top.</param>
/// <param name="PromptTokens">Prompt tokens computed, recomputed ones included.</param>
/// <param name="OutputTokens">Tokens generated.</param>
/// <param name="SequenceSeconds">Sequences that generated, times how long.</param>
public readonly record struct ReplicaMeter(
    double BusySeconds, double StepJoules, double PromptTokens, double OutputTokens, double SequenceSeconds);

/// <summary>What a replica looks like at an instant.</summary>
/// <param name="Running">Requests that hold blocks.</param>
/// <param name="Generating">Of them, those that generate.</param>
/// <param name="Waiting">Requests that wait for a place.</param>
/// <param name="Blocks">Blocks of its KV cache.</param>
/// <param name="FreeBlocks">Blocks that hold nothing.</param>
/// <param name="HeldBlocks">Blocks that requests hold.</param>
/// <param name="CachedBlocks">Blocks kept for prompts that begin alike.</param>
public readonly record struct ReplicaLoad(
    int Running, int Generating, int Waiting, long Blocks, long FreeBlocks, long HeldBlocks, long CachedBlocks)
{
    /// <summary>Share of the blocks that requests hold.</summary>
    public double KvHeld => Blocks > 0 ? (double)HeldBlocks / Blocks : 0;
}
