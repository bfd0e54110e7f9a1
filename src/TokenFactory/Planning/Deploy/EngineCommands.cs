namespace TokenFactory.Planning.Deploy;

/// <summary>How the engines of pools are started.</summary>
internal static class EngineCommands
{
    /// <summary>Keys of the engines that commands are known for.</summary>
    public static IReadOnlyList<string> Known { get; } = ["vllm", "sglang", "tensorrt-llm"];

    /// <summary>How a pool's engine is started.</summary>
    /// <exception cref="ArgumentException">Nobody knows its engine's command line.</exception>
    public static EngineLaunch Of(PoolSite pool)
    {
        var launch = pool.Engine.Key switch
        {
            "vllm" => VllmCommand.Of(pool),
            "sglang" => SglangCommand.Of(pool),
            "tensorrt-llm" => TensorRtCommand.Of(pool),
            _ => throw new ArgumentException($"The command line of {pool.Engine.Name} is not known", nameof(pool)),
        };
        var notes = new List<string>(launch.Notes);
        if (pool.Checkpoint.Note is { } note)
            notes.Insert(0, note);
        if (launch.Unknown.Count > 0)
            notes.Add($"{pool.Engine.Name} {pool.Release.Version} does not take {string.Join(", ", launch.Unknown)}: left out.");
        return launch with { Notes = notes };
    }
}
