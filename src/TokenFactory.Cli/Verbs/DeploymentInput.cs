using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Performance;
using TokenFactory.Performance.Kernels;
using TokenFactory.Performance.Measured;
using TokenFactory.Units;

namespace TokenFactory.Cli.Verbs;

/// <summary>Reads one deployment from flags or YAML, without its load; every mistake is noted with its setting.</summary>
/// <param name="terms">The settings.</param>
/// <param name="catalog">What they name.</param>
/// <param name="assumed">Where it is written what was assumed.</param>
internal sealed class DeploymentInput(Terms terms, CatalogContents catalog, List<string> assumed)
{
    public const double MostTokens = 1e8;
    public const double MostRequests = 1e7;
    private const double LeastMemory = 0.05;
    private const int MostGpus = 4096;
    private const int MostReplicaGpus = 576;

    private static readonly string[] Engines = ["vllm", "sglang", "tensorrt-llm", "atom"];

    /// <summary>The model; null where it is not known.</summary>
    public ModelShape? Model { get; private set; }

    /// <summary>Format of the KV cache, where the user names one.</summary>
    public NumberFormat? CacheFormat { get; private set; }

    /// <summary>The deployment on one GPU per stage; null where a mistake was noted without which there is none.</summary>
    public Deployment? Read()
    {
        var gpu = Gpu();
        Model = ModelOf();
        var engine = Engine();
        var weights = Weights(Model, gpu);
        CacheFormat = Cache(gpu);
        var (budget, sequences) = (Count("token_budget", (int)MostTokens), Count("max_sequences", (int)MostRequests));
        var utilisation = terms.Number("memory_utilisation", LeastMemory, 1)?.Value;
        if (terms.Of("token_budget") is null)
            assumed.Add($"token_budget {Deployment.DefaultTokenBudget}");
        if (terms.Of("memory_utilisation") is null)
            assumed.Add($"memory_utilisation {Deployment.DefaultMemoryUtilisation}");
        var speculation = Speculation();
        var (cap, clock) = Limits(gpu);
        var pipeline = Count("pp") ?? 1;
        if (Model is not { } model || gpu is null)
            return null;
        if (pipeline > model.Layers)
            terms.Of("pp")?.Note("pp", $"is {pipeline}, more than the {model.Layers} layers of {model.Key}", "Give fewer stages");
        return new Deployment
        {
            Model = model,
            Gpu = gpu,
            Engine = engine,
            Weights = weights,
            Precision = PrecisionPlan.For(model, weights, CacheFormat),
            Parallelism = new Parallelism(1, pipeline),
            TokenBudget = budget ?? Deployment.DefaultTokenBudget,
            MaxSequences = sequences,
            MemoryUtilisation = utilisation ?? Deployment.DefaultMemoryUtilisation,
            Speculation = speculation,
            PowerCap = cap,
            ClockLock = clock,
        };
    }

    private ModelShape? ModelOf()
    {
        if (terms.Of("model") is not { } settings)
        {
            (terms.File ?? terms.Flags).Require("model", "Name what is served; see 'catalog list models'");
            return null;
        }

        return settings.Text("model") is { } name && Lookup.Model(settings, "model", name, catalog) is { } key
            ? catalog.ModelNames.Find(key)
            : null;
    }

    private Accelerator? Gpu()
    {
        if (terms.Of("gpu") is not { } settings)
        {
            (terms.File ?? terms.Flags).Require("gpu", "Name what it runs on; see 'catalog list accelerators'");
            return null;
        }

        if (settings.Text("gpu") is not { } name || Lookup.Gpu(settings, "gpu", name, catalog) is not { } gpu)
            return null;
        string?[] missing =
        [
            gpu.MemoryBandwidth is null ? "memory_bandwidth_tb_per_s" : null,
            (gpu.UsableMemoryGigabytes ?? gpu.MemoryGigabytes) is null ? "memory_gb" : null,
            (gpu.Bf16 ?? gpu.Fp8 ?? gpu.Fp4) is null ? "bf16_dense_tflops" : null,
        ];
        if (Array.TrueForAll(missing, key => key is null))
            return gpu;
        var keys = string.Join(", ", missing.OfType<string>());
        settings.Note("gpu", $"is {gpu.Key}, of which the catalog lacks {keys}", "Add it in a catalog of your own (--catalog DIR)");
        return null;
    }

    private string Engine()
    {
        if (terms.Of("engine") is not { } settings || settings.Text("engine") is not { } text)
            return Engines[0];
        var key = PointInterpreter.EngineKey(text);
        if (!Engines.Contains(key))
            settings.Note("engine", $"is '{text}'", $"Write one of {string.Join(", ", Engines)}");
        return key;
    }

    private NumberFormat Weights(ModelShape? model, Accelerator? gpu)
    {
        if (terms.Of("precision") is { } settings && settings.Text("precision") is { } text)
        {
            if (NumberFormatWords.Parse(text, gpu) is { } asked)
                return asked;
            settings.Note("precision", $"is '{text}'", $"Write one of {NumberFormatWords.Words}, or fp16, fp4, awq, gptq");
        }

        if (model is null || gpu is null)
            return NumberFormat.Bf16;
        var own = model.CheckpointPrecision is { } word ? NumberFormatWords.Parse(word, gpu) : null;
        // Four-bit weights are served by every GPU: those without units for them widen them on the way.
        var weights = own is { } format && (format.IsFourBit() || NumberFormats.HasUnits(gpu, format)) ? format : NumberFormat.Bf16;
        assumed.Add(weights == own ? $"precision {weights.Word()}, the checkpoint's own" : $"precision {weights.Word()}");
        return weights;
    }

    private NumberFormat? Cache(Accelerator? gpu)
    {
        if (terms.Of("kv_precision") is not { } settings || settings.Text("kv_precision") is not { } text)
        {
            assumed.Add("kv_precision bf16, the engines' default");
            return NumberFormat.Bf16;
        }

        if (NumberFormatWords.Parse(text, gpu) is { } format && !format.IsFourBit() && format != NumberFormat.Fp8Block)
            return format;
        settings.Note("kv_precision", $"is '{text}'", "Write bf16, fp8, int8 or fp32");
        return null;
    }

    private SpeculativeDecoding? Speculation()
    {
        var draft = Count("draft_tokens", 64);
        var acceptance = terms.Number("acceptance", 0, 1)?.Value;
        if (draft is null && terms.Of("draft_tokens") is null)
            terms.Of("acceptance")?.Note("acceptance", "describes a draft that is not given", "Give draft_tokens too");
        if (draft is not { } tokens)
            return null;
        if (terms.Of("acceptance") is null)
            assumed.Add($"acceptance {PointInterpreter.DefaultAcceptance}");
        return new SpeculativeDecoding(tokens, acceptance ?? PointInterpreter.DefaultAcceptance);
    }

    private (Watts? Cap, double? Clock) Limits(Accelerator? gpu)
    {
        var cap = terms.Number("power_cap_w", 1, 1e5)?.Value;
        if (cap is { } low && gpu is not null && PowerLimits.Wrong(low, gpu) is { } wrong)
            terms.Of("power_cap_w")!.Note("power_cap_w", wrong.Says, wrong.Remedy);
        if (cap is { } watts && gpu?.Tdp is { } tdp && watts >= tdp.Value.Value)
            assumed.Add($"a power cap of {watts:0} W, which the GPU's own limit of {tdp.Value.Value:0} W makes void");
        return (cap is { } w ? new Watts(w) : null, terms.Number("clock_lock", 0.3, 1)?.Value);
    }

    /// <summary>How a replica is spread, and how many there are.</summary>
    /// <param name="tensorKey">GPUs that share each layer.</param>
    /// <param name="expertKey">GPUs that the experts are spread over.</param>
    /// <param name="dataKey">Groups of attention.</param>
    /// <param name="replicasKey">How many there are; null where somebody else reads that.</param>
    public AskedPool Pool(string tensorKey, string expertKey, string dataKey, string? replicasKey)
    {
        var (tensor, expert, data) = (Count(tensorKey), Count(expertKey), Count(dataKey) ?? 1);
        var replicas = replicasKey is null ? 1 : Count(replicasKey) ?? 1;
        if (tensor is null && terms.Of(tensorKey) is null && data > 1)
        {
            tensor = 1;
            assumed.Add($"{tensorKey} 1, as attention is data-parallel");
        }
        if (Model is not { } model)
            return new AskedPool(tensor, expert, data, replicas);
        if (tensor is { } tp && Spreading.Undivided(model, tp) is { } why)
            Note(tensorKey, $"is {tp}, which {why}", $"Give one of {string.Join(", ", Spreading.Tensors(model))}");
        if (data > 1 && !Spreading.IsMixture(model))
            Note(dataKey,
                $"is {data}, and {model.Key} has no experts that attention groups could share",
                $"Give {replicasKey ?? "replicas"} instead");
        if (tensor is { } share && (long)share * data > MostReplicaGpus)
        {
            var most = $"Give {tensorKey} x {dataKey} of at most {MostReplicaGpus:N0}";
            Note(dataKey, $"makes a replica of {(long)share * data:N0} GPUs", most);
        }

        if (expert is not > 1)
            return new AskedPool(tensor, expert, data, replicas);
        if (!Spreading.IsMixture(model))
            Note(expertKey, $"is {expert}, and {model.Key} has no experts", $"Leave it out, or give {tensorKey}");
        else if (Spreading.Experts(model) is var most && expert > most)
            Note(expertKey, $"is {expert}, and a layer of {model.Key} has {most} experts", $"Give at most {most}");
        else if (tensor is { } each && (long)each * data % expert != 0)
            Note(expertKey, $"is {expert}, which does not divide the {(long)each * data} GPUs of {tensorKey} x {dataKey}", "Divide them");
        else if (tensor is null && terms.Of(tensorKey) is null)
            Note(expertKey, $"is {expert} of an unknown number of GPUs", $"Give {tensorKey} too");
        return new AskedPool(tensor, expert, data, replicas);

        void Note(string key, string what, string remedy) => terms.Of(key)!.Note(key, what, remedy);
    }

    private int? Count(string key, int most = MostGpus)
    {
        if (terms.Of(key) is not { } settings || settings.Whole(key, 1) is not { } count)
            return null;
        if (count <= most)
            return count;
        settings.Note(key, $"is {count}", $"Give a whole number from 1 to {most}");
        return null;
    }
}
