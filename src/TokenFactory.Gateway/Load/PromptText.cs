using System.Buffers;
using System.Text;
using TokenFactory.Workload;

namespace TokenFactory.Gateway.Load;

/// <summary>
/// Text for prompts of so many tokens: words of three letters with the space before them, which the tokenisers in use know as one token
/// each.
/// Pieces of the same content are the same text, so that prompts share beginnings as their workload says.
/// </summary>
internal static class PromptText
{
    /// <summary>Bytes of a word.</summary>
    public const int WordBytes = 4;

    /// <summary>Tokens that a chat template puts around one message, about: the text is shorter by as many.</summary>
    public const int TemplateTokens = 8;

    private const int WordsPerDraw = 10;

    /// <summary>Sixty-four of them, so that six bits choose one.</summary>
    private static readonly byte[] Words = Encoding.ASCII.GetBytes(
        " the and for you not are but had his her was one our out day get has him how man new now old see two way who boy did its let put"
        + " say she too use all can any may few got big own end far set try ask men run car"
        + " air sea sun eye arm top box key law map oil bed");

    /// <summary>Appends the text of a prompt.</summary>
    /// <param name="request">Whose prompt.</param>
    /// <param name="seed">What belongs to this request alone follows from it.</param>
    /// <param name="template">Tokens that the server adds.</param>
    /// <param name="to">Where it goes.</param>
    public static void Append(Request request, ulong seed, int template, IBufferWriter<byte> to)
    {
        var left = Math.Max(1, request.PromptTokens - template);
        foreach (var piece in request.Prompt.Span)
        {
            var words = Math.Min(left, piece.Tokens);
            Append(piece.Content, words, to);
            left -= words;
            if (left == 0)
                return;
        }

        Append(Draws.Identity(seed, "prompt", request.Id), left, to);
    }

    private static void Append(ulong content, int words, IBufferWriter<byte> to)
    {
        var span = to.GetSpan(words * WordBytes);
        for (int i = 0, draw = 0; i < words; draw++)
        {
            var bits = Draws.Mix(content + (0x9E3779B97F4A7C15UL * (ulong)(draw + 1)));
            for (var end = Math.Min(words, i + WordsPerDraw); i < end; i++, bits >>= 6)
                Words.AsSpan((int)(bits & 63) * WordBytes, WordBytes).CopyTo(span[(i * WordBytes)..]);
        }

        to.Advance(words * WordBytes);
    }
}
