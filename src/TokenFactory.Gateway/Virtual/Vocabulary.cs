using System.Text;
using TokenFactory.Workload;

namespace TokenFactory.Gateway.Virtual;

/// <summary>Words of made-up answers: sentences of eleven words and a full stop, each token a word with the space before it.</summary>
internal static class Vocabulary
{
    private static readonly byte[][] Articles = Words("The A This That Each Some Every One Another Our Their Your");
    private static readonly byte[][] Adjectives = Words(
        "quiet bright careful early small steady old warm clear narrow open patient gentle broad simple honest distant busy plain curious "
        + "heavy silver rapid common modern calm green hidden long useful");

    private static readonly byte[][] Nouns = Words(
        "engine garden river letter factory teacher harbour window market machine village sailor question answer bridge forest number "
        + "reader station planet lantern painter kitchen signal journey pattern captain library island winter reason summer token "
        + "doctor morning evening street picture worker");

    private static readonly byte[][] Verbs = Words(
        "carries finds keeps follows builds watches remembers opens repairs counts describes changes leaves crosses answers gathers "
        + "explains moves measures brings");

    private static readonly byte[][] Links = Words("through beside beyond under towards around within behind across near after before");

    private static readonly byte[][] Adverbs = Words("slowly again today together often well gladly soon quickly twice there still");

    private static readonly byte[][] Stop = ["."u8.ToArray()];

    private static readonly byte[][] Determiners = Words("the a this that each some every one another our their your");

    /// <summary>The words of each place in a sentence.</summary>
    private static readonly byte[][][] Sentence =
        [Articles, Adjectives, Nouns, Verbs, Determiners, Nouns, Links, Determiners, Adjectives, Nouns, Adverbs, Stop];

    /// <summary>The token at a place.</summary>
    /// <param name="key">What the text follows from.</param>
    /// <param name="index">The place.</param>
    public static ReadOnlySpan<byte> Word(ulong key, int index)
    {
        var words = Sentence[index % Sentence.Length];
        var drawn = Draws.Mix(key + (0x9E3779B97F4A7C15UL * (ulong)(index + 1)));
        var word = words[(int)((drawn >> 32) * (ulong)words.Length >> 32)];
        return index == 0 ? word.AsSpan(1) : word;
    }

    private static byte[][] Words(string words) => [.. words.Split(' ').Select(word => Encoding.UTF8.GetBytes(" " + word))];
}
