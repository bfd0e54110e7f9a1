using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace TokenFactory.Gateway.Tests.Virtual;

/// <summary>What a virtual engine answers, field by field.</summary>
public sealed class AnswerTests
{
    [Fact]
    public async Task A_stream_says_what_the_whole_answer_says_token_by_token_and_ends_with_its_usage()
    {
        await using var engine = await Engines.StartAsync();
        using var http = new HttpClient { BaseAddress = engine.Address };
        var ask = Chat("Tell me of the harbour.");
        ask["max_tokens"] = 30;
        ask["ignore_eos"] = true;
        var whole = await Ask(http, ask);
        ask["stream"] = true;
        ask["stream_options"] = new JsonObject { ["include_usage"] = true };
        var events = await Events(http, ask);

        var choices = events.Where(one => one["choices"]!.AsArray().Count > 0).Select(one => one["choices"]![0]!).ToList();
        Assert.Equal("assistant", (string?)choices[0]["delta"]!["role"]);
        Assert.Equal(30, choices.Count(choice => ((string?)choice["delta"]!["content"])?.Length > 0));
        Assert.Equal(
            (string?)whole["choices"]![0]!["message"]!["content"], string.Concat(choices.Select(choice => (string?)choice["delta"]!["content"])));
        Assert.Equal("length", (string?)choices[^1]["finish_reason"]);
        Assert.Equal("length", (string?)whole["choices"]![0]!["finish_reason"]);
        Assert.Equal(whole["usage"]!.ToJsonString(), events[^1]["usage"]!.ToJsonString());
        Assert.Equal(30, (int)whole["usage"]!["completion_tokens"]!);
    }

    internal static JsonObject Chat(string content) => new()
    {
        ["model"] = Engines.Model,
        ["messages"] = new JsonArray(new JsonObject { ["role"] = "user", ["content"] = content }),
    };

    internal static async Task<JsonNode> Ask(HttpClient http, JsonNode ask, string path = "/v1/chat/completions")
    {
        using var answer = await http.PostAsJsonAsync(path, ask, TestContext.Current.CancellationToken);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
    }

    /// <summary>The events of a stream, without its last word, which must be there.</summary>
    internal static async Task<IReadOnlyList<JsonNode>> Events(HttpClient http, JsonNode ask, string path = "/v1/chat/completions")
    {
        using var answer = await http.PostAsJsonAsync(path, ask, TestContext.Current.CancellationToken);
        var lines = (await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).Split("\n\n");
        Assert.Equal(("data: [DONE]", ""), (lines[^2], lines[^1]));
        return [.. lines[..^2].Select(line => JsonNode.Parse(line["data: ".Length..])!)];
    }
}
