using TokenFactory.Cli.Output;
using TokenFactory.Performance;

namespace TokenFactory.Cli.Verbs;

/// <summary>A part of the time per output token.</summary>
/// <param name="Key">"weights", "compute", "experts", "kv-cache", "prompts", "network" or "host".</param>
/// <param name="What">What it is, for people.</param>
/// <param name="Seconds">Seconds per output token.</param>
internal sealed record TokenPart(string Key, string What, double Seconds);

/// <summary>Groups the terms of a step into what people can act on, and says which bounds the time per token.</summary>
internal static class PredictBound
{
    /// <summary>The parts of the time per output token; they sum to it.</summary>
    public static IReadOnlyList<TokenPart> Parts(PredictAnswer answer)
    {
        var time = answer.Prediction.TokenTime;
        var matrices = Sum(time, StepTerm.DecodeGemm, StepTerm.Head);
        var weights = matrices * ReadingShare(answer);
        return
        [
            new("weights", "reading weights of matrices", weights),
            new("compute", "multiplying beyond reading them", matrices - weights),
            new("experts", "reading and multiplying routed experts", time[StepTerm.DecodeExperts]),
            new("kv-cache", "reading the KV cache", time[StepTerm.DecodeAttention]),
            new("prompts", "prompts of others, computed between", Sum(
                time,
                StepTerm.PrefillGemm,
                StepTerm.PrefillExperts,
                StepTerm.PrefillAttention,
                StepTerm.PrefillSelection,
                StepTerm.PrefillLayers,
                StepTerm.PrefillStep)),
            new("network", "exchange between GPUs", Sum(
                time,
                StepTerm.DecodeReduce,
                StepTerm.DecodeDispatch,
                StepTerm.PrefillReduce,
                StepTerm.PrefillDispatch,
                StepTerm.ReducedLayers,
                StepTerm.DispatchedLayers)),
            new("host", "launches, scheduler, sampling", Sum(
                time,
                StepTerm.Layers,
                StepTerm.ExpertLayers,
                StepTerm.LatentLayers,
                StepTerm.LinearLayers,
                StepTerm.SparseLayers,
                StepTerm.Step,
                StepTerm.Sequences)),
        ];
    }

    /// <summary>What bounds the time per token, in a sentence; null where no token is generated.</summary>
    public static string? Of(PredictAnswer answer)
    {
        var parts = Parts(answer);
        var all = parts.Sum(part => part.Seconds);
        if (!(all > 0))
            return null;
        var largest = parts.OrderByDescending(part => part.Seconds).ToList();
        var (most, second) = (largest[0], largest[1]);
        return $"What bounds a token is {most.What} ({Spell.Percent(most.Seconds / all)} of its time), "
            + $"then {second.What} ({Spell.Percent(second.Seconds / all)}).";
    }

    /// <summary>Share of the matrix products' time that one sequence alone would take: reading the weights.</summary>
    private static double ReadingShare(PredictAnswer answer)
    {
        var groups = answer.Decode.AttentionGroups;
        var each = Math.Max(1, answer.Prediction.Running / groups);
        var context = answer.Load.InputTokens + (answer.Load.OutputTokens / 2);
        var one = Matrices(StepShape.Decode(1, context, groups));
        var all = Matrices(StepShape.Decode(each, context, groups));
        return all > 0 ? Math.Min(1, one / all) : 1;

        double Matrices(StepShape shape) => Sum(answer.Prepared.Decode.Terms(shape), StepTerm.DecodeGemm, StepTerm.Head);
    }

    private static double Sum(StepTerms terms, params ReadOnlySpan<StepTerm> which)
    {
        double sum = 0;
        foreach (var term in which)
            sum += terms[term];
        return sum;
    }
}
