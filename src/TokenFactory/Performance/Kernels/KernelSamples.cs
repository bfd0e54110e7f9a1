namespace TokenFactory.Performance.Kernels;

/// <summary>A measured matrix product C[m,n] = A[m,k] B[k,n].</summary>
/// <param name="Gpu">Key of the accelerator in the catalog.</param>
/// <param name="Precision">As in the tables: "bf16", "fp8", "fp8-block", "nvfp4", "mxfp4", "int8", "int4", "w8a16".</param>
/// <param name="M">Rows.</param>
/// <param name="N">Columns.</param>
/// <param name="K">Inputs per output.</param>
/// <param name="By">Who computed it: "vllm 0.24.0".</param>
/// <param name="Seconds">Measured time.</param>
public readonly record struct GemmSample(string Gpu, string Precision, double M, double N, double K, string By, double Seconds);

/// <summary>A measured attention kernel: a batch of equal requests.</summary>
/// <param name="Gpu">Key of the accelerator in the catalog.</param>
/// <param name="Precision">Of the KV cache: "bf16" or "fp8".</param>
/// <param name="Operator">One of the four attention operators.</param>
/// <param name="Heads">Query heads.</param>
/// <param name="KvHeads">Key-value heads; 1 for latent attention.</param>
/// <param name="HeadDim">Elements of a head; of the cached latent (576) for latent attention.</param>
/// <param name="Sequences">Requests.</param>
/// <param name="Queries">New tokens per request.</param>
/// <param name="Context">Tokens per request that were cached before.</param>
/// <param name="By">Who computed it.</param>
/// <param name="Seconds">Measured time.</param>
public readonly record struct AttentionSample(
    string Gpu,
    string Precision,
    KernelOperator Operator,
    double Heads,
    double KvHeads,
    double HeadDim,
    double Sequences,
    double Queries,
    double Context,
    string By,
    double Seconds)
{
    /// <summary>Bytes of cache that a decode step reads.</summary>
    internal double CacheBytes =>
        Sequences * KvHeads * (Context + Queries) * HeadDim * (IsLatent ? 1 : 2) * (Precision == "bf16" ? 2 : 1);

    /// <summary>
    /// Operations of a decode step: queries against keys, weights against values (the latent's first 512 of 576 elements).
    /// </summary>
    internal double DecodeFlops => 2 * Sequences * Queries * Heads * (Context + Queries) * (IsLatent ? HeadDim + 512 : 2 * HeadDim);

    /// <summary>Query-key pairs of a prefill.</summary>
    internal double Pairs => Sequences * Queries * (Context + (Queries / 2));

    private bool IsLatent => Operator is KernelOperator.LatentPrefill or KernelOperator.LatentDecode;
}

/// <summary>A measured call of routed experts; one rank's share.</summary>
/// <param name="Gpu">Key of the accelerator in the catalog.</param>
/// <param name="Precision">Of the weights.</param>
/// <param name="Tokens">Tokens routed over all experts.</param>
/// <param name="Hidden">Width of the layer.</param>
/// <param name="Intermediate">Width of an expert on this rank.</param>
/// <param name="TopK">Experts per token.</param>
/// <param name="Experts">Experts over all ranks.</param>
/// <param name="Ranks">Ranks that the experts are spread over.</param>
/// <param name="Even">Whether the load was even; else it followed a power law of exponent 1.2 and the rank is the most loaded.</param>
/// <param name="Kernel">The kernel, so that even and uneven load of the same one can be compared.</param>
/// <param name="By">Who computed it.</param>
/// <param name="Seconds">Measured time.</param>
public readonly record struct ExpertsSample(
    string Gpu,
    string Precision,
    double Tokens,
    double Hidden,
    double Intermediate,
    double TopK,
    double Experts,
    double Ranks,
    bool Even,
    string Kernel,
    string By,
    double Seconds)
{
    /// <summary>(Token, expert) pairs on this rank.</summary>
    internal double Pairs => Math.Max(Tokens * TopK / Ranks, 1);

    /// <summary>Experts of this rank that are hit: with even load as many as there are pairs, up to all.</summary>
    internal double Hit => Even ? Math.Min(Experts / Ranks, Pairs) : UnevenHit();

    /// <summary>
    /// Expected distinct experts where loads are quantiles of a power law of exponent 1.2 between 1 and 0.8 tokens (0.01 and 2 where there
    /// are fewer pairs than experts), as aiconfigurator draws them.
    /// </summary>
    private double UnevenHit()
    {
        const double Exponent = 1 - 1.2;
        var (least, most) = Tokens * TopK > Experts ? (1.0, Math.Max(Tokens * 0.8, 1.01)) : (0.01, 2.0);
        var (from, to) = (Math.Pow(least, Exponent), Math.Pow(most, Exponent));
        var loads = new double[(int)Experts];
        for (var i = 0; i < loads.Length; i++)
            loads[i] = Math.Pow(((to - from) * ((i + 0.5) / loads.Length)) + from, 1 / Exponent);
        var total = loads.Sum();
        var pairs = Tokens * TopK;
        return loads.Sum(load => Math.Min(1, load / total * pairs)) / Ranks;
    }
}

/// <summary>A measured collective, or a measured dispatch or combine of tokens.</summary>
/// <param name="Gpu">Key of the accelerator in the catalog.</param>
/// <param name="Operator">The collective.</param>
/// <param name="Ranks">GPUs that took part, in one scale-up domain.</param>
/// <param name="Bytes">Size of the message; of a dispatch or combine, bytes that travel as the head of collectives.csv says.</param>
/// <param name="Tokens">Tokens of one rank; zero for plain collectives.</param>
/// <param name="By">Which kernel.</param>
/// <param name="Seconds">Measured time.</param>
public readonly record struct CollectiveSample(
    string Gpu, CollectiveOperator Operator, int Ranks, double Bytes, double Tokens, string By, double Seconds);
