using System.Text.Json;

namespace TokenFactory.Gateway.Wire;

/// <summary>What the model is to read: messages, prompts, or lists of either.</summary>
internal ref partial struct BodyReader
{
    private static readonly byte[][] MediaTypes =
    [
        .. new[]
        {
            "image_url", "input_image", "image", "image_embeds", "image_pil", "input_audio", "audio_url", "audio", "audio_embeds",
            "video_url", "input_video", "video", "input_file", "file",
        }.Select(System.Text.Encoding.UTF8.GetBytes),
    ];

    private void Content(string field)
    {
        var start = _json.TokenStart;
        switch (_json.TokenType)
        {
            case JsonTokenType.StartArray when _endpoint is Endpoint.Chat or Endpoint.Responses:
                Items(field);
                break;
            case JsonTokenType.StartArray:
                Prompts(field);
                break;
            case JsonTokenType.String when _endpoint is not Endpoint.Chat:
                break;
            case JsonTokenType.Null:
                Mistake = BodyMistake.Missing(field, "give what the model is to read");
                break;
            default:
                Wrong(field, _endpoint == Endpoint.Chat ? "give an array of messages" : "give a string or an array");
                break;
        }

        _content = new Place(start, _json.Consumed);
    }

    /// <summary>Messages or items; looks for parts that are no text.</summary>
    private void Items(string field)
    {
        var (depth, items, typed) = (_json.Depth, 0, false);
        while (_json.Read() && _json.Depth > depth)
        {
            items++;
            switch (_json.TokenType)
            {
                case JsonTokenType.PropertyName:
                    typed = !_hasMedia && NamesType();
                    continue;
                case JsonTokenType.String when typed:
                    _hasMedia = IsMedia();
                    break;
            }

            typed = false;
        }

        if (items == 0)
            Mistake = BodyMistake.Wrong(field, "empty", "give at least one message");
    }

    /// <summary>The name is "type", or one that only parts with media have, which some engines take without a type.</summary>
    private bool NamesType()
    {
        var name = _json.Value;
        if (FieldNames.Means(name, "type"u8))
            return true;
        _hasMedia = (name.EndsWith("_url"u8) && (name.StartsWith("image"u8) || name.StartsWith("audio"u8) || name.StartsWith("video"u8)))
            || name.SequenceEqual("input_audio"u8);
        return false;
    }

    private readonly bool IsMedia()
    {
        foreach (var media in MediaTypes)
        {
            if (FieldNames.Means(_json.Value, media))
                return true;
        }

        return false;
    }

    /// <summary>Strings, or ids of tokens, or arrays of these.</summary>
    private void Prompts(string field)
    {
        var (prompts, ids, kind) = (0, 0, JsonTokenType.None);
        while (Mistake is null && _json.Read() && _json.TokenType != JsonTokenType.EndArray)
        {
            if (kind != JsonTokenType.None && kind != _json.TokenType)
                Wrong($"{field}[{prompts}]", "give prompts of one kind: strings, token ids, or arrays of token ids");
            kind = _json.TokenType;
            prompts++;
            if (kind == JsonTokenType.StartArray)
                ids += Ids(field);
            else if (kind == JsonTokenType.Number)
                ids += Id(field);
            else if (kind != JsonTokenType.String)
                Wrong(field, "give strings, token ids, or arrays of token ids");
        }

        if (prompts == 0)
            Mistake ??= BodyMistake.Wrong(field, "empty", "give at least one prompt");
        _prompts = _endpoint == Endpoint.Completions && kind != JsonTokenType.Number ? prompts : 1;
        _tokenIds = ids;
    }

    private int Ids(string field)
    {
        var ids = 0;
        while (Mistake is null && _json.Read() && _json.TokenType != JsonTokenType.EndArray)
            ids += Id(field);
        return ids;
    }

    private int Id(string field)
    {
        if (_json.TokenType != JsonTokenType.Number || !_json.TryGetWhole(out var id) || id is < 0 or > int.MaxValue)
            Wrong(field, "give ids of tokens as whole numbers from 0");
        return 1;
    }
}
