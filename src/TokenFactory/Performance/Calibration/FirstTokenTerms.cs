using System.Runtime.CompilerServices;

namespace TokenFactory.Performance.Calibration;

/// <summary>What the time to the first token is made of. Calibration finds one factor per term, engine and vendor.</summary>
public enum FirstTokenTerm
{
    /// <summary>10 milliseconds: network, tokeniser, scheduler.</summary>
    Fixed,

    /// <summary>The prompt's own steps, together with what decodes in them.</summary>
    Own,

    /// <summary>The prompt's own steps, had the engine nothing else to do.</summary>
    Alone,

    /// <summary>One step of the engine: a request arrives in the middle of it.</summary>
    Step,

    /// <summary>The prompts of the crowd that starts together, spread over the requests of each client.</summary>
    Crowd,

    /// <summary>Prompts that arrived before and wait for the same GPUs, in a steady load.</summary>
    Queue,

    /// <summary>10 microseconds per prompt token: tokenising and copying.</summary>
    Tokens,

    /// <summary>1 millisecond per client: one process reads and answers them all.</summary>
    Clients,

    /// <summary>Waiting until the KV cache has room.</summary>
    Memory,

    /// <summary>Moving the prompt's KV cache to the decode pool.</summary>
    Transfer,
}

/// <summary>One number per <see cref="FirstTokenTerm"/>.</summary>
[InlineArray(Count)]
public struct FirstTokenTerms
{
    /// <summary>How many terms there are.</summary>
    public const int Count = (int)FirstTokenTerm.Transfer + 1;

    private double _first;

    /// <summary>The number of a term.</summary>
    public double this[FirstTokenTerm term]
    {
        readonly get => this[(int)term];
        set => this[(int)term] = value;
    }

    /// <summary>Each term times its factor, and all times one more.</summary>
    public readonly FirstTokenTerms Scaled(FirstTokenTerms factors, double all)
    {
        var scaled = this;
        for (var i = 0; i < Count; i++)
            scaled[i] *= factors[i] * all;
        return scaled;
    }

    /// <summary>The sum of all terms, each times its factor.</summary>
    public readonly double Dot(FirstTokenTerms factors)
    {
        double sum = 0;
        for (var i = 0; i < Count; i++)
            sum += this[i] * factors[i];
        return sum;
    }
}
