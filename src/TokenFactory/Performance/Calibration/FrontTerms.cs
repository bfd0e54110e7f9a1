using System.Runtime.CompilerServices;

namespace TokenFactory.Performance.Calibration;

/// <summary>
/// What a request waits for before an engine's scheduler sees it: the twin computes the rest of the time to its first token from the steps
/// themselves. Calibration finds one factor per term, engine and vendor.
/// </summary>
public enum FrontTerm
{
    /// <summary>10 milliseconds: network and server.</summary>
    Fixed,

    /// <summary>10 microseconds per prompt token: tokenising and copying.</summary>
    Tokens,

    /// <summary>Steps that pass until the scheduler looks for new requests, where it is busy: queues between processes, polling.</summary>
    Steps,
}

/// <summary>One number per <see cref="FrontTerm"/>.</summary>
[InlineArray(Count)]
public struct FrontTerms
{
    /// <summary>How many terms there are.</summary>
    public const int Count = (int)FrontTerm.Steps + 1;

    private double _first;

    /// <summary>The number of a term.</summary>
    public double this[FrontTerm term]
    {
        readonly get => this[(int)term];
        set => this[(int)term] = value;
    }

    /// <summary>Seconds before the engine for a prompt.</summary>
    public readonly double Seconds(double promptTokens) => (this[FrontTerm.Fixed] * 10e-3) + (this[FrontTerm.Tokens] * 10e-6 * promptTokens);
}
