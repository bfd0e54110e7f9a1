using System.Text.Json;

namespace TokenFactory.Gateway.Wire;

/// <summary>Errors as engines write them, as a body or inside a stream.</summary>
internal static class EngineError
{
    private const int MostChars = 1000;
    private const string Untold = "the engine reported an error without a message";

    /// <summary>
    /// The message of {"error":{"message"}}, {"error":"..."}, {"object":"error","message"}, {"type":"error","message"} or a failed
    /// response; null where it is no error.
    /// </summary>
    /// <param name="json">A whole body, or an event's data.</param>
    /// <param name="known">It is known to be an error: then any message counts, and none is told as such.</param>
    public static string? MessageOf(ReadOnlySpan<byte> json, bool known = false) => Read(json, known) ?? (known ? Untold : null);

    private static string? Read(ReadOnlySpan<byte> json, bool isError)
    {
        var reader = new JsonScanner(json);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return null;
        var (message, error) = (default(string), default(string));
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.Is("error"u8))
                error = Error(ref reader) ?? error;
            else if (reader.Is("response"u8))
                error = OfResponse(ref reader) ?? error;
            else if (reader.Is("message"u8))
                message = Text(ref reader) ?? message;
            else if (reader.Is("object"u8) || reader.Is("type"u8))
                isError |= Text(ref reader) == "error";
            else
                reader.Skip();
        }

        reader.Read();
        if (reader.Failed)
            return null;
        return error ?? (isError ? message ?? Untold : null);
    }

    /// <summary>The value of "error": a message or an object with one; null where it is null.</summary>
    private static string? Error(ref JsonScanner reader)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
            return Said(ref reader);
        var message = Untold;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.Is("message"u8))
                message = Text(ref reader) ?? message;
            else
                reader.Skip();
        }

        return message;
    }

    private static string? OfResponse(ref JsonScanner reader)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return null;
        }

        string? error = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.Is("error"u8))
                error = Error(ref reader) ?? error;
            else
                reader.Skip();
        }

        return error;
    }

    private static string? Text(ref JsonScanner reader)
    {
        reader.Read();
        return Said(ref reader);
    }

    /// <summary>The string that the reader stands on; null for anything else, over which it goes.</summary>
    private static string? Said(ref JsonScanner reader)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            reader.Skip();
            return null;
        }

        if (!reader.TryGetText(out var text) || text.Length == 0)
            return Untold;
        return text[..Math.Min(MostChars, text.Length)];
    }
}
