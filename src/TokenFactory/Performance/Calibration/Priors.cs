namespace TokenFactory.Performance.Calibration;

/// <summary>What the factors are drawn towards before any measurement, and what they may not exceed.</summary>
internal static class Priors
{
    /// <summary>Factors of step terms: 1 for kernel times; host times are a few microseconds per layer.</summary>
    public static StepTerms Steps { get; } = Fill<StepTerms, StepTerm>((ref t, term) => t[term] = OfStep(term));

    /// <summary>Factors of first-token terms.</summary>
    public static FirstTokenTerms FirstTokens { get; } =
        Fill<FirstTokenTerms, FirstTokenTerm>((ref t, term) => t[term] = OfFirstToken(term));

    /// <summary>Watts per watt of thermal design power.</summary>
    public static PowerTerms Power { get; } = Fill<PowerTerms, PowerTerm>((ref t, term) => t[term] = OfPower(term));

    /// <summary>The prior of a step term.</summary>
    public static double OfStep(StepTerm term) => term switch
    {
        <= StepTerm.PrefillDispatch => 1,
        StepTerm.Layers => 0.2,
        StepTerm.ReducedLayers => 0.2,
        StepTerm.ExpertLayers or StepTerm.DispatchedLayers => 0.5,
        _ => 0.3,
    };

    /// <summary>The largest factor of a step term: kernels in a step lose at most as much again as they take alone.</summary>
    public static double MostStep(StepTerm term) => term <= StepTerm.PrefillDispatch ? 2.5 : 10;

    /// <summary>The largest factor of a first-token term.</summary>
    public const double MostFirstToken = 5;

    /// <summary>The largest power of a term, in thermal design powers.</summary>
    public static double MostPower(PowerTerm term) => term == PowerTerm.Awake ? 0.6 : 2;

    /// <summary>The prior of a first-token term.</summary>
    public static double OfFirstToken(FirstTokenTerm term) => term switch
    {
        FirstTokenTerm.Own => 0.7,
        FirstTokenTerm.Alone or FirstTokenTerm.Queue or FirstTokenTerm.Clients => 0.3,
        FirstTokenTerm.Tokens => 0.2,
        _ => 1,
    };

    /// <summary>Before an engine: 10 ms, a few microseconds per token, and a step.</summary>
    public static FrontTerms Front { get; } = Fill<FrontTerms, FrontTerm>((ref FrontTerms terms, FrontTerm term) =>
        terms[term] = term == FrontTerm.Tokens ? 0.2 : 1);

    /// <summary>The prior of a power term, read off published measurements of phases.</summary>
    public static double OfPower(PowerTerm term) => term switch
    {
        PowerTerm.Awake => 0.25,
        PowerTerm.Arithmetic or PowerTerm.Prompts => 0.4,
        PowerTerm.Cache => 0.2,
        _ => 0.3,
    };

    private delegate void Setter<T, TTerm>(ref T terms, TTerm term);

    private static T Fill<T, TTerm>(Setter<T, TTerm> set)
        where T : struct
        where TTerm : struct, Enum
    {
        var terms = default(T);
        foreach (var term in Enum.GetValues<TTerm>())
            set(ref terms, term);
        return terms;
    }
}
