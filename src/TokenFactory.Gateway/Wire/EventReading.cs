using System.Text.Json;

namespace TokenFactory.Gateway.Wire;

/// <summary>What the data of one event say of usage, read at the outermost level only.</summary>
internal ref struct EventReading
{
    /// <summary>Usage that can be; null where there is none.</summary>
    public Usage? Usage;

    /// <summary>There are choices, and none in them.</summary>
    public bool NoChoices;

    /// <summary>Where the value of choices stands.</summary>
    public Place Choices;

    /// <summary>A usage member has an object, whatever it says.</summary>
    public bool HasObject;

    /// <summary>A usage member has something else than null.</summary>
    public bool HasValue;

    /// <summary>What "type" says, as it stands between its quotes.</summary>
    public ReadOnlySpan<byte> Type;

    /// <summary>Reads a chunk of a chat or completion; false where it is no JSON object, and then what was read counts nothing.</summary>
    /// <param name="json">The event's data.</param>
    /// <param name="cuts">Where each usage member stands, with the comma that goes with it.</param>
    public bool TryRead(ReadOnlySpan<byte> json, List<Place> cuts)
    {
        var reader = new JsonScanner(json);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return false;
        var (cutFrom, keptEnd) = (-1, -1);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (cutFrom >= 0)
                cuts.Add(new Place(cutFrom, reader.TokenStart));
            cutFrom = -1;
            var start = reader.TokenStart;
            var isUsage = reader.Is("usage"u8);
            if (isUsage)
                ReadUsage(ref reader);
            else
                Other(ref reader, json);
            if (!isUsage)
                keptEnd = reader.Consumed;
            else if (keptEnd < 0)
                cutFrom = start;   // nothing is kept before it: the comma after it goes
            else
                cuts.Add(new Place(keptEnd, keptEnd = reader.Consumed));
        }

        if (cutFrom >= 0)
            cuts.Add(new Place(cutFrom, reader.TokenStart));
        reader.Read();
        return !reader.Failed;
    }

    /// <summary>Reads an event of a response: its type, and the usage of the response; false where it is no JSON object.</summary>
    /// <param name="json">The event's data.</param>
    public bool TryReadResponse(ReadOnlySpan<byte> json)
    {
        var reader = new JsonScanner(json);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            return false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var (isType, isResponse) = (reader.Is("type"u8), reader.Is("response"u8));
            reader.Read();
            if (isType && reader.TokenType == JsonTokenType.String)
                Type = reader.Value;
            if (isResponse && reader.TokenType == JsonTokenType.StartObject)
                Response(ref reader);
            else
                reader.Skip();
        }

        reader.Read();
        return !reader.Failed;
    }

    private void Response(ref JsonScanner reader)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.Is("usage"u8))
                ReadUsage(ref reader);
            else
                reader.Skip();
        }
    }

    private void ReadUsage(ref JsonScanner reader)
    {
        reader.Read();
        HasObject |= reader.TokenType == JsonTokenType.StartObject;
        HasValue |= reader.TokenType != JsonTokenType.Null;
        Usage = UsageReader.Read(ref reader) ?? Usage;
    }

    private void Other(ref JsonScanner reader, ReadOnlySpan<byte> json)
    {
        var isChoices = reader.Is("choices"u8);
        reader.Read();
        var (start, isArray) = (reader.TokenStart, reader.TokenType == JsonTokenType.StartArray);
        reader.Skip();
        if (!isChoices || reader.Failed)
            return;
        Choices = new Place(start, reader.Consumed);
        NoChoices = isArray && json[(start + 1)..(Choices.End - 1)].Trim(" \t\r\n"u8).IsEmpty;
    }
}
