using TokenFactory.Catalog;
using TokenFactory.Cli.Output;
using TokenFactory.Performance;
using TokenFactory.Performance.Calibration;
using TokenFactory.Performance.Kernels;
using TokenFactory.Performance.SteadyState;

namespace TokenFactory.Cli.Verbs;

/// <summary>What predict says in words.</summary>
internal static class PredictWords
{
    /// <summary>A number for people.</summary>
    public static string Figure(double value) => Spell.Number(value);

    /// <summary>A format, with the name under which checkpoints of it are found.</summary>
    public static string Format(NumberFormat format) => format == NumberFormat.Int4 ? "int4 (AWQ, GPTQ)" : format.Word();

    /// <summary>"one GPU", "8 GPUs".</summary>
    public static string Gpus(double gpus) => gpus == 1 ? "one GPU" : $"{gpus:N0} GPUs";

    /// <summary>Whether tokens follow the first.</summary>
    public static bool HasMore(PredictAnswer answer) => answer.Load.OutputTokens > 1;

    /// <summary>The answer for a manager.</summary>
    public static IEnumerable<string> Answer(PredictAnswer answer)
    {
        var p = answer.Prediction;
        var first = p.Saturated ? "" : $"the first token after {Figure(p.Ttft * 1e3)} ms{(HasMore(answer) ? ", then " : "; ")}";
        var each = HasMore(answer) ? $"one every {Figure(p.Tpot * 1e3)} ms ({Figure(answer.PerUser)} tokens/s per user); " : "";
        yield return $"{Deployment(answer)}, {LoadOf(answer.Load)}: {first}{each}{Figure(p.OutputTokensPerSecond)} output tokens/s, "
            + $"{Figure(answer.PerGpu)} tokens/s per GPU (input + output)"
            + (answer.Decode.Gpu.Tdp is null
                ? "."
                : $", {Figure(p.WattsPerGpu)} W per GPU, {Figure(p.JoulesPerOutputToken)} J per output token.");
        if (p.Saturated)
        {
            yield return $"It cannot serve {Figure(answer.Load.RequestsPerSecond ?? 0)} requests/s: "
                + $"its most is {Figure(p.RequestsPerSecond)}, queues grow without end, and the figures are those of its most"
                + (answer.Prepared.Scenario.Prefill is null ? $"; {PredictRunner.Enough(answer):N0} replicas would serve it." : ".");
        }
        else if (HasMore(answer) && PredictBound.Of(answer) is { } bound)
        {
            yield return bound;
        }
    }

    /// <summary>The answer where it does not fit.</summary>
    public static IEnumerable<string> Misfit(PredictAnswer answer, IReadOnlyList<Nearby> nearest)
    {
        var missing = Figure(answer.Prediction.MissingGibibytes);
        yield return $"No: {Deployment(answer)} does not fit with one request of {answer.LongestTokens:N0} tokens; "
            + $"{missing} GiB are missing on each GPU.";
        yield return nearest.Count == 0
            ? $"Nothing near fits either, up to {Spreading.MostTensor} GPUs: choose a smaller model or shorter lengths."
            : $"It fits {string.Join(", or ", nearest.Select(near => near.Change))}.";
    }

    /// <summary>A draw this near to a cap is held by it.</summary>
    private const double Near = 0.97;

    /// <summary>What was assumed, and what to know about the figures.</summary>
    public static IEnumerable<string> Notes(PredictAnswer answer)
    {
        if (answer.Request.Assumed.Count > 0)
            yield return $"Assumed, as you did not say: {string.Join(", ", answer.Request.Assumed)}.";
        if (answer.Request.Pool.Tensor is null)
        {
            var why = !answer.Prediction.Fits ? "the most that were tried"
                : PredictRunner.Carries(answer) ? "the fewest GPUs that carry the load"
                : answer.Decode.Parallelism.Tensor > PredictRunner.Domain(answer.Decode)
                    ? "the first on which it fits, as none carries the load"
                : "of the layouts that exchange quickly the one that serves most, as none carries the load";
            yield return $"tp {answer.Decode.Parallelism.Tensor}: {why}; --tp sets it.";
        }

        if (answer.Prediction is { NearLimit: true, Saturated: false })
        {
            yield return "The rate is over 95 % of the most that it serves, where waiting knows no bound: "
                + "a little less speed than predicted "
                + $"would make it endless{(answer.Prepared.Scenario.Prefill is null ? ", and the times are those at 95 %." : ".")}";
        }

        if (answer.Prediction.Saturated)
            yield return "More is asked for than is served: waiting grows without end, so first tokens and whole answers have no figure.";
        if (answer.Decode is { PowerCap: { } cap, Gpu.Tdp: { } tdp } && answer.Prediction.Fits && cap.Value < tdp.Value.Value)
        {
            yield return answer.Prediction.Clock < Prediction.LowestClock
                ? $"The cap of {cap.Value:0} W is less than the lowest clock draws: the GPUs pause to keep it, at a great cost in speed."
                : answer.Prediction.WattsPerGpu >= cap.Value * Near
                ? $"The cap of {cap.Value:0} W binds: the clock is lowered until it is kept."
                : $"The cap of {cap.Value:0} W does not bind: the GPUs draw less.";
        }

        if (answer.Prediction.Fits && answer.Load.Concurrency is not null && !PredictRunner.Carries(answer))
        {
            yield return $"A replica has room for {Math.Floor(answer.Prediction.Capacity):N0} requests at once: the others wait"
                + (answer.Prepared.Scenario.Prefill is null ? $"; {PredictRunner.Enough(answer):N0} replicas have room for all." : ".");
        }
    }

    /// <summary>What stands on less than measurements of its kind.</summary>
    public static IEnumerable<string> Warnings(PredictAnswer answer, CalibrationSet known)
    {
        var (d, traits) = (answer.Decode, answer.Prepared.Traits);
        if (!known.KnowsVendor(traits.Vendor))
            yield return $"Next to nothing was measured on GPUs of {traits.Vendor}: kernels and factors of other vendors stand in.";
        else if (!known.Steps.ContainsKey(traits.Stack))
            yield return $"Nobody measured {d.Engine} on GPUs of {traits.Vendor}: what all engines have in common stands in.";
        if (!NumberFormats.HasUnits(d.Gpu, d.Precision.Dense))
            yield return $"{d.Gpu.Key} has no units for {d.Precision.Dense.Word()}: it reads such weights and multiplies in 16 bits.";
        if (d.Gpu.ScaleUp is null && d.Parallelism.StageGpus > 1)
            yield return $"The catalog does not say how fast GPUs of {d.Gpu.Key} exchange: that of the nearest kin stands in.";
    }

    /// <summary>What to know about a prediction that fits.</summary>
    public static IEnumerable<string> Caveats(Source? fitted)
    {
        yield return "Low and high hold four of five measured values of the deployments named under 'judged on' (--json and wide terminals "
            + "show it), on cells (model and GPU) that the fit had not seen; median error is of the same blind test. "
            + "Percentiles are estimated from the closed form, for requests of equal length.";
        yield return "The load is steady and endless; watts are at the boards of the GPUs"
            + (fitted is null ? "." : $"; the constants were fitted to {fitted.Text}{Dated(fitted)}.");

        static string Dated(Source source) =>
            source.Text.Contains(source.Date.ToString()!, StringComparison.Ordinal) ? "" : $" ({source.Date})";
    }

    /// <summary>"llama-3.1-70b in bf16 on 4 h100-sxm (vllm, TP4)".</summary>
    public static string Deployment(PredictAnswer answer)
    {
        var (d, scenario) = (answer.Decode, answer.Prepared.Scenario);
        var layout = scenario.Prefill is { } pool
            ? $"prefill {Times(pool)}, decode {Times(scenario.Decode)}"
            : Times(scenario.Decode);
        return $"{d.Model.Key} in {d.Weights.Word()} on {scenario.Gpus:N0} {d.Gpu.Key} ({d.Engine}, {layout})";
    }

    private static string Times(Pool pool) =>
        pool.Replicas > 1 ? $"{pool.Replicas:0} x {pool.Deployment.Parallelism}" : pool.Deployment.Parallelism.ToString();

    private static string LoadOf(Load load)
    {
        var lengths = $"{load.InputTokens:N0} tokens in and {load.OutputTokens:N0} out";
        return load.RequestsPerSecond is { } rate ? $"{Figure(rate)} requests/s of {lengths}"
            : load.Concurrency is 1 ? $"one user with {lengths}"
            : $"{load.Concurrency:N0} users at once with {lengths}";
    }
}
