using System.Runtime.CompilerServices;

namespace TokenFactory.Performance;

/// <summary>
/// What the time of a step is made of. The first eleven are times of operators by the kernel model; the others count what engines spend
/// host time on. Calibration finds one factor per term, engine and vendor.
/// </summary>
public enum StepTerm
{
    /// <summary>Matrix products of the decoding tokens, in seconds.</summary>
    DecodeGemm,

    /// <summary>Routed experts of the decoding tokens, in seconds.</summary>
    DecodeExperts,

    /// <summary>Decode attention: reading the KV cache and the states, in seconds.</summary>
    DecodeAttention,

    /// <summary>All-reduce of the decoding tokens, in seconds.</summary>
    DecodeReduce,

    /// <summary>Dispatch and combine between attention groups and experts for the decoding tokens, in seconds.</summary>
    DecodeDispatch,

    /// <summary>The output head, in seconds.</summary>
    Head,

    /// <summary>What prompt tokens add to the matrix products, in seconds.</summary>
    PrefillGemm,

    /// <summary>What prompt tokens add to the routed experts, in seconds.</summary>
    PrefillExperts,

    /// <summary>Prefill attention, in seconds.</summary>
    PrefillAttention,

    /// <summary>What prompt tokens add to the all-reduce, in seconds.</summary>
    PrefillReduce,

    /// <summary>What prompt tokens add to dispatch and combine, in seconds.</summary>
    PrefillDispatch,

    /// <summary>Layers, 10 microseconds each: launches and small kernels.</summary>
    Layers,

    /// <summary>Layers of routed experts, 10 microseconds each: routing, sorting and their launches.</summary>
    ExpertLayers,

    /// <summary>Layers of latent or compressed attention, 10 microseconds each.</summary>
    LatentLayers,

    /// <summary>Layers of linear attention or state space, 10 microseconds each.</summary>
    LinearLayers,

    /// <summary>Layers of sparse attention with an indexer, 10 microseconds each.</summary>
    SparseLayers,

    /// <summary>One step, 1 millisecond: scheduler, sampling, synchronisation.</summary>
    Step,

    /// <summary>Sequences of the attention group, 10 microseconds each: bookkeeping.</summary>
    Sequences,

    /// <summary>Layers whose result several GPUs exchange, 10 microseconds each: synchronisation.</summary>
    ReducedLayers,

    /// <summary>Layers between attention groups and experts, 10 microseconds each.</summary>
    DispatchedLayers,

    /// <summary>Layers of a step that also prefills, 10 microseconds each: it runs without a captured graph.</summary>
    PrefillLayers,

    /// <summary>A step that also prefills, 1 millisecond.</summary>
    PrefillStep,

    /// <summary>
    /// Picking keys for prompt tokens in sparse attention: 160 bytes per layer, token and key that it may pick, in seconds at the data
    /// sheet's bandwidth. Every GPU picks for itself, however many share the layer.
    /// </summary>
    PrefillSelection,
}

/// <summary>One number per <see cref="StepTerm"/>; a value, so that evaluating a step allocates nothing.</summary>
[InlineArray(Count)]
public struct StepTerms
{
    /// <summary>How many terms there are.</summary>
    public const int Count = (int)StepTerm.PrefillSelection + 1;

    private double _first;

    /// <summary>The number of a term.</summary>
    public double this[StepTerm term]
    {
        readonly get => this[(int)term];
        set => this[(int)term] = value;
    }

    /// <summary>The sum of all terms, each times its factor.</summary>
    /// <param name="factors">One factor per term.</param>
    public readonly double Dot(StepTerms factors)
    {
        double sum = 0;
        for (var i = 0; i < Count; i++)
            sum += this[i] * factors[i];
        return sum;
    }

    /// <summary>These terms plus others times a weight.</summary>
    public readonly StepTerms Plus(StepTerms other, double weight = 1)
    {
        var sum = this;
        for (var i = 0; i < Count; i++)
            sum[i] += weight * other[i];
        return sum;
    }

    /// <summary>Each term times its factor, and all times one more.</summary>
    public readonly StepTerms Scaled(StepTerms factors, double all)
    {
        var scaled = this;
        for (var i = 0; i < Count; i++)
            scaled[i] *= factors[i] * all;
        return scaled;
    }

    /// <summary>These terms times a weight.</summary>
    public readonly StepTerms Times(double weight) => default(StepTerms).Plus(this, weight);
}
