using System.Buffers;
using System.Text;
using TokenFactory.Workload;

namespace TokenFactory.Gateway.Virtual;

/// <summary>
/// What a made-up answer says, token by token, each as UTF-8. It follows from the prompt, the seed and the choice alone: the same request
/// gets the
/// same answer. Words in the order of English sentences, or a text that was asked for.
/// </summary>
internal sealed class AnswerText
{
    private readonly ulong _key;
    private readonly byte[]?[]? _fixed;

    private AnswerText(ulong key, byte[]?[]? given) => (_key, _fixed) = (key, given);

    /// <summary>Tokens of the whole answer, at least 1: what the engine will generate.</summary>
    public int Tokens { get; private init; }

    /// <summary>Whether it is complete with its last token, or cut there by the most that was allowed.</summary>
    public bool EndsByItself { get; private init; }

    /// <summary>Bytes of it that are shown: all, but for what a stop string took away.</summary>
    public long ShownBytes { get; private init; } = long.MaxValue;

    /// <summary>Whether no token needs escaping in JSON.</summary>
    public bool IsPlain => _fixed is null;

    /// <summary>An answer of made-up words.</summary>
    /// <param name="key">What it follows from.</param>
    /// <param name="length">Tokens after which it ends by itself.</param>
    /// <param name="most">Most tokens that it may have, at least 1.</param>
    /// <param name="stops">Texts before which it ends.</param>
    public static AnswerText Words(ulong key, int length, int most, IReadOnlyList<string> stops)
    {
        var tokens = Math.Max(1, Math.Min(length, most));
        var all = new AnswerText(key, null) { Tokens = tokens, EndsByItself = length <= most };
        return stops.Count > 0 ? all.StoppedAt(stops) : all;
    }

    /// <summary>An answer that says what it is told, in tokens of about four bytes.</summary>
    /// <param name="text">The text.</param>
    /// <param name="most">Most tokens that it may have, at least 1.</param>
    /// <param name="stops">Texts before which it ends.</param>
    public static AnswerText Given(string text, int most, IReadOnlyList<string> stops)
    {
        var tokens = new List<byte[]>();
        for (var at = 0; at < text.Length;)
        {
            var length = Math.Min(4, text.Length - at);
            if (at + length < text.Length && char.IsHighSurrogate(text[at + length - 1]))
                length++;
            tokens.Add(Encoding.UTF8.GetBytes(text.Substring(at, length)));
            at += length;
        }

        var count = Math.Max(1, Math.Min(tokens.Count, most));
        var all = new AnswerText(0, [.. tokens]) { Tokens = count, EndsByItself = tokens.Count <= most };
        return stops.Count > 0 ? all.StoppedAt(stops) : all;
    }

    /// <summary>A token's bytes.</summary>
    /// <param name="index">From 0.</param>
    public ReadOnlySpan<byte> this[int index] =>
        _fixed is null ? Vocabulary.Word(_key, index) : index < _fixed.Length ? _fixed[index] : default;

    /// <summary>How likely the model is said to have found a token, as a logarithm: near 0, and the same each time.</summary>
    public double Logprob(int index) => -0.5 * (Draws.Mix(_key ^ (ulong)(index * 2654435761L)) >> 44) / (1 << 20);

    /// <summary>Appends the bytes of some tokens, as far as they are shown.</summary>
    /// <param name="from">First token.</param>
    /// <param name="to">Token after the last.</param>
    /// <param name="offset">Bytes before the first; moved on.</param>
    /// <param name="text">Where they go.</param>
    public void Append(int from, int to, ref long offset, IBufferWriter<byte> text)
    {
        for (var i = from; i < to; i++)
        {
            var shown = Shown(i, ref offset);
            if (shown.Length > 0)
                text.Write(shown);
        }
    }

    /// <summary>What is shown of a token.</summary>
    /// <param name="index">The token.</param>
    /// <param name="offset">Bytes before it; moved on.</param>
    public ReadOnlySpan<byte> Shown(int index, ref long offset)
    {
        var token = this[index];
        var left = ShownBytes - offset;
        offset += token.Length;
        return left >= token.Length ? token : left > 0 ? token[..(int)left] : default;
    }

    /// <summary>The same, ended where the first stop string is complete and shown up to where it begins.</summary>
    private AnswerText StoppedAt(IReadOnlyList<string> stops)
    {
        var longest = 0;
        var sought = stops.Select(Encoding.UTF8.GetBytes).Where(stop => stop.Length > 0).ToArray();
        foreach (var stop in sought)
            longest = Math.Max(longest, stop.Length);
        var text = new ArrayBufferWriter<byte>();
        for (var i = 0; i < Tokens; i++)
        {
            var before = text.WrittenCount;
            text.Write(this[i]);
            var from = Math.Max(0, before - longest + 1);
            var first = int.MaxValue;
            foreach (var stop in sought)
            {
                if (text.WrittenSpan[from..].IndexOf(stop) is >= 0 and var at)
                    first = Math.Min(first, from + at);
            }

            if (first < int.MaxValue)
                return new AnswerText(_key, _fixed) { Tokens = i + 1, EndsByItself = true, ShownBytes = first };
        }

        return this;
    }
}
