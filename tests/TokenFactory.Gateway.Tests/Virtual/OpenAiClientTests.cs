using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text.Json;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Embeddings;
using TokenFactory.Gateway.Virtual;

namespace TokenFactory.Gateway.Tests.Virtual;

/// <summary>The official client meets a virtual engine, and takes it for any other.</summary>
public sealed class OpenAiClientTests : IAsyncLifetime
{
    private VirtualEngine _engine = null!;
    private OpenAIClient _client = null!;

    public async ValueTask InitializeAsync()
    {
        _engine = await Engines.StartAsync();
        _client = new OpenAIClient(
            new ApiKeyCredential("sk-any"),
            new OpenAIClientOptions { Endpoint = new Uri(_engine.Address, "/v1"), RetryPolicy = new ClientRetryPolicy(0) });
    }

    public async ValueTask DisposeAsync() => await _engine.DisposeAsync();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Chat_answers_whole_and_streamed_are_the_same_text_with_the_same_usage()
    {
        var chat = _client.GetChatClient(Engines.Model);
        ChatMessage[] messages = [new SystemChatMessage("Be brief."), new UserChatMessage("Tell of the river.")];
        ChatCompletion whole = await chat.CompleteChatAsync(messages, new ChatCompletionOptions { MaxOutputTokenCount = 20 }, Cancel);
        var (text, usage) = ("", (ChatTokenUsage?)null);
        await foreach (var update in chat.CompleteChatStreamingAsync(
            messages, new ChatCompletionOptions { MaxOutputTokenCount = 20 }, Cancel))
        {
            text += string.Concat(update.ContentUpdate.Select(part => part.Text));
            usage = update.Usage ?? usage;
        }

        Assert.Equal(whole.Content[0].Text, text);
        Assert.Equal((whole.Usage.InputTokenCount, whole.Usage.OutputTokenCount), (usage!.InputTokenCount, usage.OutputTokenCount));
        Assert.InRange(whole.Usage.OutputTokenCount, 1, 20);
    }

    [Fact]
    public async Task A_required_tool_is_called_and_a_schema_is_kept()
    {
        var chat = _client.GetChatClient(Engines.Model);
        var options = new ChatCompletionOptions { ToolChoice = ChatToolChoice.CreateRequiredChoice() };
        options.Tools.Add(ChatTool.CreateFunctionTool(
            "weather", "Tells it.", BinaryData.FromString("""{"type":"object","properties":{}}""")));
        ChatCompletion called = await chat.CompleteChatAsync([new UserChatMessage("Rain?")], options, Cancel);
        Assert.Equal(ChatFinishReason.ToolCalls, called.FinishReason);
        Assert.Equal(("weather", "{}"), (called.ToolCalls[0].FunctionName, called.ToolCalls[0].FunctionArguments.ToString()));
        var streamed = "";
        await foreach (var update in chat.CompleteChatStreamingAsync([new UserChatMessage("Rain?")], options, Cancel))
            streamed += string.Concat(update.ToolCallUpdates.Select(call => call.FunctionName + call.FunctionArgumentsUpdate));
        Assert.Equal("weather{}", streamed);

        const string schema = """
            {"type":"object","required":["name","count","tags"],
             "properties":{"name":{"type":"string"},"count":{"type":"integer","minimum":3},
             "tags":{"type":"array","items":{"enum":["a","b"]},"minItems":2}}}
            """;
        var form = new ChatCompletionOptions
        {
            ResponseFormat = ChatResponseFormat.CreateJsonSchemaFormat("thing", BinaryData.FromString(schema), jsonSchemaIsStrict: true),
        };
        ChatCompletion made = await chat.CompleteChatAsync([new UserChatMessage("A thing.")], form, Cancel);
        using var json = JsonDocument.Parse(made.Content[0].Text);
        Assert.Equal(3, json.RootElement.GetProperty("count").GetInt32());
        Assert.Equal(["a", "a"], json.RootElement.GetProperty("tags").EnumerateArray().Select(tag => tag.GetString()));
    }

    [Fact]
    public async Task Embeddings_are_vectors_of_length_one_that_follow_from_their_input()
    {
        var client = _client.GetEmbeddingClient(Engines.Model);
        OpenAIEmbeddingCollection two = await client.GenerateEmbeddingsAsync(["one", "two"], cancellationToken: Cancel);
        OpenAIEmbeddingCollection again = await client.GenerateEmbeddingsAsync(
            ["one"], new EmbeddingGenerationOptions { Dimensions = 64 }, Cancel);
        Assert.Equal((2, 1024, 64), (two.Count, two[0].ToFloats().Length, again[0].ToFloats().Length));
        Assert.Equal(1, two[0].ToFloats().ToArray().Sum(x => (double)x * x), 3);
        Assert.NotEqual(two[0].ToFloats().ToArray(), two[1].ToFloats().ToArray());
    }

    [Fact]
    public async Task Responses_stream_their_events_to_the_end_with_usage()
    {
        using var http = new HttpClient { BaseAddress = _engine.Address };
        var ask = $$"""{"model":"{{Engines.Model}}","input":"Hello","max_output_tokens":8,"stream":true}""";
        using var answer = await http.PostAsync("/v1/responses", new StringContent(ask), Cancel);
        var events = (await answer.Content.ReadAsStringAsync(Cancel)).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith("event: response.created\n", events[0], StringComparison.Ordinal);
        Assert.Equal(8, events.Count(one => one.StartsWith("event: response.output_text.delta\n", StringComparison.Ordinal)));
        using var last = JsonDocument.Parse(events[^1].Split("data: ")[1]);
        var response = last.RootElement.GetProperty("response");
        Assert.Equal("incomplete", response.GetProperty("status").GetString());
        Assert.Equal(8, response.GetProperty("usage").GetProperty("output_tokens").GetInt32());
        Assert.NotEmpty(response.GetProperty("output")[0].GetProperty("content")[0].GetProperty("text").GetString()!);
    }

    [Theory]
    [InlineData("nobody", "hi", 404, "model_not_found")]
    [InlineData(Engines.Model, null, 400, "context_length_exceeded")]
    public async Task Mistakes_are_told_in_the_words_that_clients_know(string model, string? content, int status, string code)
    {
        content ??= string.Concat(Enumerable.Repeat("word ", 120_000));
        var refused = await Assert.ThrowsAsync<ClientResultException>(
            () => _client.GetChatClient(model).CompleteChatAsync([new UserChatMessage(content)], cancellationToken: Cancel));
        Assert.Equal(status, refused.Status);
        Assert.Contains(code, refused.Message, StringComparison.Ordinal);
    }
}
