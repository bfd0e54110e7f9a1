namespace TokenFactory.Performance.Kernels;

/// <summary>
/// Time of scoring queries against keys on one GPU for one format of the KV cache. Prefill is arithmetic and the chain of the longest
/// context; decode is the larger of reading the cache and arithmetic. Fitted from measured kernels, catalog/calibration/kernels.csv.
/// </summary>
/// <param name="PrefillFloorSeconds">Seconds of the shortest prefill.</param>
/// <param name="PrefillSecondsPerFlop">Seconds per operation of a prefill.</param>
/// <param name="HalfKeys">Keys per query whose work a query costs on top of those it sees: masked tiles and the softmax.</param>
/// <param name="PrefillSecondsPerKey">Seconds per key of the longest context: its tiles wait for one another.</param>
/// <param name="DecodeFloorSeconds">Seconds of the shortest decode step.</param>
/// <param name="SecondsPerByte">Seconds per byte of cache read.</param>
/// <param name="DecodeSecondsPerFlop">Seconds per operation of a decode step.</param>
/// <param name="DecodeSecondsPerKey">Seconds per key of the longest context in decode.</param>
/// <param name="SecondsPerTile">Seconds per sequence and KV head in decode.</param>
public readonly record struct AttentionConstants(
    double PrefillFloorSeconds,
    double PrefillSecondsPerFlop,
    double HalfKeys,
    double PrefillSecondsPerKey,
    double DecodeFloorSeconds,
    double SecondsPerByte,
    double DecodeSecondsPerFlop,
    double DecodeSecondsPerKey,
    double SecondsPerTile)
{
    /// <summary>Seconds of a prefill, all requests of the step in one kernel; zero where there are no queries.</summary>
    /// <param name="heads">Query heads on this rank.</param>
    /// <param name="headDim">Elements of a head, the mean of query-key and value where they differ.</param>
    /// <param name="queryTokens">New tokens, summed over requests.</param>
    /// <param name="pairs">
    /// Query-key pairs scored: the sum over requests of t (s + t/2), with t new and s cached tokens; less in a window.
    /// </param>
    /// <param name="longestContext">Keys of the longest request.</param>
    public double PrefillSeconds(double heads, double headDim, double queryTokens, double pairs, double longestContext)
    {
        if (!(queryTokens > 0))
            return 0;
        var flops = 4 * heads * headDim * (pairs + (HalfKeys * queryTokens));
        return PrefillFloorSeconds + (PrefillSecondsPerFlop * flops) + (PrefillSecondsPerKey * longestContext);
    }

    /// <summary>Seconds of a decode step; zero where nothing is read.</summary>
    /// <param name="kvBytes">Bytes of cache read on this rank, summed over requests.</param>
    /// <param name="flops">Operations: 4 heads head-dim context, summed over requests and queries.</param>
    /// <param name="longestContext">Keys of the longest request.</param>
    /// <param name="tiles">Sequences times KV heads on this rank.</param>
    public double DecodeSeconds(double kvBytes, double flops, double longestContext, double tiles = 0)
    {
        if (!(kvBytes > 0))
            return 0;
        return DecodeFloorSeconds
            + Smooth.Max4(SecondsPerByte * kvBytes, DecodeSecondsPerFlop * flops)
            + (DecodeSecondsPerKey * longestContext)
            + (SecondsPerTile * tiles);
    }
}

/// <summary>
/// The same for multi-head latent attention: prefill expands keys and values per head (192 and 128 elements in DeepSeek's models);
/// decode reads one latent per token (512 and 64 elements) for all heads, and is bound by arithmetic at many heads.
/// </summary>
/// <param name="Kernel">The constants, of latent kernels.</param>
public readonly record struct LatentConstants(AttentionConstants Kernel)
{
    /// <summary>Seconds of a prefill.</summary>
    /// <param name="heads">Query heads on this rank.</param>
    /// <param name="keyDim">Elements of an expanded key: 192.</param>
    /// <param name="valueDim">Elements of an expanded value: 128.</param>
    /// <param name="queryTokens">New tokens, summed over requests.</param>
    /// <param name="pairs">Query-key pairs scored, as in <see cref="AttentionConstants.PrefillSeconds"/>.</param>
    /// <param name="longestContext">Keys of the longest request.</param>
    public double PrefillSeconds(double heads, double keyDim, double valueDim, double queryTokens, double pairs, double longestContext) =>
        Kernel.PrefillSeconds(heads, (keyDim + valueDim) / 2, queryTokens, pairs, longestContext);

    /// <summary>Seconds of a decode step.</summary>
    /// <param name="latentBytes">Bytes of latents read on this rank: 576 elements per token of context, whatever the heads.</param>
    /// <param name="flops">Operations: 2 heads (576 + 512) context, summed over requests and queries.</param>
    /// <param name="longestContext">Keys of the longest request.</param>
    /// <param name="sequences">Sequences of the step.</param>
    public double DecodeSeconds(double latentBytes, double flops, double longestContext, double sequences = 0) =>
        Kernel.DecodeSeconds(latentBytes, flops, longestContext, sequences);
}
