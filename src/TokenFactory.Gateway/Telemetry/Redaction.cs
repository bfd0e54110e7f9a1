using System.Buffers;

namespace TokenFactory.Gateway.Telemetry;

/// <summary>
/// The last line of defence: what looks like a key leaves a log as "sk-***". The first is that no call hands a log a key or a prompt.
/// </summary>
internal static class Redaction
{
    private const string Mark = "sk-";
    private const string Bearer = "Bearer ";
    private const int LeastSecret = 8;

    private static readonly SearchValues<char> KeyLetters =
        SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_.~+/=");

    /// <summary>The text without keys, cut at a length.</summary>
    public static string Of(string text, int most)
    {
        if (text.Length > most)
            text = text[..most] + "...";
        text = Without(text, Bearer, "Bearer ***", StringComparison.OrdinalIgnoreCase);
        return Without(text, Mark, "sk-***", StringComparison.Ordinal);
    }

    private static string Without(string text, string begins, string instead, StringComparison how)
    {
        for (var at = text.IndexOf(begins, how); at >= 0; at = text.IndexOf(begins, at + 1, how))
        {
            var rest = text.AsSpan(at + begins.Length);
            var length = rest.IndexOfAnyExcept(KeyLetters) is >= 0 and var end ? end : rest.Length;
            var begun = at == 0 || !char.IsAsciiLetterOrDigit(text[at - 1]); // no "disk-pressure"
            if (begun && length >= LeastSecret)
                text = string.Concat(text.AsSpan(0, at), instead, rest[length..]);
        }

        return text;
    }
}
