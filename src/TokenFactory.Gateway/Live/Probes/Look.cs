namespace TokenFactory.Gateway.Live.Probes;

/// <summary>Load as an engine tells it.</summary>
/// <param name="Running">Requests that it computes.</param>
/// <param name="Waiting">Requests that wait in it.</param>
/// <param name="KvHeld">Share of its KV cache that is held, 0 to 1; null where it does not tell.</param>
internal readonly record struct EngineLoad(int Running, int Waiting, double? KvHeld);

/// <summary>What a look at a replica found.</summary>
/// <param name="Healthy">It serves.</param>
/// <param name="Words">Why not; or what is missing although it serves. Empty where all is well.</param>
/// <param name="Load">Its load; null where it does not tell.</param>
/// <param name="Seconds">How long the slowest answer took.</param>
internal readonly record struct Look(bool Healthy, string Words, EngineLoad? Load, double Seconds);
