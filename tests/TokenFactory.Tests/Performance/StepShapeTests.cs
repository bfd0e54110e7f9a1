using TokenFactory.Performance;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Tests.Performance;

/// <summary>The shape of a step is a sum over its sequences.</summary>
public sealed class StepShapeTests
{
    [Fact]
    public void A_shape_sums_its_sequences_and_chunks() => Cases.Check(300, dice =>
    {
        var contexts = dice.Many(0, 40, () => dice.Whole(0, 200_000));
        var chunks = dice.Many(0, 6, () => new PrefillChunk(dice.Whole(1, 8192), dice.Whole(0, 100_000)));
        var shape = StepShape.Of(contexts.ToArray(), chunks.ToArray());
        Assert.Equal(contexts.Count, shape.DecodeSequences);
        Assert.Equal(contexts.Sum(context => (double)context), shape.DecodeContextTokens);
        Assert.Equal(chunks.Count, shape.PrefillChunks);
        Assert.Equal(chunks.Sum(chunk => (double)chunk.Tokens), shape.PrefillTokens);
        Nearly.Equal(chunks.Sum(chunk => chunk.Tokens * (chunk.ContextTokens + (chunk.Tokens / 2.0))), shape.PrefillPairs);
        Assert.Equal(contexts.Count + shape.PrefillTokens, shape.Tokens);
        Assert.Equal(0, shape.OtherGroupsTokens);
    });

    [Fact]
    public void Means_of_nothing_are_nothing()
    {
        var nothing = StepShape.Of([], []);
        Assert.Equal(default, nothing);
        Assert.Equal(0, nothing.DecodeContext);
        Assert.Equal(0, nothing.PrefillContext);
    }

    [Fact]
    public void A_prompt_in_one_chunk_attends_to_half_of_itself_and_two_chunks_to_as_many_pairs()
    {
        var whole = StepShape.Of([], [new PrefillChunk(1000, 0)]);
        Assert.Equal(500, whole.PrefillContext);
        var (first, second) = (StepShape.Of([], [new PrefillChunk(400, 0)]), StepShape.Of([], [new PrefillChunk(600, 400)]));
        Nearly.Equal(whole.PrefillPairs, first.PrefillPairs + second.PrefillPairs);
    }
}
