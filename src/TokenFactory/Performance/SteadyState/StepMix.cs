using TokenFactory.Performance.Calibration;

namespace TokenFactory.Performance.SteadyState;

/// <summary>How an engine combines prompts and generation in its steps.</summary>
public enum PrefillPolicy
{
    /// <summary>A step holds decoding sequences and a chunk of prompt together (vLLM, TensorRT-LLM).</summary>
    Mixed,

    /// <summary>Prompts get steps of their own, while decoding waits (SGLang by default).</summary>
    Separate,
}

/// <summary>
/// The steps that an engine runs in the steady state of a load, as a mix of two shapes: steps that only decode, and steps with a chunk
/// of prompt. Follows from load, memory and token budget alone, not from how long a step takes. Attention groups wait for one another at
/// the experts, so engines hold prompts back until all groups can compute one in the same step.
/// </summary>
public readonly record struct StepMix
{
    /// <summary>Sequences that decode at once on the replica.</summary>
    public required double Running { get; init; }

    /// <summary>Sequences that the memory holds at once.</summary>
    public required double Capacity { get; init; }

    /// <summary>Steps that only decode.</summary>
    public required StepShape Decode { get; init; }

    /// <summary>Steps with prompt tokens.</summary>
    public required StepShape Prefill { get; init; }

    /// <summary>
    /// Share of steps (or, where prompts get their own, extra steps per decode step) with prompt tokens, as one of the decoding sequences
    /// meets them: its own prompt does not hold up its own tokens. <see cref="Whole"/> has the GPU's view.
    /// </summary>
    public required double PrefillShare { get; init; }

    /// <summary>Chunks that a prompt is computed in.</summary>
    public required double ChunksPerPrompt { get; init; }

    /// <summary>Prompt chunks per step of one attention group, of all requests; above 1, prompts wait for one another.</summary>
    public required double Utilisation { get; init; }

    /// <summary>Tokens that a step yields per sequence.</summary>
    public required double TokensPerStep { get; init; }

    /// <summary>Share of the running sequences that are not the one looked at: 0 for a lone user.</summary>
    public required double Others { get; init; }

    /// <summary>Steps that a request takes part in, with its prompt's.</summary>
    public required double Steps { get; init; }

    /// <summary>Sequences that the memory of a replica holds at once, at least one.</summary>
    /// <param name="d">The replica.</param>
    /// <param name="load">Lengths.</param>
    public static double Room(Deployment d, Load load) =>
        Math.Max(1, new KvCapacity(d).Sequences(load.InputTokens + (load.OutputTokens / 2), load.SharedPrefixTokens));

    /// <summary>The mix of a closed loop, or of any load with so many sequences in flight.</summary>
    /// <param name="d">The replica.</param>
    /// <param name="load">Lengths.</param>
    /// <param name="inFlight">Requests in flight on the replica.</param>
    /// <param name="policy">What the engine does.</param>
    /// <param name="decodeOnly">Prompts are computed elsewhere.</param>
    public static StepMix Of(Deployment d, Load load, double inFlight, PrefillPolicy policy, bool decodeOnly = false)
    {
        double groups = d.AttentionGroups;
        double stages = d.Parallelism.Pipeline;
        var (input, output) = (load.InputTokens, load.OutputTokens);
        var context = input + (output / 2);
        var capacity = Room(d, load);
        var running = Math.Min(inFlight, capacity);
        var each = Math.Max(running / groups / stages, Math.Min(running, 1)); // a pipeline works on as many batches as it has stages
        var perStep = d.Speculation?.TokensPerStep ?? 1;
        var fresh = load.FreshTokens;
        var chunks = Math.Max(1, fresh / d.TokenBudget);
        var chunk = fresh / chunks;
        var decodes = (output - 1) / perStep;
        var steps = decodeOnly ? output / perStep : decodes + chunks;
        var fastest = d.TokenBudget / fresh * steps; // more would ask for more prompt tokens per step than the budget allows
        if (!decodeOnly && each > fastest)
        {
            each = fastest;
            running = each * groups * stages;
        }

        // Of n requests each meets the prompts of n - 1, and the others decode only part of the time.
        var others = Math.Max(0, 1 - (1 / Math.Max(running, 1)));
        var all = decodeOnly ? 0 : each * chunks / steps;
        var arrivals = all * others;
        var beside = decodeOnly ? each : each * others * decodes / steps;
        each = decodeOnly ? each : Math.Max(1, 1 + ((each - 1) * decodes / steps));
        var mean = load.PromptContext;
        var decoding = policy == PrefillPolicy.Mixed ? beside : 0;
        chunk *= Math.Max(1, arrivals);
        return new StepMix
        {
            Running = running,
            Capacity = capacity,
            Decode = StepShape.Decode(each, context, (int)groups),
            Prefill = new StepShape(
                decoding,
                decoding * context,
                chunk,
                chunk * mean,
                Math.Max(1, arrivals),
                chunk * (groups - 1),
                decoding * (groups - 1)),
            PrefillShare = Math.Min(1, arrivals),
            ChunksPerPrompt = chunks,
            Utilisation = all,
            TokensPerStep = perStep,
            Others = others,
            Steps = steps,
        };
    }

    /// <summary>The mix as the GPU sees it, the prompt of every request counted: what rates and watts follow from.</summary>
    public StepMix Whole()
    {
        var longer = Math.Max(1, Utilisation) / Math.Max(1, Utilisation * Others);
        return this with
        {
            PrefillShare = Math.Min(1, Utilisation),
            Prefill = Prefill with
            {
                PrefillTokens = Prefill.PrefillTokens * longer,
                PrefillPairs = Prefill.PrefillPairs * longer,
                PrefillChunks = Prefill.PrefillChunks * longer,
                OtherGroupsTokens = Prefill.OtherGroupsTokens * longer,
            },
        };
    }

    /// <summary>Terms of the mean time per output token.</summary>
    public StepTerms TokenTerms(StepPlan plan, PrefillPolicy policy)
    {
        var decode = plan.Terms(Decode);
        if (PrefillShare <= 0)
            return decode.Times(1 / TokensPerStep);
        var prefill = plan.Terms(Prefill);
        var mixed = policy == PrefillPolicy.Separate
            ? decode.Plus(prefill, PrefillShare)
            : decode.Times(1 - PrefillShare).Plus(prefill, PrefillShare);
        return mixed.Times(1 / TokensPerStep);
    }

    /// <summary>How long parts of a GPU are busy per output token, at full speed.</summary>
    public GpuBusy TokenBusy(StepPlan plan, PrefillPolicy policy)
    {
        var decode = plan.Busy(Decode);
        if (PrefillShare <= 0)
            return decode.Times(1 / TokensPerStep);
        var kept = policy == PrefillPolicy.Separate ? 1 : 1 - PrefillShare;
        return decode.Times(kept).Plus(plan.Busy(Prefill), PrefillShare).Times(1 / TokensPerStep);
    }

    /// <summary>Mean occupancy of the chip over the steps.</summary>
    public double Occupancy(PrefillPolicy policy)
    {
        var share = policy == PrefillPolicy.Separate ? PrefillShare / (1 + PrefillShare) : PrefillShare;
        return ((1 - share) * PowerTerms.Occupied(Decode.Tokens)) + (share * PowerTerms.Occupied(Prefill.Tokens));
    }
}
