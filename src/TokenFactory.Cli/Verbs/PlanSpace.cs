using System.Globalization;
using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Performance;
using TokenFactory.Performance.Measured;
using TokenFactory.Planning.Search;

namespace TokenFactory.Cli.Verbs;

/// <summary>Reads what may be chosen of replicas: engines, formats, parallelism, sizes, clocks.</summary>
/// <param name="terms">The flags and the file.</param>
/// <param name="block">The file's search block, of the service or of all; null where there is none.</param>
/// <param name="assumed">What was assumed, as nobody said it.</param>
internal sealed class PlanSpace(Terms terms, Settings? block, List<string> assumed)
{
    private static readonly double[] LowerClocks = [1, 0.85, 0.7];
    private static readonly string[] Engines = ["vllm", "sglang", "tensorrt-llm"];

    /// <summary>Whether watts are what counts, so that lower clocks are worth a look.</summary>
    public bool CountsWatts { get; init; }

    /// <summary>The space; every mistake is noted.</summary>
    /// <param name="model">What is served; null where nobody knows it, as its name was a mistake.</param>
    public SearchSpace Read(ModelShape? model)
    {
        var usual = new SearchSpace();
        var split = Texts("disaggregated")?[0] ?? "try";
        if (split is not ("try" or "no" or "only"))
            Note("disaggregated", $"is '{split}'", "Write try, no or only");
        var (draft, tensor) = (Wholes("draft_tokens", 1, 64), Wholes("tp", 1, 1024));
        if (model is not null && tensor is not null)
            Undivided(Of("tp")!, model, tensor);
        var acceptance = Of("acceptance")?.Number("acceptance", 0, 1);
        if (draft is not null && acceptance is null)
            assumed.Add($"acceptance {PointInterpreter.DefaultAcceptance}");
        return new SearchSpace
        {
            Engines = Texts("engine")?.Select(EngineKey).ToList() ?? usual.Engines,
            Weights = Formats("precision"),
            KvCache = Formats("kv_precision") ?? usual.KvCache,
            Tensor = tensor,
            Pipeline = Wholes("pp", 1, 64),
            AttentionData = Wholes("attention_dp", 1, 576),
            TokenBudgets = Wholes("token_budget", 1, 1_000_000) ?? usual.TokenBudgets,
            Speculation = draft is null ? usual.Speculation : Drafts(draft, acceptance ?? PointInterpreter.DefaultAcceptance),
            Clocks = Numbers("clocks", 0.3, 1) ?? (CountsWatts ? LowerClocks : usual.Clocks),
            Disaggregated = split != "no",
            Aggregated = split != "only",
            MostGpus = Wholes("most_gpus_per_replica", 1, 576)?.Max() ?? usual.MostGpus,
            HostCacheBytesPerGpu = Numbers("host_kv_gb_per_gpu", 0, 1e5)?[0] * 1e9 ?? usual.HostCacheBytesPerGpu,
            MemoryUtilisation = Numbers("memory_utilisation", 0.05, 1)?[0] ?? usual.MemoryUtilisation,
        };
    }

    private static IReadOnlyList<SpeculativeDecoding?> Drafts(IReadOnlyList<int> draft, double acceptance) =>
        [null, .. draft.Select(tokens => (SpeculativeDecoding?)new SpeculativeDecoding(tokens, acceptance))];

    private static void Undivided(Settings settings, ModelShape model, IReadOnlyList<int> tensors)
    {
        foreach (var count in tensors)
        {
            if (Spreading.Undivided(model, count) is { } why)
                settings.Note("tp", $"holds {count}, which {why}", $"Give some of {string.Join(", ", Spreading.Tensors(model))}");
        }
    }

    private Settings? Of(string key) => terms.Of(key, block);

    private IReadOnlyList<string>? Texts(string key) => Of(key)?.Texts(key) is { Count: > 0 } texts ? texts : null;

    private void Note(string key, string what, string remedy) => Of(key)!.Note(key, what, remedy);

    private string EngineKey(string text)
    {
        var key = PointInterpreter.EngineKey(text);
        if (!Engines.Contains(key))
            Note("engine", $"is '{text}'", $"Write one of {string.Join(", ", Engines)}");
        return key;
    }

    private List<NumberFormat>? Formats(string key) => Texts(key)?.Select(text =>
    {
        if (NumberFormatWords.Parse(text) is { } format)
            return format;
        Note(key, $"is '{text}'", $"Write one of {NumberFormatWords.Words}");
        return NumberFormat.Bf16;
    }).ToList();

    private List<int>? Wholes(string key, int least, int most) => Numbers(key, least, most)?.Select(number =>
    {
        if (number != Math.Floor(number))
            Note(key, $"holds {number}", "Give whole numbers");
        return (int)number;
    }).ToList();

    private List<double>? Numbers(string key, double least, double most) => Texts(key)?.Select(text =>
    {
        if (double.TryParse(text, CultureInfo.InvariantCulture, out var number)
            && number >= least && number <= most)
            return number;
        Note(key, $"holds '{text}'", $"Give numbers from {least} to {most}");
        return least;
    }).ToList();
}
