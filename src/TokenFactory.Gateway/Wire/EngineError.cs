using System.Text.Json;

namespace TokenFactory.Gateway.Wire;

/// <summary>Errors as engines write them, as a body or inside a stream.</summary>
internal static class EngineError
{
    private const int MostChars = 1000;
    private const string Untold = "the engine reported an error without a message";

    private static readonly JsonReaderOptions Options = new() { MaxDepth = 256 };

    /// <summary>
    /// The message of {"error":{"message"}}, {"error":"..."}, {"object":"error","message"}, {"type":"error","message"} or a failed response;
    /// null where it is no error.
    /// </summary>
    /// <param name="json">A whole body, or an event's data.</param>
    /// <param name="known">It is known to be an error: then any message counts, and none is told as such.</param>
    public static string? MessageOf(ReadOnlySpan<byte> json, bool known = false) => Read(json, known) ?? (known ? Untold : null);

    private static string? Read(ReadOnlySpan<byte> json, bool isError)
    {
        try
        {
            var reader = new Utf8JsonReader(json, Options);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                return null;
            var (message, error) = (default(string), default(string));
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (UsageReader.Is(ref reader, "error"u8))
                    error = Error(ref reader) ?? error;
                else if (UsageReader.Is(ref reader, "response"u8))
                    error = OfResponse(ref reader) ?? error;
                else if (UsageReader.Is(ref reader, "message"u8))
                    message = Text(ref reader) ?? message;
                else if (UsageReader.Is(ref reader, "object"u8) || UsageReader.Is(ref reader, "type"u8))
                    isError |= Text(ref reader) == "error";
                else
                    UsageReader.Pass(ref reader);
            }

            return reader.Read() ? null : error ?? (isError ? message ?? Untold : null);
        }
        catch (JsonException)
        {
            return null;   // what is not JSON is no error that says so
        }
    }

    /// <summary>The value of "error": a message or an object with one; null where it is null.</summary>
    private static string? Error(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.String)
            return Said(ref reader);
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return null;
        }

        var message = Untold;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (UsageReader.Is(ref reader, "message"u8))
                message = Text(ref reader) ?? message;
            else
                UsageReader.Pass(ref reader);
        }

        return message;
    }

    private static string? OfResponse(ref Utf8JsonReader reader)
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
            if (UsageReader.Is(ref reader, "error"u8))
                error = Error(ref reader) ?? error;
            else
                UsageReader.Pass(ref reader);
        }

        return error;
    }

    private static string? Text(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.String)
            return Said(ref reader);
        reader.Skip();
        return null;
    }

    private static string Said(ref Utf8JsonReader reader)
    {
        try
        {
            var text = reader.GetString()!;
            return text.Length == 0 ? Untold : text[..Math.Min(MostChars, text.Length)];
        }
        catch (InvalidOperationException)
        {
            return Untold;   // no valid text: half a surrogate pair, or bytes that are not UTF-8
        }
    }
}
