using System.Runtime.CompilerServices;

namespace TokenFactory.Performance.Calibration;

/// <summary>
/// What the power of a step is made of, as shares of its duration. Calibration finds how many watts per watt of thermal design power
/// each is worth.
/// </summary>
public enum PowerTerm
{
    /// <summary>1: the GPU draws this whatever it does.</summary>
    Idle,

    /// <summary>Share of the time in which decoding tokens pass matrices.</summary>
    DecodeGemm,

    /// <summary>Share of the time in which experts of decoding tokens are read.</summary>
    DecodeExperts,

    /// <summary>Share of the time in which the KV cache is read.</summary>
    DecodeAttention,

    /// <summary>Share of the time in which prompts pass matrices.</summary>
    PrefillGemm,

    /// <summary>Share of the time in which prompts pass experts.</summary>
    PrefillExperts,

    /// <summary>Share of the time in which prompts attend.</summary>
    PrefillAttention,

    /// <summary>Share of the time in which GPUs exchange results.</summary>
    Exchange,

    /// <summary>A tenth of the logarithm to base 2 of the sequences at once: more of the chip has work.</summary>
    Occupancy,
}

/// <summary>One number per <see cref="PowerTerm"/>.</summary>
[InlineArray(Count)]
public struct PowerTerms
{
    /// <summary>How many terms there are.</summary>
    public const int Count = (int)PowerTerm.Occupancy + 1;

    private double _first;

    /// <summary>The number of a term.</summary>
    public double this[PowerTerm term]
    {
        readonly get => this[(int)term];
        set => this[(int)term] = value;
    }

    /// <summary>The shares of a step, or of a mix of steps per token.</summary>
    /// <param name="terms">Its kernel times in seconds.</param>
    /// <param name="seconds">How long it takes.</param>
    /// <param name="sequences">Sequences that decode at once on an attention group.</param>
    public static PowerTerms Of(StepTerms terms, double seconds, double sequences)
    {
        var shares = default(PowerTerms);
        shares[PowerTerm.Idle] = 1;
        if (!(seconds > 0))
            return shares;
        shares[PowerTerm.DecodeGemm] = (terms[StepTerm.DecodeGemm] + terms[StepTerm.Head]) / seconds;
        shares[PowerTerm.DecodeExperts] = terms[StepTerm.DecodeExperts] / seconds;
        shares[PowerTerm.DecodeAttention] = terms[StepTerm.DecodeAttention] / seconds;
        shares[PowerTerm.PrefillGemm] = terms[StepTerm.PrefillGemm] / seconds;
        shares[PowerTerm.PrefillExperts] = terms[StepTerm.PrefillExperts] / seconds;
        shares[PowerTerm.PrefillAttention] = terms[StepTerm.PrefillAttention] / seconds;
        shares[PowerTerm.Exchange] =
            (terms[StepTerm.DecodeReduce] + terms[StepTerm.PrefillReduce] + terms[StepTerm.DecodeDispatch] + terms[StepTerm.PrefillDispatch]) / seconds;
        shares[PowerTerm.Occupancy] = Math.Log2(1 + sequences) / 10;
        return shares;
    }

    /// <summary>The sum of all terms, each times its factor.</summary>
    public readonly double Dot(PowerTerms factors)
    {
        double sum = 0;
        for (var i = 0; i < Count; i++)
            sum += this[i] * factors[i];
        return sum;
    }
}
