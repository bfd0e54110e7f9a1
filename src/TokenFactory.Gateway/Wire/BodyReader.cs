using System.Text.Json;

namespace TokenFactory.Gateway.Wire;

/// <summary>Reads a request's body once, from its first byte to its last.</summary>
internal ref partial struct BodyReader
{
    private const int MostModelChars = 256;
    private const int MostChoices = 128;

    private readonly ReadOnlySpan<byte> _body;
    private readonly Endpoint _endpoint;
    private JsonScanner _json;
    private BodyPlaces _places;
    private uint _seen;
    private string? _model;
    private bool _stream;
    private bool _includesUsage;
    private bool _continuousUsage;
    private bool _hasMedia;
    private int _n = 1;
    private int _bestOf = 1;
    private int _prompts = 1;
    private int _tokenIds;
    private Place _content;
    private int _aheadBytes;
    private ulong _aheadHash;

    public BodyReader(ReadOnlySpan<byte> body, Endpoint endpoint)
    {
        _body = body;
        _endpoint = endpoint;
        _json = new JsonScanner(body);
    }

    /// <summary>The first mistake that was found.</summary>
    public BodyMistake? Mistake { get; private set; }

    /// <summary>Reads the whole body; null where there is a mistake.</summary>
    public RequestScan? Read()
    {
        if (!_json.Read())
        {
            Mistake = Broken();
            return null;
        }

        if (_json.TokenType != JsonTokenType.StartObject)
        {
            Mistake = BodyMistake.NotJson($"it is {Described()}, not an object");
            return null;
        }

        _places.Open = _json.Consumed;
        Members(FieldNames.Of(_endpoint));
        if (Mistake is null)
            _json.Read();   // to the end: nothing but white space may follow
        if (_json.Failed)
            Mistake = Broken();
        if (Mistake is not null)
            return null;
        if (_model is null)
            Mistake = BodyMistake.Missing("model", "name one of the models that /v1/models lists");
        else if (_content.IsEmpty)
            Mistake = BodyMistake.Missing(FieldNames.ContentOf(_endpoint), "give what the model is to read");
        return Mistake is null ? Scan(_model!) : null;
    }

    private readonly RequestScan Scan(string model) => new(_endpoint, _places)
    {
        Model = model,
        Stream = _stream,
        IncludesUsage = _includesUsage,
        ContinuousUsage = _continuousUsage,
        MaxTokens = Declared(),
        Choices = (int)Math.Min(int.MaxValue, (long)Math.Max(_n, _bestOf) * _prompts),
        Content = _content.Start.._content.End,
        AheadBytes = _aheadBytes,
        AheadHash = _aheadHash,
        HasMedia = _hasMedia,
        TokenIds = _tokenIds,
    };

    /// <summary>llama.cpp's name counts only beside another: alone, most engines would overlook it.</summary>
    private readonly int Declared()
    {
        var most = Math.Max(_places.MaxTokens.Value, Math.Max(_places.MaxCompletionTokens.Value, _places.MaxOutputTokens.Value));
        if (most == 0 || _places.Predict.Value < 0)
            return 0;
        return Math.Max(most, _places.Predict.Value);
    }

    /// <summary>Members of the object that the reader stands in, to its end or the first mistake.</summary>
    private void Members(FieldNames.Named[] fields)
    {
        while (Mistake is null && _json.Read() && _json.TokenType == JsonTokenType.PropertyName)
        {
            var field = FieldNames.Find(fields, _json.Value, out var misspelt);
            _json.Read();
            if (field is null)
                _json.Skip();
            else if (misspelt)
                Mistake = BodyMistake.Spelt(field.Name);
            else if (field.Field == BodyField.Peer)
                Peer(field.Name);
            else if ((_seen & (1u << (int)field.Field)) != 0)
                Mistake = BodyMistake.Twice(field.Name);
            else
                Member(field);
        }
    }

    private void Member(FieldNames.Named field)
    {
        _seen |= 1u << (int)field.Field;
        switch (field.Field)
        {
            case BodyField.Model:
                Model();
                break;
            case BodyField.Stream:
                _stream = Flag(field.Name, out _);
                break;
            case BodyField.StreamOptions:
                StreamOptions();
                break;
            case BodyField.IncludeUsage:
                _includesUsage = Flag(field.Name, out _places.IncludeUsage);
                break;
            case BodyField.ContinuousUsage:
                _continuousUsage = Flag(field.Name, out _places.ContinuousUsage);
                break;
            case BodyField.N:
                _n = Whole(field.Name, 1, MostChoices).Value is var n and > 0 ? n : 1;
                break;
            case BodyField.BestOf:
                _bestOf = Whole(field.Name, 1, MostChoices).Value is var best and > 0 ? best : 1;
                break;
            case BodyField.CacheSalt:
                CacheSalt();
                break;
            case BodyField.Content:
                Content(field.Name);
                break;
            case BodyField.Tools or BodyField.Functions or BodyField.Instructions:
                Ahead(field.Field);
                break;
            default:
                Limit(field);
                break;
        }
    }

    private void Limit(FieldNames.Named field)
    {
        var limit = Whole(field.Name, field.Field == BodyField.Predict ? int.MinValue : 1, int.MaxValue);
        switch (field.Field)
        {
            case BodyField.MaxTokens:
                _places.MaxTokens = limit;
                break;
            case BodyField.MaxCompletionTokens:
                _places.MaxCompletionTokens = limit;
                break;
            case BodyField.MaxOutputTokens:
                _places.MaxOutputTokens = limit;
                break;
            default:
                _places.Predict = limit;
                break;
        }
    }

    private void Model()
    {
        _places.Model = Here();
        if (_json.TokenType != JsonTokenType.String)
        {
            Wrong("model", "give the name of a model");
            return;
        }

        // Six bytes are the most that a character takes in JSON.
        if (_json.Value.Length > 6 * MostModelChars || !_json.TryGetText(out _model) || _model.Length is 0 or > MostModelChars)
            Mistake = BodyMistake.Wrong("model", "no name", $"give the name of a model in 1 to {MostModelChars} characters");
    }

    private void StreamOptions()
    {
        _places.StreamOptions = Here();
        if (_json.TokenType == JsonTokenType.StartObject)
            Members(FieldNames.OfStreamOptions);
        else if (_json.TokenType != JsonTokenType.Null)
            Wrong("stream_options", "give an object, or leave it out");
    }

    private void CacheSalt()
    {
        _places.CacheSalt = Here();
        if (_json.TokenType is not (JsonTokenType.String or JsonTokenType.Null))
            Wrong("cache_salt", "give a string, or leave it out");
    }

    private void Ahead(BodyField field)
    {
        if (_json.TokenType == JsonTokenType.Null)
            return;
        var start = _json.TokenStart;
        _json.Skip();
        var value = _body[start.._json.Consumed];
        _aheadBytes += value.Length;
        _aheadHash += PrefixHash.Hash(value, (ulong)field); // a sum: in which order they stand in the body does not matter
    }

    private void Peer(string field)
    {
        if (_json.TokenType != JsonTokenType.Null)
            Wrong(field, "which machines engines fetch from is not for requests to say; leave it out");
        _json.Skip();
    }

    private bool Flag(string field, out Place at)
    {
        at = Here();
        if (_json.TokenType is not (JsonTokenType.True or JsonTokenType.False or JsonTokenType.Null))
            Wrong(field, "give true or false");
        return _json.TokenType == JsonTokenType.True;
    }

    private TokenLimit Whole(string field, int least, int most)
    {
        if (_json.TokenType == JsonTokenType.Null)
            return new TokenLimit(Here(), 0);
        var value = 0L;
        if (_json.TokenType != JsonTokenType.Number || !_json.TryGetWhole(out value) || value < least || value > most)
            Wrong(field, $"give a whole number from {least} to {most}, or leave it out");
        return new TokenLimit(Here(), (int)value);
    }

    /// <summary>Where the reader's value stands; of objects and arrays only where they begin.</summary>
    private readonly Place Here() => new(_json.TokenStart, _json.Consumed);

    private readonly BodyMistake Broken()
    {
        var read = _body[.._json.Consumed];
        var (line, at) = (read.Count((byte)'\n') + 1, read.Length - read.LastIndexOf((byte)'\n'));
        return BodyMistake.NotJson($"wrong, or nested more than {JsonScanner.MostDepth} deep, at line {line}, byte {at}");
    }

    private void Wrong(string field, string remedy) => Mistake = BodyMistake.Wrong(field, Described(), remedy);

    private readonly string Described() => _json.TokenType switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.String => "a string",
        JsonTokenType.Number when _json.Value.Length <= 32 => System.Text.Encoding.UTF8.GetString(_json.Value),
        JsonTokenType.Number => "a number with too many digits",
        JsonTokenType.True => "true",
        JsonTokenType.False => "false",
        _ => "null",
    };
}
