namespace TokenFactory.Performance.SteadyState;

/// <summary>A pool of equal replicas.</summary>
/// <param name="Deployment">One of them.</param>
/// <param name="Replicas">How many there are.</param>
public readonly record struct Pool(Deployment Deployment, double Replicas)
{
    /// <summary>GPUs of the pool.</summary>
    public double Gpus => Deployment.Gpus * Replicas;
}

/// <summary>What a row describes: replicas under a load, or a prefill and a decode pool.</summary>
/// <param name="Decode">The replicas, or the decode pool.</param>
/// <param name="Prefill">The prefill pool; null where the replicas do both.</param>
/// <param name="Load">The load on all of it.</param>
/// <param name="Gpus">Every GPU of it.</param>
public sealed record Scenario(Pool Decode, Pool? Prefill, Load Load, double Gpus);
