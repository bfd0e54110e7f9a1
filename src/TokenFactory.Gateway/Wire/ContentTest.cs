namespace TokenFactory.Gateway.Wire;

/// <summary>
/// Whether an event carries something generated, told by its bytes. A name with its closing quote and colon cannot stand inside a JSON
/// string, where the quote would be escaped; engines write no space before the colon.
/// </summary>
internal static class ContentTest
{
    /// <summary>Whether a chunk of a chat or completion carries text, reasoning or a tool call.</summary>
    /// <param name="json">The event's data.</param>
    /// <param name="endpoint">Chat or completions.</param>
    public static bool IsContent(ReadOnlySpan<byte> json, Endpoint endpoint)
    {
        if (endpoint == Endpoint.Completions)
            return HasValue(json, "\"text\":"u8);
        return HasValue(json, "content\":"u8)   // or reasoning_content
            || HasValue(json, "\"tool_calls\":"u8)
            || HasValue(json, "\"reasoning\":"u8)
            || HasValue(json, "\"refusal\":"u8)
            || HasValue(json, "\"function_call\":"u8);
    }

    /// <summary>Whether an event of a response carries text, reasoning or arguments of a call.</summary>
    /// <param name="name">The event's name; empty where it has none.</param>
    /// <param name="json">Its data.</param>
    public static bool IsDelta(ReadOnlySpan<byte> name, ReadOnlySpan<byte> json) =>
        name.IsEmpty ? json.IndexOf(".delta\","u8) >= 0 : name.EndsWith(".delta"u8);

    /// <summary>
    /// Whether a member is there whose value is a string, array or object that is not empty. (Log-probabilities have an array under
    /// "content", which is none.)
    /// </summary>
    private static bool HasValue(ReadOnlySpan<byte> json, ReadOnlySpan<byte> member)
    {
        var rest = json;
        for (var at = rest.IndexOf(member); at >= 0; at = rest.IndexOf(member))
        {
            rest = rest[(at + member.Length)..].TrimStart((byte)' ');
            if (rest.Length < 2)
                return false;
            if (rest[0] == '"' && rest[1] != '"')
                return true;
            var isList = rest[0] is (byte)'[' or (byte)'{' && member[0] == '"';
            if (isList && rest[1..].TrimStart((byte)' ') is [not ((byte)']' or (byte)'}'), ..])
                return true;
        }

        return false;
    }
}
