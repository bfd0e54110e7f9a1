using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using TokenFactory.Gateway.Wire;

namespace TokenFactory.Gateway.Virtual;

/// <summary>The prompts of a request, as a chat template would spell them: tools, then each message with its role before it.</summary>
internal sealed class AskPrompts
{
    /// <summary>Bytes that an image or a recording counts as: 256 tokens.</summary>
    private const int MediaBytes = 1024;

    private const int StackBytes = 512;

    private readonly VirtualAsk _ask;
    private readonly List<byte[]> _before = [];
    private byte[] _salt = [];

    private AskPrompts(VirtualAsk ask) => _ask = ask;

    /// <summary>Finds what counts before the messages wherever it stands: salt, tools and instructions.</summary>
    /// <param name="ask">The request.</param>
    /// <param name="body">Its body.</param>
    public static AskPrompts For(VirtualAsk ask, ReadOnlySpan<byte> body)
    {
        var prompts = new AskPrompts(ask);
        if (body.IndexOf("\"cache_salt\""u8) < 0 && body.IndexOf("\"tools\""u8) < 0 && body.IndexOf("\"instructions\""u8) < 0)
            return prompts;
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = AskReader.MostDepth });
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.ValueSpan.Length > "instructions".Length ? "" : reader.GetString();
            reader.Read();
            if (name == "cache_salt" && reader.TokenType == JsonTokenType.String)
                prompts._salt = Encoding.UTF8.GetBytes(reader.GetString()!);
            else if (name == "instructions" && reader.TokenType == JsonTokenType.String && ask.Endpoint == Endpoint.Responses)
                prompts._before.Add([.. "<|system|>\n"u8, .. Encoding.UTF8.GetBytes(reader.GetString()!), .. "\n"u8]);
            else if (name == "tools" && reader.TokenType != JsonTokenType.Null)
                prompts.Tools(ref reader);
            else
                reader.Skip();
        }

        return prompts;
    }

    /// <summary>Reads messages, prompts or inputs.</summary>
    public void Read(ref Utf8JsonReader reader)
    {
        if (_ask.Prompts.Count > 0)
            throw Wrong("stands twice", "Give it once", "duplicate_parameter");
        if (_ask.Endpoint == Endpoint.Chat || (_ask.Endpoint == Endpoint.Responses && reader.TokenType == JsonTokenType.StartArray))
            Messages(ref reader);
        else
            Texts(ref reader);
    }

    /// <summary>All fields are read.</summary>
    public void Close()
    {
        foreach (var prompt in _ask.Prompts)
            prompt.Close();
    }

    private static string? NameOf(JsonElement tool)
    {
        if (tool.ValueKind != JsonValueKind.Object)
            return null;
        var holder = tool.TryGetProperty("function", out var function) && function.ValueKind == JsonValueKind.Object ? function : tool;
        return holder.TryGetProperty("name", out var name) && name.ValueKind == JsonValueKind.String ? name.GetString() : null;
    }

    private void Tools(ref Utf8JsonReader reader)
    {
        using var tools = JsonDocument.ParseValue(ref reader);
        if (tools.RootElement.ValueKind != JsonValueKind.Array)
            throw new AskRefused(400, "'tools' is not a list. Give a list of tools.", "tools", "invalid_value");
        foreach (var tool in tools.RootElement.EnumerateArray())
        {
            _ask.FirstTool ??= NameOf(tool);
            _before.Add(JsonMarshal.GetRawUtf8Value(tool).ToArray());
        }
    }

    private PromptBytes Open()
    {
        var prompt = new PromptBytes(_salt);
        foreach (var piece in _before)
            prompt.Add(piece);
        _ask.Prompts.Add(prompt);
        return prompt;
    }

    /// <summary>Messages: a list of objects, whose texts count, and whatever else says something.</summary>
    private void Messages(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            throw Wrong("is not a list", "Give a list of messages");
        var prompt = Open();
        var count = 0;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.StartObject)
                throw Wrong("holds something that is no message", "Give objects with role and content");
            prompt.Add("<|message|>"u8);
            Message(ref reader, prompt);
            prompt.Add("\n"u8);
            count++;
        }

        if (count == 0)
            throw Wrong("is empty", "Give one message or more");
        prompt.Add("<|assistant|>\n"u8);
    }

    private static void Message(ref Utf8JsonReader reader, PromptBytes prompt)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var media = reader.ValueTextEquals("image_url"u8) || reader.ValueTextEquals("input_audio"u8)
                || reader.ValueTextEquals("file"u8);
            var kind = reader.ValueTextEquals("type"u8);
            reader.Read();
            Value(ref reader, prompt, media, kind);
        }
    }

    private static void Value(ref Utf8JsonReader reader, PromptBytes prompt, bool media, bool silent)
    {
        if (media)
        {
            using var what = JsonDocument.ParseValue(ref reader);
            var stands = new ulong[MediaBytes / sizeof(ulong)];
            Array.Fill(stands, new PromptBytes(JsonMarshal.GetRawUtf8Value(what.RootElement)).Key);
            prompt.Add(MemoryMarshal.AsBytes(stands.AsSpan()));
            return;
        }

        switch (reader.TokenType)
        {
            case JsonTokenType.String when !silent:
                Text(ref reader, prompt);
                break;
            case JsonTokenType.StartObject:
                Message(ref reader, prompt);
                break;
            case JsonTokenType.StartArray:
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                    Value(ref reader, prompt, false, false);
                break;
            default:
                break; // numbers and truths say little
        }
    }

    /// <summary>Prompts or inputs: a text, texts, token numbers or lists of them.</summary>
    private void Texts(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.String)
        {
            Text(ref reader, Open());
            return;
        }

        if (reader.TokenType != JsonTokenType.StartArray)
            throw Wrong("is neither a text nor a list", "Give texts, or lists of token numbers");
        PromptBytes? numbers = null;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.String:
                    Text(ref reader, Open());
                    break;
                case JsonTokenType.Number:
                    (numbers ??= Open()).AddToken(reader.GetInt32());
                    break;
                case JsonTokenType.StartArray:
                    var prompt = Open();
                    while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                        prompt.AddToken(reader.GetInt32());
                    break;
                default:
                    throw Wrong("holds something that is neither text nor tokens", "Give texts, or lists of token numbers");
            }
        }

        if (_ask.Prompts.Count == 0)
            throw Wrong("is empty", "Give one or more");
    }

    private static void Text(ref Utf8JsonReader reader, PromptBytes prompt)
    {
        if (!reader.ValueIsEscaped)
        {
            prompt.Add(reader.ValueSpan);
            return;
        }

        var length = reader.ValueSpan.Length;
        var rented = length > StackBytes ? ArrayPool<byte>.Shared.Rent(length) : null;
        var text = rented ?? stackalloc byte[StackBytes];
        prompt.Add(text[..reader.CopyString(text)]);
        if (rented is not null)
            ArrayPool<byte>.Shared.Return(rented);
    }

    private AskRefused Wrong(string what, string remedy, string code = "invalid_value")
    {
        var field = AskReader.PromptField(_ask.Endpoint);
        return new AskRefused(400, $"'{field}' {what}. {remedy}.", field, code);
    }
}
