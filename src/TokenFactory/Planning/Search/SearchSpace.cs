using TokenFactory.Catalog;
using TokenFactory.Performance;
using TokenFactory.Performance.Kernels;

namespace TokenFactory.Planning.Search;

/// <summary>What a search may choose of a replica. Lists that are null take what is usual.</summary>
public sealed record SearchSpace
{
    /// <summary>Engines, by key.</summary>
    public IReadOnlyList<string> Engines { get; init; } = ["vllm"];

    /// <summary>Formats of the weights; null for the checkpoint's own and FP8, which the GPUs multiply in their own units.</summary>
    public IReadOnlyList<NumberFormat>? Weights { get; init; }

    /// <summary>Formats of the KV cache.</summary>
    public IReadOnlyList<NumberFormat> KvCache { get; init; } = [NumberFormat.Bf16, NumberFormat.Fp8];

    /// <summary>GPUs that share each layer; null for powers of two that divide the heads, within a scale-up domain.</summary>
    public IReadOnlyList<int>? Tensor { get; init; }

    /// <summary>
    /// Pipeline stages; null for one, and two where a whole scale-up domain shares each layer: that is how engines cross machines.
    /// </summary>
    public IReadOnlyList<int>? Pipeline { get; init; }

    /// <summary>Groups of attention of a mixture of experts; null for powers of two.</summary>
    public IReadOnlyList<int>? AttentionData { get; init; }

    /// <summary>Most prompt tokens per step.</summary>
    public IReadOnlyList<int> TokenBudgets { get; init; } = [512, 2048, Deployment.DefaultTokenBudget];

    /// <summary>Draft models; a null entry stands for none.</summary>
    public IReadOnlyList<SpeculativeDecoding?> Speculation { get; init; } = [null];

    /// <summary>Clocks as shares of the highest.</summary>
    public IReadOnlyList<double> Clocks { get; init; } = [1];

    /// <summary>Whether prompts and answers may be computed on pools of their own.</summary>
    public bool Disaggregated { get; init; } = true;

    /// <summary>Whether replicas may do both.</summary>
    public bool Aggregated { get; init; } = true;

    /// <summary>Most GPUs of one replica.</summary>
    public int MostGpus { get; init; } = 16;

    /// <summary>
    /// Host memory per GPU that may hold a copy of the prefix cache, in bytes: tried where prompts begin alike; 0 for never. Machines of
    /// eight GPUs have about twice the default for each.
    /// </summary>
    public double HostCacheBytesPerGpu { get; init; } = 100e9;

    /// <summary>Share of the GPU memory that engines take.</summary>
    public double MemoryUtilisation { get; init; } = Deployment.DefaultMemoryUtilisation;

    /// <summary>Every replica of a model on a GPU that the space holds, whether it fits or not; fewest GPUs first.</summary>
    public IEnumerable<Deployment> Replicas(ModelShape model, Accelerator gpu) =>
        from spread in Layouts(model, gpu).OrderBy(layout => layout.Gpus)
        from engine in Engines
        from weights in WeightsOf(model, gpu)
        from cache in KvCache
        from budget in TokenBudgets
        from draft in Speculation
        from clock in Clocks
        select new Deployment
        {
            Model = model,
            Gpu = gpu,
            Engine = engine,
            Weights = weights,
            Precision = PrecisionPlan.For(model, weights, cache),
            Parallelism = spread,
            TokenBudget = budget,
            MemoryUtilisation = MemoryUtilisation,
            Speculation = draft,
            ClockLock = clock < 1 ? clock : null,
        };

    /// <summary>Formats of the weights that are tried on a GPU: those asked for, or those that cost no accuracy worth the name.</summary>
    public IReadOnlyList<NumberFormat> WeightsOf(ModelShape model, Accelerator gpu)
    {
        if (Weights is { } asked)
            return [.. asked.Where(format => format.IsFourBit() || NumberFormats.HasUnits(gpu, format))];
        var own = model.CheckpointPrecision is { } word ? NumberFormatWords.Parse(word, gpu) : null;
        var first = own is { } format && (format.IsFourBit() || NumberFormats.HasUnits(gpu, format)) ? format : NumberFormat.Bf16;
        return first is NumberFormat.Bf16 && NumberFormats.HasUnits(gpu, NumberFormat.Fp8) ? [first, NumberFormat.Fp8] : [first];
    }

    /// <summary>How a replica may be spread.</summary>
    public IEnumerable<Parallelism> Layouts(ModelShape model, Accelerator gpu)
    {
        var domain = Domain(gpu);
        foreach (var tensor in Tensor ?? [.. Spreading.Tensors(model).Where(count => count <= domain)])
        {
            var stages = Pipeline ?? (tensor == domain ? [1, 2] : [1]);
            foreach (var pipeline in stages.Where(count => count <= model.Layers && tensor * count <= MostGpus))
                yield return new Parallelism(tensor, pipeline);
        }

        if (!Spreading.IsMixture(model))
            yield break;
        var experts = Spreading.Experts(model);
        foreach (var tensor in Tensor ?? [.. Spreading.Tensors(model).Where(count => count <= domain)])
        {
            foreach (var groups in AttentionData ?? Powers(MostGpus / tensor))
            {
                var gpus = tensor * groups;
                if (gpus > 1 && gpus <= MostGpus && gpus <= experts)
                    yield return new Parallelism(tensor, 1, groups, gpus);
            }
        }
    }

    /// <summary>GPUs that exchange results quickly, at most eight: larger domains hold larger replicas by pipeline and experts.</summary>
    public static int Domain(Accelerator gpu)
    {
        const int usual = 8;
        return (int)Math.Min(gpu.ScaleUpDomain?.Value ?? usual, usual);
    }

    private static IEnumerable<int> Powers(int most)
    {
        for (var power = 1; power <= most; power *= 2)
            yield return power;
    }
}
