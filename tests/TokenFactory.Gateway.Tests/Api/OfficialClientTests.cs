using System.ClientModel;
using System.Text;
using OpenAI.Chat;
using TokenFactory.Store.Ledger;

namespace TokenFactory.Gateway.Tests.Api;

/// <summary>The official client against a gateway over virtual engines.</summary>
public sealed class OfficialClientTests
{
    [Fact]
    public async Task Chat_is_answered_metered_and_charged()
    {
        await using var gateway = await RunningGateway.StartAsync();
        var client = gateway.OpenAi().GetChatClient(RunningGateway.Model);

        ChatCompletion answer = await client.CompleteChatAsync(
            [new UserChatMessage("Tell me of rivers.")], new ChatCompletionOptions { MaxOutputTokenCount = 12 }, TestContext.Current.CancellationToken);

        var record = Assert.Single(await gateway.StopAsync());
        Assert.NotEmpty(answer.Content[0].Text);
        Assert.Equal((Outcome.Completed, TokensFrom.Engine, "acme", "chat"), (record.Outcome, record.TokensFrom, record.Tenant, record.Class));
        Assert.Equal((answer.Usage.InputTokenCount, answer.Usage.OutputTokenCount), (record.Tokens.Prompt, record.Tokens.Output));
        Assert.Equal(((record.Tokens.Fresh * 1m) + (record.Tokens.Cached * 0.5m) + (record.Tokens.Output * 2m)) / 1_000_000, record.Charged.Value);
        Assert.True(record.UsageCost.Value > 0 && record.AllocationCost.Value >= record.UsageCost.Value && record.Joules > 0);
        Assert.True(record.Arrival <= record.Dispatched && record.Dispatched < record.Ended);
    }

    [Fact]
    public async Task A_stream_comes_word_by_word_with_the_usage_that_its_client_asks_for()
    {
        await using var gateway = await RunningGateway.StartAsync();
        var client = gateway.OpenAi().GetChatClient(RunningGateway.Model);
        var (text, updates, tokens) = (new StringBuilder(), 0, 0);

        await foreach (var update in client.CompleteChatStreamingAsync(
            [new SystemChatMessage("Be brief."), new UserChatMessage("Hello")],
            new ChatCompletionOptions { MaxOutputTokenCount = 20 },
            TestContext.Current.CancellationToken))
        {
            updates++;
            tokens = update.Usage?.OutputTokenCount ?? tokens;
            foreach (var part in update.ContentUpdate)
                text.Append(part.Text);
        }

        var record = Assert.Single(await gateway.StopAsync());
        Assert.True(updates > 5 && text.Length > 20 && tokens is > 0 and <= 20, $"{updates} updates, '{text}', {tokens} tokens");
        Assert.Equal((tokens, Outcome.Completed), (record.Tokens.Output, record.Outcome));
        Assert.True(record.FirstToken > record.Dispatched && record.FirstToken < record.Ended);
    }

    [Fact]
    public async Task Errors_come_in_the_shape_that_the_client_reads()
    {
        await using var gateway = await RunningGateway.StartAsync();

        var unknown = await Assert.ThrowsAsync<ClientResultException>(
            () => gateway.OpenAi().GetChatClient("nobody").CompleteChatAsync("hi"));
        var models = await gateway.OpenAi().GetOpenAIModelClient().GetModelsAsync(TestContext.Current.CancellationToken);

        Assert.Equal(404, unknown.Status);
        Assert.Contains("There is no model 'nobody'", unknown.Message, StringComparison.Ordinal);
        Assert.Equal([RunningGateway.Model], models.Value.Select(model => model.Id));
        Assert.Empty(await gateway.StopAsync());
    }
}
