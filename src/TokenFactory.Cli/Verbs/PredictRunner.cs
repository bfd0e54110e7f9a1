using TokenFactory.Catalog;
using TokenFactory.Cli.Input;
using TokenFactory.Performance;
using TokenFactory.Performance.Kernels;
using TokenFactory.Performance.SteadyState;
using TokenFactory.Units;

namespace TokenFactory.Cli.Verbs;

/// <summary>What was predicted of a request.</summary>
/// <param name="Request">What was asked.</param>
/// <param name="Prepared">The deployment and its load, as kernels.</param>
/// <param name="Prediction">What it does.</param>
internal sealed record PredictAnswer(PredictRequest Request, Prepared Prepared, Prediction Prediction)
{
    /// <summary>The replicas, or the decode pool.</summary>
    public Deployment Decode => Prepared.Decode.Deployment;

    /// <summary>The load.</summary>
    public Load Load => Prepared.Scenario.Load;

    /// <summary>The longest that a sequence becomes, in tokens.</summary>
    public double LongestTokens => Load.InputTokens + Load.OutputTokens;

    /// <summary>Tokens per second that one user sees after the first.</summary>
    public double PerUser => 1 / Prediction.Tpot;

    /// <summary>Input and output tokens per second of one GPU.</summary>
    public double PerGpu => Prediction.TotalTokensPerSecond / Prediction.Gpus;

    /// <summary>What a million tokens costs where the deployment makes so many per second; null without a price.</summary>
    public Sourced<UsdPerMillionTokens>? PerMillion(double tokensPerSecond) =>
        Request.PerGpuHour is { } price ? price.Select(hour => hour * Prediction.Gpus / new TokensPerSecond(tokensPerSecond)) : null;
}

/// <summary>Predicts requests on one accelerator.</summary>
internal sealed class PredictRunner
{
    private readonly KernelSet _kernels;
    private readonly Predictor _predictor;

    /// <summary>Resolves the constants of an accelerator.</summary>
    /// <exception cref="Refusal">The calibration holds nothing that could stand in for it.</exception>
    public PredictRunner(CalibrationInput calibration, Accelerator gpu)
    {
        Calibration = calibration;
        _predictor = new Predictor(calibration.Set);
        _kernels = calibration.Kernels.For(gpu)
            ?? throw new Refusal(
                "calibration", $"holds no constants that could stand in for {gpu.Key}", "Name another --gpu, or add rows to kernels.csv");
    }

    /// <summary>What calibration knows.</summary>
    public CalibrationInput Calibration { get; }

    /// <summary>Constants of the accelerator.</summary>
    public KernelSet Kernels => _kernels;

    /// <summary>
    /// The prediction, on the GPUs that the user named, or else on the fewest that carry the load; where none do, on those that serve the
    /// most requests.
    /// </summary>
    public PredictAnswer Of(PredictRequest request)
    {
        var prefill = PrefillTensor(request);
        if (request.Pool.Tensor is { } tensor)
            return Predict(request, tensor, prefill);
        var domain = Domain(request.One);
        PredictAnswer? most = null;
        PredictAnswer? last = null;
        foreach (var candidate in Spreading.Tensors(request.One.Model))
        {
            if (candidate > domain && most is not null)
                break;
            last = Predict(request, candidate, prefill);
            if (!last.Prediction.Fits)
                continue;
            if (Carries(last))
                return last;
            if (most is null || last.Prediction.RequestsPerSecond > most.Prediction.RequestsPerSecond)
                most = last;
        }

        return most ?? last!;
    }

    /// <summary>GPUs that exchange results quickly: beyond them only what does not fit on them is tried.</summary>
    public static double Domain(Deployment one)
    {
        const int usual = 8;
        return Math.Min(one.Gpu.ScaleUpDomain?.Value ?? usual, usual);
    }

    private static int PrefillTensor(PredictRequest request)
    {
        if (request.Prefill is not { } pool)
            return 1;
        var longest = request.Load.InputTokens + request.Load.OutputTokens;
        var candidates = Spreading.Tensors(request.One.Model).ToList();
        return pool.Tensor ?? candidates.Find(tensor => new KvCapacity(request.Replica(pool, tensor)).Fits(longest)) switch
        {
            0 => candidates[^1],
            var fitting => fitting,
        };
    }

    private PredictAnswer Predict(PredictRequest request, int tensor, int prefill)
    {
        var prepared = Prepared.Of(request.Scenario(tensor, prefill), _kernels);
        return new PredictAnswer(request, prepared, _predictor.Predict(prepared));
    }

    /// <summary>Replicas that together have room for the load, each like those predicted.</summary>
    public static double Enough(PredictAnswer answer)
    {
        var p = answer.Prediction;
        return Math.Ceiling(answer.Load.Concurrency is { } clients
            ? clients / Math.Max(1, Math.Floor(p.Capacity))
            : (answer.Load.RequestsPerSecond ?? 0) / p.RequestsPerSecond * answer.Prepared.Scenario.Decode.Replicas);
    }

    /// <summary>Whether there is room for the whole load, or the rate of requests is served.</summary>
    public static bool Carries(PredictAnswer answer) => answer.Load.Concurrency is { } clients
        ? answer.Prediction.Capacity >= clients / answer.Prepared.Scenario.Decode.Replicas
        : !answer.Prediction.Saturated;
}
