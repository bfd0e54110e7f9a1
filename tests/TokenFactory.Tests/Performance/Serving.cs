using System.Collections.Concurrent;
using TokenFactory.Catalog;
using TokenFactory.Performance;
using TokenFactory.Performance.Calibration;
using TokenFactory.Performance.Kernels;
using TokenFactory.Performance.SteadyState;
using TokenFactory.Tests.Catalog;
using TokenFactory.Tests.Laws;
using TokenFactory.Tests.Performance.Kernels;

namespace TokenFactory.Tests.Performance;

/// <summary>Deployments, loads and predictions for tests: named ones, and ones drawn from the whole catalog.</summary>
internal static class Serving
{
    private static readonly ConcurrentDictionary<string, KernelSet> Sets = new(StringComparer.Ordinal);

    private static readonly string[] Engines = ["vllm", "sglang", "tensorrt-llm", "atom"];

    /// <summary>Accelerators whose data sheets say enough, of every vendor.</summary>
    public static IReadOnlyList<Accelerator> Gpus { get; } =
    [
        .. ShippedTables.Accelerators.Values.Where(gpu => ShippedTables.Table.For(gpu) is not null)
            .OrderBy(gpu => gpu.Key, StringComparer.Ordinal),
    ];

    public static IReadOnlyList<ModelShape> Models => CatalogFiles.Shipped.Models;

    public static CalibrationSet Shipped { get; } = ReadShipped();

    /// <summary>The shipped calibration, and nothing but what is known before any measurement.</summary>
    public static IReadOnlyList<CalibrationSet> Both { get; } = [Shipped, CalibrationSet.Prior];

    public static ModelShape Model(string key) => Models.Single(model => model.Key == key);

    public static Accelerator Gpu(string key) => ShippedTables.Accelerators[key];

    public static KernelSet Kernels(Accelerator gpu) => ReferenceEquals(ShippedTables.Accelerators.GetValueOrDefault(gpu.Key), gpu)
        ? Sets.GetOrAdd(gpu.Key, _ => ShippedTables.Table.For(gpu)!)
        : ShippedTables.Table.For(gpu)!;

    public static Deployment Deploy(
        string model, string gpu, NumberFormat weights = NumberFormat.Bf16, int tp = 1, int pp = 1, int dp = 1, int ep = 1,
        string engine = "vllm") =>
        Deploy(Model(model), Gpu(gpu), weights, new Parallelism(tp, pp, dp, ep), engine);

    public static Deployment Deploy(ModelShape model, Accelerator gpu, NumberFormat weights, Parallelism spread, string engine = "vllm") => new()
    {
        Model = model,
        Gpu = gpu,
        Engine = engine,
        Weights = weights,
        Precision = PrecisionPlan.For(model, weights),
        Parallelism = spread,
    };

    public static StepPlan Plan(Deployment deployment) => new(deployment, Kernels(deployment.Gpu));

    public static Load Closed(double concurrency, double input = 1024, double output = 256) => new()
    {
        Arrival = Arrival.ClosedLoop,
        InputTokens = input,
        OutputTokens = output,
        Concurrency = concurrency,
    };

    public static Prepared Prepare(Deployment deployment, Load load, double replicas = 1) =>
        Prepared.Of(new Scenario(new Pool(deployment, replicas), null, load, deployment.Gpus * replicas), Kernels(deployment.Gpu));

    public static Prepared PreparePools(Pool prefill, Pool decode, Load load) =>
        Prepared.Of(new Scenario(decode, prefill, load, prefill.Gpus + decode.Gpus), Kernels(decode.Deployment.Gpu));

    public static Prediction Predict(Deployment deployment, Load load, CalibrationSet? calibration = null) =>
        Predict(Prepare(deployment, load), calibration);

    public static Prediction Predict(Prepared prepared, CalibrationSet? calibration = null) =>
        new Predictor(calibration ?? Shipped).Predict(prepared);

    /// <summary>A deployment of any model on any accelerator; it need not fit.</summary>
    public static Deployment Draw(Dice dice)
    {
        var deployment = Deploy(Of(dice, Models), Of(dice, Gpus), Of(dice, Enum.GetValues<NumberFormat>()), default, Of(dice, Engines));
        return deployment with
        {
            Parallelism = Spread(dice, deployment.Model),
            TokenBudget = 1 << dice.Whole(9, 14),
            Speculation = dice.Chance(0.2) ? new SpeculativeDecoding(dice.Whole(1, 4), dice.Real(0, 1)) : null,
        };
    }

    /// <summary>A deployment that holds at least a few sequences of the load's lengths: the smallest power of two of GPUs that does.</summary>
    public static Deployment DrawFitting(Dice dice, double tokens)
    {
        var drawn = Draw(dice);
        for (var i = 0; i < 8 && new KvCapacity(drawn).Sequences(tokens) < 8; i++)
            drawn = drawn with { Parallelism = drawn.Parallelism with { Tensor = drawn.Parallelism.Tensor * 2 } };
        return drawn;
    }

    /// <summary>What a failure message calls a deployment.</summary>
    public static string Named(Deployment d) =>
        $"{d.Model.Key} {d.Weights} on {d.Gpu.Key} {d.Parallelism} {d.Engine} {d.Speculation} budget {d.TokenBudget}";

    public static T Of<T>(Dice dice, IReadOnlyList<T> all) => all[dice.Whole(0, all.Count - 1)];

    private static Parallelism Spread(Dice dice, ModelShape model)
    {
        var tp = 1 << dice.Whole(0, 3);
        var pp = dice.Chance(0.2) ? 2 : 1;
        if (!model.FeedForward.OfType<MixtureOfExperts>().Any() || dice.Chance(0.4))
            return new Parallelism(tp, pp, 1, 1);
        var dp = dice.Chance(0.6) ? 1 << dice.Whole(1, 4) : 1;
        return new Parallelism(tp, pp, dp, dice.Chance(0.5) ? tp * dp : 1);
    }

    private static CalibrationSet ReadShipped()
    {
        var mistakes = new List<Mistake>();
        var (set, source) = CalibrationTables.Read(Repository.Text("catalog", "calibration", "serving.csv"), "serving.csv", mistakes);
        Assert.Empty(mistakes);
        Assert.NotNull(source);
        return set;
    }
}
