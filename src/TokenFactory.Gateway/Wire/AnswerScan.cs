using System.Text.Json;

namespace TokenFactory.Gateway.Wire;

/// <summary>Reads answers that are not streams.</summary>
public static class AnswerScan
{
    private const int MostCandidates = 4;
    private static readonly JsonReaderOptions Options = new() { MaxDepth = 256 };
    private static readonly JsonReaderState InsideObject = Opened();

    /// <summary>
    /// Usage of a whole JSON answer (chat, completions, embeddings, responses shapes); null where there is none or it cannot be (negative,
    /// over 1e12).
    /// </summary>
    /// <remarks>
    /// It usually stands near the end, so it is looked for from there. Within JSON the bytes "usage" in quotes, followed by a colon, are a
    /// name and never part of a string, unless the first quote is escaped. And it is a member of the outermost object where what follows closes
    /// one object and then ends.
    /// </remarks>
    /// <param name="json">The whole answer.</param>
    public static Usage? UsageOf(ReadOnlySpan<byte> json)
    {
        var before = json;
        for (var i = 0; i < MostCandidates; i++)
        {
            var at = before.LastIndexOf("\"usage\""u8);
            if (at < 0)
                return null;
            if ((at == 0 || json[at - 1] != '\\') && TryTail(json[at..], out var usage))
                return usage;
            before = json[..at];
        }

        return Forward(json);
    }

    /// <summary>Reads the rest of an object from one of its names on; false where it is not the rest of the outermost one.</summary>
    private static bool TryTail(ReadOnlySpan<byte> tail, out Usage? usage)
    {
        usage = null;
        try
        {
            var reader = new Utf8JsonReader(tail, isFinalBlock: true, InsideObject);
            reader.Read();
            if (reader.TokenType != JsonTokenType.PropertyName)
                return false;
            reader.Read();
            usage = UsageReader.Read(ref reader);
            while (reader.Read())
                reader.Skip();
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static Usage? Forward(ReadOnlySpan<byte> json)
    {
        Usage? usage = null;
        try
        {
            var reader = new Utf8JsonReader(json, Options);
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
                return null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var named = UsageReader.Is(ref reader, "usage"u8);
                reader.Read();
                if (named)
                    usage = UsageReader.Read(ref reader);
                else
                    reader.Skip();
            }

            return reader.Read() ? null : usage;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static JsonReaderState Opened()
    {
        var reader = new Utf8JsonReader("{"u8, isFinalBlock: false, new JsonReaderState(Options));
        reader.Read();
        return reader.CurrentState;
    }
}
