using System.Runtime.CompilerServices;

namespace TokenFactory.Performance.Calibration;

/// <summary>
/// What the power of a step is made of, as shares of its duration, all but the first scaled to what the accelerator's parts can draw
/// (<see cref="PowerScale"/>). Calibration finds how many watts per watt of thermal design power each is worth.
/// </summary>
public enum PowerTerm
{
    /// <summary>1: the GPU draws this whatever its engine computes, memory and clocks awake.</summary>
    Awake,

    /// <summary>Share of the time that the matrix units would be busy at full speed, padded tiles included.</summary>
    Arithmetic,

    /// <summary>Share of the time that the memory would be busy with weights at full bandwidth.</summary>
    Weights,

    /// <summary>Share of the time that the memory would be busy with the KV cache at full bandwidth.</summary>
    Cache,

    /// <summary>Share of the time in which kernels compute prompts.</summary>
    Prompts,

    /// <summary>
    /// How much of the chip has work, and for how long: 0.6 of the share of the time in which kernels compute, rather than exchange or
    /// wait for the host, and 0.4 of a tenth of the logarithm to base 2 of the tokens of a step.
    /// </summary>
    Occupancy,
}

/// <summary>One number per <see cref="PowerTerm"/>.</summary>
[InlineArray(Count)]
public struct PowerTerms
{
    /// <summary>How many terms there are.</summary>
    public const int Count = (int)PowerTerm.Occupancy + 1;

    /// <summary>Weight of the time that kernels compute in <see cref="PowerTerm.Occupancy"/>; the rest is the step's tokens'.</summary>
    private const double ComputingWeight = 0.6;

    private double _first;

    /// <summary>The number of a term.</summary>
    public double this[PowerTerm term]
    {
        readonly get => this[(int)term];
        set => this[(int)term] = value;
    }

    /// <summary>The shares of a step, or of a mix of steps per token.</summary>
    /// <param name="busy">How long parts of the GPU would be busy at full speed.</param>
    /// <param name="terms">Its kernel times in seconds.</param>
    /// <param name="seconds">How long it takes.</param>
    /// <param name="occupancy">How many tokens a step has, as <see cref="Occupied"/> says it.</param>
    /// <param name="scale">How much of the thermal design power the accelerator's parts can draw.</param>
    internal static PowerTerms Of(GpuBusy busy, StepTerms terms, double seconds, double occupancy, PowerScale scale)
    {
        var shares = default(PowerTerms);
        shares[PowerTerm.Awake] = 1;
        if (!(seconds > 0))
            return shares;
        shares[PowerTerm.Arithmetic] = scale.Arithmetic * Math.Min(busy.Arithmetic / seconds, 1);
        shares[PowerTerm.Weights] = scale.Memory * Math.Min(busy.Weights / seconds, 1);
        shares[PowerTerm.Cache] = scale.Memory * Math.Min(busy.Cache / seconds, 1);
        var prompts = terms[StepTerm.PrefillGemm] + terms[StepTerm.PrefillExperts] + terms[StepTerm.PrefillAttention];
        var tokens = terms[StepTerm.DecodeGemm] + terms[StepTerm.DecodeExperts] + terms[StepTerm.DecodeAttention] + terms[StepTerm.Head]
            + terms[StepTerm.PrefillSelection];
        var computing = Math.Min((prompts + tokens) / seconds, 1);
        shares[PowerTerm.Prompts] = scale.Arithmetic * Math.Min(prompts / seconds, 1);
        shares[PowerTerm.Occupancy] = scale.Arithmetic * ((ComputingWeight * computing) + ((1 - ComputingWeight) * occupancy));
        return shares;
    }

    /// <summary>The occupancy of a step.</summary>
    /// <param name="tokens">Tokens that it computes on an attention group.</param>
    public static double Occupied(double tokens) => Math.Log2(1 + tokens) / 10;

    /// <summary>The sum of all terms, each times its factor.</summary>
    public readonly double Dot(PowerTerms factors)
    {
        double sum = 0;
        for (var i = 0; i < Count; i++)
            sum += this[i] * factors[i];
        return sum;
    }
}
