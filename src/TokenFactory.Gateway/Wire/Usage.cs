using System.Text.Json;

namespace TokenFactory.Gateway.Wire;

/// <summary>Tokens as an engine reports them.</summary>
/// <param name="Prompt">Tokens of the prompt.</param>
/// <param name="Cached">Those of them that a cache held.</param>
/// <param name="Output">Tokens of the answer.</param>
/// <param name="Reasoning">Those of them that were thought and not said.</param>
public readonly record struct Usage(long Prompt, long Cached, long Output, long Reasoning);

/// <summary>Reads a usage object, whichever endpoint's names it has.</summary>
internal static class UsageReader
{
    /// <summary>No count of one request is larger.</summary>
    public const long MostTokens = 1_000_000_000_000;

    private const long Absent = -1;
    private const long Impossible = -2;

    /// <summary>
    /// Reads the value that the reader stands on, to its end. Null where it is no object, tells of neither prompt nor answer, or cannot be
    /// (a count that is negative, over 1e12 or no whole number). Parts larger than their whole are cut to it; impossible parts are none.
    /// Engines escape nothing in names. It counts only where the reader has not failed in the end.
    /// </summary>
    public static Usage? Read(ref JsonScanner reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return null;
        }

        var (prompt, cached, output, reasoning) = (Absent, Absent, Absent, Absent);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.Is("prompt_tokens"u8) || reader.Is("input_tokens"u8))
                prompt = Count(ref reader);
            else if (reader.Is("completion_tokens"u8) || reader.Is("output_tokens"u8))
                output = Count(ref reader);
            else if (reader.Is("prompt_tokens_details"u8) || reader.Is("input_tokens_details"u8))
                cached = Part(ref reader, "cached_tokens"u8, cached);
            else if (reader.Is("completion_tokens_details"u8) || reader.Is("output_tokens_details"u8))
                reasoning = Math.Max(reasoning, Part(ref reader, "reasoning_tokens"u8, Absent));
            else if (reader.Is("reasoning_tokens"u8))
                reasoning = Math.Max(reasoning, Count(ref reader));
            else
                reader.Skip();
        }

        if (prompt == Impossible || output == Impossible || (prompt == Absent && output == Absent))
            return null;
        (prompt, output) = (Math.Max(0, prompt), Math.Max(0, output));
        return new Usage(prompt, Math.Clamp(cached, 0, prompt), output, Math.Clamp(reasoning, 0, output));
    }

    private static long Part(ref JsonScanner reader, ReadOnlySpan<byte> name, long before)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return before;
        }

        var part = before;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.Is(name))
                part = Count(ref reader);
            else
                reader.Skip();
        }

        return part;
    }

    private static long Count(ref JsonScanner reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Null)
            return Absent;
        if (reader.TokenType != JsonTokenType.Number)
        {
            reader.Skip();
            return Impossible;
        }

        if (reader.TryGetWhole(out var whole))
            return whole is >= 0 and <= MostTokens ? whole : Impossible;
        return reader.TryGetReal(out var real) && real is >= 0 and <= MostTokens && double.IsInteger(real) ? (long)real : Impossible;
    }
}
