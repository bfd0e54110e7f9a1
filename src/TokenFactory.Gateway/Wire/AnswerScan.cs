using System.Text.Json;

namespace TokenFactory.Gateway.Wire;

/// <summary>Reads answers that are not streams.</summary>
public static class AnswerScan
{
    private const int MostCandidates = 4;

    /// <summary>
    /// Usage of a whole JSON answer (chat, completions, embeddings, responses shapes); null where there is none or it cannot be (negative,
    /// over 1e12).
    /// </summary>
    /// <remarks>
    /// It usually stands near the end, so it is looked for from there. Within JSON the bytes "usage" in quotes, followed by a colon, are a
    /// name and never part of a string, unless the first quote is escaped. And it is a member of the outermost object where what follows
    /// closes one object and then ends.
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

    /// <summary>Whether it is one whole JSON object.</summary>
    /// <param name="json">The whole answer.</param>
    public static bool IsObject(ReadOnlySpan<byte> json)
    {
        var reader = new JsonScanner(json);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return false;
        while (reader.Read())
        {
            // to the end
        }

        return !reader.Failed;
    }

    /// <summary>Reads the rest of an object from one of its names on; false where it is not the rest of the outermost one.</summary>
    private static bool TryTail(ReadOnlySpan<byte> tail, out Usage? usage)
    {
        var reader = new JsonScanner(tail, insideObject: true);
        reader.Read();
        reader.Read();
        usage = UsageReader.Read(ref reader);
        while (reader.Read())
        {
            // to the end: only then it is known whose rest it was
        }

        return !reader.Failed;
    }

    private static Usage? Forward(ReadOnlySpan<byte> json)
    {
        Usage? usage = null;
        var reader = new JsonScanner(json);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
            return null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var named = reader.Is("usage"u8);
            reader.Read();
            if (named)
                usage = UsageReader.Read(ref reader);
            else
                reader.Skip();
        }

        reader.Read();
        return reader.Failed ? null : usage;
    }
}
