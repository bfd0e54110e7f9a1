using TokenFactory.Gateway.Setup;

namespace TokenFactory.Gateway.Api;

/// <summary>What engines know beyond OpenAI's fields.</summary>
internal static class EngineTraits
{
    /// <summary>stream_options.continuous_usage_stats: usage in each event, so that a stream that breaks off is known to the token.</summary>
    public static bool ReportsContinuously(EngineKind engine) => engine is EngineKind.Virtual or EngineKind.Vllm or EngineKind.Sglang;

    /// <summary>cache_salt: prompts of equal text but other salt share no cache.</summary>
    public static bool TakesCacheSalt(EngineKind engine) => engine is EngineKind.Virtual or EngineKind.Vllm;
}
