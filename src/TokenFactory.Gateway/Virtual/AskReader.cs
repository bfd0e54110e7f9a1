using System.Text.Json;
using TokenFactory.Gateway.Wire;

namespace TokenFactory.Gateway.Virtual;

/// <summary>A request that is refused.</summary>
/// <param name="status">The HTTP status.</param>
/// <param name="message">What is wrong, and what to do.</param>
/// <param name="param">The field; null for the whole.</param>
/// <param name="code">OpenAI's code.</param>
internal sealed class AskRefused(int status, string message, string? param, string code) : Exception(message)
{
    public int Status => status;

    public string? Param => param;

    public string Code => code;
}

/// <summary>Reads requests in one pass over their bytes. Prompts are hashed and measured as they go by.</summary>
internal static class AskReader
{
    private const int MostStops = 16;
    private const int MostChoices = 128;
    public const int MostDepth = 128;

    /// <summary>Reads one.</summary>
    /// <exception cref="AskRefused">It is not JSON, or a field that is understood has a value that is not.</exception>
    public static VirtualAsk Read(ReadOnlySpan<byte> body, Endpoint endpoint)
    {
        try
        {
            var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = MostDepth });
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject)
                throw new AskRefused(400, "The body is not a JSON object. Send one.", null, "invalid_json");
            var ask = new VirtualAsk { Endpoint = endpoint };
            var parts = AskPrompts.For(ask, body);
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                Field(ref reader, ask, parts);
            if (reader.Read())
                throw new AskRefused(400, "Something follows the JSON object of the body. Send the object alone.", null, "invalid_json");
            parts.Close();
            if (ask.Prompts.Count == 0)
                throw Wrong(PromptField(endpoint), "is missing", "Give it", "missing_required_parameter");
            if (ask.Shape == AnswerShape.Tool && (ask.Tool ??= ask.FirstTool) is null)
                throw Wrong("tool_choice", "asks for a tool and 'tools' has none", "Give tools", "invalid_value");
            return ask;
        }
        catch (Exception bad) when (bad is JsonException or InvalidOperationException or FormatException)
        {
            throw new AskRefused(400, $"The body is not JSON as expected: {bad.Message}", null, "invalid_json");
        }
    }

    /// <summary>The field that holds the prompt.</summary>
    public static string PromptField(Endpoint endpoint) => endpoint switch
    {
        Endpoint.Chat => "messages",
        Endpoint.Completions => "prompt",
        _ => "input",
    };

    private static AskRefused Wrong(string field, string what, string remedy, string code = "invalid_value") =>
        new(400, $"'{field}' {what}. {remedy}.", field, code);

    private static void Field(ref Utf8JsonReader reader, VirtualAsk ask, AskPrompts prompts)
    {
        var name = reader.GetString()!;
        reader.Read();
        if (reader.TokenType == JsonTokenType.Null)
            return;
        switch (name)
        {
            case "model":
                ask.Model = reader.GetString();
                break;
            case "messages" or "prompt" or "input" when name == PromptField(ask.Endpoint):
                prompts.Read(ref reader);
                break;
            case "tool_choice":
                ToolChoice(ref reader, ask);
                break;
            case "response_format":
                Format(ref reader, ask);
                break;
            case "text" when reader.TokenType == JsonTokenType.StartObject:
                Inside(ref reader, ask, static (ref Utf8JsonReader r, string key, VirtualAsk a) =>
                {
                    if (key == "format" && r.TokenType == JsonTokenType.StartObject)
                        Format(ref r, a);
                });
                break;
            case "stream_options":
                Inside(ref reader, ask, static (ref Utf8JsonReader r, string key, VirtualAsk a) =>
                {
                    if (key == "include_usage")
                        a.IncludeUsage = r.GetBoolean();
                    else if (key == "continuous_usage_stats")
                        a.ContinuousUsage = r.GetBoolean();
                });
                break;
            case "stop":
                Stops(ref reader, ask);
                break;
            case "stream":
                ask.Stream = reader.GetBoolean();
                break;
            case "ignore_eos":
                ask.IgnoreEos = reader.GetBoolean();
                break;
            default:
                Number(ref reader, name, ask);
                break;
        }
    }

    private static void Number(ref Utf8JsonReader reader, string name, VirtualAsk ask)
    {
        switch (name)
        {
            case "max_tokens" or "max_completion_tokens" or "max_output_tokens":
                ask.MaxTokens = Whole(ref reader, name, 1, int.MaxValue);
                break;
            case "min_tokens":
                ask.MinTokens = Whole(ref reader, name, 0, int.MaxValue);
                break;
            case "n":
                ask.Choices = Whole(ref reader, name, 1, MostChoices);
                break;
            case "priority":
                ask.Priority = Whole(ref reader, name, int.MinValue, int.MaxValue);
                break;
            case "top_logprobs":
                ask.TopLogprobs = Whole(ref reader, name, 0, 20);
                break;
            case "dimensions":
                ask.Dimensions = Whole(ref reader, name, 1, 65_536);
                break;
            case "seed" when reader.TokenType == JsonTokenType.Number:
                ask.Seed = reader.TryGetInt64(out var seed) ? seed : throw Wrong(name, "is not a whole number of 64 bits", "Give one");
                break;
            case "logprobs" when reader.TokenType == JsonTokenType.Number:
                (ask.Logprobs, ask.TopLogprobs) = (true, Whole(ref reader, name, 0, 20));
                break;
            case "logprobs":
                ask.Logprobs = reader.GetBoolean();
                break;
            case "encoding_format":
                ask.Base64 = reader.ValueTextEquals("base64"u8);
                break;
            default:
                reader.Skip();
                break;
        }
    }

    private static int Whole(ref Utf8JsonReader reader, string name, int least, int most)
    {
        if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var number))
            throw Wrong(name, "is not a whole number", $"Give one from {least} to {most}");
        return number >= least && number <= most
            ? (int)number
            : throw Wrong(name, $"is {number}", $"Give a whole number from {least} to {most}");
    }

    private static void Stops(ref Utf8JsonReader reader, VirtualAsk ask)
    {
        if (reader.TokenType == JsonTokenType.String)
        {
            ask.Stops.Add(reader.GetString()!);
            return;
        }

        if (reader.TokenType != JsonTokenType.StartArray)
            throw Wrong("stop", "is neither a text nor a list of texts", "Give one of them");
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            ask.Stops.Add(reader.GetString()!);
        if (ask.Stops.Count > MostStops)
            throw Wrong("stop", $"has {ask.Stops.Count} texts", $"Give at most {MostStops}");
    }

    private static void ToolChoice(ref Utf8JsonReader reader, VirtualAsk ask)
    {
        if (reader.TokenType == JsonTokenType.String)
        {
            if (reader.ValueTextEquals("required"u8))
                ask.Shape = AnswerShape.Tool;
            return;
        }

        ask.Shape = AnswerShape.Tool;
        Inside(ref reader, ask, static (ref Utf8JsonReader r, string key, VirtualAsk a) =>
        {
            if (key == "name" && r.TokenType == JsonTokenType.String)
                a.Tool = r.GetString();
            else if (key == "function" && r.TokenType == JsonTokenType.StartObject)
                Inside(ref r, a,
                    static (ref Utf8JsonReader f, string inner, VirtualAsk to) => to.Tool = inner == "name" ? f.GetString() : to.Tool);
        });
    }

    private static void Format(ref Utf8JsonReader reader, VirtualAsk ask)
    {
        using var format = JsonDocument.ParseValue(ref reader);
        var root = format.RootElement;
        if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("type", out var type))
            throw Wrong("response_format", "has no type", "Write text, json_object or json_schema");
        if (ask.Shape == AnswerShape.Tool || type.ValueEquals("text"u8))
            return;
        ask.Shape = AnswerShape.Json;
        var inner = root.TryGetProperty("json_schema", out var named) ? named : root;
        if (inner.ValueKind == JsonValueKind.Object && inner.TryGetProperty("schema", out var schema))
            ask.Object = JsonExample.Of(schema);
    }

    private delegate void Inner(ref Utf8JsonReader reader, string key, VirtualAsk ask);

    /// <summary>Goes through the fields of an object, skipping what is not read.</summary>
    private static void Inside(ref Utf8JsonReader reader, VirtualAsk ask, Inner read)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw new JsonException("an object was expected");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            var depth = reader.CurrentDepth;
            var nested = reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray;
            read(ref reader, key, ask);
            if (nested && reader.CurrentDepth == depth && reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
                reader.Skip();
        }
    }
}
