#pragma warning disable OPENAI001 // the client calls its side of responses experimental
using System.ClientModel;
using System.ClientModel.Primitives;
using System.Net;
using System.Text;
using System.Text.Json;
using OpenAI.Chat;
using OpenAI.Embeddings;
using OpenAI.Responses;
using TokenFactory.Gateway.Setup;
using TokenFactory.Store.Ledger;
using TokenFactory.Store.Tenants;

namespace TokenFactory.Gateway.Tests.Api;

/// <summary>What the official client asks for beyond plain chat passes through the gateway to virtual engines and back, and is metered.</summary>
public sealed class OfficialClientFeatureTests
{
    private static readonly BinaryData Schema = BinaryData.FromString(
        """{"type":"object","properties":{"city":{"type":"string"},"degrees":{"type":"number"}},"required":["city","degrees"],"additionalProperties":false}""");

    [Fact]
    public async Task Tools_structured_output_and_logprobs_come_as_they_were_asked_for()
    {
        await using var gateway = await RunningGateway.StartAsync();
        var client = gateway.OpenAi().GetChatClient(RunningGateway.Model);
        var cancel = TestContext.Current.CancellationToken;
        ChatMessage[] words = [new UserChatMessage("How warm is Lisbon?")];

        ChatCompletion called = await client.CompleteChatAsync(
            words,
            new ChatCompletionOptions { Tools = { ChatTool.CreateFunctionTool("weather", "Tells it.", Schema) }, ToolChoice = ChatToolChoice.CreateRequiredChoice() },
            cancel);
        ChatCompletion shaped = await client.CompleteChatAsync(
            words, new ChatCompletionOptions { ResponseFormat = ChatResponseFormat.CreateJsonSchemaFormat("weather", Schema, jsonSchemaIsStrict: true) }, cancel);
        ChatCompletion likely = await client.CompleteChatAsync(
            words, new ChatCompletionOptions { IncludeLogProbabilities = true, TopLogProbabilityCount = 2, MaxOutputTokenCount = 5 }, cancel);

        var call = Assert.Single(called.ToolCalls);
        Assert.Equal((ChatFinishReason.ToolCalls, "weather"), (called.FinishReason, call.FunctionName));
        Assert.Equal(JsonValueKind.Object, JsonDocument.Parse(call.FunctionArguments).RootElement.ValueKind);
        AssertWeather(shaped.Content[0].Text);
        Assert.Equal(likely.Usage.OutputTokenCount, likely.ContentTokenLogProbabilities.Count);
        Assert.All(likely.ContentTokenLogProbabilities, token => Assert.True(token.LogProbability <= 0 && token.TopLogProbabilities.Count == 2));
        var records = await gateway.StopAsync();
        Assert.Equal(
            ((ChatCompletion[])[called, shaped, likely]).Select(answer => (long)answer.Usage.OutputTokenCount).Order(),
            records.Select(record => record.Tokens.Output).Order());
    }

    [Fact]
    public async Task Several_choices_come_together_and_are_all_charged()
    {
        await using var gateway = await RunningGateway.StartAsync();
        using var body = BinaryContent.Create(BinaryData.FromString(RunningGateway.Body(more: ",\"n\":2")));

        var answer = await gateway.OpenAi().GetChatClient(RunningGateway.Model).CompleteChatAsync(body);

        var json = JsonDocument.Parse(answer.GetRawResponse().Content).RootElement;
        Assert.Equal(2, json.GetProperty("choices").GetArrayLength());
        var record = Assert.Single(await gateway.StopAsync());
        Assert.Equal(json.GetProperty("usage").GetProperty("completion_tokens").GetInt64(), record.Tokens.Output);
        Assert.True(record.Tokens.Output > 16, $"{record.Tokens.Output} tokens of two answers of up to 16");
    }

    [Fact]
    public async Task Embeddings_come_in_base64_as_the_client_asks_for_them()
    {
        await using var gateway = await RunningGateway.StartAsync();
        var client = gateway.OpenAi().GetEmbeddingClient(RunningGateway.Model);

        OpenAIEmbeddingCollection answer = await client.GenerateEmbeddingsAsync(
            ["rivers", "bridges"], new EmbeddingGenerationOptions { Dimensions = 8 }, TestContext.Current.CancellationToken);

        Assert.Equal([8, 8], answer.Select(one => one.ToFloats().Length));
        var record = Assert.Single(await gateway.StopAsync());
        Assert.Equal(("embeddings", (long)answer.Usage.InputTokenCount, 0L), (record.Endpoint, record.Tokens.Prompt, record.Tokens.Output));
    }

    [Fact]
    public async Task Responses_are_answered_whole_and_as_streams()
    {
        await using var gateway = await RunningGateway.StartAsync();
        var client = gateway.OpenAi().GetResponsesClient();
        CreateResponseOptions Ask(bool stream) => new() { Model = RunningGateway.Model, StreamingEnabled = stream, MaxOutputTokenCount = 12, InputItems = { ResponseItem.CreateUserMessageItem("Rivers?") } };
        var (text, completed) = (new StringBuilder(), default(ResponseResult));

        ResponseResult whole = await client.CreateResponseAsync(Ask(stream: false), TestContext.Current.CancellationToken);
        await foreach (var update in await client.CreateResponseStreamingAsync(Ask(stream: true), TestContext.Current.CancellationToken))
        {
            if (update is StreamingResponseOutputTextDeltaUpdate delta)
                text.Append(delta.Delta);
            completed = update is StreamingResponseCompletedUpdate end ? end.Response : update is StreamingResponseIncompleteUpdate cut ? cut.Response : completed;
        }

        Assert.NotEmpty(whole.GetOutputText());
        Assert.Equal(completed!.GetOutputText(), text.ToString());
        var records = await gateway.StopAsync();
        Assert.Equal(
            ((ResponseResult[])[whole, completed]).Select(one => ((long)one.Usage.InputTokenCount, (long)one.Usage.OutputTokenCount)).Order(),
            records.Select(record => (record.Tokens.Prompt, record.Tokens.Output)).Order());
        Assert.All(records, record => Assert.Equal((Outcome.Completed, "responses"), (record.Outcome, record.Endpoint)));
    }

    [Fact]
    public async Task Who_is_told_to_come_back_later_does_so_by_itself_and_is_served()
    {
        var (begun, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var engine = new ScriptedEngine(async line =>
        {
            begun.TrySetResult();
            await release.Task;
            await line.AnswerAsync(200, """{"id":"a","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"hi"}}],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}""");
        });
        await using var gateway = await RunningGateway.StartAsync([engine.Address], setup => setup with
        {
            Tenants = [new TenantSetup(new TenantRecord("acme") { Concurrency = 1 }, [])],
        });
        var refusals = new Refusals(release);
        var client = gateway.OpenAi(3, refusals).GetChatClient(RunningGateway.Model);
        var first = gateway.ChatAsync(RunningGateway.Body());
        await begun.Task;

        ChatCompletion second = await client.CompleteChatAsync("hello"); // refused, until the first is done

        Assert.Equal("hi", second.Content[0].Text);
        Assert.Equal(HttpStatusCode.OK, (await first).StatusCode);
        Assert.True(refusals.Waits.Count > 0 && refusals.Waits.All(seconds => seconds is >= 1 and <= 60), string.Join(' ', refusals.Waits));
        Assert.Equal(2, (await gateway.StopAsync()).Count);
    }

    private static void AssertWeather(string json)
    {
        var weather = JsonDocument.Parse(json).RootElement;
        Assert.Equal((JsonValueKind.String, JsonValueKind.Number), (weather.GetProperty("city").ValueKind, weather.GetProperty("degrees").ValueKind));
    }

    /// <summary>Looks at what the client's own retries are told, and lets the engine go on once one was refused.</summary>
    private sealed class Refusals(TaskCompletionSource release) : PipelinePolicy
    {
        public List<int> Waits { get; } = [];

        public override void Process(PipelineMessage message, IReadOnlyList<PipelinePolicy> pipeline, int currentIndex) =>
            throw new NotSupportedException("only asynchronous calls are made here");

        public override async ValueTask ProcessAsync(PipelineMessage message, IReadOnlyList<PipelinePolicy> pipeline, int currentIndex)
        {
            await ProcessNextAsync(message, pipeline, currentIndex);
            if (message.Response is not { Status: 429 } refused)
                return;
            Waits.Add(refused.Headers.TryGetValue("Retry-After", out var seconds) ? int.Parse(seconds!) : 0);
            release.TrySetResult();
        }
    }
}
