namespace TokenFactory.Performance;

/// <summary>A piece of a prompt that one step computes.</summary>
/// <param name="Tokens">Tokens computed in the step.</param>
/// <param name="ContextTokens">Tokens of the request that are in the KV cache already.</param>
public readonly record struct PrefillChunk(int Tokens, int ContextTokens);

/// <summary>
/// What one engine step computes on one attention group: sums over its sequences, so that the time of a step does not depend on
/// their number. Where attention is data-parallel the busiest group decides, and <see cref="OtherGroupsSequences"/> and
/// <see cref="OtherGroupsTokens"/> say what the others bring to the experts.
/// </summary>
/// <param name="DecodeSequences">Sequences that generate one token each.</param>
/// <param name="DecodeContextTokens">Tokens in their contexts, summed.</param>
/// <param name="PrefillTokens">Prompt tokens computed, summed over chunks.</param>
/// <param name="PrefillPairs">
/// Pairs of a computed token and a token it attends to, summed: t (s + t / 2) for a chunk of t tokens after s cached ones.
/// </param>
/// <param name="PrefillChunks">Chunks.</param>
/// <param name="OtherGroupsTokens">Prompt tokens that the other attention groups of the replica compute in the same step.</param>
/// <param name="OtherGroupsSequences">Sequences that decode on the other attention groups in the same step.</param>
public readonly record struct StepShape(
    double DecodeSequences,
    double DecodeContextTokens,
    double PrefillTokens = 0,
    double PrefillPairs = 0,
    double PrefillChunks = 0,
    double OtherGroupsTokens = 0,
    double OtherGroupsSequences = 0)
{
    /// <summary>Tokens that this attention group computes.</summary>
    public double Tokens => DecodeSequences + PrefillTokens;

    /// <summary>Mean context of a decoding sequence in tokens; 0 without one.</summary>
    public double DecodeContext => DecodeSequences > 0 ? DecodeContextTokens / DecodeSequences : 0;

    /// <summary>Mean number of tokens that a prefilled token attends to; 0 without one.</summary>
    public double PrefillContext => PrefillTokens > 0 ? PrefillPairs / PrefillTokens : 0;

    /// <summary>A step that decodes evenly on all groups.</summary>
    /// <param name="sequences">Sequences per group.</param>
    /// <param name="context">Mean context in tokens.</param>
    /// <param name="groups">Attention groups of the replica.</param>
    public static StepShape Decode(double sequences, double context, int groups = 1) =>
        new(sequences, sequences * context, OtherGroupsSequences: sequences * (groups - 1));

    /// <summary>The shape of a step from its sequences.</summary>
    /// <param name="decodeContexts">Context of each decoding sequence in tokens.</param>
    /// <param name="chunks">Prompt chunks.</param>
    public static StepShape Of(ReadOnlySpan<int> decodeContexts, ReadOnlySpan<PrefillChunk> chunks)
    {
        double contexts = 0, tokens = 0, pairs = 0;
        foreach (var context in decodeContexts)
            contexts += context;
        foreach (var chunk in chunks)
        {
            tokens += chunk.Tokens;
            pairs += chunk.Tokens * (chunk.ContextTokens + (chunk.Tokens / 2.0));
        }

        return new StepShape(decodeContexts.Length, contexts, tokens, pairs, chunks.Length);
    }
}
