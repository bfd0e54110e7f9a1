using System.Net.Http.Json;
using System.Text.Json.Nodes;
using TokenFactory.Gateway.Virtual;

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
            (string?)whole["choices"]![0]!["message"]!["content"],
            string.Concat(choices.Select(choice => (string?)choice["delta"]!["content"])));
        Assert.Equal("length", (string?)choices[^1]["finish_reason"]);
        Assert.Equal("length", (string?)whole["choices"]![0]!["finish_reason"]);
        Assert.Equal(whole["usage"]!.ToJsonString(), events[^1]["usage"]!.ToJsonString());
        Assert.Equal(30, (int)whole["usage"]!["completion_tokens"]!);
    }

    [Fact]
    public async Task Choices_differ_and_share_the_prompt_and_answers_end_before_a_stop_string()
    {
        await using var engine = await Engines.StartAsync();
        using var http = new HttpClient { BaseAddress = engine.Address };
        var ask = Chat("Tell me of the market.");
        (ask["n"], ask["max_tokens"], ask["ignore_eos"]) = (3, 40, true);
        var three = await Ask(http, ask);
        var texts = three["choices"]!.AsArray().Select(choice => (string)choice!["message"]!["content"]!).ToList();
        Assert.Equal(3, texts.Distinct().Count());
        Assert.Equal(120, (int)three["usage"]!["completion_tokens"]!);

        var word = texts[0].Split(' ')[7];
        ask["stop"] = new JsonArray(" " + word, "never said");
        ask["n"] = 1;
        var stopped = await Ask(http, ask);
        var text = (string)stopped["choices"]![0]!["message"]!["content"]!;
        Assert.Equal(texts[0][..texts[0].IndexOf(" " + word, StringComparison.Ordinal)], text);
        Assert.Equal("stop", (string?)stopped["choices"]![0]!["finish_reason"]);
        ask["stream"] = true;
        var streamed = await Events(http, ask);
        Assert.Equal(text, string.Concat(streamed.Select(one => (string?)one["choices"]![0]!["delta"]!["content"])));
    }

    [Fact]
    public async Task A_prompt_that_begins_as_another_did_is_cached_unless_its_salt_differs()
    {
        await using var engine = await Engines.StartAsync();
        using var http = new HttpClient { BaseAddress = engine.Address };
        var story = string.Concat(Enumerable.Range(0, 400).Select(i => $"line {i}, "));
        async Task<int> Cached(string content, string? salt)
        {
            var ask = Chat(content);
            (ask["max_tokens"], ask["cache_salt"]) = (1, salt);
            return (int)(await Ask(http, ask))["usage"]!["prompt_tokens_details"]!["cached_tokens"]!;
        }

        Assert.Equal(0, await Cached(story + "one", null));
        Assert.InRange(await Cached(story + "two", null), 900, 1100);
        Assert.Equal(0, await Cached(story + "three", "tenant"));
        Assert.InRange(await Cached(story + "four", "tenant"), 900, 1100);
        var metrics = await http.GetStringAsync("/metrics", TestContext.Current.CancellationToken);
        Assert.Matches(@"vllm:prefix_cache_hits_total\{[^}]*\} (19|20|21)\d\d\n", metrics);
        Assert.Matches(@"vllm:request_success_total\{[^}]*finished_reason=""length""\} 4\n", metrics);
        Assert.Matches(@"tokenfactory:joules_total\{[^}]*use=""steps""\} \d", metrics);
    }

    [Fact]
    public async Task Whoever_leaves_frees_his_blocks_at_once()
    {
        await using var engine = await Engines.StartAsync();
        using var http = new HttpClient { BaseAddress = engine.Address };
        var ask = Chat("A long story.");
        (ask["max_tokens"], ask["ignore_eos"], ask["stream"]) = (100_000, true, true);
        using (var leaving = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions"))
        {
            leaving.Content = JsonContent.Create(ask);
            using var answer = await http.SendAsync(
                leaving, HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
            await using var stream = await answer.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
            Assert.True(await stream.ReadAsync(new byte[4096], TestContext.Current.CancellationToken) > 0);
            Assert.Equal(1, engine.Load.Running);
        }

        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (engine.Load is { Running: > 0 } or { HeldBlocks: > 0 })
            await Task.Delay(1, guard.Token);
        Assert.Contains("finished_reason=\"abort\"} 1\n", await http.GetStringAsync("/metrics", guard.Token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Logprobs_and_usage_in_each_event_have_the_shape_that_clients_expect()
    {
        await using var engine = await Engines.StartAsync();
        using var http = new HttpClient { BaseAddress = engine.Address };
        var ask = Chat("Numbers.");
        (ask["max_tokens"], ask["ignore_eos"], ask["stream"], ask["logprobs"], ask["top_logprobs"]) = (5, true, true, true, 2);
        ask["stream_options"] = new JsonObject { ["include_usage"] = true, ["continuous_usage_stats"] = true };
        var tokens = (await Events(http, ask)).Where(one => one["choices"]!.AsArray().Count > 0)
            .Where(one => ((string?)one["choices"]![0]!["delta"]!["content"])?.Length > 0).ToList();
        Assert.Equal([1, 2, 3, 4, 5], tokens.Select(one => (int)one["usage"]!["completion_tokens"]!));
        Assert.All(tokens, one => Assert.Equal(2, one["choices"]![0]!["logprobs"]!["content"]![0]!["top_logprobs"]!.AsArray().Count));

        var old = new JsonObject { ["model"] = Engines.Model, ["prompt"] = new JsonArray("one", "two") };
        (old["max_tokens"], old["logprobs"]) = (4, 1);
        var whole = await Ask(http, old, "/v1/completions");
        Assert.Equal([0, 1], whole["choices"]!.AsArray().Select(choice => (int)choice!["index"]!));
        Assert.All(whole["choices"]!.AsArray(), choice => Assert.Equal(
            choice!["logprobs"]!["tokens"]!.AsArray().Count, choice["logprobs"]!["token_logprobs"]!.AsArray().Count));
    }

    [Theory]
    [InlineData("""{"model":"llama-3.1-8b","messages":[]}""", "messages")]
    [InlineData("""{"model":"llama-3.1-8b"}""", "messages")]
    [InlineData("""{"model":"llama-3.1-8b","messages":[{"role":"user","content":"x"}],"n":0}""", "n")]
    [InlineData("""{"model":"llama-3.1-8b","messages":[{"role":"user","content":"x"}],"max_tokens":"x"}""", "max_tokens")]
    [InlineData("""{"model":"llama-3.1-8b","messages":[{"role":"user","content":"x"}],"tool_choice":"required"}""", "tool_choice")]
    [InlineData("""{"model":"llama-3.1-8b","messages":[{"role":"user","content":"x"}]""", null)]
    [InlineData("[]", null)]
    [InlineData("", null)]
    public async Task A_wrong_body_is_refused_with_its_field(string body, string? field)
    {
        await using var engine = await Engines.StartAsync();
        using var http = new HttpClient { BaseAddress = engine.Address };
        using var answer = await http.PostAsync("/v1/chat/completions", new StringContent(body), TestContext.Current.CancellationToken);
        var error = JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!["error"]!;
        Assert.Equal((400, field), ((int)answer.StatusCode, (string?)error["param"]));
        Assert.Equal(["true"], answer.Headers.GetValues(VirtualEngine.Header));
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
