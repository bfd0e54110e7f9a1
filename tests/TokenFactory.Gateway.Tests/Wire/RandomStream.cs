using System.Text;
using TokenFactory.Gateway.Wire;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Gateway.Tests.Wire;

/// <summary>A random stream of events, as engines write them and as they should not.</summary>
internal sealed class RandomStream
{
    private readonly RandomJson _json;
    private readonly Dice _dice;
    private readonly Endpoint _endpoint;
    private readonly StringBuilder _stream = new();
    private readonly string? _lineEnd;

    private RandomStream(Dice dice, Endpoint endpoint)
    {
        (_dice, _json, _endpoint) = (dice, new RandomJson(dice), endpoint);
        _lineEnd = _json.Of("\n", "\n", "\r\n", "\r", null);
    }

    public static byte[] Draw(Dice dice, Endpoint endpoint)
    {
        var stream = new RandomStream(dice, endpoint);
        if (dice.Chance(0.05))
            stream._stream.Append('\uFEFF');
        foreach (var kind in dice.Many(0, 10, () => dice.Whole(0, 12)))
            stream.Event(kind);
        if (dice.Chance(0.7))
            stream.Data("[DONE]" + (dice.Chance(0.1) ? " " : ""));
        if (dice.Chance(0.1))
            stream.Event(dice.Whole(0, 12));
        var bytes = Encoding.UTF8.GetBytes(stream._stream.ToString());
        return dice.Chance(0.3) ? bytes[..dice.Whole(0, bytes.Length)] : bytes;
    }

    private void Event(int kind)
    {
        if (_dice.Chance(0.1))
            Line(_json.Of(": keep-alive", "id: 7", "retry: 10", "datum: 1", "data", ":"));
        switch (kind)
        {
            case 0:
                Line(": ping");
                Line("");
                break;
            case 1:
                Data(_json.Of(
                    "not json", "{\"usage\":", "{\"usage\":1}}", "[\"usage\"]", "\"usage\"", "{\"usage\" : \"x\"}", "[DONE",
                    "", "[DONE] x"));
                break;
            case 2 when _dice.Chance(0.3):
                Failure();
                break;
            case 3 or 4 when _endpoint != Endpoint.Responses:
                Data(_json.Object(_dice.Shuffled([("id", "\"c\""), ("choices", _json.Array([])), ("usage", Usage())])));
                break;
            default:
                if (_endpoint == Endpoint.Responses)
                    Response();
                else
                    Chunk();
                break;
        }
    }

    private void Failure()
    {
        var message = $"{{\"message\":\"m{_json.Text()}\",\"code\":1}}";
        switch (_dice.Whole(0, 3))
        {
            case 0:
                Data($"{{\"error\":{message}}}");
                break;
            case 1:
                Data("{\"object\":\"error\",\"message\":\"out\"}");
                break;
            case 2:
                Line($"error: {message}");
                Line("");
                break;
            default:
                Line("event: error");
                Data(message);
                break;
        }
    }

    private void Chunk()
    {
        var members = new List<(string Name, string Value)>
        {
            ("id", _json.Quoted()),
            ("choices", $"[{string.Join(',', _dice.Many(1, 2, Choice))}]"),
        };
        if (_dice.Chance(0.6))
            members.Add(("usage", Usage()));
        if (_dice.Chance(0.05))
            members.Add(("usage", Usage()));
        if (_dice.Chance(0.3))
            members.Add(("x", _json.Value()));
        if (_dice.Chance(0.05))
            members.RemoveAll(member => member.Name != "usage");
        if (_dice.Chance(0.05))
            members.Add(("error", "null"));
        Data(_json.Object(_dice.Shuffled(members)));
    }

    private string Choice()
    {
        var space = _json.Of("", " ");
        var content = _json.Quoted(3);
        if (_endpoint == Endpoint.Completions)
            return $"{{\"index\":0,\"text\":{space}{content},\"logprobs\":null}}";
        var delta = _json.Of(
            $"{{\"role\":\"assistant\",\"content\":{space}\"\"}}",
            $"{{\"content\":{space}{content}}}",
            $"{{\"content\":{space}null,\"reasoning_content\":{space}{content}}}",
            $"{{\"tool_calls\":{space}[{{\"index\":0}}]}}",
            $"{{\"tool_calls\":{space}[]}}",
            "{}");
        return $"{{\"delta\":{space}{delta},\"logprobs\":{_json.Of("null", "{\"content\":[{\"token\":\"a\"}]}")}}}";
    }

    private string Usage()
    {
        string Likely() => $"{_dice.Whole(0, 9999)}";
        string Count() => _json.Of("0", Likely(), Likely(), "null", "-5", "1e999", "1000000000001", "2.5", "7.0", "\"9\"", "[1]");
        string Mostly() => _dice.Chance(0.8) ? Likely() : Count();
        if (_dice.Chance(0.2))
            return _json.Of("null", "[]", "7", "\"x\"", "{}", "{\"usage\":{}}");
        var (prompt, output) = _endpoint == Endpoint.Responses ? ("input_tokens", "output_tokens") : ("prompt_tokens", "completion_tokens");
        var members = new List<(string Name, string Value)> { (prompt, Mostly()), (output, Mostly()), ("total_tokens", Count()) };
        if (_dice.Chance(0.4))
            members.Add(($"{prompt}_details", _json.Of("null", _json.Object([("cached_tokens", Count())]))));
        if (_dice.Chance(0.4))
            members.Add(($"{output}_details", _json.Of("{}", _json.Object([("x", "1"), ("reasoning_tokens", Count())]))));
        if (_dice.Chance(0.1))
            members.Add(("reasoning_tokens", Count()));
        return _json.Object(_dice.Shuffled(members));
    }

    private void Response()
    {
        var type = "response." + _json.Of(
            "created", "output_text.delta", "output_text.done", "in_progress", "completed", "failed", "incomplete");
        var error = type.EndsWith("failed", StringComparison.Ordinal) ? _json.Of("null", "{\"message\":\"broke\"}") : "null";
        var data = $"{{\"type\":\"{type}\",\"response\":{_json.Object([("error", error), ("usage", Usage())])}}}";
        if (_dice.Chance(0.7))
            Line($"event: {type}");
        Data(data);
    }

    /// <summary>An event; breaks between lines of its data become lines.</summary>
    private void Data(string data)
    {
        foreach (var line in data.ReplaceLineEndings("\n").Split('\n'))
            Line((_dice.Chance(0.9) ? "data: " : "data:") + line);
        Line("");
    }

    private void Line(string text) => _stream.Append(text).Append(_lineEnd ?? _json.Of("\n", "\r\n", "\r"));
}
