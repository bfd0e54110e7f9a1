using System.Runtime.CompilerServices;
using BenchmarkDotNet.Attributes;
using TokenFactory.Catalog;
using TokenFactory.Performance;
using TokenFactory.Performance.Calibration;
using TokenFactory.Performance.Kernels;

namespace TokenFactory.Bench;

/// <summary>
/// The time of one engine step, evaluated with the shipped constants (aim: above two million dense decode steps per second on a core, no
/// allocation), against a plain loop of as many multiplications and roots as a dense step's kernels need.
/// </summary>
[InProcess]
[MemoryDiagnoser]
public class StepTimeBenchmark
{
    private const int Steps = 1024;

    private readonly StepShape[] _decode = new StepShape[Steps];
    private readonly StepShape[] _experts = new StepShape[Steps];
    private readonly StepShape[] _mixed = new StepShape[Steps];
    private readonly double[] _numbers = new double[64];
    private StepPlan _dense = null!;
    private StepPlan _sparse = null!;
    private StepTerms _factors;

    [GlobalSetup]
    public void Setup()
    {
        var catalog = Catalog();
        _dense = Plan(catalog, "llama-3.1-70b", "h100-sxm", new Parallelism(4, 1, 1, 1));
        _sparse = Plan(catalog, "deepseek-v3", "b200", new Parallelism(1, 1, 8, 8));
        _factors = Factors(_dense.Deployment);
        var dice = new Random(7);
        for (var i = 0; i < Steps; i++)
        {
            var (sequences, context) = (dice.Next(1, 256), dice.Next(100, 10_000));
            _decode[i] = StepShape.Decode(sequences, context);
            _experts[i] = StepShape.Decode(sequences, context, groups: 8);
            _mixed[i] = _decode[i] with { PrefillTokens = 512, PrefillPairs = 512 * 1024.0, PrefillChunks = 1 };
        }

        for (var i = 0; i < _numbers.Length; i++)
            _numbers[i] = dice.NextDouble();
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Steps)]
    public double PlainLoop()
    {
        double sum = 0;
        for (var step = 0; step < Steps; step++)
        {
            var tokens = _decode[step].DecodeSequences;
            for (var i = 0; i < _numbers.Length; i++)
                sum += _numbers[i] * tokens;
            for (var i = 0; i < 12; i++)
                sum += Math.Sqrt(_numbers[i] + tokens);
        }

        return sum;
    }

    [Benchmark(OperationsPerInvoke = Steps)]
    public double DenseDecode() => Seconds(_dense, _decode);

    [Benchmark(OperationsPerInvoke = Steps)]
    public double ExpertsDecode() => Seconds(_sparse, _experts);

    [Benchmark(OperationsPerInvoke = Steps)]
    public double DenseDecodeWithPrompt() => Seconds(_dense, _mixed);

    /// <summary>The terms without their factors: what the kernels' formulas take of a dense step.</summary>
    [Benchmark(OperationsPerInvoke = Steps)]
    public double DenseDecodeTermsAlone()
    {
        double sum = 0;
        foreach (ref readonly var shape in _decode.AsSpan())
            sum += _dense.Terms(shape)[StepTerm.DecodeGemm];
        return sum;
    }

    private double Seconds(StepPlan plan, StepShape[] shapes)
    {
        double sum = 0;
        foreach (ref readonly var shape in shapes.AsSpan())
            sum += plan.Terms(shape).Dot(_factors);
        return sum;
    }

    private static StepPlan Plan(CatalogContents catalog, string model, string gpu, Parallelism spread)
    {
        var mistakes = new List<Mistake>();
        var table = KernelTable.Read(Text("kernels.csv"), Text("collectives.csv"), catalog.Accelerators, mistakes);
        var (shape, accelerator) = (catalog.ModelNames.Find(model)!, catalog.AcceleratorNames.Find(gpu)!);
        var deployment = new Deployment
        {
            Model = shape,
            Gpu = accelerator,
            Engine = "vllm",
            Weights = NumberFormat.Fp8,
            Precision = PrecisionPlan.For(shape, NumberFormat.Fp8),
            Parallelism = spread,
        };
        return new StepPlan(deployment, table.For(accelerator)!);
    }

    private static StepTerms Factors(Deployment deployment) =>
        CalibrationTables.Read(Text("serving.csv"), "serving.csv", []).Set.StepsOf(Traits.Of(deployment, disaggregated: false));

    private static CatalogContents Catalog() => CatalogReader.Read(
        [
            [
                .. Directory.EnumerateFiles(Root(), "*", SearchOption.AllDirectories)
                    .Select(file => new CatalogFile(Path.GetRelativePath(Root(), file).Replace('\\', '/'), File.ReadAllText(file))),
            ],
        ],
        []);

    private static string Text(string file) => File.ReadAllText(Path.Combine(Root(), "calibration", file));

    private static string Root([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "catalog"));
}
