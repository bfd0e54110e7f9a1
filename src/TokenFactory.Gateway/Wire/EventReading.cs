using System.Text.Json;

namespace TokenFactory.Gateway.Wire;

/// <summary>What the data of one event say of usage, read at the outermost level only.</summary>
internal ref struct EventReading
{
    private static readonly JsonReaderOptions Options = new() { MaxDepth = 256 };

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

    /// <summary>Reads a chunk of a chat or completion; false where it is no JSON object.</summary>
    /// <param name="json">The event's data.</param>
    /// <param name="cuts">Where each usage member stands, with the comma that goes with it.</param>
    public bool TryRead(ReadOnlySpan<byte> json, List<Place> cuts)
    {
        try
        {
            var reader = new Utf8JsonReader(json, Options);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                return false;
            var (cutFrom, keptEnd) = (-1, -1);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var start = (int)reader.TokenStartIndex;
                if (cutFrom >= 0)
                    cuts.Add(new Place(cutFrom, start));
                cutFrom = -1;
                var named = UsageReader.Is(ref reader, "usage"u8);
                Member(ref reader, json, named);
                if (!named)
                    keptEnd = (int)reader.BytesConsumed;
                else if (keptEnd < 0)
                    cutFrom = start;   // nothing is kept before it: the comma after it goes
                else
                    cuts.Add(new Place(keptEnd, keptEnd = (int)reader.BytesConsumed));
            }

            if (cutFrom >= 0)
                cuts.Add(new Place(cutFrom, (int)reader.TokenStartIndex));
            return !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Reads an event of a response: its type, and the usage of the response; false where it is no JSON object.</summary>
    /// <param name="json">The event's data.</param>
    public bool TryReadResponse(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json, Options);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                return false;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var (isType, isResponse) = (UsageReader.Is(ref reader, "type"u8), UsageReader.Is(ref reader, "response"u8));
                reader.Read();
                if (isType && reader.TokenType == JsonTokenType.String)
                    Type = reader.ValueSpan;
                if (isResponse && reader.TokenType == JsonTokenType.StartObject)
                    Response(ref reader);
                else
                    reader.Skip();
            }

            return !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private void Response(ref Utf8JsonReader reader)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (!UsageReader.Is(ref reader, "usage"u8))
            {
                UsageReader.Pass(ref reader);
                continue;
            }

            reader.Read();
            Usage = UsageReader.Read(ref reader) ?? Usage;
        }
    }

    private void Member(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, bool isUsage)
    {
        var isChoices = UsageReader.Is(ref reader, "choices"u8);
        reader.Read();
        if (isUsage)
        {
            HasObject |= reader.TokenType == JsonTokenType.StartObject;
            HasValue |= reader.TokenType != JsonTokenType.Null;
            Usage = UsageReader.Read(ref reader) ?? Usage;
            return;
        }

        var (start, isArray) = ((int)reader.TokenStartIndex, reader.TokenType == JsonTokenType.StartArray);
        reader.Skip();
        if (!isChoices)
            return;
        Choices = new Place(start, (int)reader.BytesConsumed);
        NoChoices = isArray && json[(start + 1)..(Choices.End - 1)].Trim(" \t\r\n"u8).IsEmpty;
    }
}
