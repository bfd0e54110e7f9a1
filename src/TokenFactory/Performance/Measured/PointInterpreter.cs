using System.Globalization;
using System.Text.RegularExpressions;
using TokenFactory.Catalog;
using TokenFactory.Performance.SteadyState;
using TokenFactory.Units;

namespace TokenFactory.Performance.Measured;

/// <summary>Turns a row of a table of measurements into the deployment and the load that it describes, or says why it cannot.</summary>
/// <param name="catalog">Where models and accelerators are looked up.</param>
public sealed partial class PointInterpreter(CatalogContents catalog)
{
    /// <summary>InferenceX draws lengths evenly from 0.8 to 1.0 of the nominal one.</summary>
    private const double MeanOfNominal = 0.9;

    /// <summary>Share of the memory that engines of benchmarks are given: their operators tune it upwards.</summary>
    private const double TunedMemoryUtilisation = 0.95;

    /// <summary>Requests per client of an InferenceX run.</summary>
    private const double BenchmarkRequestsPerClient = 10;

    /// <summary>What the row describes, or why that cannot be told.</summary>
    public (Scenario? Scenario, string? Reason) Interpret(ServingPoint point)
    {
        if ((point.Unreadable ?? PointFigures.Impossible(point)) is { } wrong)
            return (null, wrong);
        if (point.ModelKey.Length == 0 && point.Model.Length == 0)
            return (null, "the row names no model");
        if (point.GpuKey.Length == 0)
            return (null, "the row names no single kind of GPU (gpu_key is empty)");
        var model = Find(catalog.ModelNames, point.ModelKey, point.Model);
        if (model is null)
            return (null, $"the catalog has no model '{point.ModelKey}'");
        var gpu = Find(catalog.AcceleratorNames, point.GpuKey, "");
        if (gpu is null)
            return (null, $"the catalog has no accelerator '{point.GpuKey}'");
        if (gpu.MemoryBandwidth is null
            || (gpu.Bf16 ?? gpu.Fp8 ?? gpu.Fp4) is null
            || (gpu.UsableMemoryGigabytes ?? gpu.MemoryGigabytes) is null)
            return (null, $"the catalog lacks memory, bandwidth or arithmetic rate of {gpu.Name}");
        var (load, why) = LoadOf(point, model);
        if (load is null)
            return (null, why);
        if ((Impossible(point, model) ?? TooTight(point, gpu)) is { } strange)
            return (null, strange);
        var cache = NumberFormatWords.Parse(point.PrecisionKv.Split(' ')[0], gpu);
        var stated = Stated(point, gpu);
        var weights = stated ?? Own(model, gpu);
        var unlimited = load.Arrival is Arrival.Offline or Arrival.OpenLoop;
        var one = new Deployment
        {
            Model = model,
            Gpu = gpu,
            Engine = EngineKey(point.Engine),
            Weights = weights,
            Precision = PrecisionPlan.For(model, weights, cache),
            Parallelism = default(Parallelism) with { Tensor = 1, Pipeline = 1, AttentionData = 1, Expert = 1 },
            MemoryUtilisation = TunedMemoryUtilisation,
            Speculation = point.Speculates ? new SpeculativeDecoding(Draft(load.Concurrency / Gpus(point)), DefaultAcceptance) : null,
            MaxSequences = unlimited && point["batch_size"] is >= 1 and { } batch ? (int)batch : null,
            PowerCap = point["power_cap_w_per_gpu"] is { } cap ? new Watts(cap) : null,
        };
        var (scenario, reason) = point.Disaggregated ? Pools(point, one, load) : (Replicas(point, one, load), null);
        if (stated is not null || scenario is null || gpu.Fp8 is null || Fits(scenario))
            return (scenario, reason);
        var halved = one with { Weights = NumberFormat.Fp8, Precision = PrecisionPlan.For(model, NumberFormat.Fp8, cache) };
        return point.Disaggregated ? Pools(point, halved, load) : (Replicas(point, halved, load), null);

        bool Fits(Scenario whole) => new KvCapacity(whole.Decode.Deployment).Fits(load.InputTokens + load.OutputTokens);
    }

    /// <summary>Why a row's layout or precision cannot be; null where it can.</summary>
    private static string? Impossible(ServingPoint point, ModelShape model)
    {
        const double most = 4096;
        if (point.PrecisionKey.Length > 0 && NumberFormatWords.Parse(point.PrecisionKey) is null && !Says(point.PrecisionKey, "unknown"))
            return $"precision_key is '{point.PrecisionKey}', which is none of {NumberFormatWords.Words}";
        if ((point["tp"] ?? 1) * (point["pp"] ?? 1) > most || point["dp"] > most || point["ep"] > most)
            return $"tp, pp, ep or dp describe more than {most:0} GPUs per replica";
        return point["pp"] > model.Layers ? $"pp is {point["pp"]}, more than the {model.Layers} layers of {model.Key}" : null;
    }

    /// <summary>Why a GPU cannot be held to the row's power cap; null where it can.</summary>
    private static string? TooTight(ServingPoint point, Accelerator gpu) =>
        point["power_cap_w_per_gpu"] is { } cap && gpu.Tdp is { Value.Value: var tdp } && cap < Deployment.LeastPowerCap * tdp
            ? $"power_cap_w_per_gpu is {cap:0.#} W, less than {gpu.Key} can be held to ({Deployment.LeastPowerCap * tdp:0} W)"
            : null;

    /// <summary>Tokens drafted per step by default.</summary>
    public const int DefaultDraft = 2;

    /// <summary>
    /// Tokens drafted per step where the row does not say: operators draft three where few requests leave the arithmetic idle, and fewer
    /// as verifying them takes time from others (estimated).
    /// </summary>
    /// <param name="requestsPerGpu">Requests in flight per GPU of the deployment.</param>
    public static int Draft(double? requestsPerGpu) => requestsPerGpu switch
    {
        <= 2 => DefaultDraft + 1,
        <= 16 => DefaultDraft,
        _ => 1,
    };

    /// <summary>Acceptance where the row does not say; calibration replaces what follows from it.</summary>
    public const double DefaultAcceptance = 0.65;

    /// <summary>Key of an engine as people write it: "Dynamo+TensorRT-LLM" runs TensorRT-LLM. Empty where it is not recorded.</summary>
    public static string EngineKey(string text) => text switch
    {
        _ when Says(text, "TensorRT") || Says(text, "TRT") => "tensorrt-llm",
        _ when Says(text, "SGLang") => "sglang",
        _ when Says(text, "ATOM") => "atom",
        _ when Says(text, "vLLM") => "vllm",
        _ => Names.Fold(text),
    };

    private static bool Says(string text, string word) => text.Contains(word, StringComparison.OrdinalIgnoreCase);

    private static T? Find<T>(NameIndex<T> names, string key, string name)
        where T : class => key.Length > 0 ? names.Find(key) : name.Length > 0 ? names.Find(name) : null;

    private static NumberFormat? Stated(ServingPoint point, Accelerator gpu) =>
        NumberFormatWords.Parse(point.PrecisionKey, gpu) ?? NumberFormatWords.Parse(point.PrecisionWeights.Split('/', ' ')[0], gpu);

    /// <summary>What a model is published in, where a row does not say.</summary>
    private static NumberFormat Own(ModelShape model, Accelerator gpu) =>
        (model.CheckpointPrecision is { } own ? NumberFormatWords.Parse(own, gpu) : null) ?? NumberFormat.Bf16;

    /// <summary>Whether the lengths are those asked for, which InferenceX draws between 80 and 100 % of.</summary>
    private static bool Nominal(ServingPoint point) =>
        Says(point.LenKind, "mean ~0.9")
        || (Says(point.Workload, "InferenceX") && !Says(point.LenKind, "fixed"))
        || Says(point.Dataset, "inferencex_api")
        || Says(point.Dataset, "inferencex_db")
        || Says(point.Dataset, "inferencex_via");

    private static (Load? Load, string? Reason) LoadOf(ServingPoint point, ModelShape model)
    {
        var mean = Nominal(point) ? MeanOfNominal : 1.0;
        var output = point["output_len_tok"] ?? BenchmarkLengths.Output(model.Key, point.Workload);
        var input = point["input_len_tok"] ?? BenchmarkLengths.Input(model.Key, point.Workload);
        if (input is not > 0 || output is not > 0)
            return (null, "the row gives no input or output length, and its workload is not one whose lengths are known");
        var concurrency = point["concurrency"] ?? point["batch_size"];
        var load = new Load
        {
            Arrival = Arrival.ClosedLoop,
            InputTokens = input.Value * mean,
            OutputTokens = Math.Max(1, output.Value * mean),
            Concurrency = concurrency,
            RequestsPerSecond = point["request_rate_rps"],
            RequestsPerClient = RequestsPerClient(point),
        };
        var open = load with { Arrival = Arrival.OpenLoop, Concurrency = null, RequestsPerClient = double.PositiveInfinity };
        return point.LoadKind switch
        {
            "offline_all_at_once" => (load with { Arrival = Arrival.Offline, Concurrency = null }, null),
            "static_batch" when concurrency > 0 => (load with { Arrival = Arrival.StaticBatch }, null),
            "static_batch_prefill_only" or "steady-state prefill" when concurrency > 0 =>
                (load with { Arrival = Arrival.PrefillOnly }, null),
            "poisson_open_loop" or "poisson_open_loop_tight_slo" or "open_loop_rate" or "trace_replay_open_loop"
                when load.RequestsPerSecond > 0 => (open, null),
            _ when concurrency > 0 => (load, null),
            _ when load.RequestsPerSecond > 0 => (open, null),
            _ when point.AllAtOnce => (load with { Arrival = Arrival.Offline, Concurrency = null }, null),
            _ => (null, $"the row gives neither concurrency nor request rate (load_kind '{point.LoadKind}')"),
        };
    }

    /// <summary>
    /// NVIDIA's own validation runs do not say how many requests each client sends; their first tokens wait as if there were six, or
    /// two under SGLang (estimated from what those rows leave over).
    /// </summary>
    private static double RequestsPerClient(ServingPoint point) => point switch
    {
        _ when !Says(point.Workload, "silicon validation run") => BenchmarkRequestsPerClient,
        _ when Says(point.Engine, "SGLang") => 2,
        _ => 6,
    };

    private static double Gpus(ServingPoint point) => Math.Max(1, point["gpu_count"] ?? (point["tp"] * (point["pp"] ?? 1)) ?? 1);

    private static Scenario Replicas(ServingPoint point, Deployment one, Load load)
    {
        var gpus = Gpus(point);
        var (dp, ep, pp) = (point["dp"] ?? 1, point["ep"] ?? 1, point["pp"] ?? 1);
        var tensor = point["tp"] ?? (dp > 1 ? Math.Max(1, gpus / dp) : SmallestFit(one, gpus, load));
        tensor = Math.Min(tensor, gpus);
        var experts = one.Model.FeedForward.OfType<MixtureOfExperts>().Any();
        var groups = experts && dp > 1 && (ep > tensor || (tensor == dp && dp == gpus)) ? Math.Min(dp, gpus) : 1;
        if (groups > 1)
            tensor = tensor >= dp ? Math.Max(1, Math.Floor(gpus / groups)) : tensor;
        if (groups <= 1 && SplitsRequests(one.Model, load) && tensor > 1 && ep >= tensor)
            (groups, tensor) = (tensor, 1);
        var spread = new Parallelism((int)tensor, (int)Math.Max(1, pp), (int)groups, ExpertGpus(experts ? ep : 1, tensor * groups));
        var deployment = one with { Parallelism = spread, MaxSequences = (int?)(one.MaxSequences * groups) };
        return new Scenario(new Pool(deployment, Math.Max(1, gpus / spread.Gpus)), null, load, gpus);
    }

    /// <summary>
    /// Throughput runs of models that keep one latent per token split requests, not heads, between GPUs, as each would hold the whole cache
    /// otherwise; NVIDIA's MLPerf configurations state tp and ep, and a batch per GPU, beside the switch for it.
    /// </summary>
    private static bool SplitsRequests(ModelShape model, Load load) =>
        load.Arrival is Arrival.Offline or Arrival.OpenLoop && model.Attention.Any(group => group is LatentAttention);

    private static int ExpertGpus(double asked, double stage)
    {
        var ep = (int)Math.Clamp(asked, 1, stage);
        while ((int)stage % ep != 0)
            ep--;
        return ep;
    }

    /// <summary>The fewest GPUs per replica, a power of two, that hold the model and a useful batch beside it.</summary>
    private static double SmallestFit(Deployment one, double gpus, Load load)
    {
        const double usefulBatch = 32;
        for (var tensor = 1; tensor < gpus; tensor *= 2)
        {
            var capacity = new KvCapacity(one with { Parallelism = new Parallelism(tensor, 1, 1, 1) });
            if (capacity.Sequences(load.InputTokens + (load.OutputTokens / 2)) >= usefulBatch)
                return tensor;
        }

        return gpus;
    }

    private static (Scenario? Scenario, string? Reason) Pools(ServingPoint point, Deployment one, Load load)
    {
        var match = PoolWords().Match(point.Pools);
        if (!match.Success)
            return (null, $"the row does not say how its GPUs are split between prefill and decode ('{point.Pools}')");
        var gpus = point["gpu_count"] ?? 0;
        var prefill = Part(match, "p", point["prefill_gpus"]);
        var decode = Part(match, "d", gpus > 0 && point["prefill_gpus"] is { } taken ? gpus - taken : null);
        return (new Scenario(decode, prefill, load, gpus > 0 ? gpus : prefill.Gpus + decode.Gpus), null);

        Pool Part(Match match, string side, double? total)
        {
            var workers = Number(match, side + "w") ?? 1;
            var (tp, ep) = (Number(match, side + "tp") ?? 1, Number(match, side + "ep") ?? 1);
            var each = Math.Max(1, ((Number(match, side + "g") ?? total) / workers) ?? Math.Max(tp, ep));
            if (!double.IsInteger(each))
                each = Math.Max(tp, ep);
            var flag = Number(match, side + "dp");
            var groups = flag switch
            {
                0 => 1,
                1 when match.Groups[side + "dp"].Value.Length > 0 && Says(point.Pools, "dpattn") => each / Math.Max(1, tp >= each ? 1 : tp),
                > 1 => Math.Min(flag.Value, each),
                _ => tp < each ? each / tp : 1,
            };
            var tensor = Math.Max(1, Math.Floor(each / groups));
            var spread = new Parallelism((int)tensor, 1, (int)groups, ExpertGpus(ep, tensor * groups));
            if (spread.Gpus == 1 && match.Groups[side + "g"].Length == 0)
                spread = FewestGroups(one, load);
            return new Pool(one with { Parallelism = spread }, workers);
        }
    }

    /// <summary>
    /// A worker recorded as tp1 ep1 without its GPUs is data-parallel over some number of them: the fewest, a power of two, that hold it.
    /// </summary>
    private static Parallelism FewestGroups(Deployment one, Load load)
    {
        const int most = 64;
        var spread = new Parallelism(1, 1, 1, 1);
        while (spread.Gpus < most && !new KvCapacity(one with { Parallelism = spread }).Fits(load.InputTokens + load.OutputTokens))
            spread = new Parallelism(1, 1, spread.AttentionData * 2, spread.Expert * 2);
        return spread;
    }

    private static double? Number(Match match, string group) =>
        match.Groups[group].Success && double.TryParse(match.Groups[group].Value, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;

    [GeneratedRegex(
        @"prefill: (?<pw>\d+) workers x " +
        @"\(tp(?<ptp>\d+)(?: attn_dp(?<pdp>\d+))? ep(?<pep>\d+)(?: dpattn(?<pdp>\d))?[^)]*\)(?: on (?<pg>\d+) GPUs)?; " +
        @"decode: (?<dw>\d+) workers x " +
        @"\(tp(?<dtp>\d+)(?: attn_dp(?<ddp>\d+))? ep(?<dep>\d+)(?: dpattn(?<ddp>\d))?[^)]*\)(?: on (?<dg>\d+) GPUs)?",
        RegexOptions.ExplicitCapture,
        1000)]
    private static partial Regex PoolWords();
}
