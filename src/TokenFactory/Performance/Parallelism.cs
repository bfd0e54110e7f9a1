namespace TokenFactory.Performance;

/// <summary>How one replica of a model is spread over GPUs.</summary>
/// <param name="Tensor">GPUs that share each attention layer (TP), at least 1.</param>
/// <param name="Pipeline">Stages that hold consecutive layers (PP), at least 1.</param>
/// <param name="AttentionData">
/// Groups of <paramref name="Tensor"/> GPUs that each attend to their own requests while they share the experts (attention data
/// parallelism), at least 1.
/// </param>
/// <param name="Expert">GPUs that the experts are spread over whole (EP); the rest of the stage's GPUs slice each expert.</param>
public readonly record struct Parallelism(int Tensor = 1, int Pipeline = 1, int AttentionData = 1, int Expert = 1)
{
    /// <summary>GPUs of one pipeline stage; they share its feed-forward layers.</summary>
    public int StageGpus => Tensor * AttentionData;

    /// <summary>GPUs of one replica.</summary>
    public int Gpus => StageGpus * Pipeline;

    /// <summary>GPUs that slice each expert.</summary>
    public int ExpertSlices => Math.Max(1, StageGpus / Math.Max(1, Expert));

    /// <summary>"TP8", "TP2 x DP4 EP8", "TP8 PP2".</summary>
    public override string ToString() =>
        string.Join(
            ' ',
            new[]
            {
                $"TP{Tensor}",
                AttentionData > 1 ? $"DPA{AttentionData}" : "",
                Expert > 1 ? $"EP{Expert}" : "",
                Pipeline > 1 ? $"PP{Pipeline}" : "",
            }.Where(part => part.Length > 0));
}
