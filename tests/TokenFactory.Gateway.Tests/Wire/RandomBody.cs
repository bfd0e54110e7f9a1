using TokenFactory.Gateway.Wire;
using TokenFactory.Tests.Laws;

namespace TokenFactory.Gateway.Tests.Wire;

/// <summary>A random request that is in order.</summary>
internal static class RandomBody
{
    public static string Draw(Dice dice, Endpoint endpoint, string? model = null)
    {
        var json = new RandomJson(dice);
        var members = new List<(string Name, string Value)>
        {
            (json.Escaped("model"), model is null ? $"\"m{json.Text()}\"" : $"\"{model}\""),
            (json.Escaped(ContentName(endpoint)), Content(json, endpoint)),
        };
        void Maybe(string name, Func<string> value)
        {
            if (dice.Chance(0.4))
                members.Add((json.Escaped(name), value()));
        }

        string Number() => json.Of($"{dice.Whole(1, 5000)}", "null");
        string Flag() => json.Of("true", "false", "null");
        Maybe("stream", Flag);
        Maybe("stream_options", () => json.Of("null", json.Object(Options(json, Flag))));
        Maybe("max_tokens", Number);
        Maybe("max_completion_tokens", Number);
        Maybe("max_output_tokens", Number);
        Maybe("n", () => $"{dice.Whole(1, 4)}");
        Maybe("cache_salt", () => json.Of("null", json.Quoted()));
        Maybe("n_predict", () => json.Of("-1", "7", "9000"));
        members.AddRange(dice.Many(0, 4, () => json.Value()).Select((value, i) => ($"x{i}{json.Text(4)}", value)));
        return json.Space() + json.Object(dice.Shuffled(members)) + json.Space();
    }

    public static string ContentName(Endpoint endpoint) => endpoint switch
    {
        Endpoint.Chat => "messages",
        Endpoint.Completions => "prompt",
        _ => "input",
    };

    private static IEnumerable<(string Name, string Value)> Options(RandomJson json, Func<string> flag)
    {
        if (json.Dice.Chance(0.5))
            yield return (json.Escaped("include_usage"), flag());
        if (json.Dice.Chance(0.3))
            yield return ("other", json.Value());
        if (json.Dice.Chance(0.5))
            yield return (json.Escaped("continuous_usage_stats"), flag());
    }

    private static string Content(RandomJson json, Endpoint endpoint)
    {
        if (endpoint is Endpoint.Chat or Endpoint.Responses)
        {
            return json.Array(json.Dice.Many(1, 3, () => json.Object(
                [("role", "\"user\""), (json.Escaped("type"), json.Of("\"message\"", "\"input_file\"", "7")), ("content", json.Value())])));
        }

        return json.Dice.Whole(0, 3) switch
        {
            0 => json.Quoted(20),
            1 => json.Array(json.Dice.Many(1, 4, () => json.Quoted())),
            2 => json.Array(json.Dice.Many(1, 4, () => $"{json.Dice.Whole(0, 100_000)}")),
            _ => json.Array(json.Dice.Many(1, 4, () => json.Array(json.Dice.Many(0, 4, () => $"{json.Dice.Whole(0, 100_000)}")))),
        };
    }
}
