using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using TokenFactory.Gateway.Virtual;

namespace TokenFactory.Gateway.Tests.Virtual;

/// <summary>A virtual engine fails as it is told, and no other way.</summary>
public sealed class FaultTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_next_so_many_requests_fail_and_those_after_them_do_not()
    {
        await using var engine = await Engines.StartAsync(new VirtualOptions { Faults = "status=503:x2" });
        using var http = new HttpClient { BaseAddress = engine.Address };
        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < 4; i++)
        {
            using var answer = await Post(http, stream: false);
            statuses.Add(answer.StatusCode);
        }

        Assert.Equal(
            [HttpStatusCode.ServiceUnavailable, HttpStatusCode.ServiceUnavailable, HttpStatusCode.OK, HttpStatusCode.OK],
            statuses);
    }

    [Theory]
    [InlineData("refuse")]
    [InlineData("reset")]
    public async Task Connections_are_dropped(string faults)
    {
        await using var engine = await Engines.StartAsync(new VirtualOptions { Faults = faults });
        using var http = new HttpClient { BaseAddress = engine.Address };
        await Assert.ThrowsAsync<HttpRequestException>(() => Post(http, stream: false));
    }

    [Fact]
    public async Task A_stream_breaks_after_so_many_tokens()
    {
        await using var engine = await Engines.StartAsync(new VirtualOptions { Faults = "break=7" });
        using var http = new HttpClient { BaseAddress = engine.Address };
        using var answer = await Post(http, stream: true, completion: HttpCompletionOption.ResponseHeadersRead);
        var (text, stream) = ("", await answer.Content.ReadAsStreamAsync(Cancel));
        await Assert.ThrowsAnyAsync<IOException>(async () =>
        {
            var buffer = new byte[4096];
            while (await stream.ReadAsync(buffer, Cancel) is > 0 and var read)
                text += System.Text.Encoding.UTF8.GetString(buffer, 0, read);
        });
        Assert.True(text.Split("\"content\":\"").Length - 2 <= 7, text);
        Assert.DoesNotContain("[DONE]", text, StringComparison.Ordinal);
        using var guard = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (engine.Load.Running > 0)
            await Task.Delay(1, guard.Token);
    }

    [Fact]
    public async Task Usage_is_missing_or_cannot_be_and_garbage_is_no_json()
    {
        await using var engine = await Engines.StartAsync(new VirtualOptions { FaultControl = true, Faults = "usage=missing" });
        using var http = new HttpClient { BaseAddress = engine.Address };
        Assert.Null((await Json(http))["usage"]);
        await Set(http, "usage=wrong");
        Assert.True((int)(await Json(http))["usage"]!["completion_tokens"]! < 0);
        await Set(http, "garbage:x1");
        using var garbage = await Post(http, stream: false);
        Assert.ThrowsAny<System.Text.Json.JsonException>(
            () => JsonNode.Parse(garbage.Content.ReadAsStream(Cancel)));
        Assert.NotNull((await Json(http))["usage"]);
    }

    [Fact]
    public async Task Health_fails_and_recovers_and_faults_are_changed_only_where_that_was_allowed()
    {
        await using var open = await Engines.StartAsync(new VirtualOptions { FaultControl = true, Faults = "health:x1" });
        using var http = new HttpClient { BaseAddress = open.Address };
        using var first = await http.GetAsync("/health", Cancel);
        using var second = await http.GetAsync("/health", Cancel);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, HttpStatusCode.OK), (first.StatusCode, second.StatusCode));
        using var wrong = await http.PostAsync("/virtual/faults", new StringContent("slow=0.5, banana"), Cancel);
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);

        await using var closed = await Engines.StartAsync();
        using var other = new HttpClient { BaseAddress = closed.Address };
        using var refused = await other.PostAsync("/virtual/faults", new StringContent("reset"), Cancel);
        Assert.Equal(HttpStatusCode.NotFound, refused.StatusCode);
    }

    [Fact]
    public async Task A_request_that_hangs_ends_when_its_client_leaves_and_slow_steps_are_as_slow_as_told()
    {
        await using var engine = await Engines.StartAsync(new VirtualOptions { FaultControl = true, Faults = "hang" });
        using var http = new HttpClient { BaseAddress = engine.Address, Timeout = TimeSpan.FromMilliseconds(200) };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Post(http, stream: false));
        await Set(http, "");
        using var patient = new HttpClient { BaseAddress = engine.Address };
        await Json(patient);
        var usual = engine.Meter;
        await Set(http, "slow=4");
        await Json(patient);
        var slow = engine.Meter;
        Assert.Equal(4 * usual.BusySeconds, slow.BusySeconds - usual.BusySeconds, usual.BusySeconds * 0.05);
    }

    [Fact]
    public void Faults_that_cannot_be_understood_are_all_named()
    {
        FaultPlan.Parse("status=900, reset:2, slow=2:x3, banana, break=5:0.5", out var mistakes);
        Assert.Equal(["status=900", "reset:2", "slow=2:x3", "banana"], mistakes.Select(mistake => mistake.Word));
    }

    private static async Task<HttpResponseMessage> Post(
        HttpClient http, bool stream, HttpCompletionOption completion = HttpCompletionOption.ResponseContentRead)
    {
        var ask = AnswerTests.Chat("Hello");
        (ask["max_tokens"], ask["ignore_eos"], ask["stream"]) = (20, true, stream);
        using var message = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions");
        message.Content = JsonContent.Create(ask);
        return await http.SendAsync(message, completion, Cancel);
    }

    private static async Task<JsonNode> Json(HttpClient http)
    {
        using var answer = await Post(http, stream: false);
        return JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!;
    }

    private static async Task Set(HttpClient http, string faults)
    {
        using var answer = await http.PostAsync("/virtual/faults", new StringContent(faults), Cancel);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }
}
