namespace TokenFactory.Performance.Calibration;

/// <summary>Everything that calibration found, and how wrong it was where it had not looked.</summary>
public sealed record CalibrationSet
{
    /// <summary>The stack whose factors serve where none was fitted.</summary>
    public const string AnyStack = "*|*";

    /// <summary>The architecture whose power serves where none was fitted.</summary>
    public const string AnyArchitecture = "*";

    /// <summary>Factors of the step terms by stack ("vllm|NVIDIA").</summary>
    public required IReadOnlyDictionary<string, StepTerms> Steps { get; init; }

    /// <summary>Factors of the first-token terms by stack.</summary>
    public required IReadOnlyDictionary<string, FirstTokenTerms> FirstTokens { get; init; }

    /// <summary>What requests wait for before the engine, by stack; for the twin, which computes the rest.</summary>
    public required IReadOnlyDictionary<string, FrontTerms> Fronts { get; init; }

    /// <summary>Watts per watt of thermal design power by architecture; "*" for any.</summary>
    public required IReadOnlyDictionary<string, PowerTerms> Power { get; init; }

    /// <summary>Factors on tokens per second by how the load arrives.</summary>
    public required IReadOnlyDictionary<string, double> Rates { get; init; }

    /// <summary>Corrections of times per token.</summary>
    public required Corrections Times { get; init; }

    /// <summary>Further corrections of times per token where a deployment speculates or splits prefill from decode.</summary>
    public required Corrections Variants { get; init; }

    /// <summary>Corrections of tokens per second where all requests are given at once, on top of the factor of such loads.</summary>
    public required Corrections Offline { get; init; }

    /// <summary>Corrections of times to the first token.</summary>
    public required Corrections FirstTokenTimes { get; init; }

    /// <summary>Corrections of watts.</summary>
    public required Corrections Watts { get; init; }

    /// <summary>
    /// Factors that no measurement decided, by <see cref="Factor"/>: of all rows, what is assumed before any; of a group, what all share.
    /// </summary>
    public IReadOnlySet<string> Assumed { get; init; } = new HashSet<string>();

    /// <summary>The name of a factor, "step vllm|NVIDIA decode-gemm".</summary>
    /// <typeparam name="T">Step, first-token or power term.</typeparam>
    public static string Factor<T>(string table, string group, T term)
        where T : struct, Enum =>
        $"{table} {group} {TermWords.Of(term)}";

    /// <summary>Whether times per token of a model were measured.</summary>
    public bool Knows(string model) => Times.LogFactors.Keys.Any(level => level.Split(' ').Contains($"model={model}"));

    /// <summary>Whether factors of any engine on a vendor's GPUs were fitted.</summary>
    public bool KnowsVendor(string vendor) => Steps.Keys.Any(stack => stack.EndsWith($"|{vendor}", StringComparison.Ordinal));

    /// <summary>Factors of a stack's steps, or those of any.</summary>
    public StepTerms StepsOf(Traits traits) => Steps.TryGetValue(traits.Stack, out var own) ? own : Steps[AnyStack];

    /// <summary>Factors of a stack's first tokens, or those of any.</summary>
    public FirstTokenTerms FirstTokensOf(Traits traits) => FirstTokens.TryGetValue(traits.Stack, out var own) ? own : FirstTokens[AnyStack];

    /// <summary>What requests wait for before a stack's engine, or before any.</summary>
    public FrontTerms FrontOf(Traits traits) => Fronts.TryGetValue(traits.Stack, out var own) ? own : Fronts[AnyStack];

    /// <summary>Factors of an architecture's power, or those of any.</summary>
    public PowerTerms PowerOf(Traits traits) => Power.TryGetValue(traits.Architecture, out var own) ? own : Power[AnyArchitecture];

    /// <summary>The factor on tokens per second of a kind of load; 1 where none was fitted.</summary>
    public double RateOf(string load) => Rates.GetValueOrDefault(load, 1);

    /// <summary>Nothing fitted: every factor is what is known before any measurement.</summary>
    public static CalibrationSet Prior { get; } = new()
    {
        Steps = new Dictionary<string, StepTerms> { [AnyStack] = Priors.Steps },
        FirstTokens = new Dictionary<string, FirstTokenTerms> { [AnyStack] = Priors.FirstTokens },
        Fronts = new Dictionary<string, FrontTerms> { [AnyStack] = Priors.Front },
        Power = new Dictionary<string, PowerTerms> { [AnyArchitecture] = Priors.Power },
        Rates = new Dictionary<string, double>(),
        Times = Corrections.None,
        Variants = Corrections.None,
        Offline = Corrections.None,
        FirstTokenTimes = Corrections.None,
        Watts = Corrections.None,
    };
}
